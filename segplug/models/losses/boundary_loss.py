"""Cross entropy of a boundary map, in which boundary and rest weigh the same.

Xu, Xiong, Bhattacharyya: PIDNet, CVPR 2023 (arXiv 2206.02066), its loss l1; the weights are those
of Xie, Tu: Holistically-nested edge detection (arXiv 1504.06375), equation 2.
"""

import torch
import torch.nn.functional as F

from ...errors import ShapeError
from ...registry import MODELS
from .base import BaseLoss, counted, widened


@MODELS.register_module()
class BoundaryLoss(BaseLoss):
    """Sigmoid cross entropy; a boundary pixel weighs the share of the others, and vice versa.

    Args:
        loss_weight: Factor of the whole loss.
        loss_name: Its name in the log.
        avg_non_ignore: 'mean' is over the pixels that count, rather than over all.
    """

    def __init__(self, loss_weight: float = 1.0, loss_name: str = 'loss_boundary',
                 avg_non_ignore: bool = False) -> None:
        super().__init__('mean', loss_weight, loss_name, avg_non_ignore=avg_non_ignore)

    def forward(self, bd_pre: torch.Tensor, bd_gt: torch.Tensor,
                weight: torch.Tensor | None = None, avg_factor: float | None = None,
                reduction_override: str | None = None,
                ignore_index: int | None = 255) -> torch.Tensor:
        """(N, 1, H, W) float logits and (N, H, W) labels -> the loss.

        1 is boundary, 0 is not; any other value does not count. The shares are of the whole batch.

        Raises:
            ShapeError: If the logits have several channels, or the label does not fit them.
        """
        if bd_pre.size(1) != 1:
            raise ShapeError('A boundary map has one channel.', got=tuple(bd_pre.shape),
                             expected='(N, 1, H, W)')
        valid = counted(bd_pre, bd_gt, ignore_index)
        label = bd_gt.view(valid.shape)
        on, off = valid & (label == 1), valid & (label == 0)
        valid = on | off
        logits = widened(bd_pre).where(valid, 0.0)
        num_on, num_off = on.sum(), off.sum()
        total = (num_on + num_off).clamp(min=1)
        balance = on * (num_off / total) + off * (num_on / total)
        loss = F.binary_cross_entropy_with_logits(logits, on.to(logits.dtype), balance,
                                                  reduction='none')
        return self.reduce_pixels(loss.squeeze(1), valid, weight, avg_factor, reduction_override)
