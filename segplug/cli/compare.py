"""Compare two tested models: the difference per class, and whether the images can show it."""

import argparse

from .common import add_json_argument, print_result

EXAMPLE = """example:
  segplug compare work_dirs/unet_r18_minicity/test_ss \\
      work_dirs/unet_r18_minicity/test_ms --num 10 --json comparison.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('a', metavar='A', help='a folder that segplug test --out has written')
    parser.add_argument('b', metavar='B', help='another one, of the same images')
    parser.add_argument('--num', type=int, default=5, metavar='N',
                        help='list the N images that changed most; 5 by default')
    parser.add_argument('--level', type=float, default=0.95, metavar='P',
                        help='coverage of the interval; 0.95 by default')
    parser.add_argument('--draws', type=int, default=2000, metavar='N',
                        help='resamples of the interval and swaps of the test; 2000 by default')
    parser.add_argument('--seed', type=int, default=0, metavar='N',
                        help='of the draws; 0 by default')
    add_json_argument(parser)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.comparing import compare
    result = compare(args.a, args.b, level=args.level, draws=args.draws, seed=args.seed,
                     num=args.num)
    print_result(result, result, args.json)
    return 0
