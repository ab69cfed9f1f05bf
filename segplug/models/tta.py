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
from ..ops.fuse import PlainLabels, ProbabilitySum, probabilities
from ..ops.geometry import Axis, axis, sample, scaled_size, share, unpad
from ..ops.resize import resize
from ..ops.windows import Span, windows
from .tta_cfg import TestCfg

__all__ = ['Prediction', 'TestCfg', 'predict_image']

# Values that are upsampled, softmaxed and added while they are in a CPU's cache. On an
# accelerator a launch costs more than a trip to memory, so a band is the whole map there.
_BAND_VALUES = 1 << 19


@dataclass(frozen=True)
class Prediction:
    """What the network says of one image.

    Attributes:
        labels: (H, W) uint8 class ids (int32 above 256 classes).
        logits: (K, H, W) float32 for one augmentation, if kept.
        probs: (K, H, W) float32 mean probabilities for several, if kept.
    """

    labels: Tensor
    logits: Tensor | None = None
    probs: Tensor | None = None


@dataclass(frozen=True)
class _Patch:
    """Scores (N, K, h, w) of the network-input pixels that ``rows`` and ``cols`` span."""

    scores: Tensor
    rows: Span
    cols: Span


@torch.no_grad()
def predict_image(network: Callable[[Tensor], Tensor], img: Tensor, ori_shape: tuple[int, int],
                  cfg: TestCfg, prepare: Callable[[Tensor], tuple[Tensor, tuple[int, int]]], *,
                  out_channels: int, align_corners: bool = False,
                  threshold: float | None = None) -> Prediction:
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

    Raises:
        ShapeError: The network does not return (N, K, h, w).
    """
    size = tuple(int(x) for x in ori_shape)
    plain = cfg.num_augs == 1 and (cfg.mode == 'whole' or cfg.window_average == 'logits')
    settings = dict(threshold=0.5 if threshold is None else threshold, device=img.device)
    sink = (PlainLabels(out_channels, size, keep=cfg.save_logits, **settings) if plain
            else ProbabilitySum(out_channels, size, cfg.num_augs, **settings))
    for scale in cfg.scales:
        inputs, valid = prepare(_view(img, scale, cfg))
        _add(sink, _run(network, inputs, cfg, out_channels),
             _Frame(size, tuple(valid), tuple(inputs.shape[-2:]), align_corners, img.device), cfg)
    if plain:
        return Prediction(sink.labels(), logits=sink.logits)
    return Prediction(sink.labels(), probs=sink.mean() if cfg.save_logits else None)


def _view(img: Tensor, scale: float, cfg: TestCfg) -> Tensor:
    """(1 or 2, C, H, W) float: the image at a scale, and its mirror image."""
    size = tuple(img.shape[-2:])
    factor = scale if cfg.base_size is None else scale * cfg.base_size / max(size)
    view = resize(img[None].float(), size=scaled_size(size, factor), mode='bilinear',
                  align_corners=False)
    return torch.cat([view, view.flip(-1)]) if cfg.flip else view


def _spans(size: tuple[int, int], cfg: TestCfg) -> list[tuple[Span, Span]]:
    if cfg.mode == 'whole':
        return [((0, size[0]), (0, size[1]))]
    return windows(size, cfg.crop_size, cfg.stride)


def _run(network: Callable, inputs: Tensor, cfg: TestCfg, out_channels: int) -> Iterator[_Patch]:
    """Logits of the whole input or of its windows, which go in batches of fixed size."""
    spans = _spans(tuple(inputs.shape[-2:]), cfg)
    for start in range(0, len(spans), cfg.window_batch):
        batch = spans[start:start + cfg.window_batch]
        crops = [inputs[..., y1:y2, x1:x2] for (y1, y2), (x1, x2) in batch]
        logits = network(torch.cat(crops) if len(crops) > 1 else crops[0])
        if logits.dim() != 4 or logits.shape[:2] != (len(batch) * len(inputs), out_channels):
            raise ShapeError('The network returned logits of a wrong shape.',
                             got=tuple(logits.shape),
                             expected=f'({len(batch) * len(inputs)}, {out_channels}, h, w)')
        for part, (rows, cols) in zip(logits.float().split(len(inputs)), batch, strict=True):
            yield _Patch(part, rows, cols)


@dataclass(frozen=True)
class _Frame:
    """How one augmentation lies upon the result: (H, W) of the result, of the resized image and
    of the network's input (resized image and padding)."""

    out: tuple[int, int]
    valid: tuple[int, int]
    padded: tuple[int, int]
    align_corners: bool
    device: torch.device

    def axes(self, patch: _Patch) -> tuple[Axis, Axis]:
        return tuple(axis(self.out[i], self.valid[i], (patch.rows, patch.cols)[i],
                          patch.scores.shape[2 + i], align_corners=self.align_corners,
                          device=self.device) for i in (0, 1))

    def shares(self, cfg: TestCfg) -> tuple[Tensor, Tensor] | None:
        """Weights of rows and columns under overlapping windows; None for a single window."""
        spans = _spans(self.padded, cfg)
        if len(spans) == 1:
            return None
        return tuple(share(self.out[i], self.valid[i], sorted({s[i] for s in spans}),
                           align_corners=self.align_corners, device=self.device) for i in (0, 1))


