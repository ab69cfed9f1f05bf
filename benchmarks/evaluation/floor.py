"""How fast a stage could be at all: bytes over the speed of a big copy, operations over the speed
of a matrix product or a convolution, whichever is faster (one fused multiply-add counts as one),
measured in this run.

What is counted is what no way of doing it can leave out; a stage may still not overlap the two,
so the floor is the larger one. Letters: K classes, H W pixels.
"""

import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from baselines.mmseg_procedure import window_grid
from common import figure, measure, row

# Operations for one class at one pixel: interpolate along a row (that along a column is shared by
# its pixels: 1/8 each way) and compare; with several augmentations also exp (a polynomial and the
# power of two: 8), maximum, sum, and scale-and-add.
OPS_LABEL, OPS_PROBABILITY = 2.25, 2.25 + 8 + 3
OPS_VIEW = 4  # for one value of a view: three interpolations and the normalisation


@dataclass(frozen=True)
class Machine:
    """Bytes/s that a copy moves (read and written) and fused multiply-adds/s."""

    bytes_per_s: float
    ops_per_s: float

    def floor_ms(self, num_bytes: float, num_ops: float) -> float:
        return 1000 * max(num_bytes / self.bytes_per_s, num_ops / self.ops_per_s)


def machine(device: str, num_values: int = 1 << 26, side: int = 2048) -> Machine:
    """Measure it, with the threads that are set."""
    source, target = torch.ones(2, num_values, device=device)
    factor, other = torch.rand(2, side, side, device=device)
    # 256 channels in, 256 out, 3x3: which library is the faster differs between processors.
    image, kernel = torch.rand(1, 256, side // 8, side // 8, device=device), torch.rand(
        256, 256, 3, 3, device=device)
    with torch.backends.cudnn.flags(allow_tf32=False):  # the product is in float32 by default
        times = measure({'copy': lambda: target.copy_(source), 'product': lambda: factor @ other,
                         'convolution': lambda: F.conv2d(image, kernel, padding=1)}, device)
    rates = side**3 / times['product'], 256 * 256 * 9 * (side // 8) ** 2 / times['convolution']
    return Machine(2 * 4 * num_values / times['copy'] * 1000, max(rates) * 1000)


def post_process_work(size: tuple[int, int], classes: int, test_cfg: dict,
                      cell: int) -> tuple[float, float]:
    """(bytes, operations) of a test step, apart from the network.

    Read: the uint8 image, the logits. Written: the float views that the network takes, the uint8
    labels. Stride-8 logits of all augmentations fit together into little memory, so no running
    sum needs to be in memory; none is counted.

    Args:
        size: (H, W) of the image.
        classes: K.
        test_cfg: Scales, flip and windows.
        cell: Side of a logit's cell, in pixels of the network's input.
    """
    pixels, mirrors = size[0] * size[1], 2 if test_cfg.get('flip') else 1
    num_bytes, viewed, visits = 4 * pixels, 0, 0
    for scale in test_cfg.get('scales', (1.0,)):
        view = tuple(int(length * scale + 0.5) for length in size)
        area = covered = view[0] * view[1]
        if test_cfg.get('mode') == 'slide':
            grid = window_grid(view, test_cfg['crop_size'][0], test_cfg['stride'][0])
            covered = sum((y2 - y1) * (x2 - x1) for y1, y2, x1, x2 in grid)
        num_bytes += mirrors * (3 * 4 * area + classes * 4 * covered / cell**2)
        viewed += area  # a mirror image is a copy
        visits += mirrors * covered / area
    per_value = OPS_LABEL if visits == 1 else visits * OPS_PROBABILITY
    return num_bytes, classes * pixels * per_value + 3 * OPS_VIEW * viewed


def inflate_ms(path: Path, repeats: int = 5) -> float:
    """Decompressing a PNG's pixels with zlib, without undoing its filters."""
    data, at, stream = path.read_bytes(), 8, b''
    while at < len(data):
        length, kind = int.from_bytes(data[at:at + 4], 'big'), data[at + 4:at + 8]
        if kind == b'IDAT':
            stream += data[at + 8:at + 8 + length]
        at += 12 + length
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        zlib.decompress(stream)
        times.append(1000 * (time.perf_counter() - start))
    return sorted(times)[repeats // 2]


def floor_row(stage: str, num_bytes: float, num_ops: float, ours: float, speed: Machine) -> dict:
    """``ratio`` is the fraction of the machine's limit that is reached: 1 is the floor."""
    return row(f'floor / ours: {stage}', speed.floor_ms(num_bytes, num_ops), ours,
               bytes=num_bytes, operations=num_ops)


def machine_rows(speed: Machine) -> list[dict]:
    return [figure('memory: a big copy, read and written', speed.bytes_per_s / 1e9, 'GB/s'),
            figure('arithmetic: fused multiply-adds', speed.ops_per_s / 1e9,
                   'G/s')]
