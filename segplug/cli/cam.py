"""Show where in an image a network finds the evidence for classes: class-activation maps for
segmentation (Seg-Grad-CAM), as heat over the image."""

import argparse

from .common import (
    add_config_arguments,
    add_device_argument,
    add_load_arguments,
    config_arguments,
    load_arguments,
)

EXAMPLE = """example:
  segplug cam unet/unet_r18_minicity.py \\
      work_dirs/unet_r18_minicity/iter_1000.pth \\
      data/minicity/leftImg8bit/val/hohensee/hohensee_000000_000019_leftImg8bit.png \\
      --class road car --out cam
  segplug cam unet/unet_r18_minicity.py \\
      work_dirs/unet_r18_minicity/iter_1000.pth \\
      street.png --class car --region 60 70 40 20 \\
      --layer decode_head.blocks.2 --method layercam"""
METHODS = ('gradcam', 'gradcam++', 'xgradcam', 'hirescam', 'layercam')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser, packed=False)
    parser.add_argument('checkpoint', metavar='CHECKPOINT',
                        help='a checkpoint file, URL or known name')
    parser.add_argument('image', metavar='IMAGE',
                        help='a file; it goes through the network whole, at one scale')
    parser.add_argument('--class', nargs='+', required=True, dest='names', metavar='NAME',
                        help='names or ids of classes')
    parser.add_argument('--layer', metavar='NAME',
                        help='whose activations: backbone.layer4, or backbone:3 of several maps; '
                             'by default the last output of the backbone that the logits depend on')
    parser.add_argument('--method', default='gradcam', choices=METHODS,
                        help='gradcam by default; hirescam and layercam weigh cell by cell')
    parser.add_argument('--region', nargs=4, type=int, metavar=('X', 'Y', 'WIDTH', 'HEIGHT'),
                        help='explain the logits of these pixels; by default of all that are '
                             'labelled as the class')
    parser.add_argument('--out', metavar='DIR',
                        help='folder for <class>.png and panel.png; cam by default')
    add_device_argument(parser)
    add_load_arguments(parser)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.activation import cam
    print(cam(args.config, args.checkpoint, args.image, args.names, layer=args.layer,
              method=args.method, region=args.region and tuple(args.region),
              out=args.out or 'cam', device=args.device, load=load_arguments(args),
              **config_arguments(args)))
    return 0
