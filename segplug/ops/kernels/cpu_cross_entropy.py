"""`ops.cross_entropy` for CPUs, compiled by numba.

Plain torch writes maps of all classes at the label's size: the logits, their log-softmax and two
gradients. Here a piece of a row goes through all steps while it lies in the nearest caches, and
only what is known of it at the logits' own size is kept. Bands of rows go to threads, the even
ones of all images before the odd ones, since neighbours add to the row of cells between them: so
the number of threads does not change a bit.
Letters: N batch, K classes, H W pixels, h w cells of the logits, n pixels of a piece.
"""

from functools import lru_cache

import numpy as np
from torch import Tensor

from ..geometry import axis
from .cpu_pieces import BETWEEN, RUNS, STRAIGHT, exp, read_line
from .jit import compiled, in_parallel

_F32, _I32 = np.float32, np.int32
_PIECE_VALUES = 32 * 1024  # of one of the five buffers that stay in the second-level cache
_BANDS = 16  # of an image
_LONG_RUN = 5  # pixels; see cpu_fuse


@compiled
def _scores(first, second, share, scores, top, best):
    """``scores`` (K, n) between two lines, their maximum over K and the first class that has it."""
    num_classes, n = scores.shape
    for k in range(num_classes):
        a, b, o = first[k], second[k], scores[k]
        for x in range(n):
            o[x] = a[x] + share * (b[x] - a[x])
        if k == 0:
            top[:] = o
            best[:] = _I32(0)
            continue
        for x in range(n):
            better = o[x] > top[x]
            best[x] = _I32(k) if better else best[x]
            top[x] = o[x] if better else top[x]


@compiled
def _exponentials(scores, top, total):
    """exp of ``scores`` (K, n) relative to their maximum, in place, and its sum over K."""
    num_classes, n = scores.shape
    total[:] = _F32(0)
    for k in range(num_classes):
        row = scores[k]
        for x in range(n):
            e = exp(row[x] - top[x])
            row[x] = e
            total[x] += e


@compiled
def _pixels(scores, label, ignored, class_weight, top, best, total, target, factor, found):
    """What the n pixels of a piece add to ``found``: loss, right pixels, labels that are no class.

    Between the two halves of the softmax: ``scores`` become exponentials, ``total`` their sums.
    ``target`` (n) becomes the class, ``factor`` (n) its weight, 0 where the pixel does not count.
    """
    num_classes, n = scores.shape
    loss = 0.0
    for x in range(n):
        k = label[x]
        counts = k != ignored
        if counts and not 0 <= k < num_classes:
            found[2] += 1
            counts = False
        target[x] = _I32(k) if counts else _I32(0)
        factor[x] = class_weight[target[x]] if counts else _F32(0)
        found[1] += counts and best[x] == target[x]
        loss += factor[x] * (top[x] - scores[target[x], x])
    _exponentials(scores, top, total)
    for x in range(n):
        if factor[x] != 0:
            loss += factor[x] * np.log(total[x])
    found[0] += loss


@compiled
def _add_gradient(scores, total, target, factor, share, first, second):
    """Share the gradient of a row of pixels out to the lines (K, n) on both sides of it."""
    num_classes, n = scores.shape
    for x in range(n):
        scores[target[x], x] -= total[x]
        total[x] = factor[x] / total[x]
    for k in range(num_classes):
        row, a, b = scores[k], first[k], second[k]
        if share == 0:
            for x in range(n):
                a[x] += row[x] * total[x]
            continue
        for x in range(n):
            g = row[x] * total[x]
            a[x] += g - share * g
            b[x] += share * g


@compiled
def _to_cells(line, cols, x0, cells):
    """Add the gradient of a line (K, n), which becomes 0, to that of a row of ``cells`` (K, w)."""
    low, high, weight, stop, _ = cols
    num_classes, n = line.shape
    x = 0
    while x < n:
        end = min(np.int64(stop[x0 + x]) - x0, n)
        near, far = low[x0 + x], high[x0 + x]
        for k in range(num_classes):
            left, right = _F32(0), _F32(0)
            for i in range(x, end):
                g = line[k, i]
                right += weight[x0 + i] * g
                left += g
            cells[k, near] += left - right
            cells[k, far] += right
        x = end
    line[:] = _F32(0)


