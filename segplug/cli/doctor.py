"""Find what is wrong with the data of a config, and the line of config that mends it.

Every label is read, and of every image its header. Exit code 0 where there is neither an error
nor a warning, 1 otherwise.
"""

import argparse

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
  segplug doctor unet/unet_r18_minicity.py
  segplug doctor unet/unet_r18_minicity.py --splits train --limit 50 \\
      --json findings.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser, packed=False)
    add_splits_arguments(parser)
    add_threads_argument(parser)
    add_json_argument(parser)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.examining import examine
    with told_on_stderr('segplug.apis.examining'):
        report = examine(args.config, splits=args.splits, limit=args.limit,
                         num_threads=args.threads, **config_arguments(args))
    print_result(report, report.as_dict(), args.json)
    return 0 if report.is_clean else 1
