"""``tools/analysis_tools/benchmark.py`` with mmsegmentation's arguments: images a second of the
network and of what makes labels of its logits; ``segplug speed`` tells more."""

import argparse
import sys

from ..errors import ConfigError
from .common import add_config_arguments, config_arguments
from .help import parser_for
from .main import guarded

EXAMPLE = """example:
  python tools/analysis_tools/benchmark.py configs/unet/unet_r18_minicity.py \\
      work_dirs/unet_r18_minicity/iter_1000.pth"""
CALLS = 195  # of 200 images, mmsegmentation counts these


def main(argv: list[str] | None = None, calls: int = CALLS) -> int:
    """Run it; returns the exit code."""
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = parser_for('benchmark.py', __doc__, EXAMPLE)
    add_config_arguments(parser, packed=False)
    parser.add_argument('checkpoint', metavar='CHECKPOINT',
                        help='a checkpoint file, URL or known name')
    parser.add_argument('--log-interval', type=int, default=50,
                        help='not used here: a terminal shows every call')
    parser.add_argument('--work-dir', help="folder for fps_<time>.json; by default the config's")
    parser.add_argument('--repeat-times', type=int, default=1,
                        help='how often to do it all; once by default')
    parser.set_defaults(calls=calls)
    return guarded(run, parser.parse_args(argv), argv)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    import json
    import time
    from pathlib import Path

    import numpy as np

    from ..apis.config import load_config
    from ..apis.measuring import size_of_test_image, speed
    from ..engine.whole_file import whole_file
    if args.repeat_times < 1:
        raise ConfigError('--repeat-times measures nothing.', got=args.repeat_times,
                          expected='1 or more')
    given, rates = config_arguments(args), []
    shape = size_of_test_image(args.config, **given)
    for number in range(args.repeat_times):
        print(f'Run {number + 1}:')
        found = speed(args.config, args.checkpoint, repeats=args.calls, shape=shape, **given)
        seconds = [found.parts[f'  {name}'].mean for name in ('network', 'fuse, arg-max')]
        rates.append(1 / sum(seconds))
        print(f'{found}\nOverall fps: {rates[-1]:.2f} img / s\n')
    result = dict(config=args.config, unit='img / s',
                  **{f'overall_fps_{i + 1}': round(rate, 2) for i, rate in enumerate(rates)},
                  average_fps=round(float(np.mean(rates)), 2),
                  fps_variance=round(float(np.var(rates)), 4))
    print(f'Average fps of {len(rates)} evaluations: {result["average_fps"]}\n'
          f'The variance of {len(rates)} evaluations: {result["fps_variance"]}')
    folder = Path(args.work_dir or load_config(args.config, **given).work_dir)
    with whole_file(folder / f'fps_{time.strftime("%Y%m%d_%H%M%S")}.json') as file:
        json.dump(result, file, indent=4)
    return 0
