"""From the network's windows to layers that `ops.fuse` takes: which window lies where.

Windows come one batch after the other and none waits longer than it has to, so that what is held
at a time does not grow with the image. N batch, K classes, H W pixels, h w logit cells.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import torch
from torch import Tensor

from ..errors import ShapeError
from ..ops.fuse import Canvas
from ..ops.geometry import Axes, Axis, Layer, axes
from ..ops.windows import Span, spans
from .tta_cfg import TestCfg

Spans = tuple[tuple[Span, ...], tuple[Span, ...]]


def whole(size: tuple[int, int]) -> Spans:
    return ((0, size[0]),), ((0, size[1]),)


def window_spans(size: tuple[int, int], cfg: TestCfg) -> Spans:
    """The windows along both axes of a network's input."""
    if cfg.mode == 'whole':
        return whole(size)
    return tuple(tuple(spans(*axis)) for axis in zip(size, cfg.crop_size, cfg.stride, strict=True))


@dataclass(frozen=True)
class Patch:
    """Scores (N, K, h, w) of the window in row ``row`` and column ``col`` of the grid."""

    scores: Tensor
    row: int
    col: int


@dataclass(frozen=True)
class Grid:
    """The windows of one augmentation, and how they lie upon what they are put together to.

    Attributes:
        out: (H, W) of the latter.
        valid: (H, W) of the part of the network's input that shows it.
        spans: Of the windows, on the network's input.
    """

    out: tuple[int, int]
    valid: tuple[int, int]
    spans: Spans
    align_corners: bool

    def axes(self, scores: Tensor) -> tuple[Axes, Axes]:
        """The maps of rows and columns, for windows with as many cells as ``scores``."""
        return tuple(axes(self.out[i], self.valid[i], self.spans[i], scores.shape[2 + i],
                          align_corners=self.align_corners, device=scores.device)
                     for i in (0, 1))


def run(network: Callable, inputs: Tensor, grid: Grid, cfg: TestCfg, out_channels: int,
        is_finite: Tensor) -> Iterator[Patch]:
    """Logits of the whole input or of its windows: `run_windows` of (N, C, H', W')."""
    crops = ((inputs[..., slice(*rows), slice(*cols)], i, j)
             for i, rows in enumerate(grid.spans[0]) for j, cols in enumerate(grid.spans[1]))
    return run_windows(network, crops, cfg, out_channels, is_finite)


def run_windows(network: Callable, crops: Iterable[tuple[Tensor, int, int]], cfg: TestCfg,
                out_channels: int, is_finite: Tensor) -> Iterator[Patch]:
    """Logits of windows, row by row, in batches of fixed size.

    Args:
        network: (n N, C, h', w') float -> logits (n N, K, h, w).
        crops: Windows (N, C, h', w') with their row and column in the grid.
        cfg: For the size of a batch.
        out_channels: K.
        is_finite: () bool, which becomes False where the logits hold nan.
    """
    cells, crops = None, iter(crops)
    size = cfg.window_batch or (1 if is_finite.device.type == 'cpu' else 4)
    while batch := list(islice(crops, size)):
        inputs = [crop for crop, _, _ in batch]
        logits = network(torch.cat(inputs) if len(inputs) > 1 else inputs[0])
        cells = cells or tuple(logits.shape[2:])
        expected = (sum(map(len, inputs)), out_channels, *cells)
        if logits.dim() != 4 or tuple(logits.shape) != expected:
            raise ShapeError('The network returned logits of a wrong shape.',
                             got=tuple(logits.shape),
                             expected=f'({", ".join(map(str, expected[:2]))}, h, w)')
        scores = logits.float().contiguous()
        is_finite &= ~scores.sum().isnan()
        for part, (_, row, col) in zip(scores.split(len(inputs[0])), batch, strict=True):
            yield Patch(part, row, col)


def strips(patches: Iterable[Patch], grid: Grid) -> Iterator[tuple[Layer, tuple[int, int]]]:
    """Layers that hold all windows of some rows of the result, and those rows, from the top.

    The windows of a row of windows wait for the next row only where that one overlaps it.
    """
    rows = Strips(grid)
    for tiles in _rows_of(patches, len(grid.spans[1])):
        yield from rows.add(tiles)


