"""`ops.fuse` for CPUs, compiled by numba.

Plain torch writes every step of the same work to memory; here a piece of a row goes through
all steps while it is in the nearest caches. Each pixel is computed by itself, so neither the
number of threads nor the pieces change a bit.
Letters: M maps, S rows of windows, C windows in a row, K classes, H W pixels, h w cells, n pixels
of a piece.
"""

from functools import lru_cache

import llvmlite.ir as ir
import numba
import numpy as np
from numba import types
from numba.extending import intrinsic
from torch import Tensor

from ..geometry import Axis, Layer
from .cpu_pieces import (
    BETWEEN,
    MIRRORED,
    RUNS,
    STRAIGHT,
    accumulate,
    add_between,
    arg_max,
    between,
    combine,
    exp_between,
    maximum,
    read_line,
    to_probabilities,
)
from .jit import compiled, in_parallel

_F32, _I32, _U32 = np.float32, np.int32, np.uint32
# Values of one buffer of the inner loop; several of them have to stay in the second-level cache.
_PIECE_VALUES = 20 * 1024
_LONG_RUN = 5  # pixels; from here on a run is read quicker than by a processor's gather
_NO_TOTAL, _NO_LABELS = np.zeros((1, 1, 1), np.float32), np.zeros((1, 1), np.uint8)


@intrinsic
def _pointer(typing_context, address):
    def codegen(context, builder, signature, args):
        return builder.inttoptr(args[0], ir.FloatType().as_pointer())
    return types.CPointer(types.float32)(types.int64), codegen


@compiled
def _fill(addresses, cells, j, cols, modes, spans, share, x0, lines, top, spare):
    """Row ``j`` of all cells of a row of windows, read at n output pixels: ``lines`` (K, n).

    Where the row has several windows they are averaged by ``share``. ``top`` (n) becomes the
    maximum over K.
    """
    low, high, weight, stop = cols
    n = lines.shape[1]
    several = addresses.size > 1
    if several:
        lines[:] = _F32(0)
    for c in range(addresses.size):
        a, b = max(spans[c, 0], x0), min(spans[c, 1], x0 + n)
        if a >= b:
            continue
        tile = numba.carray(_pointer(addresses[c]), cells)
        for k in range(cells[0]):
            line = lines[k, a - x0:b - x0]
            out = spare[:b - a] if several else line
            read_line(tile[k, j], modes[c], low[c], high[c], weight[c], stop[c], a, out)
            if several:
                for x in range(b - a):
                    line[x] += share[a + x] * out[x]
    maximum(lines, top)


@compiled
def _read(y, x0, addresses, cells, rows, spans_y, share_y, cols, modes, spans_x, share_x, lines,
          tops, held, softmax, scores, norm, spare):
    """One map's ``scores`` (K, n) at the pixels of row y from x0 on.

    With ``softmax`` they are exponentials, to be multiplied by ``norm`` (n). ``lines``
    (S, 2, K, n) holds the last two rows of cells of each row of windows, row j at place j % 2,
    ``tops`` (S, 2, n) their maxima and ``held`` (S, 2) which rows they are: neighbouring pixels
    share them.
    """
    low, high, weight, _ = rows
    num_strips = addresses.shape[0]
    covering = 0
    for s in range(num_strips):
        covering += spans_y[s, 0] <= y < spans_y[s, 1]
    if covering > 1:
        scores[:] = _F32(0)
    done = False
    for s in range(num_strips):
        if not spans_y[s, 0] <= y < spans_y[s, 1]:
            continue
        w = weight[s, y]
        first = np.int64(low[s, y])
        second = np.int64(high[s, y]) if w != 0 else first
        for j in (first, second):
            if held[s, j & 1] != j:
                held[s, j & 1] = j
                _fill(addresses[s], cells, j, cols, modes, spans_x, share_x, x0,
                      lines[s, j & 1], tops[s, j & 1], spare)
        a, b = lines[s, first & 1], lines[s, second & 1]
        if covering > 1:
            add_between(a, b, w, share_y[y], scores)
        else:
            if softmax and cells[0] > 1:
                done = exp_between(a, b, w, tops[s, first & 1], tops[s, second & 1], spare,
                                    scores, norm)
            if not done:
                between(a, b, w, scores)
    if softmax and not done:
        to_probabilities(scores, spare, norm)


@compiled
def _fuse_columns(tiles, cells, rows, spans_y, share_y, cols, modes, spans_x, share_x, weights,
                  y0, y1, x0, n, steps, threshold, total, labels):
    """`fuse` for rows y0 to y1 and the n columns from x0 on."""
    num_maps, num_strips, _ = tiles.shape
    num_classes = cells[0]
    low, high, weight, stop = cols
    softmax, weigh, add, store, label = steps
    direct = not (softmax or weigh or add or store) and num_maps == 1
    lines = np.empty((num_maps, num_strips, 2, num_classes, n), _F32)
    tops = np.empty((num_maps, num_strips, 2, n), _F32)
    held = np.full((num_maps, num_strips, 2), -1, np.int64)
    scores, norms = np.empty((num_maps, num_classes, n), _F32), np.ones((num_maps, n), _F32)
    summed, spare, index = np.empty((num_classes, n), _F32), np.empty(n, _F32), np.empty(n, _I32)
    for y in range(y0, y1):
        for m in range(num_maps):
            if weigh or not softmax:
                norms[m] = _F32(1)
            _read(y, x0, tiles[m], cells, rows, spans_y, share_y,
                  (low[m], high[m], weight[m], stop[m]), modes[m], spans_x[m], share_x[m],
                  lines[m], tops[m], held[m], softmax, scores[m], norms[m], spare)
            if weigh:
                for x in range(n):
                    norms[m, x] *= weights[0][y] * weights[1][m, x0 + x]
        if store and add:
            accumulate(scores, norms, total[y], x0)
        elif store:
            combine(scores, norms, total[y], x0, False, total[y], x0)
        elif not direct:
            combine(scores, norms, total[min(y, total.shape[0] - 1)], x0, add, summed, 0)
        if label and store:
            arg_max(total[y], x0, threshold, spare, index, labels[y, x0:x0 + n])
        elif label:
            arg_max(scores[0] if direct else summed, 0, threshold, spare, index,
                     labels[y, x0:x0 + n])


