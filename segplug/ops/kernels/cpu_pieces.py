"""What `cpu_fuse` does to a piece of a row, (K, n) values, while it lies in the nearest cache.

Letters: M maps, K classes, n pixels of a piece.
"""

import llvmlite.ir as ir
import numpy as np
from numba import types
from numba.extending import intrinsic

from .jit import compiled

_F32, _I32 = np.float32, np.int32
_ROUND = _F32(1.5 * 2**23)  # added and taken off again, it rounds a float32 to a whole number
_LOG2_E = _F32(np.log2(np.e))
_LN2 = _F32(np.log(2))
_EXP_MIN = _F32(-87.0)  # exp of it is the smallest normal float32, about
_SMALL_SUM = _F32(4e-31)  # exp(-70): 17 are left for terms that count beside the greatest

# How a row of cells is read at output pixels: between any two cells, by runs of pixels between the
# same two, or, where each pixel is one cell, as it is.
BETWEEN, STRAIGHT, MIRRORED, RUNS = 0, 1, 2, 3


@intrinsic
def float_of_bits(typing_context, bits):
    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.FloatType())
    return types.float32(types.int32), codegen


@compiled(inline='always')
def exp(x):
    """exp of a float32 up to 88, to 5e-7 of its value (3e-7 above -20).

    x is n ln 2 + r with |r| at most ln 2 / 2, and exp of r a polynomial of least relative error
    (7.5e-8, found by reweighted least squares); no branches.
    """
    x = max(x, _EXP_MIN)
    whole = (x * _LOG2_E + _ROUND) - _ROUND
    r = x - whole * _LN2
    p = _F32(8.2976409697e-03)
    p = p * r + _F32(4.1915431051e-02)
    p = p * r + _F32(1.6667575195e-01)
    p = p * r + _F32(4.9998894418e-01)
    p = p * r + _F32(9.9999969178e-01)
    p = p * r + _F32(1.0000000717e+00)
    return p * float_of_bits((_I32(whole) + _I32(127)) << _I32(23))


@compiled
def read_line(cells, mode, low, high, weight, stop, x0, out):
    """``out``: a row of cells, read at the output pixels from x0 on, the way ``mode`` says."""
    n = out.size
    near, far, share = low[x0:x0 + n], high[x0:x0 + n], weight[x0:x0 + n]
    if mode == STRAIGHT:
        out[:] = cells[near[0]:near[0] + n]
    elif mode == MIRRORED:
        source = cells[near[0] + 1 - n:near[0] + 1]
        for x in range(n):
            out[x] = source[n - 1 - x]
    elif mode == RUNS:
        x = 0
        while x < n:
            end = min(np.int64(stop[x0 + x]) - x0, n)
            left, step = cells[near[x]], cells[far[x]] - cells[near[x]]
            piece, part = out[x:end], share[x:end]
            for i in range(piece.size):
                piece[i] = left + part[i] * step
            x = end
    else:
        for x in range(n):
            left = cells[near[x]]
            out[x] = left + share[x] * (cells[far[x]] - left)


@compiled
def between(first, second, weight, out):
    """``out`` (K, n) between two lines; at weight 0 the first itself, be it infinite."""
    num_classes, n = out.shape
    for k in range(num_classes):
        a, b, o = first[k], second[k], out[k]
        if weight == 0:
            o[:] = a
        else:
            for x in range(n):
                o[x] = a[x] + weight * (b[x] - a[x])


@compiled
def add_between(first, second, weight, share, out):
    """Add ``share`` of what lies between two lines to ``out`` (K, n)."""
    num_classes, n = out.shape
    for k in range(num_classes):
        a, b, o = first[k], second[k], out[k]
        for x in range(n):
            o[x] += share * (a[x] + weight * (b[x] - a[x]))


@compiled
def maximum(scores, top):
    """``top`` (n) becomes the maximum of ``scores`` (K, n) over K."""
    top[:] = scores[0]
    for k in range(1, scores.shape[0]):
        row = scores[k]
        for x in range(top.size):
            top[x] = max(top[x], row[x])


