"""Cross entropy by softmax or sigmoid, exact under ignored pixels.

Arguments and normalisation are mmsegmentation's; in particular the mean is over all pixels
unless ``avg_non_ignore`` is set. N batch, K classes, H W pixels.
"""

import torch
import torch.nn.functional as F

from ...errors import ConfigError
from ...ops.cross_entropy import resized_cross_entropy
from ...ops.masks import valid_mask
from ...registry import MODELS
from .base import BaseLoss, needs_classes, widened
from .utils import weight_reduce_loss


def cross_entropy(pred: torch.Tensor, label: torch.Tensor, weight: torch.Tensor | None = None,
                  class_weight: torch.Tensor | None = None, reduction: str = 'mean',
                  avg_factor: float | None = None, ignore_index: int | None = -100,
                  avg_non_ignore: bool = False) -> torch.Tensor:
    """Softmax cross entropy.

    Args:
        pred: (N, K, H, W) float, raw logits.
        label: (N, H, W) int64 in [0, K) or ignore.
        weight: (N, H, W) float, factor of each pixel.
        class_weight: (K,) float, factor of each class. The mean then divides by the sum of
            the pixels' class weights; an ignored pixel has weight one in it, so that weights
            of one change nothing.
        reduction: 'none', 'mean' or 'sum'.
        avg_factor: What 'mean' divides by instead.
        ignore_index: Value of the pixels that do not count; None if all do.
        avg_non_ignore: 'mean' is over the pixels that count, rather than over all.
    """
    loss = F.cross_entropy(pred, label, weight=class_weight, reduction='none',
                           ignore_index=-100 if ignore_index is None else ignore_index)
    if avg_factor is None and reduction == 'mean':
        avg_factor = _num_pixels(label, class_weight, ignore_index, avg_non_ignore)
    return weight_reduce_loss(loss, weight, reduction, avg_factor)


def _num_pixels(label, class_weight, ignore_index, avg_non_ignore) -> int | torch.Tensor:
    """How many pixels the mean is over, each as many as its class weight."""
    if class_weight is None and not avg_non_ignore:
        return label.numel()
    valid = valid_mask(label, ignore_index)
    if class_weight is None:
        return valid.sum()
    weights = class_weight[label.where(valid, 0)]
    return weights.where(valid, 0.0 if avg_non_ignore else 1.0).sum()


def binary_cross_entropy(pred: torch.Tensor, label: torch.Tensor,
                         weight: torch.Tensor | None = None,
                         class_weight: torch.Tensor | None = None, reduction: str = 'mean',
                         avg_factor: float | None = None, ignore_index: int | None = -100,
                         avg_non_ignore: bool = False) -> torch.Tensor:
    """Sigmoid cross entropy: of one channel with labels 0 and 1, or of each class by itself.

    Args:
        pred: (N, 1, H, W) or (N, K, H, W) float, raw logits.
        label: (N, H, W) int64 in [0, 2) or [0, K), or ignore; or of ``pred``'s own shape, 0 and 1
            for each class by itself, or ignore.
        class_weight: (K,) float, factor of a class where it is present (``pos_weight``).
        Others as for `cross_entropy`; the mean is over the N K H W elements.
    """
    of_each = label.ndim == pred.ndim
    label = label if of_each else label.unsqueeze(1)
    valid = valid_mask(label, ignore_index)
    label = label.where(valid, 0)
    target = label if of_each or pred.size(1) == 1 else \
        torch.zeros_like(pred).scatter_(1, label, 1.0)
    if class_weight is not None:
        class_weight = class_weight.view(-1, *[1] * (pred.ndim - 2))
    loss = F.binary_cross_entropy_with_logits(pred, target.to(pred.dtype),
                                              pos_weight=class_weight, reduction='none')
    loss = loss.where(valid, 0.0)
    if avg_factor is None and reduction == 'mean' and avg_non_ignore:
        avg_factor = valid.expand_as(pred).sum()
    if weight is not None and weight.ndim < pred.ndim:
        weight = weight.unsqueeze(1)
    return weight_reduce_loss(loss, weight, reduction, avg_factor)


