"""``mmseg.models.losses``: functions whose published arguments stand in another order than ours."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from ... import arguments
from ...errors import ConfigError, ShapeError
from ...models.losses import cross_entropy_loss as ours
from ...ops.masks import valid_mask


def accuracy(pred: torch.Tensor, target: torch.Tensor, topk: int | Sequence[int] = 1,
             thresh: float | None = None,
             ignore_index: int | None = None) -> torch.Tensor | list[torch.Tensor]:
    """Percentage of pixels, or samples, whose class is among those of highest score.

    Args:
        pred: (N, K, ...) float.
        target: (N, ...) integer in [0, K) or ignore.
        topk: Among how many; several give a list of results.
        thresh: A score must lie above it too.
        ignore_index: Value of the pixels that do not count.

    Returns:
        (1,) float in [0, 100] for each number; a scalar 0 if N is 0.

    Raises:
        ConfigError: ``topk`` holds no numbers.
        ShapeError: The shapes do not fit, or there are fewer classes than ``topk``.
    """
    if not arguments.fits(topk, int | Sequence[int]):
        raise ConfigError('topk is no number of classes.', got=repr(topk),
                          expected='an int, or several', culprit='topk')
    single = isinstance(topk, int)
    ks = (topk,) if single else tuple(topk)
    if len(pred) == 0:
        found = [pred.new_tensor(0.0) for _ in ks]
        return found[0] if single else found
    if pred.ndim != target.ndim + 1 or len(pred) != len(target) or max(ks) > pred.shape[1]:
        raise ShapeError('Scores and labels do not fit.',
                         got=f'{tuple(pred.shape)} and {tuple(target.shape)}, topk={topk}',
                         expected='(N, K, ...) and (N, ...), and topk at most K')
    values, labels = pred.topk(max(ks), dim=1)
    right = labels == target.unsqueeze(1)
    if thresh is not None:
        right &= values > thresh
    valid = valid_mask(target, ignore_index)
    count = valid.sum().clamp(min=1)
    found = [100.0 * (right[:, :k].any(1) & valid).sum().reshape(1) / count for k in ks]
    return found[0] if single else found


class Accuracy(nn.Module):
    """`accuracy` as a module."""

    def __init__(self, topk: int | Sequence[int] = (1,), thresh: float | None = None,
                 ignore_index: int | None = None) -> None:
        super().__init__()
        self.topk, self.thresh, self.ignore_index = topk, thresh, ignore_index

    def forward(self, pred: torch.Tensor,
                target: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        """As `accuracy`."""
        return accuracy(pred, target, self.topk, self.thresh, self.ignore_index)


def binary_cross_entropy(pred: torch.Tensor, label: torch.Tensor,
                         weight: torch.Tensor | None = None, reduction: str = 'mean',
                         avg_factor: float | None = None,
                         class_weight: torch.Tensor | None = None,
                         ignore_index: int | None = -100, avg_non_ignore: bool = False,
                         **kwargs) -> torch.Tensor:
    """`segplug.models.losses.binary_cross_entropy`; other arguments have no effect, as there."""
    return ours.binary_cross_entropy(pred, label, weight, class_weight, reduction, avg_factor,
                                     ignore_index, avg_non_ignore)


def mask_cross_entropy(pred: torch.Tensor, target: torch.Tensor, label: torch.Tensor,
                       class_weight: torch.Tensor | None = None, **kwargs) -> torch.Tensor:
    """Sigmoid cross entropy of the mask of each region's class.

    Args:
        pred: (M, K, h, w) float, raw logits.
        target: (M, h, w) float in [0, 1].
        label: (M,) integer in [0, K), which mask counts.
        class_weight: Factor that broadcasts to the masks.

    Returns:
        (1,), the mean.
    """
    chosen = pred[torch.arange(len(pred), device=pred.device), label]
    return F.binary_cross_entropy_with_logits(chosen, target, weight=class_weight)[None]
