"""Score a checkpoint on the test set of a config."""

import argparse
import os

from ..errors import ConfigError
from ..startup import collector_rests
from .common import (
    add_aug_test_argument,
    add_config_arguments,
    add_launch_arguments,
    add_load_arguments,
    add_speed_arguments,
    config_arguments,
    is_main_process,
    load_arguments,
    relaunched,
    speed_arguments,
)

EXAMPLE = """example:
  segplug test unet/unet_r18_minicity.py \\
      work_dirs/unet_r18_minicity/iter_1000.pth --nproc 2 \\
      --out work_dirs/unet_r18_minicity/test_ss
  segplug test unet/unet_r18_minicity.py \\
      work_dirs/unet_r18_minicity/iter_1000.pth --nproc 2 --aug-test \\
      --out work_dirs/unet_r18_minicity/test_ms"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument('checkpoint', metavar='CHECKPOINT',
                        help='a checkpoint file, URL or known name')
    add_launch_arguments(parser)
    add_aug_test_argument(parser)
    parser.add_argument('--out', metavar='DIR',
                        help='write predictions/*.png, metrics.json, confusion_matrix.npy, '
                             'per_image.csv and run.json there')
    parser.add_argument('--report', action='store_true',
                        help='write report.html there too, a page that is one file')
    parser.add_argument('--format-only', action='store_true',
                        help="write the benchmark server's files to --out; no labels needed")
    parser.add_argument('--worst', type=int, metavar='N',
                        help='name the N images of lowest mIoU in the log')
    add_load_arguments(parser)
    add_speed_arguments(parser)


@collector_rests()
def run(args: argparse.Namespace, argv: list[str]) -> int:
    if args.report and (args.out is None or args.format_only):
        raise ConfigError('--report needs the scores in a folder.', fix='leave --format-only away'
                          if args.format_only else 'add --out DIR')
    code = relaunched(args, argv)
    if code is not None:
        return code
    from ..apis.testing import test
    metrics = test(args.config, args.checkpoint, aug_test=args.aug_test, out=args.out,
                   format_only=args.format_only, worst=args.worst, speed=speed_arguments(args),
                   load=load_arguments(args), work_dir=args.work_dir, launcher=args.launcher,
                   command=typed(argv), **config_arguments(args))
    if is_main_process():
        if metrics:
            print('  '.join(f'{key} {value:.2f}' for key, value in metrics.main().items()))
        if args.out:
            print(f'Written to {args.out}')
        if args.report:
            from ..apis.reporting import report
            print(report(args.out))
    return 0


def typed(argv: list[str]) -> list[str]:
    """The command that starts all processes, from the words of one that our launcher started."""
    words = ['segplug', *argv]
    places = [i for i in range(len(words)) if words[i:i + 2] == ['--launcher', 'pytorch']]
    if os.environ.get('SEGPLUG_LAUNCHER') == '1' and places:
        words[places[-1]:places[-1] + 2] = ['--nproc', os.environ['LOCAL_WORLD_SIZE']]
    return words