@MODELS.register_module()
class CrossEntropyLoss(BaseLoss):
    """Cross entropy with class weights and ignored pixels.

    Args:
        use_sigmoid: `binary_cross_entropy` instead of `cross_entropy`.
        use_mask: Not supported; here because published configs spell out its False.
        reduction: 'none', 'mean' or 'sum'.
        class_weight: K numbers, or a .npy, .json or .yaml file that holds them.
        loss_weight: Factor of the whole loss.
        loss_name: Its name in the log; it takes part in training only if it holds 'loss'.
        avg_non_ignore: 'mean' is over the pixels that count, as in torch, rather than over all.

    Raises:
        ConfigError: For ``use_mask``, or a file of class weights that cannot be read.
    """

    def __init__(self, use_sigmoid: bool = False, use_mask: bool = False,
                 reduction: str = 'mean', class_weight: list[float] | str | None = None,
                 loss_weight: float = 1.0, loss_name: str = 'loss_ce',
                 avg_non_ignore: bool = False) -> None:
        super().__init__(reduction, loss_weight, loss_name, class_weight, avg_non_ignore)
        if use_mask:
            raise ConfigError('Mask cross entropy is for instance masks, which segplug does not '
                              'train.', culprit='use_mask', fix='remove use_mask')
        self.use_sigmoid, self.use_mask = use_sigmoid, use_mask
        self.cls_criterion = binary_cross_entropy if use_sigmoid else cross_entropy

    def forward(self, cls_score: torch.Tensor, label: torch.Tensor,
                weight: torch.Tensor | None = None, avg_factor: float | None = None,
                reduction_override: str | None = None,
                ignore_index: int | None = -100) -> torch.Tensor:
        """(N, K, H, W) float logits and (N, H, W) int64 labels -> the loss.

        Raises:
            ShapeError: If there are not as many class weights as channels, or one channel for a
                softmax.
        """
        if self.cls_criterion is cross_entropy:
            needs_classes(cls_score, 'set use_sigmoid=True for a head with out_channels=1')
        cls_score = widened(cls_score)
        return self.loss_weight * self.cls_criterion(
            cls_score, label, weight, class_weight=self.weights_of_classes(cls_score),
            reduction=reduction_override or self.reduction, avg_factor=avg_factor,
            ignore_index=ignore_index, avg_non_ignore=self.avg_non_ignore)

    @property
    def takes_small_logits(self) -> bool:
        """Whether `of_small_logits` gives what the call gives of resized ones."""
        return (type(self).forward is CrossEntropyLoss.forward
                and self.cls_criterion is cross_entropy and self.reduction != 'none'
                and not self._forward_hooks and not self._forward_pre_hooks)

    def of_small_logits(self, cls_score: torch.Tensor, label: torch.Tensor,
                        ignore_index: int | None, align_corners: bool
                        ) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss of logits that are yet to be resized to the label, in a fraction of the memory.

        Args:
            cls_score: (N, K, h, w) float, raw logits.
            label: (N, H, W) int64 in [0, K) or ignore.
            ignore_index: Value of the pixels that do not count; None if all do.
            align_corners: For the resize.

        Returns:
            The loss, and the number of right pixels.
        """
        needs_classes(cls_score, 'set use_sigmoid=True for a head with out_channels=1')
        cls_score = widened(cls_score)
        weights = self.weights_of_classes(cls_score)
        total, num_right = resized_cross_entropy(cls_score, label, weights, ignore_index,
                                                 align_corners)
        if self.reduction == 'mean':
            count = _num_pixels(label, weights, ignore_index, self.avg_non_ignore)
            total = weight_reduce_loss(total, avg_factor=count)
        return self.loss_weight * total, num_right

    def extra_repr(self) -> str:
        return f'{super().extra_repr()}, avg_non_ignore={self.avg_non_ignore}'
