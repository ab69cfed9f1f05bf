"""Find what is wrong with the data of a config, and the line of config that mends it.

Every label is read, and of every image its header. Exit code 0 where there is neither an error
nor a warning, 1 otherwise.
"""

import argparse
import contextlib
import logging
import sys

from .common import (
    add_config_arguments,
    add_json_argument,
    add_threads_argument,
    config_arguments,
    print_result,
)

EXAMPLE = """example:
  segplug make-minicity data/minicity
  segplug doctor unet/unet_r18_minicity.py
  segplug doctor my_config.py --splits train --limit 200 --json findings.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser, packed=False)
    parser.add_argument('--splits', nargs='+', choices=['train', 'val', 'test'],
                        default=['train', 'val', 'test'], help='which dataloaders; all of them')
    parser.add_argument('--limit', type=int, metavar='N',
                        help='look at N samples of each data set, spread over it')
    add_threads_argument(parser)
    add_json_argument(parser)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.examining import examine
    # Progress and whatever libraries say: standard output may be read by a program.
    handler = logging.StreamHandler(sys.stderr)
    logger = logging.getLogger('segplug.apis.examining')
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        with contextlib.redirect_stdout(sys.stderr):
            report = examine(args.config, splits=args.splits, limit=args.limit,
                             num_threads=args.threads, **config_arguments(args))
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
    print_result(report, report.as_dict(), args.json)
    return 0 if report.is_clean else 1
