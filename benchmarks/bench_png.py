"""Decoding PNG: OpenCV and Pillow, as mmcv calls them, against our decoder, on one thread.

Frames are those of bench_evaluation, as heavy to decode as real ones; labels are as drawn. What
is compared has the same bits. The last row is the floor under a decoder: inflating alone.
"""

import sys
import tempfile
import zlib
from pathlib import Path

import cv2
import mmcv
import numpy as np
from common import SKIPPED, main, measure, row
from evaluation.frames import write_frames

from segplug.ops.png import decode_png

SIZE, QUICK = (1024, 2048), (256, 512)


def read(root: Path, pattern: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(root.rglob(pattern))]


def stream(data: bytes) -> bytes:
    """The compressed stream of a file."""
    position, parts = 8, []
    while position < len(data):
        length = int.from_bytes(data[position:position + 4], 'big')
        if data[position + 4:position + 8] == b'IDAT':
            parts.append(data[position + 8:position + 8 + length])
        position += 12 + length
    return b''.join(parts)


def compare(files: list[bytes], theirs, ours, repeats: int) -> tuple[float, float]:
    """Median times of both for one file, in ms; the files take turns."""
    def all_of(decode):
        for data in files:
            decode(data)
    times = measure(dict(theirs=lambda: all_of(theirs), ours=lambda: all_of(ours)), 'cpu', repeats)
    return times['theirs'] / len(files), times['ours'] / len(files)


def decoders(flag: str, backend: str) -> tuple:
    """mmcv's and ours."""
    return (lambda data: mmcv.imfrombytes(data, flag, backend=backend),
            lambda data: decode_png(data, flag, backend))


def check(files: list[bytes], flag: str, backend: str) -> None:
    """Exit where our decoder cannot run, or (never) has other bits."""
    theirs, ours = decoders(flag, backend)
    for data in files:
        pixels = ours(data)
        if pixels is None:
            print('isal or numba is missing, or SEGPLUG_KERNELS=off')
            sys.exit(SKIPPED)
        if not np.array_equal(pixels, theirs(data)):
            sys.exit(f'{backend} reads something else')


def run(args):
    height, width = args.size or (QUICK if args.quick else SIZE)
    with tempfile.TemporaryDirectory() as folder:
        write_frames(Path(folder), (height, width), 3)
        images, labels = (read(Path(folder), f'*{name}.png') for name in
                          ('leftImg8bit', 'labelTrainIds'))
    rows, repeats = [], 3 if args.quick else 21

    def add(case, files, theirs, ours):
        rows.append(row(f'{width}x{height} {case}', *compare(files, theirs, ours, repeats),
                        bytes=sum(map(len, files)) // len(files), threads=args.threads or 1))

    for kind, files, flag, backends in (('image', images, 'color', ('cv2', 'pillow')),
                                        ('label', labels, 'unchanged', ('pillow', 'cv2'))):
        for backend in backends:
            check(files, flag, backend)
            add(f'{kind}, {backend} / ours', files, *decoders(flag, backend))
    add('image, cv2 / ours of its upper half', images,
        lambda data: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR),
        lambda data: decode_png(data, num_rows=height // 2))
    from isal import isal_zlib
    add('image, only inflating, zlib / isal', [stream(data) for data in images], zlib.decompress,
        isal_zlib.decompress)
    return rows


if __name__ == '__main__':
    main(__doc__, run)
