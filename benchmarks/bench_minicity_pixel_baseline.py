"""How far colour and position alone go on mini Cityscapes.

Trees on (R, G, B, x, y) of single pixels, trained on one seed and scored on another. The
quickstart's task is worth something only while this stays far below 30 mIoU. Needs
scikit-learn (`pip install scikit-learn`), which segplug itself does not.
"""

import argparse
import importlib.util
import sys
import time

import numpy as np
from common import SKIPPED, environment, figure, write_json

from segplug.datasets.minicity.labels import LABELS, train_id_table
from segplug.datasets.minicity.render import render_frame


def pixel_features(image):
    """(H, W, 3) uint8 -> (H * W, 5) float32: red, green, blue, and x, y in [0, 1)."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    places = np.stack([x / width, y / height], axis=-1)
    return np.concatenate([image.astype(np.float32), places], axis=-1).reshape(-1, 5)


def load_pixels(seed, split, num_frames, size, keep, rng):
    """`keep` pixels of each frame that are not ignored (all of them if None): features, training
    ids."""
    features, targets = [], []
    table = train_id_table()
    for index in range(num_frames):
        image, label, _ = render_frame(seed, split, index, size)
        target = table[label].ravel()
        chosen = np.flatnonzero(target < 19)
        if keep is not None:
            chosen = rng.choice(chosen, keep, replace=False)
        features.append(pixel_features(image)[chosen])
        targets.append(target[chosen])
    return np.concatenate(features), np.concatenate(targets)


def class_ious(target, predicted):
    """(19,) float64, in percent."""
    matrix = np.bincount(target.astype(np.int64) * 19 + predicted, minlength=361).reshape(19, 19)
    hit = np.diag(matrix)
    return 100 * hit / (matrix.sum(0) + matrix.sum(1) - hit)


def build_classifiers(seed):
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

    return {
        'boosted trees': HistGradientBoostingClassifier(
            max_iter=60, learning_rate=0.15, random_state=seed
        ),
        'random forest': RandomForestClassifier(
            40, min_samples_leaf=5, n_jobs=1, random_state=seed
        ),
        'random forest, balanced': RandomForestClassifier(
            40, min_samples_leaf=5, n_jobs=1, random_state=seed, class_weight='balanced_subsample'
        ),
    }


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--train', type=int, default=200, help='frames to learn from')
    parser.add_argument('--val', type=int, default=40, help='frames to score')
    parser.add_argument('--pixels', type=int, default=800,
                        help='pixels taken from each training frame')
    parser.add_argument('--size', default='256x128')
    parser.add_argument('--quick', action='store_true', help='a tenth of the frames')
    parser.add_argument('--device', help='has no effect: this runs on the CPU')
    parser.add_argument('--out', help='JSON file for the result')
    args = parser.parse_args()
    if args.quick:
        args.train, args.val = max(args.train // 10, 1), max(args.val // 10, 1)
    return args


def main():
    args = parse_args()
    if importlib.util.find_spec('sklearn') is None:
        print('Skipped: scikit-learn is not installed.')
        sys.exit(SKIPPED)
    size, rng = tuple(int(n) for n in args.size.split('x')), np.random.RandomState(0)
    train = load_pixels(0, 'train', args.train, size, args.pixels, rng)
    val = load_pixels(1, 'val', args.val, size, size[0] * size[1] // 8, rng)
    names = [
        name for name, row in sorted(LABELS.items(), key=lambda item: item[1][1]) if row[1] < 19
    ]
    rows = []
    for name, classifier in build_classifiers(0).items():
        start = time.perf_counter()
        ious = class_ious(val[1], classifier.fit(*train).predict(val[0]))
        per_class = dict(zip(names, ious.tolist(), strict=True))
        rows.append(figure(f'pixel baseline: {name}', float(np.nanmean(ious)), 'mIoU',
                           train=args.train, val=args.val, pixels=args.pixels, size=args.size,
                           per_class=per_class))
        print(f'{name}: mIoU {np.nanmean(ious):.2f} ({time.perf_counter() - start:.0f} s)',
              flush=True)
        print('  ' + ', '.join(f'{c} {iou:.0f}' for c, iou in per_class.items()), flush=True)
    if args.out:
        write_json(args.out, dict(environment=environment('cpu'), quick=args.quick, rows=rows))


if __name__ == '__main__':
    main()
