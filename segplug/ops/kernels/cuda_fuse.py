"""`ops.fuse` for CUDA, compiled by Triton.

A program takes neighbouring pixels of one row of the result and, class by class, all that lies
between their logits and their label; nothing but the running sum is written to memory. For a
softmax the logits are read twice, first for its terms: they come from a cache, and any number of
classes is the same code. Nothing here waits for the device.
Letters: M maps, K classes, H W pixels, h w cells.
"""

import logging
import subprocess
from functools import lru_cache

import torch
import triton
import triton.language as tl
from mmengine.logging import print_log
from torch import Tensor
from triton.errors import TritonError

from ..fuse import fuse_plain
from ..geometry import Axis, Layer

# Pixels of one program of four warps: of one window, and where windows overlap, as there more is
# kept for each pixel.
_BLOCKS = {True: 256, False: 128}
# Windows above each other at a pixel. Above that a program's values leave its registers, and it
# takes longer to compile than a test to run.
_MAX_SLOTS = 9
# Images come in all sizes. Triton would compile anew for those that 16 divides.
_SIZES = ['num_cols', 'height', 'width', 'cell_rows', 'cell_cols', 'total_plane', 'total_row',
          'y_first', 'x_first', 'x_last']


# --- on the device -------------------------------------------------------------------------


@triton.jit
def _place(tiles, addresses, row_map, col_map, row_share, col_share, y, x, inside, first_cell,
           num_cols, height, width, cell_rows, cell_cols, IS_SINGLE: tl.constexpr,
           SHARED: tl.constexpr):
    """Where the windows of one slot (see `_slots`) have the pixels ``x`` of row ``y``.

    Returns:
        Pointers to the tiles; offsets and weights of the four cells around each pixel; the
        pixel's share, which the weights contain where windows overlap; whether a window covers
        it. Offsets are 0 where none does.
    """
    row = tl.load(row_map + y)
    top = tl.load(row_map + height + y)
    down = tl.load(row_map + 2 * height + y).to(tl.float32, bitcast=True)
    col = tl.load(col_map + x, mask=inside, other=-1)
    left = tl.load(col_map + width + x, mask=inside, other=0)
    right = tl.load(col_map + 2 * width + x, mask=inside, other=0).to(tl.float32, bitcast=True)
    covered = inside & (tl.minimum(row, col) >= 0)
    if IS_SINGLE:
        cells = tiles + first_cell
    else:
        address = tl.load(addresses + row * num_cols + col, mask=covered, other=0)
        cells = address.to(tl.pointer_type(tl.float32)) + first_cell
    share = 1.0
    if SHARED:
        share = tl.load(row_share + y) * tl.load(col_share + x, mask=inside, other=0.0)
    bottom = tl.minimum(top + 1, cell_rows - 1) * cell_cols
    top = top * cell_cols
    beside = tl.minimum(left + 1, cell_cols - 1)
    up = 1.0 - down
    if not IS_SINGLE:
        up *= share
        down *= share
    return (cells, top + left, top + beside, bottom + left, bottom + beside, up - up * right,
            up * right, down - down * right, down * right, share, covered)


@triton.jit
def _cell(pointer, covered, IS_SINGLE: tl.constexpr):
    """A cell; 0 where no window is. A single window is everywhere, or a value that is not used."""
    if IS_SINGLE:
        return tl.load(pointer)
    return tl.load(pointer, mask=covered, other=0.0)


@triton.jit
def _read(place, offset, IS_SINGLE: tl.constexpr, IS_IDENTITY: tl.constexpr):
    """One window's logits of the class whose cells begin at ``offset``."""
    cells, covered = place[0] + offset, place[10]
    first = _cell(cells + place[1], covered, IS_SINGLE)
    if IS_IDENTITY:
        return first if IS_SINGLE else place[5] * first
    second = _cell(cells + place[2], covered, IS_SINGLE)
    third = _cell(cells + place[3], covered, IS_SINGLE)
    fourth = _cell(cells + place[4], covered, IS_SINGLE)
    return place[5] * first + place[6] * second + place[7] * third + place[8] * fourth


@triton.jit
def _logits(places, m: tl.constexpr, offset, NUM_SLOTS: tl.constexpr, IS_SINGLE: tl.constexpr,
            IS_IDENTITY: tl.constexpr):
    """Map m's logits of one class, overlapping windows averaged."""
    logits = _read(places[m * NUM_SLOTS], offset, IS_SINGLE, IS_IDENTITY)
    for slot in tl.static_range(1, NUM_SLOTS):
        logits += _read(places[m * NUM_SLOTS + slot], offset, IS_SINGLE, IS_IDENTITY)
    return logits


