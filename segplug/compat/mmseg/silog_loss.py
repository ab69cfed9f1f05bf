"""``mmseg.models.losses.SiLogLoss``: the loss of depths whose scale matters half.

The root of equation 4 of Eigen, Puhrsch, Fergus: Depth map prediction from a single image (arXiv
1406.2283). N batch, P pixels.
"""

import torch

from ...errors import ShapeError
from ...models.losses import weight_reduce_loss
from ...models.losses.base import BaseLoss


def silog_loss(pred: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None = None,
               eps: float = 1e-4, reduction: str | None = 'mean',
               avg_factor: float | None = None) -> torch.Tensor:
    """sqrt(mean d^2 - mean(d)^2 / 2) of each image, d the difference of the logarithms.

    Args:
        pred, target: (N, P) float, P one axis or several; targets up to ``eps`` do not count.
        weight: (N,).
        eps: Least depth that a logarithm is taken of.
        reduction: 'none' or None, 'mean' or 'sum', over the images.
        avg_factor: What 'mean' divides by.
    """
    pred, target = pred.flatten(1), target.flatten(1)
    diff = target.clamp(min=eps).log() - pred.clamp(min=eps).log()
    valid = (target > eps) & ~diff.isnan()
    count = valid.sum(dim=1).clamp(min=eps)
    diff = diff.where(valid, 0.0)
    square, mean = (diff ** 2).sum(dim=1) / count, diff.sum(dim=1) / count
    loss = (square - 0.5 * mean ** 2).sqrt()
    weight = None if weight is None else weight.float()
    return weight_reduce_loss(loss, weight, reduction or 'none', avg_factor)


class SiLogLoss(BaseLoss):
    """`silog_loss` with a factor and a name.

    Args:
        reduction: 'none', 'mean' or 'sum'.
        loss_weight: Factor of the whole loss.
        eps: See `silog_loss`.
        loss_name: Its name in the log.
    """

    def __init__(self, reduction: str = 'mean', loss_weight: float = 1.0, eps: float = 1e-6,
                 loss_name: str = 'loss_silog') -> None:
        super().__init__(reduction, loss_weight, loss_name)
        self.eps = eps

    def forward(self, pred: torch.Tensor, target: torch.Tensor,
                weight: torch.Tensor | None = None, avg_factor: float | None = None,
                reduction_override: str | None = None) -> torch.Tensor:
        """Two maps of depths of one shape -> the loss.

        Raises:
            ShapeError: The shapes differ.
        """
        if pred.shape != target.shape:
            raise ShapeError('Depths do not fit each other.', got=tuple(pred.shape),
                             expected=tuple(target.shape))
        return self.loss_weight * silog_loss(pred, target, weight, self.eps,
                                             reduction_override or self.reduction, avg_factor)