def _add(sink: PlainLabels | ProbabilitySum, patches: Iterator[_Patch], frame: _Frame,
         cfg: TestCfg) -> None:
    """Add one augmentation (and its mirror image) to the sink."""
    as_probs = cfg.mode == 'slide' and cfg.window_average == 'probs'
    shares, done = frame.shares(cfg), False
    if cfg.upsample == 'twice':
        inner = _Frame(frame.padded, frame.padded, frame.padded, frame.align_corners, frame.device)
        merged = unpad(_average(patches, inner, cfg, as_probs), frame.valid)
        patches, shares, done = [_whole(merged, frame.valid)], None, as_probs
    elif shares is not None and not as_probs:
        merged = _average(patches, frame, cfg, as_probs)
        frame = _Frame(frame.out, frame.out, frame.out, frame.align_corners, frame.device)
        patches, shares = [_whole(merged, frame.out)], None
    to_probs = isinstance(sink, ProbabilitySum) and not done
    for patch in patches:
        for i, part, top, left in _pieces(patch, frame, shares, to_probs):
            sink.add(part, top, left, 'horizontal' if i else None)


def _whole(scores: Tensor, size: tuple[int, int]) -> _Patch:
    return _Patch(scores, (0, size[0]), (0, size[1]))


def _pieces(patch: _Patch, frame: _Frame, shares: tuple[Tensor, Tensor] | None,
            to_probs: bool) -> Iterator[tuple[int, Tensor, int, int]]:
    """(index in the batch, (K, h, w) scores at output pixels, top, left), band by band."""
    rows, cols = frame.axes(patch)
    num, channels = patch.scores.shape[:2]
    height = len(rows)
    if patch.scores.device.type == 'cpu':
        height = max(_BAND_VALUES // max(num * channels * len(cols), 1), 1)
    for start in range(0, len(rows), max(height, 1)) if len(cols) else ():
        band = slice(start, min(start + height, len(rows)))
        scores = sample(patch.scores, rows, cols, band, align_corners=frame.align_corners)
        if to_probs:
            scores = probabilities(scores)
        if shares is not None:
            scores = scores * shares[0][rows.start:rows.stop][band][:, None]
            scores *= shares[1][cols.start:cols.stop]
        for i in range(num):
            yield i, scores[i], rows.start + start, cols.start


def _average(patches: Iterator[_Patch], frame: _Frame, cfg: TestCfg, as_probs: bool) -> Tensor:
    """(N, K, H, W) mean of the windows at the frame's output size."""
    shares, total = frame.shares(cfg), None
    for patch in patches:
        if total is None:
            total = patch.scores.new_zeros((*patch.scores.shape[:2], *frame.out))
        for i, part, top, left in _pieces(patch, frame, shares, as_probs):
            total[i, :, top:top + part.shape[-2], left:left + part.shape[-1]] += part
    return total