@triton.jit
def _softmax_terms(places, plane, m: tl.constexpr, K: tl.constexpr, NUM_SLOTS: tl.constexpr,
                   IS_SINGLE: tl.constexpr, IS_IDENTITY: tl.constexpr, BLOCK: tl.constexpr):
    """(greatest logit, one over the sum of the exponentials of all, less it) of map m."""
    top = tl.full([BLOCK], -3e38, tl.float32)
    norm = tl.zeros([BLOCK], tl.float32)
    for k in range(K):
        logits = _logits(places, m, k * plane, NUM_SLOTS, IS_SINGLE, IS_IDENTITY)
        # Of exp(old - new top) and exp(logits - new top) one is 1, and this the other.
        above = logits - top
        other = tl.exp(-tl.abs(above))
        norm = tl.where(above > 0, norm * other + 1.0, norm + other)
        top = tl.maximum(top, logits)
    return top, 1.0 / norm


@triton.jit(do_not_specialize=_SIZES)
def _fuse(tiles, addresses, row_maps, col_maps, row_share, col_share, total, labels, threshold,
          num_cols, height, width, cell_rows, cell_cols, total_plane, total_row, y_first, x_first,
          x_last, K: tl.constexpr, M: tl.constexpr, MIRRORED: tl.constexpr,
          ROW_SLOTS: tl.constexpr, COL_SLOTS: tl.constexpr, IS_SINGLE: tl.constexpr,
          IS_IDENTITY: tl.constexpr, SOFTMAX: tl.constexpr, WEIGH: tl.constexpr,
          ADD: tl.constexpr, STORE: tl.constexpr, BLOCK: tl.constexpr):
    """`fuse` for BLOCK pixels of a row; bit m of MIRRORED says that map m is mirrored."""
    NUM_SLOTS: tl.constexpr = ROW_SLOTS * COL_SLOTS
    y = y_first + tl.program_id(0)
    x = x_first + tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = x < x_last
    plane = cell_rows.to(tl.int64) * cell_cols
    places = ()
    for m in tl.static_range(M):
        own_x = x
        if (MIRRORED >> m) % 2 == 1:
            own_x = width - 1 - x
        for i in tl.static_range(ROW_SLOTS):
            for j in tl.static_range(COL_SLOTS):
                places += (_place(
                    tiles, addresses, row_maps + i * 3 * height, col_maps + j * 3 * width,
                    row_share, col_share, y, own_x, inside, m * K * plane, num_cols, height,
                    width, cell_rows, cell_cols, IS_SINGLE, WEIGH or not IS_SINGLE),)
    terms = ()
    if SOFTMAX and K > 1:
        for m in tl.static_range(M):
            terms += (_softmax_terms(places, plane, m, K, NUM_SLOTS, IS_SINGLE, IS_IDENTITY,
                                     BLOCK),)
    best = tl.full([BLOCK], float('-inf'), tl.float32)
    label = tl.zeros([BLOCK], tl.int32)
    for k in range(K):
        result = tl.zeros([BLOCK], tl.float32)
        for m in tl.static_range(M):
            score = _logits(places, m, k * plane, NUM_SLOTS, IS_SINGLE, IS_IDENTITY)
            if SOFTMAX and K > 1:
                score = tl.exp(score - terms[m][0]) * terms[m][1]
            elif SOFTMAX:
                score = tl.sigmoid(score)
            if WEIGH:
                score *= places[m][9]
            result += score
        at = k * total_plane.to(tl.int64) + y * total_row.to(tl.int64) + x
        if ADD:
            result += tl.load(total + at, mask=inside, other=0.0)
        if STORE:
            tl.store(total + at, result, mask=inside)
        if labels is not None:
            if K == 1:
                label = (result > threshold).to(tl.int32)
            else:
                label = tl.where(result > best, k, label)  # of equal scores the lower class
                best = tl.maximum(best, result)
    if labels is not None:
        tl.store(labels + y * width.to(tl.int64) + x, label.to(labels.dtype.element_ty),
                 mask=inside)


# --- on the host ---------------------------------------------------------------------------


@lru_cache(maxsize=128)
def _slots(windows: tuple[Axis, ...], size: int) -> Tensor:
    """The maps of the windows along an axis, over all ``size`` output pixels.

    Windows that do not overlap share a slot, so that a pixel looks only at as many as lie above
    each other anywhere.

    Returns:
        (slots, 3, size) int32 on the windows' device: which window covers a pixel, -1 for none;
        the cell before the pixel; the bits of the float32 weight of the cell after it.
    """
    ends, slot_of = [], {}
    for i, window in enumerate(windows):  # from left to right; padding alone shows no pixel
        if len(window):
            free = [slot for slot, end in enumerate(ends) if end <= window.start]
            slot_of[i] = slot = free[0] if free else len(ends)
            ends[slot:slot + 1] = [window.stop]
    table = torch.zeros((len(ends), 3, size), dtype=torch.int32, device=windows[0].low.device)
    table[:, 0] = -1
    for i, slot in slot_of.items():
        place = table[slot, :, windows[i].start:windows[i].stop]
        place[0] = i
        place[1] = windows[i].low
        place[2] = windows[i].weight.view(torch.int32)
    return table