@compiled
def exp_between(first, second, weight, first_top, second_top, bound, out, norm):
    """exp of what lies between two lines, and in ``norm`` one over its sum over K.

    It is taken relative to the maxima of the lines, which lie above the pixel's own and are known
    for many rows; returns False where that is so far above that exp loses digits.
    """
    num_classes, n = out.shape
    for x in range(n):
        norm[x] = _F32(0)
    if weight == 0:
        bound[:] = first_top
    else:
        for x in range(n):
            bound[x] = first_top[x] + weight * (second_top[x] - first_top[x])
    for k in range(num_classes):
        a, b, o = first[k], second[k], out[k]
        if weight == 0:
            for x in range(n):
                e = exp(a[x] - bound[x])
                o[x] = e
                norm[x] += e
        else:
            for x in range(n):
                e = exp(a[x] + weight * (b[x] - a[x]) - bound[x])
                o[x] = e
                norm[x] += e
    num_small = _I32(0)
    for x in range(n):
        num_small += _I32(norm[x] < _SMALL_SUM)
        norm[x] = _F32(1) / norm[x]
    return num_small == 0


@compiled
def to_probabilities(scores, top, norm):
    """exp in place; ``norm`` becomes one over the sum over classes. K = 1 is a sigmoid."""
    num_classes, n = scores.shape
    if num_classes == 1:
        row = scores[0]
        for x in range(n):
            e = exp(-abs(row[x]))  # which cannot overflow
            norm[x] = _F32(1) / (_F32(1) + e)
            row[x] = _F32(1) if row[x] >= _F32(0) else e
        return
    maximum(scores, top)
    for x in range(n):
        norm[x] = _F32(0)
    for k in range(num_classes):
        row = scores[k]
        for x in range(n):
            e = exp(row[x] - top[x])
            row[x] = e
            norm[x] += e
    for x in range(n):
        norm[x] = _F32(1) / norm[x]


@compiled
def combine(scores, norms, total, x0, add, out, out_x0):
    """The maps (M, K, n), M 1 or 2, times their factors (M, n), summed, and ``total`` if ``add``.

    Written to ``out`` from column ``out_x0`` on; that is other memory than ``total``, of which the
    columns from ``x0`` on are meant.
    """
    num_maps, num_classes, n = scores.shape
    first, second = norms[0], norms[num_maps - 1]
    for k in range(num_classes):
        a, b = scores[0, k], scores[num_maps - 1, k]
        o = out[k, out_x0:out_x0 + n]
        if num_maps == 1:
            for x in range(n):
                o[x] = a[x] * first[x]
        else:
            for x in range(n):
                o[x] = a[x] * first[x] + b[x] * second[x]
        if add:
            t = total[k, x0:x0 + n]
            for x in range(n):
                o[x] += t[x]


@compiled
def accumulate(scores, norms, total, x0):
    """`combine` into ``total`` itself."""
    num_maps, num_classes, n = scores.shape
    first, second = norms[0], norms[num_maps - 1]
    for k in range(num_classes):
        a, b, t = scores[0, k], scores[num_maps - 1, k], total[k, x0:x0 + n]
        if num_maps == 1:
            for x in range(n):
                t[x] += a[x] * first[x]
        else:
            for x in range(n):
                t[x] += a[x] * first[x] + b[x] * second[x]


@compiled
def arg_max(scores, x0, threshold, best, index, labels):
    """Class of the greatest score from column ``x0`` on; of equal ones the lowest; for K = 1
    above ``threshold``."""
    num_classes, n = scores.shape[0], labels.size
    row = scores[0, x0:x0 + n]
    if num_classes == 1:
        for x in range(n):
            labels[x] = row[x] > threshold
        return
    for x in range(n):
        best[x] = row[x]
        index[x] = _I32(0)
    for k in range(1, num_classes):
        row = scores[k, x0:x0 + n]
        for x in range(n):
            better = row[x] > best[x]
            best[x] = row[x] if better else best[x]
            index[x] = _I32(k) if better else index[x]
    for x in range(n):
        labels[x] = index[x]
