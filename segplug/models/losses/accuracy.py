"""Pixel accuracy of one batch, for the training log. The metric proper is in evaluation."""

import torch

from ...ops.masks import valid_mask


@torch.no_grad()
def accuracy(pred: torch.Tensor, target: torch.Tensor, ignore_index: int | None = None,
             threshold: float | None = None) -> torch.Tensor:
    """Percentage of right pixels among those that count; 0 where none does.

    Args:
        pred: (N, K, H, W) float, raw logits.
        target: (N, H, W) integer in [0, K) or ignore.
        ignore_index: Value of the pixels that do not count.
        threshold: For K = 1: pixels whose sigmoid lies above it are class 1.

    Returns:
        Scalar float in [0, 100].
    """
    if pred.size(1) == 1:
        label = (pred.squeeze(1).sigmoid() > (0.5 if threshold is None else threshold)).long()
    else:
        label = pred.max(dim=1).indices  # four times as fast as argmax on a CPU
    right = (label == target) & valid_mask(target, ignore_index)
    return percentage(right.sum(), target, ignore_index)


def percentage(num_right: torch.Tensor, target: torch.Tensor,
               ignore_index: int | None = None) -> torch.Tensor:
    """`accuracy` where the number of right pixels is known."""
    return 100.0 * num_right / valid_mask(target, ignore_index).sum().clamp(min=1)
