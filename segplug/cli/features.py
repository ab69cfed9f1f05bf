"""Show what layers of a network see in an image: mean, maximum, principal components as colours,
and the channels that vary most."""

import argparse

from .common import (
    add_config_arguments,
    add_device_argument,
    add_load_arguments,
    config_arguments,
    load_arguments,
)

EXAMPLE = """example:
  segplug features unet/unet_r18_minicity.py \\
      work_dirs/unet_r18_minicity/iter_1000.pth \\
      data/minicity/leftImg8bit/val/hohensee/hohensee_000000_000019_leftImg8bit.png \\
      --layers backbone.layer1 backbone.layer4 --out features
  segplug features unet/unet_r18_minicity.py \\
      work_dirs/unet_r18_minicity/iter_1000.pth street.png --layers list"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser, packed=False)
    parser.add_argument('checkpoint', metavar='CHECKPOINT',
                        help='a checkpoint file, URL or known name')
    parser.add_argument('image', metavar='IMAGE',
                        help='a file; it goes through the network whole, at one scale')
    parser.add_argument('--layers', nargs='+', required=True, metavar='NAME',
                        help="modules: backbone.layer4 backbone.layer4.1.conv2; 'list' lists them; "
                             'of one that gives several maps, backbone:3 is one')
    parser.add_argument('--kinds', nargs='+', default=['mean', 'max', 'pca', 'channels'],
                        choices=['mean', 'max', 'pca', 'channels'], metavar='KIND',
                        help='which pictures: mean, max, pca, channels; all by default')
    parser.add_argument('--top', type=int, default=9, metavar='N',
                        help='channels to show, those that vary most; 9 by default')
    parser.add_argument('--out', metavar='DIR',
                        help='folder for <layer>/*.png and overview.png; features by default')
    add_device_argument(parser)
    add_load_arguments(parser)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.feature_pictures import features, list_layers
    given = dict(device=args.device, load=load_arguments(args), **config_arguments(args))
    if args.layers == ['list']:
        print(list_layers(args.config, args.checkpoint, args.image, **given))
    else:
        print(features(args.config, args.checkpoint, args.image, args.layers, kinds=args.kinds,
                       top=args.top, out=args.out or 'features', **given))
    return 0
