"""``tools/analysis_tools/get_flops.py`` with mmsegmentation's arguments: what a network costs, in
all; ``segplug complexity`` tells it module by module."""

import argparse
import sys

from .common import add_config_arguments, config_arguments
from .help import parser_for
from .main import guarded

EXAMPLE = """example:
  python tools/analysis_tools/get_flops.py configs/unet/unet_r18_minicity.py \\
      --shape 512 1024"""


def main(argv: list[str] | None = None) -> int:
    """Run it; returns the exit code."""
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = parser_for('get_flops.py', __doc__, EXAMPLE)
    add_config_arguments(parser, packed=False)
    parser.add_argument('--shape', type=int, nargs='+', default=[2048, 1024],
                        help='height and width of the image, or one number for a square; '
                             '2048 1024 by default')
    args = parser.parse_args(argv)
    if len(args.shape) > 2:
        parser.error(f'--shape takes height and width, or one number for a square, and not '
                     f'{len(args.shape)} numbers')
    return guarded(run, args, argv)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.counting import complexity
    found = complexity(args.config, shape=(args.shape[0], args.shape[-1]),
                       **config_arguments(args))
    line = '=' * 30
    print(f'{line}\nInput shape: {found.size}\nFlops: {found.multiply_adds / 1e9:.3f}G '
          f'(multiply-adds, as mmsegmentation counts)\nParams: {found.parameters / 1e6:.3f}M\n'
          f'{line}')
    return 0
