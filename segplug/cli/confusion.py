"""Show a confusion matrix: what is taken for what, as a table and as a picture with --out."""

import argparse

from .common import add_classes_argument, add_json_argument, print_result

EXAMPLE = """example:
  segplug confusion work_dirs/unet_r18_minicity/test_ms --out confusion.png
  segplug confusion work_dirs/unet_r18_minicity/test_ms/confusion_matrix.npy \\
      --normalize columns --num 20"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('source', metavar='OUT_DIR',
                        help='a folder that segplug test --out or score --out has written, or a '
                             '.npy file of counts: rows ground truth, columns prediction')
    parser.add_argument('--out', metavar='FILE',
                        help='write the picture there: .png, .pdf, .jpg, .svg or .html; or the '
                             'counts: .csv, .npy')
    parser.add_argument('--normalize', choices=['rows', 'columns', 'none'], default='rows',
                        help='rows: what the pixels of a class were taken for; columns: what was '
                             'taken for a class; none: counts; rows by default')
    add_classes_argument(parser, 'what the rows are, if no names lie beside the matrix')
    parser.add_argument('--num', type=int, default=10, metavar='N',
                        help='list the N largest confusions; 10 by default')
    parser.add_argument('--color-theme', default='Blues', metavar='NAME',
                        help='a colour map of matplotlib; Blues by default')
    parser.add_argument('--title', default='', metavar='TEXT', help='above the picture')
    add_json_argument(parser)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.confusions import confusion
    found = confusion(args.source, normalize=args.normalize, classes=args.classes, num=args.num,
                      theme=args.color_theme, title=args.title)
    if args.out:
        found.write(args.out)
    print_result(found, found.data(), args.json)
    if args.out and args.json != '-':
        print(f'Written to {args.out}')
    return 0
