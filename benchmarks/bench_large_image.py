"""Labelling an image of 20,000 x 20,000 pixels by rows: memory and time, from PNG and from TIFF.

`segplug predict` runs in a process of its own, once for a small image and once for each large one;
the difference of their peaks is what the size costs. Aim: under 2 GB. The network is Fast-SCNN
with random weights: what it finds does not matter here.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import tifffile
import torch
from common import ROOT, figure, main

from segplug.apis.config import load_config
from segplug.datasets.cityscapes import CityscapesDataset
from segplug.registry import MODELS

CONFIG = 'fastscnn/fast_scnn_8xb4-160k_cityscapes-512x1024.py'
SIDE, QUICK, SMALL = 20_000, 2_500, 1_000
BAND = 500  # rows that are drawn at a time
AIM = 2_000  # MB


def bands(side: int) -> Iterator[np.ndarray]:
    """Rows of an aerial picture: smooth patches with some noise, (BAND, side, 3) uint8 RGB."""
    draws = np.random.default_rng(0)
    for _ in range(side // BAND):
        patches = draws.integers(0, 256, (3, side // 200, 3)).astype(np.uint8)
        picture = cv2.resize(patches, (side, BAND), interpolation=cv2.INTER_CUBIC)
        noise = draws.integers(0, 12, (BAND, 64, 3), dtype=np.uint8)
        yield cv2.add(picture, np.tile(noise, (1, side // 64 + 1, 1))[:, :side])


def write_png(path: Path, side: int) -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, 'big') + name + body + zlib.crc32(name + body).to_bytes(
            4, 'big')
    deflater = zlib.compressobj(1)
    with open(path, 'wb') as file:
        file.write(b'\x89PNG\r\n\x1a\n' + chunk(
            b'IHDR', 2 * side.to_bytes(4, 'big') + bytes((8, 2, 0, 0, 0))))
        for band in bands(side):
            left = np.zeros_like(band)
            left[:, 1:] = band[:, :-1]
            filtered = np.insert((band - left).reshape(len(band), -1), 0, 1, axis=1)  # Sub
            file.write(chunk(b'IDAT', deflater.compress(filtered.tobytes())))
        file.write(chunk(b'IDAT', deflater.flush()) + chunk(b'IEND', b''))


def write_tiff(path: Path, side: int) -> None:
    strips = (zlib.compress(band.tobytes(), 1) for band in bands(side))
    tifffile.imwrite(path, strips, shape=(side, side, 3), dtype='uint8', photometric='rgb',
                     rowsperstrip=BAND, compression='zlib', compressionargs={'level': 1})


def label(checkpoint: Path, image: Path, out: Path) -> tuple[float, float]:
    """(peak MB, seconds) of `segplug predict`."""
    command = [sys.executable, '-m', 'segplug.cli.main', 'predict', CONFIG, str(checkpoint),
               str(image), '--out', str(out), '--window', '1024', '--device', 'cpu']
    # A process between, so that the peak of its children is that of this command alone.
    probe = ('import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]); '
             'print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); '
             'sys.exit(code)')
    start = time.perf_counter()
    done = subprocess.run([sys.executable, '-c', probe, *command], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE)
    if done.returncode:
        raise SystemExit(f'{" ".join(command)} ended with {done.returncode}')
    return int(done.stdout.split()[-1]) * resource_unit() / 1e6, time.perf_counter() - start


def resource_unit() -> int:
    """Bytes in a unit of ru_maxrss."""
    return 1 if sys.platform == 'darwin' else 1024


def run(args: argparse.Namespace) -> list[dict]:
    side = QUICK if args.quick else SIDE
    with tempfile.TemporaryDirectory() as name:
        folder, rows = Path(name), []
        checkpoint = folder / 'random.pth'
        meta = {key: CityscapesDataset.METAINFO[key] for key in ('classes', 'palette')}
        torch.save(dict(state_dict=MODELS.build(load_config(CONFIG).model).state_dict(),
                        meta=meta), checkpoint)
        write_png(folder / 'small.png', SMALL)
        small, _ = label(checkpoint, folder / 'small.png', folder / 'small')
        rows.append(figure(f'peak of the process, {SMALL}x{SMALL}', small, 'MB'))
        for kind, write in (('png', write_png), ('tif', write_tiff)):
            image = folder / f'large.{kind}'
            write(image, side)
            peak, seconds = label(checkpoint, image, folder / kind)
            labels = next((folder / kind / 'labels').iterdir())
            rows += [figure(f'peak of the process, {side}x{side} {kind}', peak, 'MB'),
                     figure(f'more than for the small one, {kind}', peak - small, 'MB', aim=AIM),
                     figure(f'the whole command, {kind}', side * side / 1e6 / seconds,
                            'megapixels/s', seconds=seconds, bytes=labels.stat().st_size)]
            image.unlink()
    return rows


if __name__ == '__main__':
    main(__doc__, run)
