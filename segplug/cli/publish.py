"""Write a checkpoint's weights as safetensors: no optimizer, no code, a hash in the name."""

import argparse

EXAMPLE = """example:
  segplug publish work_dirs/unet_r18_minicity/iter_1000.pth --out published
  segplug test unet/unet_r18_minicity.py published/iter_1000-0123abcd.safetensors"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('checkpoint', help='a checkpoint file, URL or known name')
    parser.add_argument('--out', metavar='PATH',
                        help='a folder, or a name ending in .safetensors, to which the hash is '
                             'added; beside the checkpoint by default')
    parser.add_argument('--ema', action=argparse.BooleanOptionalAction, default=None,
                        help='the averages of EMAHook, or the weights they are averages of; by '
                             'default what a test scores: the averages, where there are some')
    parser.add_argument('--weights-key', metavar='KEY',
                        help='which of several networks in the file: teacher, student, model')


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.publishing import publish
    path = publish(args.checkpoint, args.out, ema=args.ema, key=args.weights_key)
    print(f'{path}: {path.stat().st_size / 1e6:.1f} MB')
    return 0
