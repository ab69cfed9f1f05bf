"""Find what is wrong with the data of a config, and the line of config that mends it.

Every label is read, and of every image its header. Exit code 0 where there is neither an error
nor a warning, 1 otherwise.
"""

import argparse
import contextlib
import json
import logging
import sys
from pathlib import Path

from .common import add_config_arguments, config_arguments

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
    parser.add_argument('--threads', type=int, metavar='N',
                        help='threads that decode; one per core, at most 8')
    parser.add_argument('--json', metavar='FILE', help='write the findings and counts; - prints '
                                                       'them, and nothing else')


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
    if args.json == '-':
        print(json.dumps(report.as_dict(), indent=1))
    else:
        print(report)
        if args.json:
            path = Path(args.json)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(report.as_dict(), indent=1) + '\n', encoding='utf-8')
    return 0 if report.is_clean else 1
