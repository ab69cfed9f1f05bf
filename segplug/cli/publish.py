"""Write a checkpoint's weights as safetensors: no optimizer, no code, a hash in the name."""

import argparse

from .common import add_weights_arguments

EXAMPLE = """example:
  segplug publish work_dirs/unet_r18_minicity/iter_1000.pth --out published
  segplug test unet/unet_r18_minicity.py published/iter_1000-*.safetensors"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('checkpoint', metavar='CHECKPOINT',
                        help='a checkpoint file, URL or known name')
    parser.add_argument('--out', metavar='PATH',
                        help='a folder, or a name ending in .safetensors, to which the hash is '
                             'added; beside the checkpoint by default')
    add_weights_arguments(parser)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.publishing import publish
    path = publish(args.checkpoint, args.out, ema=args.ema, key=args.weights_key)
    print(f'{path}: {path.stat().st_size / 1e6:.1f} MB')
    return 0
