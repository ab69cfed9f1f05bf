"""Make a mini Cityscapes: deterministic drawn street scenes in the exact Cityscapes tree."""

import argparse

from ..errors import ConfigError

EXAMPLE = """example:
  segplug make-minicity data/minicity --train 300 --val 60 --test 10 \\
      --size 256x128 --seed 0"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('root', metavar='ROOT',
                        help='folder to make; an existing one of the same settings is kept')
    parser.add_argument('--train', type=int, default=300, metavar='N',
                        help='images to train on; 300 by default')
    parser.add_argument('--val', type=int, default=60, metavar='N',
                        help='images to validate on; 60 by default')
    parser.add_argument('--test', type=int, default=10, metavar='N',
                        help='images to test on, without labels; 10 by default')
    parser.add_argument('--size', default='256x128', metavar='WxH',
                        help='of the images; 256x128 by default')
    parser.add_argument('--seed', type=int, default=0, metavar='N',
                        help='of the scenes; 0 by default')
    parser.add_argument('--processes', type=int, default=1, metavar='N',
                        help='that draw, which changes no pixel; 1 by default')


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..datasets.minicity import make_minicity
    make_minicity(args.root, train=args.train, val=args.val, test=args.test,
                  size=parse_size(args.size), seed=args.seed, processes=args.processes)
    return 0


def parse_size(text: str) -> tuple[int, int]:
    """``'256x128'`` as (256, 128)."""
    width, _, height = text.lower().partition('x')
    if not (width.isdecimal() and height.isdecimal()):
        raise ConfigError(f'--size {text} is not a size.', expected='WxH, for example 256x128')
    return int(width), int(height)
