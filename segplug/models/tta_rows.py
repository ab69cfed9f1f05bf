"""The sliding test of an image that is too large to be held: rows in, rows of labels out.

The same windows, averages and kernels as `tta.predict_image` at scale 1, so the same labels. What
is held is a few windows of a row (all of them where there are mirror images), and of the rows that
the next row of windows overlaps their cells, or the sums of their probabilities.
Letters: N batch (an image and its mirror), K classes, C channels, H W pixels.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, pairwise

import torch
from torch import Tensor

from ..errors import ConfigError
from ..ops import memory
from ..ops.fuse import Canvas
from ..ops.geometry import Axis, Layer
from .tta_cfg import TestCfg
from .tta_layers import Grid, Patch, Strips, run_windows, separate_windows, window_spans

# (first, one past last) row of the network's input -> these rows, (N, C, rows, W').
ReadRows = Callable[[int, int], Tensor]
# Columns of the grid -> the scores of these windows of one row.
RunWindows = Callable[[Sequence[int]], Iterator[Patch]]

_PANEL_BYTES = 1 << 28  # of the logits that are held at a time, where that is a choice
_AT_ONCE = 4  # windows of a panel at least: as many as an accelerator takes in a batch


@dataclass(frozen=True)
class Band:
    """Some rows of the result.

    Attributes:
        top: The first of them.
        labels: (n, W) uint8 class ids (int32 above 256 classes).
        is_finite: () bool: False where the network gave nan.
    """

    top: int
    labels: Tensor
    is_finite: Tensor


@torch.no_grad()
def predict_rows(network: Callable[[Tensor], Tensor], read: ReadRows, size: tuple[int, int],
                 padded: tuple[int, int], cfg: TestCfg, *, out_channels: int,
                 align_corners: bool = False, threshold: float | None = None) -> Iterator[Band]:
    """Label an image from the top down.

    Args:
        network: (N, C, h', w') float -> logits (N, K, h, w).
        read: The network's input by rows; asked from the top down, each time from no row above
            the one it was asked before. With ``cfg.flip`` N is 2.
        size: (H, W) of the image, and of the result.
        padded: (H', W') of the network's input.
        cfg: How to test: 'slide', at scale 1.
        out_channels: K; 1 for a binary model with a sigmoid.
        align_corners: How the head resizes its logits.
        threshold: For K = 1; None is 0.5.

    Raises:
        ConfigError: ``cfg`` asks for more than this path can do.
    """
    if cfg.mode != 'slide' or cfg.scales != (1.0,) or cfg.base_size is not None:
        raise ConfigError('An image that is read by rows is tested in windows, at one scale.',
                          got=f'mode={cfg.mode!r}, scales={list(cfg.scales)}, '
                              f'base_size={cfg.base_size}',
                          expected="mode='slide', scales=[1.0], base_size=None")
    grid = Grid(size, size, window_spans(padded, cfg), align_corners)
    is_finite: Tensor | None = None

    def canvas(shape: tuple[int, int], device: torch.device, num_passes: int | None) -> Canvas:
        return Canvas(out_channels, shape, num_passes, num_maps=cfg.num_augs,
                      softmax=cfg.averages_probs, device=device,
                      threshold=0.5 if threshold is None else threshold)

    kind = _OfProbabilities if cfg.by_window else _OfLogits
    panels = _panels(grid, cfg, out_channels)
    averages = [kind(panel.grid, canvas) for panel in panels]
    with memory.reused():
        for row, span in enumerate(grid.spans[0]):
            inputs = read(*span)
            if is_finite is None:
                is_finite = torch.ones((), dtype=torch.bool, device=inputs.device)
            run = partial(_run_row, network, inputs, grid, row, cfg, out_channels, is_finite)
            shared: dict[int, Tensor] = {}
            parts = [average.row(_patches(panel, row, run, shared))
                     for panel, average in zip(panels, averages, strict=True)]
            del inputs, run  # before the next ones are read
            for bands in zip(*parts, strict=True):
                labels = [labels[:, panel.own]
                          for panel, (_, labels) in zip(panels, bands, strict=True)]
                yield Band(bands[0][0], torch.cat(labels, 1), is_finite)


def _run_row(network: Callable, inputs: Tensor, grid: Grid, row: int, cfg: TestCfg,
             out_channels: int, is_finite: Tensor, cols: Sequence[int]) -> Iterator[Patch]:
    """`tta_layers.run_windows` of some windows of one row."""
    crops = ((inputs[..., slice(*grid.spans[1][col])], row, col) for col in cols)
    return run_windows(network, crops, cfg, out_channels, is_finite)


class _OfProbabilities:
    """Overlapping windows averaged as probabilities: the sums of unfinished rows are carried."""

    def __init__(self, grid: Grid, canvas: Callable[..., Canvas]) -> None:
        self._grid, self._canvas = grid, canvas
        self._held: Tensor | None = None  # (K, n, W) float32, from row `_origin` of the result
        self._origin = 0

    def row(self, patches: Iterator[Patch]) -> list[tuple[int, Tensor]]:
        """The labels that the next row of windows completes, and the first row of them."""
        part = done = None
        for patch in patches:
            if part is None:
                windows = self._grid.axes(patch.scores)[0].windows
                part = self._next_canvas(windows[patch.row], patch.scores.device)
                done = min((w.start for w in windows[patch.row + 1:] if len(w)),
                           default=self._grid.out[0])
            for layer, _ in separate_windows([patch], self._grid):
                part.add(_moved(layer, self._origin, part.size[0] + self._origin), 0, weigh=True)
        top, count = self._origin, max(done - self._origin, 0)
        self._held, self._origin = part.total[:, count:].clone(), top + count
        return [(top, part.labels()[:count])] if count else []

    def _next_canvas(self, window: Axis, device: torch.device) -> Canvas:
        """What a row of windows is added to, with the sums so far."""
        shape = max(window.stop, self._origin) - self._origin, self._grid.out[1]
        part = self._canvas(shape, device, None)
        if self._held is not None:
            part.total[:, :self._held.shape[1]] = self._held
            self._held = None
        return part


class _OfLogits:
    """Overlapping windows averaged as logits: their cells are carried."""

    def __init__(self, grid: Grid, canvas: Callable[..., Canvas]) -> None:
        self._grid, self._canvas, self._strips = grid, canvas, Strips(grid, trim=True)

    def row(self, patches: Iterator[Patch]) -> list[tuple[int, Tensor]]:
        """The labels that the next row of windows completes, and the first row of each part."""
        bands = []
        for layer, (top, bottom) in self._strips.add([patch.scores for patch in patches]):
            origin = min(row.start for row in layer.rows if len(row))
            end = max(row.stop for row in layer.rows)
            part = self._canvas((end - origin, self._grid.out[1]), layer.tiles[0][0].device, 1)
            part.add(_moved(layer, origin, end), 0, (top - origin, bottom - origin))
            bands.append((top, part.labels()[top - origin:bottom - origin]))
        return bands


@dataclass(frozen=True)
class _Panel:
    """Some columns of the result, with the windows that cover them.

    Attributes:
        cols: These windows' columns in the grid of all.
        later: Those of them that the next panels take too.
        grid: They alone, counted from the first pixel of the first.
        own: The panel's columns in what this grid puts together.
    """

    cols: range
    later: frozenset[int]
    grid: Grid
    own: slice


def _panels(grid: Grid, cfg: TestCfg, channels: int) -> list[_Panel]:
    """The columns of the result in parts, so that the logits of a part are of bounded size.

    With mirror images there is one: their windows come from the other side.
    """
    cols, width = grid.spans[1], grid.out[1]
    of_window = 4 * channels * math.prod(cfg.crop_size)  # bytes, where a cell is a pixel
    count = len(cols) if cfg.flip else max(_PANEL_BYTES // of_window, _AT_ONCE)
    borders = [0, *(start for start, _ in cols[count::count] if start < width), width]
    panels = []
    for left, right in pairwise(borders):
        inside = [i for i, (start, stop) in enumerate(cols) if start < right and stop > left]
        first, last = inside[0], inside[-1] + 1
        start = cols[first][0]
        out = grid.out[0], min(cols[last - 1][1], width) - start
        spans = grid.spans[0], tuple((a - start, b - start) for a, b in cols[first:last])
        panels.append(_Panel(
            range(first, last), frozenset(i for i in inside if cols[i][1] > right),
            Grid(out, out, spans, grid.align_corners), slice(left - start, right - start)))
    return panels


def _patches(panel: _Panel, row: int, run: RunWindows,
             shared: dict[int, Tensor]) -> Iterator[Patch]:
    """A panel's windows of one row, in its own grid.

    Args:
        shared: Scores of windows that other panels took before, by column; those that the next
            ones will take are left in it.
    """
    known = [col for col in panel.cols if col in shared]  # the first ones
    taken = (Patch(shared[col], row, col) for col in known)
    for patch in chain(taken, run([col for col in panel.cols if col not in known])):
        if patch.col in panel.later:
            shared[patch.col] = patch.scores
        else:
            shared.pop(patch.col, None)
        yield Patch(patch.scores, row, patch.col - panel.cols[0])


def _moved(layer: Layer, origin: int, end: int) -> Layer:
    """A layer on the rows ``origin`` to ``end`` of the result alone."""
    return replace(layer, row_share=layer.row_share[origin:end],
                   rows=tuple(replace(row, start=row.start - origin, stop=row.stop - origin)
                              for row in layer.rows))
