"""From the network's windows to layers that `ops.fuse` takes: which window lies where.

Windows come one batch after the other and none waits longer than it has to, so that what is held
at a time does not grow with the image. N batch, K classes, H W pixels, h w logit cells.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from ..errors import ShapeError
from ..ops.fuse import Canvas
from ..ops.geometry import Axes, Layer, axes
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
    waiting, done = [], 0
    for row, tiles in enumerate(_rows_of(patches, len(grid.spans[1]))):
        rows, cols = grid.axes(tiles[0])
        waiting.append((rows.windows[row], tiles))
        below = [w.start for w in rows.windows[row + 1:] if len(w)]
        upto = min(below, default=grid.out[0])
        if upto > done:
            yield Layer([tiles for _, tiles in waiting], (False, True)[:len(tiles[0])],
                        tuple(w for w, _ in waiting), cols.windows, rows.share,
                        cols.share), (done, upto)
        done = max(done, upto)
        waiting = [(w, tiles) for w, tiles in waiting if w.stop > done]


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
