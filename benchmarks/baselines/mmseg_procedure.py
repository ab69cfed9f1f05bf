"""Testing one image as mmsegmentation 1.2.2 does, on mmcv's test pipeline.

The image is decoded once; for each augmentation a copy of it is resized on the CPU, mirrored and
packed, and the label is decoded anew. Each augmentation goes through the network by itself; its
logits are upsampled to the network's input, then to the original size, and arg-maxed. All
full-size maps are kept until the last one is there; then they are softmaxed, added, arg-maxed.
A score is three float histograms. Nothing is slower than there: no collating, no data elements,
no worker to send the arrays from.
"""

import copy
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

IGNORED = 255


@dataclass
class View:
    """One augmentation: (3, h, w) uint8 BGR, (1, H, W) int64 label, (H, W), whether mirrored."""

    inputs: Tensor
    label: Tensor
    ori_shape: tuple[int, int]
    flip: bool


class MmsegProcedure:
    """Read, predict and score.

    Args:
        network: (N, 3, h, w) float -> logits (N, K, h', w').
        mean, std: Of the RGB channels.
        device: Where the network runs, and all that follows it.
        scales: Factors of the image's size.
        flip: Whether each scale comes with its mirror image.
        window, stride: Side of sliding windows and step, whose logits are averaged; None: whole.
    """

    def __init__(self, network: Callable[[Tensor], Tensor], mean: Sequence[float],
                 std: Sequence[float], device: str = 'cpu', scales: Sequence[float] = (1.0,),
                 flip: bool = False, window: int | None = None, stride: int | None = None) -> None:
        self.network, self.device = network, device
        self.mean = torch.tensor(mean, device=device).view(-1, 1, 1)
        self.std = torch.tensor(std, device=device).view(-1, 1, 1)
        self.scales, self.flips = tuple(scales), (False, True) if flip else (False,)
        self.window, self.stride = window, stride

    def read(self, image_path: str, label_path: str) -> list[View]:
        """The views of an image."""
        img = load_image(image_path)
        several = len(self.scales) * len(self.flips) > 1
        views = []
        for scale in self.scales:
            for flip in self.flips:
                view = resized(copy.deepcopy(img) if several else img, scale)
                view = np.flip(view, axis=1) if flip else view
                views.append(packed(view, load_label(label_path), img.shape[:2], flip))
        return views

    @torch.no_grad()
    def predict(self, views: list[View]) -> Tensor:
        """Labels (H, W) int64."""
        results = []
        for view in views:
            logits = self._logits(self._preprocessed(view))
            results.append(to_original(logits, view.ori_shape, view.flip))
        return results[0][1][0] if len(results) == 1 else merged([maps for maps, _ in results])

    def score(self, labels: Tensor, views: list[View]) -> tuple[Tensor, ...]:
        """Areas of intersection, union, prediction and label, (K,) float each."""
        return intersect_and_union(labels, views[0].label[0].to(labels))

    def _preprocessed(self, view: View) -> Tensor:
        img = view.inputs.to(self.device)[[2, 1, 0], ...].float()
        return torch.stack([(img - self.mean) / self.std])

    def _logits(self, x: Tensor) -> Tensor:
        """(1, K, h, w) at the size of the network's input."""
        if self.window is None:
            return upsampled(self.network(x), x.shape[-2:])
        total = None
        for y1, y2, x1, x2 in window_grid(x.shape[-2:], self.window, self.stride):
            crop = x[:, :, y1:y2, x1:x2]
            logits = upsampled(self.network(crop), crop.shape[-2:])
            if total is None:
                total = x.new_zeros((1, logits.shape[1], *x.shape[-2:]))
                count = x.new_zeros((1, 1, *x.shape[-2:]))
            total += F.pad(logits, (x1, x.shape[3] - x2, y1, x.shape[2] - y2))
            count[:, :, y1:y2, x1:x2] += 1
        return total / count


def load_image(path: str) -> np.ndarray:
    """(H, W, 3) uint8 BGR."""
    return cv2.imdecode(np.frombuffer(Path(path).read_bytes(), np.uint8), cv2.IMREAD_COLOR)


def load_label(path: str) -> np.ndarray:
    """(H, W) uint8."""
    with io.BytesIO(Path(path).read_bytes()) as file:
        return np.array(Image.open(file)).squeeze().astype(np.uint8)


def resized(img: np.ndarray, scale: float) -> np.ndarray:
    """Bilinear, in uint8; single-scale testing, too, goes through it."""
    height, width = (int(side * scale + 0.5) for side in img.shape[:2])
    return cv2.resize(img, (width, height), interpolation=cv2.INTER_LINEAR)


def packed(img: np.ndarray, label: np.ndarray, ori_shape: tuple[int, int], flip: bool) -> View:
    """Arrays as tensors, channels first; labels become int64."""
    planes = torch.from_numpy(np.ascontiguousarray(img.transpose(2, 0, 1)))
    return View(planes, torch.from_numpy(label[None].astype(np.int64)), ori_shape, flip)


def window_grid(size: Sequence[int], window: int, stride: int) -> list[tuple[int, int, int, int]]:
    """(y1, y2, x1, x2) of windows; the last of a row or column is moved to end at the border."""
    spans = []
    for length in size:
        num = max(length - window + stride - 1, 0) // stride + 1
        ends = [min(i * stride + window, length) for i in range(num)]
        spans.append([(max(end - window, 0), end) for end in ends])
    return [(*rows, *cols) for rows in spans[0] for cols in spans[1]]


def upsampled(logits: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(logits, tuple(size), mode='bilinear', align_corners=False)


def to_original(logits: Tensor, ori_shape: tuple[int, int], flip: bool) -> tuple[Tensor, Tensor]:
    """(1, K, h, w) -> (K, H, W), unflipped, and (1, H, W) labels, which every view gets."""
    if flip:
        logits = logits.flip(dims=(3,))
    logits = upsampled(logits, ori_shape).squeeze(0)
    return logits, logits.argmax(dim=0, keepdim=True)


def merged(maps: list[Tensor]) -> Tensor:
    """Full-size logits of all views -> labels (H, W) int64."""
    total = torch.zeros_like(maps[0])
    for logits in maps:
        total += logits.softmax(dim=0)
    total /= len(maps)
    return total.argmax(dim=0)


def intersect_and_union(pred: Tensor, label: Tensor, num_classes: int = 19) -> tuple[Tensor, ...]:
    """(H, W) int64 each -> areas of intersection, union, prediction and label, (K,) float."""
    counted = label != IGNORED
    pred, label = pred[counted], label[counted]

    def histogram(values):
        return torch.histc(values.float(), num_classes, 0, num_classes - 1).cpu()

    hits, preds, labels = histogram(pred[pred == label]), histogram(pred), histogram(label)
    return hits, preds + labels - hits, preds, labels
