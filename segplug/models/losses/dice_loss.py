"""Dice loss: one minus twice the overlap of prediction and label over the sum of both.

Milletari, Navab, Ahmadi: V-Net, 3DV 2016 (arXiv 1606.04797), section 3, with squares in the
denominator; or without. N batch, K classes, P pixels.
"""

import torch

from ...registry import MODELS
from .base import AS_CALLED, BaseLoss, at_the_door, own_ignored
from .regions import region_weights, without_classes


def dice_loss(prob: torch.Tensor, target: torch.Tensor, weight: torch.Tensor,
              eps: float = 1e-3, naive_dice: bool = False) -> torch.Tensor:
    """The loss of each image, its classes taken together.

    With p = ``prob``, t = ``target`` and all sums over classes and pixels, weighted:
    1 - 2 sum(pt) / (sum(p^2) + sum(t^2) + 2 eps), or naive:
    1 - (2 sum(pt) + eps) / (sum(p) + sum(t) + eps).

    Args:
        prob: (N, K, P) float in [0, 1].
        target: (N, K, P) float in [0, 1].
        weight: (N, 1, P) float, factor of each pixel; 0 where it does not count.
        eps: Keeps an image without foreground finite.

    Returns:
        (N,) float.
    """
    overlap = _sum(weight * prob * target)
    if naive_dice:
        top, bottom = 2 * overlap + eps, _sum(weight * prob) + _sum(weight * target) + eps
    else:
        top, bottom = 2 * overlap, _sum(weight * prob ** 2) + _sum(weight * target ** 2) + 2 * eps
    return 1 - top / bottom.clamp(min=torch.finfo(bottom.dtype).tiny)


def _sum(x: torch.Tensor) -> torch.Tensor:
    return x.flatten(1).sum(dim=1)


@MODELS.register_module()
class DiceLoss(BaseLoss):
    """Dice loss of each image, its classes taken together, then the mean over images.

    Args:
        use_sigmoid: Probabilities by sigmoid of each channel, rather than by softmax; a single
            channel always has the sigmoid.
        activate: False if probabilities come in, not logits.
        reduction: 'none' (N,), 'mean' or 'sum'.
        naive_dice: No squares in the denominator.
        loss_weight: Factor of the whole loss.
        ignore_index: A label that does not count either, besides the ``ignore_index`` of the call;
            if it is a class, that class has no part in the sums. mmsegmentation drops the class
            alone: there, pixels with the label move the loss.
        eps: Keeps an image without foreground finite.
        loss_name: Its name in the log.
    """

    def __init__(self, use_sigmoid: bool = True, activate: bool = True, reduction: str = 'mean',
                 naive_dice: bool = False, loss_weight: float = 1.0,
                 ignore_index: int | None = AS_CALLED, eps: float = 1e-3,
                 loss_name: str = 'loss_dice') -> None:
        super().__init__(reduction, loss_weight, loss_name)
        self.use_sigmoid = use_sigmoid
        self.activate = activate
        self.naive_dice = naive_dice
        self.ignore_index = ignore_index
        self.eps = eps

    def forward(self, pred: torch.Tensor, target: torch.Tensor,
                weight: torch.Tensor | None = None, avg_factor: float | None = None,
                reduction_override: str | None = None,
                ignore_index: int | None = 255) -> torch.Tensor:
        """(N, K, P) float logits and (N, P) integer labels, or (N, K, P) shares -> the loss.

        ``weight`` is (N,), of each image, or (N, P), of each pixel: a pixel of weight two counts
        as two. An image without a pixel that counts has a loss of 0.

        Raises:
            ShapeError: If label or weight do not fit the logits.
        """
        ignored = (ignore_index, own_ignored(self.ignore_index))
        prob, target, valid = at_the_door(pred, target, *ignored)
        if self.activate:
            by_sigmoid = self.use_sigmoid or pred.size(1) == 1
            prob = prob.sigmoid() if by_sigmoid else prob.softmax(dim=1)
        prob, target = without_classes(ignored, prob, target)
        of_pixels, of_images = region_weights(weight, valid)
        loss = dice_loss(prob, target, of_pixels, self.eps, self.naive_dice)
        return self.reduce(loss, of_images, avg_factor, reduction_override)