class Strips:
    """Rows of windows in, layers with all windows of some rows of the result out.

    Args:
        grid: Where the windows lie.
        trim: Whether of windows that wait for the next row only those cells are kept that it
            overlaps. It saves memory, and costs a copy of them.
    """

    def __init__(self, grid: Grid, trim: bool = False) -> None:
        self._grid, self._trim = grid, trim
        self._row = self._done = 0
        self._waiting: list[tuple[Axis, list[Tensor]]] = []

    def add(self, tiles: list[Tensor]) -> Iterator[tuple[Layer, tuple[int, int]]]:
        """The layers that the next row of windows completes, and their rows of the result.

        Args:
            tiles: The row's windows, each (N, K, h, w).
        """
        rows, cols = self._grid.axes(tiles[0])
        self._waiting.append((rows.windows[self._row], tiles))
        self._row += 1
        below = [w.start for w in rows.windows[self._row:] if len(w)]
        upto = min(below, default=self._grid.out[0])
        while self._done < upto:
            until, windows = self._next(upto)
            yield Layer([tiles for _, tiles in windows], (False, True)[:len(tiles[0])],
                        tuple(w for w, _ in windows), cols.windows, rows.share,
                        cols.share), (self._done, until)
            self._done = until
        self._waiting = [(w, tiles) for w, tiles in self._waiting if w.stop > self._done]
        if self._trim:
            self._waiting = [_cut(w, tiles, self._done, w.stop) for w, tiles in self._waiting]

    def _next(self, upto: int) -> tuple[int, list[tuple[Axis, list[Tensor]]]]:
        """One past the last row of the next layer, and its windows, which have as many cells."""
        if not self._trim:
            return upto, self._waiting
        windows = [(w, tiles) for w, tiles in self._waiting if w.stop > self._done]
        until = min(upto, *(w.stop for w, _ in windows))
        if len(windows) > 1:
            reads = [_cells(w, self._done, until) for w, _ in windows]
            count = max(last - first for first, last in reads)
            windows = [_cut(w, tiles, self._done, until, count) for w, tiles in windows]
        return until, windows


def _cells(window: Axis, first: int, last: int) -> tuple[int, int]:
    """(first, one past last) cell that the rows ``first`` to ``last`` of the result read."""
    return int(window.low[first - window.start]), int(window.high[last - 1 - window.start]) + 1


def _cut(window: Axis, tiles: list[Tensor], first: int, last: int,
         count: int = 0) -> tuple[Axis, list[Tensor]]:
    """A row of windows on the rows ``first`` to ``last`` of the result alone.

    Args:
        window: The map of its rows.
        tiles: Its windows, (N, K, h, w) each.
        first, last: Rows of the result that it covers.
        count: h of what is returned, at least; it is no less than what these rows read.
    """
    top, end = _cells(window, first, last)
    count, have = max(count, end - top), tiles[0].shape[2]
    low, high, weight = (part[first - window.start:last - window.start]
                         for part in (window.low, window.high, window.weight))
    axis = replace(window, start=first, stop=last, low=low - top, high=high - top, weight=weight,
                   plain=window.is_identity)
    if (top, count) == (0, have):
        return axis, tiles
    place = torch.arange(top, top + count, device=low.device).clamp(max=have - 1)
    return axis, [tile.index_select(2, place) for tile in tiles]


def _rows_of(patches: Iterable[Patch], num_cols: int) -> Iterator[list[Tensor]]:
    tiles = []
    for patch in patches:
        tiles.append(patch.scores)
        if len(tiles) == num_cols:
            yield tiles
            tiles = []


def separate_windows(patches: Iterable[Patch], grid: Grid) -> Iterator[tuple[Layer, None]]:
    """Each window as a layer of its own, and its mirror image as another."""
    for patch in patches:
        rows, cols = grid.axes(patch.scores)
        for n, scores in enumerate(patch.scores.split(1)):
            yield Layer([[scores]], (n == 1,), (rows.windows[patch.row],),
                        (cols.windows[patch.col],), rows.share, cols.share), None


def merged(layers: Iterable[tuple[Layer, tuple[int, int] | None]], grid: Grid,
           by_window: bool) -> Tensor:
    """(N, K, H', W') of the network's input: the windows put together at its own size.

    By window their probabilities are averaged, else their logits.
    """
    canvases = {}
    for layer, rows in layers:
        for m, mirrored in enumerate(layer.mirrored):
            tile = layer.tiles[0][0]
            if mirrored not in canvases:
                canvases[mirrored] = Canvas(tile.shape[1], grid.out, None if by_window else 1,
                                            softmax=by_window, keep=True, device=tile.device)
            canvases[mirrored].add(layer.single(m), 0, rows, weigh=by_window)
    return torch.stack([canvases[mirrored].scores() for mirrored in sorted(canvases)])