@compiled
def _band(logits, label, rows, cols, ignored, class_weight, y0, y1, x0, n, want_grad, grad, found):
    """Rows y0 to y1 and the n columns from x0 on of an image: ``logits`` (K, h, w), ``grad`` too.

    ``label`` is (H, W). The last two rows of cells, row j at place j % 2, are held as lines, and
    so are the sums of their gradients.
    """
    low, high, share = rows
    num_classes = logits.shape[0]
    lines, sums = np.empty((2, num_classes, n), _F32), np.zeros((2, num_classes, n), _F32)
    scores, top, total = np.empty((num_classes, n), _F32), np.empty(n, _F32), np.empty(n, _F32)
    best, target, factor = np.empty(n, _I32), np.empty(n, _I32), np.empty(n, _F32)
    held = np.full(2, -1, np.int64)
    for y in range(y0, y1):
        first = np.int64(low[y])
        second = np.int64(high[y]) if share[y] != 0 else first
        for j in (first, second):
            if held[j & 1] == j:
                continue
            if want_grad and held[j & 1] >= 0:
                _to_cells(sums[j & 1], cols, x0, grad[:, held[j & 1]])
            held[j & 1] = j
            for k in range(num_classes):
                read_line(logits[k, j], cols[4], cols[0], cols[1], cols[2], cols[3], x0,
                          lines[j & 1, k])
        _scores(lines[first & 1], lines[second & 1], share[y], scores, top, best)
        _pixels(scores, label[y, x0:x0 + n], ignored, class_weight, top, best, total, target,
                factor, found)
        if want_grad:
            _add_gradient(scores, total, target, factor, share[y], sums[first & 1],
                          sums[second & 1])
    for j in held:
        if want_grad and j >= 0:
            _to_cells(sums[j & 1], cols, x0, grad[:, j])


@lru_cache(maxsize=64)
def _axis(size: int, cells: int, align_corners: bool):
    """(low, high, weight, stop, mode) of an axis, as `cpu_pieces.read_line` wants them."""
    found = axis(size, size, (0, size), cells, align_corners=align_corners)
    low, high = (part.numpy().astype(np.uint32) for part in (found.low, found.high))
    edges = np.append(np.flatnonzero(np.diff(low)) + 1, size)
    stop = edges[np.searchsorted(edges, np.arange(size), 'right')].astype(np.uint32)
    mode = STRAIGHT if found.is_identity else \
        RUNS if size >= _LONG_RUN * len(edges) else BETWEEN
    return low, high, found.weight.numpy(), stop, mode


def _bands(low: np.ndarray) -> list[tuple[int, int]]:
    """Bands of rows of which only neighbours share a row of cells."""
    edges = np.concatenate([[0], np.flatnonzero(np.diff(low)) + 1, [len(low)]])
    count = min(_BANDS, len(edges) - 1)
    chosen = edges[np.arange(count + 1) * (len(edges) - 1) // count]
    return list(zip(chosen[:-1].tolist(), chosen[1:].tolist(), strict=True))


def cross_entropy(logits: Tensor, label: Tensor, class_weight: Tensor, ignored: int,
                  align_corners: bool, grad: Tensor | None) -> tuple[float, int, int]:
    """See `segplug.ops.cross_entropy`.

    Args:
        logits: (N, K, h, w) float32, contiguous.
        label: (N, H, W) int64, contiguous.
        class_weight: (K,) float32.
        ignored: The label of pixels that do not count.
        align_corners: As for a resize.
        grad: Like ``logits``; what the gradient is added to, if it is wanted.

    Returns:
        The sum of the weighted losses, the number of pixels that are right, and of those whose
        label is neither a class nor ignored.
    """
    rows, cols = (_axis(label.shape[i + 1], logits.shape[i + 2], align_corners) for i in (0, 1))
    width = label.shape[2]
    piece = min(max(_PIECE_VALUES // logits.shape[1] // 64 * 64, 64), width)
    scores, labels, weights = logits.numpy(), label.numpy(), class_weight.numpy()
    grads = scores if grad is None else grad.numpy()
    bands = [(i, *band) for i in range(len(scores)) for band in _bands(rows[0])]
    found = np.zeros((len(bands), 3))

    def run(jobs: range) -> None:
        for job in jobs:
            i, y0, y1 = bands[job]
            for x0 in range(0, width, piece):
                _band(scores[i], labels[i], rows[:3], cols, ignored, weights, y0, y1, x0,
                      min(piece, width - x0), grad is not None, grads[i], found[job])

    num_bands = len(bands) // len(scores)
    for parity in (0, 1):
        jobs = [j for j in range(len(bands)) if j % num_bands % 2 == parity]
        in_parallel(lambda a, b, jobs=jobs: run(jobs[a:b]), 0, len(jobs))
    loss, right, wrong = found.sum(axis=0)
    return float(loss), int(right), int(wrong)
