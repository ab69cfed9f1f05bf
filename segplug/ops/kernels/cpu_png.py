"""Undoing PNG's row filters on a CPU, compiled by numba (PNG specification, third edition, 9.2).

A filter adds to each byte what its neighbours (a left, b above, c above a) predict, so each pixel
waits for the one before it. The three colours of a pixel do not wait for each other, and are
done side by side. Rows of one byte a pixel are mostly labels: eight pixels that say "as
predicted" are done at once where the prediction is plain. With zeros above, Up predicts 0 as None
does, and Paeth predicts a as Sub does: fewer loops to compile. Letters: H W pixels.
"""

import numpy as np

from .jit import compiled

_NONE, _SUB, _UP, _AVERAGE, _PAETH = range(5)


@compiled
def _sub(a, b, c):
    return a


@compiled
def _average(a, b, c):
    return (a + b) >> 1


@compiled
def _paeth(a, b, c):
    """Of a, b, c the nearest to a + b - c, ties in this order.

    In terms of the smaller and the larger of a and b it needs no absolute values, and fewer
    steps that wait for a.
    """
    low, high, bound = min(a, b), max(a, b), 3 * c - (a + b)
    inner = low if high <= bound else c
    return high if bound <= low else inner


@compiled
def _up(source, above, row, step):
    """Rows in which no byte waits for another."""
    if step < 3:
        for x in range(row.size):
            row[x] = source[x] + above[x]
        return
    zero, one, two, three = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(3)
    for x in range(zero, np.uint64(row.size), np.uint64(step)):
        row[x] = source[x + two] + above[x]
        row[x + one] = source[x + one] + above[x + one]
        row[x + two] = source[x] + above[x + two]
        if step == 4:
            row[x + three] = source[x + three] + above[x + three]


@compiled(inline='always')
def _colours(predicted, source, above, row, step):
    """Bytes 0 to 2 of each pixel of ``step`` bytes, from RGB to BGR."""
    one, two = np.uint64(1), np.uint64(2)
    a0 = a1 = a2 = c0 = c1 = c2 = np.int64(0)
    for x in range(np.uint64(0), np.uint64(row.size), np.uint64(step)):
        b0, b1, b2 = np.int64(above[x]), np.int64(above[x + one]), np.int64(above[x + two])
        a0 = (np.int64(source[x + two]) + predicted(a0, b0, c0)) & 255
        a1 = (np.int64(source[x + one]) + predicted(a1, b1, c1)) & 255
        a2 = (np.int64(source[x]) + predicted(a2, b2, c2)) & 255
        row[x], row[x + one], row[x + two] = a0, a1, a2
        c0, c1, c2 = b0, b1, b2


@compiled(inline='always')
def _single(predicted, source, above, row, first, step):
    """Byte ``first`` of each pixel of ``step`` bytes."""
    a = c = np.int64(0)
    for x in range(np.uint64(first), np.uint64(row.size), np.uint64(step)):
        b = np.int64(above[x])
        a = (np.int64(source[x]) + predicted(a, b, c)) & 255
        row[x] = a
        c = b


@compiled
def _runs(source, above, row):
    """A Paeth row of one byte a pixel.

    Where all bytes are as predicted, it goes on as the row above once it has joined it (a == c),
    and goes on as it is while the row above does not change.
    """
    ones, seven, eight = np.uint64(0x0101010101010101), np.uint64(7), np.uint64(8)
    end = row.size // 8 * 8
    source_words, above_words = source[:end].view(np.uint64), above[:end].view(np.uint64)
    row_words = row[:end].view(np.uint64)
    a = c = np.int64(0)
    for start in range(np.uint64(0), np.uint64(row.size), eight):
        i, stop = start // eight, min(start + eight, np.uint64(row.size))
        if stop - start == eight and source_words[i] == 0:
            if a == c:
                row_words[i] = above_words[i]
                a = c = np.int64(row[start + seven])
                continue
            if above_words[i] == np.uint64(c) * ones:
                row_words[i] = np.uint64(a) * ones
                continue
        for x in range(start, stop):
            b = np.int64(above[x])
            a = (np.int64(source[x]) + _paeth(a, b, c)) & 255
            row[x] = a
            c = b


@compiled(inline='always')
def _row(predicted, source, above, row, step):
    if step == 3:
        _colours(predicted, source, above, row, 3)  # as a constant it saves a third of the time
    elif step == 4:
        _colours(predicted, source, above, row, 4)
        _single(predicted, source, above, row, 3, 4)
    else:
        for first in range(step):
            _single(predicted, source, above, row, first, step)


@compiled
def unfilter(filtered, pixels, start, step):
    """Write the rows of ``filtered`` to ``pixels``, from row ``start``; rows before it are there.

    Args:
        filtered: (n * (1 + W * step),) uint8, n rows, each after the number of its filter.
        pixels: (H, W * step) uint8.
        start: int.
        step: Bytes a pixel, 1 to 4; the first three of 3 or 4 change from RGB to BGR.

    Returns:
        False if a row has a filter that does not exist; what follows it is not written.
    """
    size = pixels.shape[1]
    size = pixels.shape[1]
    zeros = np.zeros(size, np.uint8)
    for n in range(filtered.size // (size + 1)):
        begin, y = n * (size + 1), start + n
        source, row = filtered[begin + 1:begin + 1 + size], pixels[y]
        kind = filtered[begin]
        above = zeros if y == 0 or kind < _UP else pixels[y - 1]
        if kind > _PAETH:
            return False
        if kind in (_NONE, _UP):
            _up(source, above, row, step)
        elif kind == _AVERAGE:
            _row(_average, source, above, row, step)
        elif step == 1:
            _runs(source, above, row)
        elif kind == _SUB:
            _row(_sub, source, above, row, step)
        else:
            _row(_paeth, source, above, row, step)
    return True
