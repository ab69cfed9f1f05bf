"""One test step for one image: whole or sliding, single-scale or multi-scale, with flip.

Definition (the tests state it in ten slow lines): the logits of each augmentation are
upsampled bilinearly, in one step, to the original size, softmaxed, unflipped and averaged over
the augmentations; windows are averaged as logits or as probabilities. One augmentation is the
plain test: the same code, without the softmax, which does not move the arg-max.
Letters: N batch (an image and its mirror), K classes, C channels, H W pixels, h w logit cells.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..ops import memory
from ..ops.fuse import Canvas
from ..ops.geometry import scaled_size, unpad
from ..ops.resize import resize
from .tta_cfg import TestCfg
from .tta_layers import Grid, Patch, merged, run, separate_windows, strips, whole, window_spans

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
    canvas = Canvas(out_channels, size,
                    None if cfg.by_window and cfg.upsample == 'once' else len(cfg.scales),
                    num_maps=cfg.num_augs, softmax=cfg.averages_probs,
                    threshold=0.5 if threshold is None else threshold,
                    keep=cfg.save_logits, device=img.device)
    test = _Test(network, views or _plain_views(prepare), cfg, out_channels, align_corners,
                 torch.ones((), dtype=torch.bool, device=img.device))
    with memory.reused():
        for number, scale in enumerate(cfg.scales):
            test.add(canvas, number, img, scale)
    scores = canvas.scores() if cfg.save_logits else None
    return Prediction(canvas.labels(), test.is_finite,
                      **{'probs' if canvas.softmax else 'logits': scores})


@dataclass(frozen=True)
class _Test:
    """What is the same for all scales of an image."""

    network: Callable[[Tensor], Tensor]
    views: MakeViews
    cfg: TestCfg
    out_channels: int
    align_corners: bool
    is_finite: Tensor

    def add(self, canvas: Canvas, number: int, img: Tensor, scale: float) -> None:
        """Add one scale, with its mirror image. Nothing that it holds outlives the call: the next
        scale takes as much."""
        cfg, once = self.cfg, self.cfg.upsample == 'once'
        size = _view_size(tuple(img.shape[-2:]), scale, cfg)
        inputs, valid = self.views(img, size, cfg.flip)
        padded, valid = tuple(inputs.shape[-2:]), tuple(valid)
        grid = Grid(canvas.size if once else padded, valid if once else padded,
                    window_spans(padded, cfg), self.align_corners)
        patches = run(self.network, inputs, grid, cfg, self.out_channels, self.is_finite)
        layers = separate_windows(patches, grid) if cfg.by_window else strips(patches, grid)
        if not once:
            scores = unpad(merged(layers, grid, cfg.by_window), valid).contiguous()
            grid = Grid(canvas.size, valid, whole(valid), self.align_corners)
            layers = strips([Patch(scores, 0, 0)], grid)
        for layer, rows in layers:
            canvas.add(layer, number, rows, weigh=cfg.by_window and once,
                       softmax=canvas.softmax and (once or not cfg.by_window))


def _view_size(size: tuple[int, int], scale: float, cfg: TestCfg) -> tuple[int, int]:
    """(H, W) that an image is resized to."""
    return scaled_size(size, scale if cfg.base_size is None else scale * cfg.base_size / max(size))


def _plain_views(prepare: Callable) -> MakeViews:
    def views(img: Tensor, size: tuple[int, int], flip: bool):
        view = resize(img[None].float(), size=size, mode='bilinear', align_corners=False)
        return prepare(torch.cat([view, view.flip(-1)]) if flip else view)
    return views