@lru_cache(maxsize=128)
def _dense(windows: tuple[Axis, ...], size: int, mirrored: tuple[bool, ...]):
    """The maps of the windows along an axis as arrays over all ``size`` output pixels.

    Returns:
        (low, high, weight, stop), each (M, n, size) for M maps and n windows, ``stop`` the end of
        a pixel's run of pixels between the same two cells; modes (M, n) of `read_line`; spans
        (M, n, 2) int64, the output pixels of each window.
    """
    shape = (len(mirrored), len(windows))
    low, high, end = (np.zeros((*shape, size), _U32) for _ in range(3))
    weight = np.zeros((*shape, size), _F32)
    modes, spans = np.zeros(shape, np.int64), np.zeros((*shape, 2), np.int64)
    for m, mirror in enumerate(mirrored):
        step = -1 if mirror else 1
        for i, window in enumerate(windows):
            start, stop = window.start, window.stop
            if mirror:
                start, stop = size - stop, size - start
            spans[m, i] = start, stop
            for dense, own in ((low, window.low), (high, window.high), (weight, window.weight)):
                dense[m, i, start:stop] = own.numpy()[::step]
            breaks = np.flatnonzero(np.diff(low[m, i, start:stop].astype(np.int64))) + start + 1
            edges = np.append(breaks, stop)
            end[m, i, start:stop] = edges[np.searchsorted(edges, np.arange(start, stop), 'right')]
            modes[m, i] = _mode(window, mirror, len(edges))
    return (low, high, weight, end), modes, spans


def _mode(window: Axis, mirror: bool, num_runs: int) -> int:
    """The quickest way to read a row of cells at the pixels of a window."""
    if window.is_identity:
        return MIRRORED if mirror else STRAIGHT
    return RUNS if len(window) >= _LONG_RUN * num_runs else BETWEEN


def fuse(layer: Layer, region: tuple[int, int], *, softmax: bool, weigh: bool, add: bool,
         store: bool, threshold: float, total: Tensor | None, labels: Tensor | None) -> None:
    """See `segplug.ops.fuse.fuse`; ``total`` is (H, K, W) in memory. All tensors on the CPU."""
    height, width = len(layer.row_share), len(layer.col_share)
    num_classes = layer.tiles[0][0].shape[1]
    addresses = np.array([[[tile[m].data_ptr() for tile in row] for row in layer.tiles]
                          for m in range(len(layer.mirrored))], np.int64)
    cells = tuple(layer.tiles[0][0].shape[1:])
    rows, _, spans_y = (_first(part) for part in _dense(layer.rows, height, (False,)))
    cols, modes, spans_x = _dense(layer.cols, width, layer.mirrored)
    share_x = np.stack([layer.col_share.numpy()[::-1 if mirror else 1]
                        for mirror in layer.mirrored])
    share_y = layer.row_share.numpy()
    weights = (share_y, share_x)
    if weigh:
        share_y, share_x = np.ones_like(share_y), np.ones_like(share_x)
    # numba wants an array of the right kind even where it is not used
    total_array = _NO_TOTAL if total is None else total.permute(1, 0, 2).numpy()
    label_array = _NO_LABELS if labels is None else labels.numpy()
    steps = (softmax, weigh, add, store, labels is not None)
    x_first, x_last = int(spans_x[..., 0].min()), int(spans_x[..., 1].max())
    piece = max(_PIECE_VALUES // num_classes // 64 * 64, 64)

    def run(y0: int, y1: int) -> None:
        for x0 in range(x_first, x_last, piece):
            _fuse_columns(addresses, cells, rows, spans_y, share_y, cols, modes, spans_x,
                          share_x, weights, y0, y1, x0, min(piece, x_last - x0), steps,
                          _F32(threshold), total_array, label_array)

    in_parallel(run, *region)


def _first(part):
    """The only map's entry of what `_dense` gives."""
    return tuple(p[0] for p in part) if isinstance(part, tuple) else part[0]


@compiled
def _label_rows(total, y0, y1, threshold, labels):
    width = labels.shape[1]
    best, index = np.empty(width, _F32), np.empty(width, _I32)
    for y in range(y0, y1):
        arg_max(total[y], 0, threshold, best, index, labels[y])


def label(total: Tensor, threshold: float, labels: Tensor) -> None:
    """The class of the greatest sum: ``total`` (K, H, W) as `fuse` has it -> ``labels`` (H, W)."""
    rows, out = total.permute(1, 0, 2).numpy(), labels.numpy()

    def run(y0: int, y1: int) -> None:
        _label_rows(rows, y0, y1, _F32(threshold), out)

    in_parallel(run, 0, labels.shape[0])
