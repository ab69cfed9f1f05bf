"""Draw the confusion matrix of a folder of predictions, with mmsegmentation's arguments."""

import argparse
import sys

from .help import parser_for
from .main import guarded

EXAMPLE = """example:
  python tools/analysis_tools/confusion_matrix.py \\
      configs/unet/unet_r18_minicity.py \\
      work_dirs/unet_r18_minicity/test_ss/predictions confusion"""


def main(argv: list[str] | None = None) -> int:
    """``tools/analysis_tools/confusion_matrix.py``; returns the exit code."""
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = parser_for('confusion_matrix.py', __doc__, EXAMPLE)
    parser.add_argument('config', metavar='CONFIG',
                        help='a config: its test set has the classes and the labels')
    parser.add_argument('prediction_path', metavar='PRED_DIR',
                        help='folder of predictions, named as their images')
    parser.add_argument('save_dir', metavar='DIR',
                        help='folder for confusion_matrix.png, and for the counts and scores as '
                             'segplug score --out writes them')
    parser.add_argument('--show', action='store_true', help='open a window too')
    parser.add_argument('--color-theme', default='winter',
                        help='a colour map of matplotlib; winter by default')
    parser.add_argument('--title', default='Normalized Confusion Matrix', help='above the picture')
    parser.add_argument('--ignore_index', '--ignore-index', type=int,
                        help="label value that is not scored; the config's by default")
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='K=V',
                        help='override any key of the config')
    return guarded(run, parser.parse_args(argv), argv)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.config import parse_options
    from ..apis.confusion_of_maps import PICTURE, confusion_of_maps
    from ..apis.figures import window
    found = confusion_of_maps(
        args.config, args.prediction_path, args.save_dir, options=parse_options(args.cfg_options),
        ignore_index=args.ignore_index, theme=args.color_theme, title=args.title)
    print(found)
    print(f'Written to {args.save_dir}/{PICTURE}')
    if args.show:
        window(found.figure)
    return 0
