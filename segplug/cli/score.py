"""Score a folder of prediction files against a folder of label files, without a model."""

import argparse

from .common import add_classes_argument, add_threads_argument

EXAMPLE = """example:
  segplug score work_dirs/unet_r18_minicity/test_ss/predictions \\
      data/minicity/gtFine/val --dataset cityscapes
  segplug score preds data/camvid/annotations/val --dataset camvid \\
      --boundary --out scores
  segplug score preds labels --classes road,car,tree --reduce-zero-label"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('pred_dir', metavar='PRED_DIR', help='folder of predictions')
    parser.add_argument('gt_dir', metavar='GT_DIR', help='folder of labels')
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument('--dataset', metavar='NAME', help='a registered data set: cityscapes, camvid')
    what.add_argument('--config', metavar='CONFIG', help="a config: its test set and metrics")
    add_classes_argument(what, 'what the values 0, 1, ... of the files are')
    parser.add_argument('--out', metavar='DIR', help='write metrics.json, confusion_matrix.npy, '
                                                     'per_image.csv and run.json there')
    parser.add_argument('--boundary', action='store_true',
                        help='Boundary IoU too (boundary_metrics.json)')
    parser.add_argument('--ignore-index', type=int, metavar='V',
                        help="label value that is not scored; by default the data set's, else 255")
    parser.add_argument('--reduce-zero-label', action='store_true',
                        help='label value 0 is no class, and the others move down by one')
    for side, what_file in (('pred', 'prediction'), ('label', 'label')):
        parser.add_argument(f'--{side}-values', choices=['class-ids', 'label-ids'],
                            help=f'what {what_file} files hold: 0 to K-1 (train ids), or the '
                                 "values of the data set's label files; found out if not given")
        parser.add_argument(f'--{side}-suffix', metavar='END',
                            help=f'how the names of {what_file} files end, as _{side}.png; others '
                                 'are left out')
    parser.add_argument('--names', metavar='FILE', help='the labels to score, one name a line')
    parser.add_argument('--allow-extra', action='store_true',
                        help='leave predictions without a label unscored')
    add_threads_argument(parser)


def run(args: argparse.Namespace, argv: list[str]) -> int:
    from ..apis.scoring import score
    given = vars(args)
    metrics = score(num_threads=given.pop('threads'), command=['segplug', *argv], **given)
    print('  '.join(f'{key} {value:.2f}' for key, value in metrics.main().items()))
    if args.out:
        print(f'Written to {args.out}')
    return 0
