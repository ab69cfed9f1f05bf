"""``tools/analysis_tools/analyze_logs.py``, with the arguments of mmsegmentation's and
mmdetection's: curves of logs as a picture, and the time of an iteration."""

import argparse
import sys

from .help import parser_for
from .main import guarded

EXAMPLE = """example:
  python tools/analysis_tools/analyze_logs.py work_dirs/unet_r18_minicity \\
      --keys mIoU --out curves.png
  python tools/analysis_tools/analyze_logs.py cal_train_time \\
      work_dirs/unet_r18_minicity"""
COMMANDS = ('plot_curve', 'cal_train_time')


def main(argv: list[str] | None = None) -> int:
    """Run it; returns the exit code. Without a command it plots, as mmsegmentation's does."""
    argv = sys.argv[1:] if argv is None else list(argv)
    command = argv[0] if argv and argv[0] in COMMANDS else None
    said = f'{__doc__}\n\nCommands: {", ".join(COMMANDS)}; without one it plots.'
    parser = parser_for('analyze_logs.py', said, EXAMPLE)
    parser.add_argument('json_logs', metavar='LOG', nargs='+',
                        help='logs of trainings, or work directories')
    (_add_time if command == 'cal_train_time' else _add_plot)(parser)
    args = parser.parse_args(argv[1:] if command else argv)
    return guarded(_time if command == 'cal_train_time' else _plot, args, argv)


def _add_plot(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--keys', nargs='+', default=['mIoU'], help='what to plot; mIoU by default')
    parser.add_argument('--title', default='', help='of the picture')
    parser.add_argument('--legend', nargs='+', help='a name for each key of each log')
    parser.add_argument('--backend', help='of matplotlib, for a window')
    parser.add_argument('--style', help="not used here: seaborn's")
    parser.add_argument('--out', help='file to write; without one a window is opened')


def _add_time(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--include-outliers', action='store_true',
                        help='count the first value of each start too')


def _plot(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.charting import curves
    found = curves(args.json_logs, keys=args.keys, legend=args.legend, title=args.title)
    print(found)
    if args.out:
        print(f'Written to {found.write(args.out)}')
        return 0
    found.show(args.backend)
    return 0


def _time(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.curve_text import time_line
    from ..apis.train_time import train_time
    from ..report.logs import read_run
    for log in args.json_logs:
        time = train_time(read_run(log), warm_up=args.include_outliers)
        print(f'{log}: ' + (time_line(time) if time else 'no time is logged'))
    return 0
