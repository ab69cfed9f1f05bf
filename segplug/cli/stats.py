"""Count what the data of a config hold: classes, their sizes, image sizes, class weights, the mean
of the images.

Each label is read once, and of every image its header. `segplug doctor` says what is wrong with
them.
"""

import argparse
from pathlib import Path

from .common import (
    add_config_arguments,
    add_json_argument,
    add_splits_arguments,
    add_threads_argument,
    config_arguments,
    print_result,
    told_on_stderr,
)

EXAMPLE = """example:
  segplug make-minicity data/minicity
  segplug stats unet/unet_r18_minicity.py
  segplug stats unet/unet_r18_minicity.py --splits train \\
      --out classes.csv --json statistics.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser, packed=False)
    add_splits_arguments(parser)
    parser.add_argument('--images', type=int, default=500, metavar='N',
                        help='training images, spread over all, whose mean and deviation are '
                             'taken, 0 for none; 500 by default')
    parser.add_argument('--out', metavar='FILE',
                        help='write a .csv, a row for each class of each split, or all as .json')
    add_threads_argument(parser)
    add_json_argument(parser)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.statistics import check_ending, stats, write_statistics
    if args.out:
        check_ending(Path(args.out))
    with told_on_stderr('segplug.apis.statistics'):
        found = stats(args.config, splits=args.splits, limit=args.limit, num_images=args.images,
                      num_threads=args.threads, **config_arguments(args))
        if args.out:
            write_statistics(found, Path(args.out))
    print_result(found, found.as_dict(), args.json)
    if args.out and args.json != '-':
        print(f'Written to {args.out}')
    return 0
