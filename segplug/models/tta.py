"""One test step for one image: whole or sliding, single-scale or multi-scale, with flip.

Definition (the tests state it in ten slow lines): the logits of each augmentation are
upsampled bilinearly, in one step, to the original size, softmaxed, unflipped and averaged over
the augmentations; windows are averaged as logits or as probabilities. One augmentation is the
plain test: the same code, without the softmax, which does not move the arg-max.
Letters: N batch (an image and its mirror), K classes, C channels, H W pixels, h w logit cells.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import ShapeError
from ..ops.fuse import Canvas
from ..ops.geometry import Axes, Layer, axes, scaled_size, unpad
from ..ops.resize import resize
from ..ops.windows import Span, spans
from .tta_cfg import TestCfg

__all__ = ['Prediction', 'TestCfg', 'predict_image']

# (image (C, H, W), (H, W) to resize to, with the mirror image?) -> the network's input
# (N, C, H', W') and (H, W) of its valid part at the top left.
MakeViews = Callable[[Tensor, tuple[int, int], bool], tuple[Tensor, tuple[int, int]]]


@dataclass(frozen=True)
class Prediction:
    """What the network says of one image.

    Attributes:
        labels: (H, W) uint8 class ids (int32 above 256 classes).
        logits: (K, H, W) float32 for one augmentation, if kept.
        probs: (K, H, W) float32 mean probabilities for several, if kept.
        is_finite: () bool on the device: False where the network gave nan, and labels mean
            nothing. Not read here: that would make a GPU wait.
    """

    labels: Tensor
    is_finite: Tensor
    logits: Tensor | None = None
    probs: Tensor | None = None


@torch.no_grad()
def predict_image(network: Callable[[Tensor], Tensor], img: Tensor, ori_shape: tuple[int, int],
                  cfg: TestCfg, prepare: Callable[[Tensor], tuple[Tensor, tuple[int, int]]], *,
                  out_channels: int, align_corners: bool = False,
                  threshold: float | None = None, views: MakeViews | None = None) -> Prediction:
    """Label one image.

    Args:
        network: (N, C, H', W') float -> logits (N, K, h, w) float at whatever size.
        img: (C, H, W) uint8 on the device, as packed.
        ori_shape: (H, W) of the result.
        cfg: How to test.
        prepare: (N, C, H, W) float in [0, 255] -> normalised and padded (N, C, H', W'), and
            (H, W) of its valid part at the top left.
        out_channels: K; 1 for a binary model with a sigmoid.
        align_corners: How the head resizes its logits.
        threshold: For K = 1; None is 0.5.
        views: In place of resizing, mirroring and ``prepare``, all three in one step.

    Raises:
        ShapeError: The network does not return (N, K, h, w), or another h and w for some windows.
    """
    size = tuple(int(x) for x in ori_shape)
    by_window = cfg.mode == 'slide' and cfg.window_average == 'probs'
    twice = cfg.upsample == 'twice'
    canvas = Canvas(out_channels, size, None if by_window and not twice else len(cfg.scales),
                    num_maps=cfg.num_augs, softmax=cfg.num_augs > 1 or by_window,
                    threshold=0.5 if threshold is None else threshold,
                    keep=cfg.save_logits, device=img.device)
    views = views or _plain_views(prepare)
    is_finite = torch.ones((), dtype=torch.bool, device=img.device)
    for number, scale in enumerate(cfg.scales):
        inputs, valid = views(img, _view_size(tuple(img.shape[-2:]), scale, cfg), cfg.flip)
        padded = tuple(inputs.shape[-2:])
        grid = _Grid(padded if twice else size, padded if twice else tuple(valid),
                     _spans(padded, cfg), align_corners)
        patches = _run(network, inputs, grid, cfg, out_channels, is_finite)
        layers = _windows(patches, grid) if by_window else _strips(patches, grid)
        if twice:
            merged = unpad(_merged(layers, grid, cfg, by_window), valid).contiguous()
            grid = _Grid(size, tuple(valid), _whole(tuple(valid)), align_corners)
            layers = _strips(iter([_Patch(merged, 0, 0)]), grid)
        for layer, rows in layers:
            canvas.add(layer, number, rows, weigh=by_window and not twice,
                       softmax=canvas.softmax and not (by_window and twice))
    scores = canvas.scores() if cfg.save_logits else None
    return Prediction(canvas.labels(), is_finite,
                      **{'probs' if canvas.softmax else 'logits': scores})


def _view_size(size: tuple[int, int], scale: float, cfg: TestCfg) -> tuple[int, int]:
    """(H, W) that an image is resized to."""
    return scaled_size(size, scale if cfg.base_size is None else scale * cfg.base_size / max(size))


def _plain_views(prepare: Callable) -> MakeViews:
    def views(img: Tensor, size: tuple[int, int], flip: bool):
        view = resize(img[None].float(), size=size, mode='bilinear', align_corners=False)
        return prepare(torch.cat([view, view.flip(-1)]) if flip else view)
    return views


# --- where the windows lie -----------------------------------------------------------------


_Spans = tuple[tuple[Span, ...], tuple[Span, ...]]


def _whole(size: tuple[int, int]) -> _Spans:
    return ((0, size[0]),), ((0, size[1]),)


def _spans(size: tuple[int, int], cfg: TestCfg) -> _Spans:
    """The windows along both axes of a network's input."""
    if cfg.mode == 'whole':
        return _whole(size)
    return tuple(tuple(spans(*axis)) for axis in zip(size, cfg.crop_size, cfg.stride, strict=True))


