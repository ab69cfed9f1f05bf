"""The sliding test of an image that is too large to be held: rows in, rows of labels out.

The same windows, averages and kernels as `tta.predict_image` at scale 1, so the same labels; only a
row of windows is held at a time, and of its logits no more than what the next row overlaps.
Letters: N batch (an image and its mirror), K classes, C channels, H W pixels.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..errors import ConfigError
from ..ops import memory
from ..ops.fuse import Canvas
from ..ops.geometry import Layer
from .tta_cfg import TestCfg
from .tta_layers import Grid, Patch, run_windows, separate_windows, strips, window_spans

# (first, one past last) row of the network's input -> these rows, (N, C, rows, W').
ReadRows = Callable[[int, int], Tensor]


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

    def patches() -> Iterator[Patch]:
        nonlocal is_finite
        for row, (top, bottom) in enumerate(grid.spans[0]):
            inputs = read(top, bottom)
            if is_finite is None:
                is_finite = torch.ones((), dtype=torch.bool, device=inputs.device)
            crops = ((inputs[..., slice(*col)], row, i) for i, col in enumerate(grid.spans[1]))
            yield from run_windows(network, crops, cfg, out_channels, is_finite)

    def canvas(rows: int, device: torch.device, num_passes: int | None) -> Canvas:
        return Canvas(out_channels, (rows, size[1]), num_passes, num_maps=cfg.num_augs,
                      softmax=cfg.averages_probs, device=device,
                      threshold=0.5 if threshold is None else threshold)

    bands = _of_probabilities if cfg.by_window else _of_logits
    with memory.reused():
        for top, labels in bands(patches(), grid, canvas):
            yield Band(top, labels, is_finite)


def _of_logits(patches: Iterable[Patch], grid: Grid, canvas) -> Iterator[tuple[int, Tensor]]:
    """Overlapping windows averaged as logits."""
    for layer, (top, bottom) in strips(patches, grid):
        origin = min(row.start for row in layer.rows if len(row))
        end = max(row.stop for row in layer.rows)
        part = canvas(end - origin, layer.tiles[0][0].device, 1)
        part.add(_moved(layer, origin, end), 0, (top - origin, bottom - origin))
        yield top, part.labels()[top - origin:bottom - origin]


def _of_probabilities(patches: Iterable[Patch], grid: Grid,
                      canvas) -> Iterator[tuple[int, Tensor]]:
    """Overlapping windows averaged as probabilities: the sums of unfinished rows are carried."""
    held, origin = None, 0
    for row, layers in _by_row(patches, grid):
        window = layers[0].rows[0]
        part = canvas(max(window.stop, origin) - origin, layers[0].tiles[0][0].device, None)
        if held is not None:
            part.total[:, :held.shape[1]] = held
        for layer in layers:
            part.add(_moved(layer, origin, part.size[0] + origin), 0, weigh=True)
        windows = grid.axes(layers[0].tiles[0][0])[0].windows
        done = min((w.start for w in windows[row + 1:] if len(w)), default=grid.out[0])
        if done > origin:
            yield origin, part.labels()[:done - origin]
            held, origin = part.total[:, done - origin:].clone(), done
        else:
            held = part.total


def _by_row(patches: Iterable[Patch], grid: Grid) -> Iterator[tuple[int, list[Layer]]]:
    """The layers of each row of windows."""
    waiting, current = [], 0
    for patch in patches:
        if patch.row != current:
            yield current, waiting
            waiting, current = [], patch.row
        waiting += [layer for layer, _ in separate_windows([patch], grid)]
    yield current, waiting


def _moved(layer: Layer, origin: int, end: int) -> Layer:
    """A layer on the rows ``origin`` to ``end`` of the result alone."""
    return replace(layer, row_share=layer.row_share[origin:end],
                   rows=tuple(replace(row, start=row.start - origin, stop=row.stop - origin)
                              for row in layer.rows))