def _addresses(tiles: list[list[Tensor]]) -> Tensor:
    """(S, C) int64 on the tiles' device: where each lies; copied without waiting for it."""
    device = tiles[0][0].device
    addresses = torch.tensor([[tile.data_ptr() for tile in row] for row in tiles],
                             dtype=torch.int64, pin_memory=device.type == 'cuda')
    return addresses.to(device, non_blocking=True)


def _columns(layer: Layer, width: int) -> tuple[int, int]:
    """(first, one past last) column of the result that the windows reach, mirrored or not."""
    start, stop = min(c.start for c in layer.cols), max(c.stop for c in layer.cols)
    spans = [(width - stop, width - start) if mirror else (start, stop)
             for mirror in layer.mirrored]
    return min(a for a, _ in spans), max(b for _, b in spans)


def launch(layer: Layer, region: tuple[int, int], *, softmax: bool, weigh: bool, add: bool,
           store: bool, threshold: float, total: Tensor | None, labels: Tensor | None) -> None:
    """`fuse`, without a way out where Triton cannot compile."""
    height, width = len(layer.row_share), len(layer.col_share)
    tile = layer.tiles[0][0]
    num_classes, cell_rows, cell_cols = tile.shape[1:]
    x_first, x_last = _columns(layer, width)
    rows, cols = _slots(layer.rows, height), _slots(layer.cols, width)
    is_single = len(layer.rows) == len(layer.cols) == 1
    block = _BLOCKS[is_single]
    grid = (region[1] - region[0], triton.cdiv(x_last - x_first, block))
    with torch.cuda.device_of(tile):  # Triton launches on the current device
        _fuse[grid](
            tile, None if is_single else _addresses(layer.tiles), rows, cols, layer.row_share,
            layer.col_share, total, labels, threshold, len(layer.cols), height, width, cell_rows,
            cell_cols, *((0, 0) if total is None else total.stride()[:2]), region[0], x_first,
            x_last, K=num_classes, M=len(layer.mirrored),
            MIRRORED=sum(flag << m for m, flag in enumerate(layer.mirrored)),
            ROW_SLOTS=len(rows), COL_SLOTS=len(cols), IS_SINGLE=is_single,
            IS_IDENTITY=all(axis.is_identity for axis in layer.rows + layer.cols),
            SOFTMAX=softmax, WEIGH=weigh, ADD=add, STORE=store, BLOCK=block,
            num_warps=4)


# What else is said where a kernel cannot be compiled or loaded. All other errors, an illegal
# access or a lack of memory, are errors of the test.
_SETUP_MESSAGES = ('C compiler', 'active driver', 'kernel image', 'ptxas', 'PTX', 'PassManager',
                   'libcuda')
# Triton 3.0, of torch 2.4, knows no tuples in kernels: its interpreter computes wrong labels here.
_unusable = tuple(int(number) for number in triton.__version__.split('.')[:2]) < (3, 3)


def _is_setup_failure(error: Exception) -> bool:
    """Whether a kernel could not be compiled or loaded, and so has done nothing yet."""
    # compilation and its limits; the compiler of the launcher; files and folders for both
    if isinstance(error, (TritonError, subprocess.CalledProcessError, ImportError, OSError)):
        return True
    return type(error) in (RuntimeError, AssertionError) and any(
        message in str(error) for message in _SETUP_MESSAGES)


def _is_launched(layer: Layer, region: tuple[int, int], settings: dict) -> bool:
    """Launch the kernel; False, and never tried again, where it cannot be compiled."""
    global _unusable
    try:
        launch(layer, region, **settings)
    except Exception as error:
        if not _is_setup_failure(error):
            raise
        _unusable = True
        print_log('Testing without compiled kernels: Triton cannot compile for this machine '
                  f'({type(error).__name__}: {error}). Results are the same; tests on the GPU are '
                  'slower.', 'current', logging.WARNING)
    return not _unusable


def fuse(layer: Layer, region: tuple[int, int], **settings) -> None:
    """See `segplug.ops.fuse.fuse`; all tensors on one CUDA device, ``total`` and ``labels`` with
    rows that lie together. Where Triton cannot compile, plain torch takes over."""
    overlap = len(_slots(layer.rows, len(layer.row_share))) * \
        len(_slots(layer.cols, len(layer.col_share)))
    if _unusable or overlap > _MAX_SLOTS or not _is_launched(layer, region, settings):
        fuse_plain(layer, region, **settings)
