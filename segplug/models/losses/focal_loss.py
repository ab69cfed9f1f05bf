"""Focal loss: cross entropy in which pixels that are easily right weigh little.

Lin, Goyal, Girshick, He, Dollar: Focal loss for dense object detection, ICCV 2017
(arXiv 1708.02002), equation 5. N batch, K classes, P pixels.
"""

import torch
import torch.nn.functional as F

from ...errors import ConfigError, ShapeError
from ...registry import MODELS
from .base import BaseLoss, at_the_door


def focal_loss(logits: torch.Tensor, target: torch.Tensor, gamma: float = 2.0,
               alpha: float | torch.Tensor = 0.5) -> torch.Tensor:
    """-a (1 - p)^gamma log p, where p is the probability of what the target says.

    Args:
        logits: Any shape, float.
        target: The same shape, float in [0, 1].
        gamma: 0 gives cross entropy.
        alpha: a for a target of 1; 1 - alpha is that for 0. Broadcasts to ``logits``.

    Returns:
        Of the same shape.
    """
    prob = logits.sigmoid()
    wrong = (1 - prob) * target + prob * (1 - target)
    # Where a pixel is exactly right, a power below one would have an infinite slope.
    wrong = wrong.clamp(min=torch.finfo(wrong.dtype).tiny)
    balance = alpha * target + (1 - alpha) * (1 - target)
    return balance * wrong ** gamma * F.binary_cross_entropy_with_logits(logits, target,
                                                                         reduction='none')


@MODELS.register_module()
class FocalLoss(BaseLoss):
    """Focal loss of the sigmoid of each class by itself.

    Args:
        use_sigmoid: True; the loss of a softmax is not defined here, nor in mmsegmentation.
        gamma: How much easy pixels are played down.
        alpha: Weight of the pixels of a class against all others, one for all classes or K.
        reduction: 'none' (N, K, P), 'mean' or 'sum'.
        class_weight: K numbers, or a .npy, .json or .yaml file that holds them.
        loss_weight: Factor of the whole loss.
        loss_name: Its name in the log.
        avg_non_ignore: 'mean' is over the pixels that count, rather than over all; in both cases
            over the classes too.

    Raises:
        ConfigError: For use_sigmoid=False, or an alpha outside of [0, 1].
    """

    def __init__(self, use_sigmoid: bool = True, gamma: float = 2.0,
                 alpha: float | list[float] = 0.5, reduction: str = 'mean',
                 class_weight: list[float] | str | None = None, loss_weight: float = 1.0,
                 loss_name: str = 'loss_focal', avg_non_ignore: bool = False) -> None:
        super().__init__(reduction, loss_weight, loss_name, class_weight, avg_non_ignore)
        if not use_sigmoid:
            raise ConfigError('FocalLoss is of sigmoids.', got='use_sigmoid=False',
                              fix='remove use_sigmoid', culprit='use_sigmoid')
        self.alpha = alpha
        self.register_buffer('_alpha', torch.tensor(alpha).float(), persistent=False)
        if not ((self._alpha >= 0) & (self._alpha <= 1)).all():
            raise ConfigError('alpha of FocalLoss is a share.', got=alpha, culprit='alpha',
                              expected='a number in [0, 1], or one for each class')
        self.use_sigmoid = use_sigmoid
        self.gamma = gamma

    def forward(self, pred: torch.Tensor, target: torch.Tensor,
                weight: torch.Tensor | None = None, avg_factor: float | None = None,
                reduction_override: str | None = None,
                ignore_index: int | None = 255) -> torch.Tensor:
        """(N, K, P) float logits and (N, P) integer labels, or (N, K, P) shares -> the loss.

        Raises:
            ShapeError: If label, weight (N, P), alpha or class weights do not fit the logits.
        """
        pred, target, valid = at_the_door(pred, target, ignore_index)
        if self._alpha.ndim and self._alpha.shape != pred.shape[1:2]:
            raise ShapeError('There is one alpha, or one per class.', got=len(self._alpha),
                             expected=f'{pred.size(1)}, the channels of the logits')
        along = (-1, *[1] * (pred.ndim - 2))
        loss = focal_loss(pred, target, self.gamma, self._alpha.to(pred).view(along))
        of_classes = self.weights_of_classes(pred)
        if of_classes is not None:
            loss = loss * of_classes.view(along)
        return self.reduce_pixels(loss, valid, weight, avg_factor, reduction_override)
