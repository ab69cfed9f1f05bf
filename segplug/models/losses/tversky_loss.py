"""Tversky loss: Dice in which false positives and false negatives weigh differently.

Salehi, Erdogmus, Gholipour: Tversky loss function for image segmentation using 3D fully
convolutional deep networks, MLMI 2017 (arXiv 1706.05721), equation 2.
"""

import math

import torch

from ...errors import ConfigError
from ...registry import MODELS
from .base import AS_CALLED, BaseLoss, at_the_door, own_ignored
from .regions import region_weights, without_classes


def tversky_loss(prob: torch.Tensor, target: torch.Tensor, weight: torch.Tensor,
                 alpha: float = 0.3, beta: float = 0.7, smooth: float = 1.0) -> torch.Tensor:
    """1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth) of each image and class.

    Args:
        prob: (N, K, P) float in [0, 1].
        target: (N, K, P) float in [0, 1].
        weight: (N, 1, P) float, factor of each pixel; 0 where it does not count.

    Returns:
        (N, K) float.
    """
    right = (weight * prob * target).flatten(2).sum(dim=2)
    false_pos = (weight * prob).flatten(2).sum(dim=2) - right
    false_neg = (weight * target).flatten(2).sum(dim=2) - right
    bottom = right + alpha * false_pos + beta * false_neg + smooth
    return 1 - (right + smooth) / bottom.clamp(min=torch.finfo(bottom.dtype).tiny)


@MODELS.register_module()
class TverskyLoss(BaseLoss):
    """Tversky loss of each class of each image, summed over classes / K, then the mean over images.

    Args:
        smooth: Keeps classes that are not there finite.
        class_weight: K numbers, or a .npy, .json or .yaml file that holds them.
        loss_weight: Factor of the whole loss.
        ignore_index: A label that does not count either, besides the ``ignore_index`` of the call;
            if it is a class, that class has no term.
        alpha: Weight of false positives.
        beta: Weight of false negatives, 1 - alpha.
        loss_name: Its name in the log.

    Raises:
        ConfigError: If alpha and beta do not add up to 1.
    """

    def __init__(self, smooth: float = 1, class_weight: list[float] | str | None = None,
                 loss_weight: float = 1.0, ignore_index: int | None = AS_CALLED,
                 alpha: float = 0.3, beta: float = 0.7, loss_name: str = 'loss_tversky') -> None:
        super().__init__('mean', loss_weight, loss_name, class_weight)
        if not math.isclose(alpha + beta, 1.0):
            raise ConfigError('alpha and beta of TverskyLoss add up to 1.', culprit='alpha',
                              got=f'alpha={alpha}, beta={beta}', fix=f'set beta={1 - alpha:g}')
        self.smooth = smooth
        self.alpha = alpha
        self.beta = beta
        self.ignore_index = ignore_index

    def forward(self, pred: torch.Tensor, target: torch.Tensor,
                weight: torch.Tensor | None = None, avg_factor: float | None = None,
                reduction_override: str | None = None,
                ignore_index: int | None = 255) -> torch.Tensor:
        """(N, K, P) float logits and (N, P) integer labels, or (N, K, P) shares -> the loss.

        Probabilities are by softmax, of a single channel by sigmoid. ``weight`` is (N,), of each
        image, or (N, P), of each pixel: a pixel of weight two counts as two.

        Raises:
            ShapeError: If label, weight or class weights do not fit the logits.
        """
        ignored = (ignore_index, own_ignored(self.ignore_index))
        prob, target, valid = at_the_door(pred, target, *ignored)
        of_classes = self.weights_of_classes(prob)
        prob = prob.sigmoid() if pred.size(1) == 1 else prob.softmax(dim=1)
        of_pixels, of_images = region_weights(weight, valid)
        if of_classes is None:
            of_classes = prob.new_ones(prob.size(1))
        kept = without_classes(ignored, prob, target, of_classes[None])
        loss = tversky_loss(*kept[:2], of_pixels, self.alpha, self.beta, self.smooth)
        return self.reduce((loss * kept[2]).sum(dim=1) / pred.size(1), of_images, avg_factor,
                           reduction_override)
