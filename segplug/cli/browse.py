"""Show samples after the pipeline, labels over images, on a page that is one file.

They are those that training draws: the same order, the same augmentation.
"""

import argparse

from .common import add_config_arguments, config_arguments

EXAMPLE = """example:
  segplug make-minicity data/minicity
  segplug browse unet/unet_r18_minicity.py --num 12 --out pages"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument('--split', choices=['train', 'val', 'test'], default='train',
                        help='which dataloader; train by default')
    parser.add_argument('--num', type=int, default=24, metavar='N',
                        help='samples; 24 by default')
    parser.add_argument('--seed', type=int, metavar='N',
                        help="of order and augmentation; by default the config's, or 0")
    parser.add_argument('--out', metavar='DIR',
                        help='folder for SPLIT.html; by default browse/ in the work directory')
    parser.add_argument('--png', action='store_true', help='write SPLIT.png, a grid, as well')


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.browsing import browse
    pages = browse(args.config, split=args.split, num=args.num, seed=args.seed, out=args.out,
                   png=args.png, **config_arguments(args))
    print(pages)
    return 1 if pages.bad else 0
