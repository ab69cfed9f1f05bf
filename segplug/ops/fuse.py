"""From the scores of augmentations to labels, with one buffer however many there are.

Both sinks take scores piece by piece (bands of rows, windows), so that no full-size map of
one augmentation need exist. Letters: K classes (1 for a binary model), H W pixels.
"""

import torch
from torch import Tensor

from .geometry import unflip


def probabilities(logits: Tensor) -> Tensor:
    """(..., K, H, W) float logits -> probabilities: softmax, or sigmoid where K is 1."""
    return logits.sigmoid() if logits.shape[-3] == 1 else logits.softmax(-3)


def labels_of(scores: Tensor, threshold: float = 0.5) -> Tensor:
    """The class of each pixel.

    Args:
        scores: (K, H, W) float; any monotone score for K > 1, probabilities for K = 1.
        threshold: For K = 1: above it a pixel is class 1.

    Returns:
        (H, W) uint8, or int32 where K > 256; of equal scores the lower class wins.
    """
    num_classes = scores.shape[0]
    if num_classes == 1:
        return (scores[0] > threshold).to(torch.uint8)
    dtype = torch.uint8 if num_classes <= 256 else torch.int32
    labels = torch.zeros(scores.shape[1:], dtype=dtype, device=scores.device)
    best = scores[0].clone()
    for k in range(1, num_classes):  # several times faster than argmax over a strided axis
        labels.masked_fill_(scores[k] > best, k)
        torch.maximum(best, scores[k], out=best)
    return labels


class ProbabilitySum:
    """Running sum of the probabilities of all augmentations.

    Args:
        channels: K.
        size: (H, W) of the original image.
        num_augs: Augmentations that will be added in all.
        threshold: As in `labels_of`.
        device: Where the buffer lies.
    """

    def __init__(self, channels: int, size: tuple[int, int], num_augs: int, *,
                 threshold: float = 0.5, device='cpu') -> None:
        self.total = torch.zeros((channels, *size), device=device)
        self.num_augs = num_augs
        self.threshold = threshold

    def add(self, probs: Tensor, top: int = 0, left: int = 0, flip: str | None = None) -> None:
        """Add (K, h, w) probabilities whose corner is (top, left) of the, maybe mirrored, image."""
        _region(self.total, probs, top, left, flip).add_(unflip(probs, flip))

    def labels(self) -> Tensor:
        """(H, W) integer: the class whose mean probability is greatest."""
        return labels_of(self.total, self.threshold * self.num_augs)

    def mean(self) -> Tensor:
        """(K, H, W) float32 in [0, 1]."""
        return self.total / self.num_augs


class PlainLabels:
    """The case of one augmentation: labels straight from logits, without a softmax.

    Args:
        channels, size, threshold, device: As for `ProbabilitySum`.
        keep: Whether to keep the logits.
    """

    def __init__(self, channels: int, size: tuple[int, int], *, threshold: float = 0.5,
                 device='cpu', keep: bool = False) -> None:
        dtype = torch.uint8 if channels <= 256 else torch.int32
        self._labels = torch.zeros(size, dtype=dtype, device=device)
        self.logits = torch.zeros((channels, *size), device=device) if keep else None
        self.threshold = threshold

    def add(self, logits: Tensor, top: int = 0, left: int = 0, flip: str | None = None) -> None:
        """Set the labels of a region from its (K, h, w) logits; each region comes once."""
        scores = unflip(logits, flip)
        if self.logits is not None:
            _region(self.logits, logits, top, left, flip).copy_(scores)
        if scores.shape[0] == 1:
            scores = scores.sigmoid()
        _region(self._labels, logits, top, left, flip).copy_(labels_of(scores, self.threshold))

    def labels(self) -> Tensor:
        """(H, W) integer class ids."""
        return self._labels


def _region(canvas: Tensor, part: Tensor, top: int, left: int, flip: str | None) -> Tensor:
    """The view of ``canvas`` on which ``part`` lies once it is unflipped."""
    height, width = part.shape[-2:]
    if flip in ('horizontal', 'diagonal'):
        left = canvas.shape[-1] - left - width
    if flip in ('vertical', 'diagonal'):
        top = canvas.shape[-2] - top - height
    return canvas[..., top:top + height, left:left + width]