@dataclass(frozen=True)
class _Patch:
    """Scores (N, K, h, w) of the window in row ``row`` and column ``col`` of the grid."""

    scores: Tensor
    row: int
    col: int


@dataclass(frozen=True)
class _Grid:
    """The windows of one augmentation, and how they lie upon what they are put together to.

    Attributes:
        out: (H, W) of the latter.
        valid: (H, W) of the part of the network's input that shows it.
        spans: Of the windows, on the network's input.
    """

    out: tuple[int, int]
    valid: tuple[int, int]
    spans: _Spans
    align_corners: bool

    def axes(self, scores: Tensor) -> tuple[Axes, Axes]:
        """The maps of rows and columns, for windows with as many cells as ``scores``."""
        return tuple(axes(self.out[i], self.valid[i], self.spans[i], scores.shape[2 + i],
                          align_corners=self.align_corners, device=scores.device)
                     for i in (0, 1))


# --- from the network to layers ------------------------------------------------------------


def _run(network: Callable, inputs: Tensor, grid: _Grid, cfg: TestCfg, out_channels: int,
         is_finite: Tensor) -> Iterator[_Patch]:
    """Logits of the whole input or of its windows, row by row, in batches of fixed size."""
    rows, cols = grid.spans
    places = [(row, col) for row in range(len(rows)) for col in range(len(cols))]
    cells = None
    for start in range(0, len(places), cfg.window_batch):
        batch = places[start:start + cfg.window_batch]
        crops = [inputs[..., slice(*rows[row]), slice(*cols[col])] for row, col in batch]
        logits = network(torch.cat(crops) if len(crops) > 1 else crops[0])
        cells = cells or tuple(logits.shape[2:])
        expected = (len(batch) * len(inputs), out_channels, *cells)
        if logits.dim() != 4 or tuple(logits.shape) != expected:
            raise ShapeError('The network returned logits of a wrong shape.',
                             got=tuple(logits.shape),
                             expected=f'({", ".join(map(str, expected[:2]))}, h, w)')
        scores = logits.float().contiguous()
        is_finite &= ~scores.sum().isnan()
        for part, (row, col) in zip(scores.split(len(inputs)), batch, strict=True):
            yield _Patch(part, row, col)


def _strips(patches: Iterator[_Patch], grid: _Grid) -> Iterator[tuple[Layer, tuple[int, int]]]:
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


def _rows_of(patches: Iterator[_Patch], num_cols: int) -> Iterator[list[Tensor]]:
    tiles = []
    for patch in patches:
        tiles.append(patch.scores)
        if len(tiles) == num_cols:
            yield tiles
            tiles = []


def _windows(patches: Iterator[_Patch], grid: _Grid) -> Iterator[tuple[Layer, None]]:
    """Each window as a layer of its own, and its mirror image as another."""
    for patch in patches:
        rows, cols = grid.axes(patch.scores)
        for n, scores in enumerate(patch.scores.split(1)):
            yield Layer([[scores]], (n == 1,), (rows.windows[patch.row],),
                        (cols.windows[patch.col],), rows.share, cols.share), None


def _merged(layers: Iterator[tuple[Layer, tuple[int, int] | None]], grid: _Grid, cfg: TestCfg,
            by_window: bool) -> Tensor:
    """(N, K, H', W') of the network's input: the windows put together at its own size."""
    canvases = {}
    for layer, rows in layers:
        for m, mirrored in enumerate(layer.mirrored):
            tile = layer.tiles[0][0]
            if mirrored not in canvases:
                canvases[mirrored] = Canvas(tile.shape[1], grid.out, None if by_window else 1,
                                            softmax=by_window, keep=True, device=tile.device)
            canvases[mirrored].add(layer.single(m), 0, rows, weigh=by_window)
    return torch.stack([canvases[mirrored].scores() for mirrored in sorted(canvases)])
