"""Label images with a checkpoint: class-id PNGs with the palette, and overlays to look at."""

import argparse

from .common import (
    add_config_arguments,
    add_load_arguments,
    add_speed_arguments,
    config_arguments,
    load_arguments,
    speed_arguments,
)

EXAMPLE = """example:
  segplug predict unet/unet_r18_minicity.py work_dirs/unet_r18_minicity/iter_1000.pth \\
      data/minicity/leftImg8bit/val --out work_dirs/predictions"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser, packed=False)
    parser.add_argument('checkpoint', help='a checkpoint file, URL or known name')
    parser.add_argument('images', nargs='+', metavar='IMAGE', help='files or folders')
    parser.add_argument('--out', required=True, metavar='DIR',
                        help='folder for labels/*.png and overlays/*.png')
    parser.add_argument('--aug-test', '--tta', action='store_true', dest='aug_test',
                        help='average over scales and mirror images')
    parser.add_argument('--device', help="'cpu', 'cuda:1', ...; by default a GPU if there is one")
    parser.add_argument('--classes', metavar='NAMES',
                        help='what the classes are, if neither checkpoint nor config says: a data '
                             'set (cityscapes), a file of names, or names with commas between')
    add_load_arguments(parser)
    add_speed_arguments(parser)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.predict import predict
    written = predict(args.config, args.checkpoint, args.images, args.out, device=args.device,
                      aug_test=args.aug_test, speed=speed_arguments(args),
                      load=load_arguments(args), classes=args.classes, **config_arguments(args))
    print(f'Labelled {len(written)} images: {args.out}/labels and {args.out}/overlays')
    return 0
