"""How fast `segplug doctor` scans a training set of the size of Cityscapes: 2,975 labels.

Frames are those of bench_evaluation, moved aside a little so that no two are alike. The baseline
is what a person writes: Pillow and `numpy.unique`, a label after another. Run it with --threads 2
for two cores: the whole time is then that of the claim, at most 60 s.
"""

import struct
import tempfile
import zlib
from pathlib import Path

import cv2
import numpy as np
from common import figure, main, measure, row
from evaluation.frames import write_frames
from PIL import Image

from segplug.apis.config import load_config
from segplug.apis.examining import examine

CONFIG = 'unet/unet_r18_minicity.py'
SIZE, QUICK = (1024, 2048), (256, 512)
NUM_LABELS = 2975
_IEND = b'\0\0\0\0IEND\xaeB`\x82'


def with_text(data: bytes, number: int) -> bytes:
    """A PNG with a comment: another file, of another length, with the same pixels."""
    body = b'Comment\0' + b'x' * number
    chunk = struct.pack('>I', len(body)) + b'tEXt' + body
    return data.removesuffix(_IEND) + chunk + struct.pack('>I', zlib.crc32(chunk[4:])) + _IEND


def write_set(root: Path, size: tuple[int, int], count: int) -> None:
    """A training set in Cityscapes' tree, of three drawn frames."""
    with tempfile.TemporaryDirectory() as folder:
        write_frames(Path(folder), size, 3)
        images = sorted(Path(folder).rglob('*leftImg8bit.png'))
        labels = sorted(Path(folder).rglob('*labelTrainIds.png'))
        for number in range(count):
            name = f'town/town_{number:06d}_000019'
            image = root / f'leftImg8bit/train/{name}_leftImg8bit.png'
            label = root / f'gtFine/train/{name}_gtFine_labelTrainIds.png'
            for path in (image, label):
                path.parent.mkdir(parents=True, exist_ok=True)
            image.write_bytes(with_text(images[number % 3].read_bytes(), number))
            pixels = cv2.imread(str(labels[number % 3]), cv2.IMREAD_UNCHANGED)
            cv2.imwrite(str(label), np.roll(pixels, 7 * number, axis=1))


def plainly(root: Path) -> dict[int, int]:
    """Pixels of each value, as a few lines of Python find them."""
    total: dict[int, int] = {}
    for path in sorted(root.rglob('*labelTrainIds.png')):
        values, counts = np.unique(np.array(Image.open(path)), return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            total[value] = total.get(value, 0) + count
    return total


def run(args):
    size, threads = args.size or (QUICK if args.quick else SIZE), args.threads or 1
    few, count = 32, 64 if args.quick else 128
    with tempfile.TemporaryDirectory() as folder:
        write_set(Path(folder), size, count)
        cfg = load_config(CONFIG, data_root=folder)
        report = examine(cfg, splits=['train'], num_threads=threads)
        if report.tallies[0].raw != plainly(Path(folder)):
            raise SystemExit('the doctor counts something else')
        times = measure(dict(plain=lambda: plainly(Path(folder)),
                             ours=lambda: examine(cfg, splits=['train'], num_threads=threads),
                             few=lambda: examine(cfg, splits=['train'], num_threads=threads,
                                                 limit=few)), 'cpu', 2 if args.quick else 3)
    # Both examinations decode the same number of images, for their mean.
    each = (times['ours'] - times['few']) / (count - few)
    whole = (times['few'] + (NUM_LABELS - few) * each) / 1000
    shown = f'{size[1]}x{size[0]}'
    return [row(f'{count} labels of {shown}, everything', times['plain'], times['ours']),
            figure(f'one label of {shown}', each, 'ms'),
            figure(f'{NUM_LABELS} labels of {shown}', whole, 's', target=60.0)]


if __name__ == '__main__':
    main(__doc__, run)
