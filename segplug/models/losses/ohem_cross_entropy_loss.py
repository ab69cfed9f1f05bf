"""Cross entropy over the hard pixels only, as in the published training of PIDNet and DDRNet."""

import torch
import torch.nn.functional as F

from ...registry import MODELS
from .base import AS_CALLED, BaseLoss, needs_classes, own_ignored, per_pixel, without_ignored
from .ohem_pixel_sampler import hard_pixels


@MODELS.register_module()
class OhemCrossEntropy(BaseLoss):
    """The mean cross entropy of the pixels that `hard_pixels` chooses from the batch.

    Args:
        ignore_label: A label that does not count either, besides the ``ignore_index`` of the call.
        thres: Pixels whose right class is less probable are hard.
        min_kept: How many pixels of the batch are hard at least, as far as there are as many.
        loss_weight: Factor of the whole loss.
        class_weight: K numbers, or a .npy, .json or .yaml file that holds them. The mean is over
            pixels, whatever their class weighs.
        loss_name: Its name in the log.

    Raises:
        ConfigError: For a file of class weights that cannot be read.
    """

    def __init__(self, ignore_label: int | None = AS_CALLED, thres: float = 0.7,
                 min_kept: int = 100000, loss_weight: float = 1.0,
                 class_weight: list[float] | str | None = None,
                 loss_name: str = 'loss_ohem') -> None:
        super().__init__('mean', loss_weight, loss_name, class_weight)
        self.thresh = thres
        self.min_kept = max(1, min_kept)
        self.ignore_label = ignore_label

    def forward(self, score: torch.Tensor, target: torch.Tensor,
                weight: torch.Tensor | None = None, avg_factor: float | None = None,
                reduction_override: str | None = None,
                ignore_index: int | None = 255) -> torch.Tensor:
        """(N, K, P) float logits and (N, P) integer labels -> the loss.

        ``weight`` (N, P) multiplies the pixels' losses and has no say in which are hard; 'none'
        gives (N, P), 0 in all others. A batch without a hard pixel costs nothing.

        Raises:
            ShapeError: If label or class weights do not fit the logits, or those have one channel.
        """
        needs_classes(score, 'use the head\'s sampler=dict(type=\'OHEMPixelSampler\') with '
                             'CrossEntropyLoss(use_sigmoid=True)')
        score, valid = without_ignored(score, target, ignore_index, own_ignored(self.ignore_label))
        valid = valid.squeeze(1)
        target = target.long().view(valid.shape).where(valid, -100)
        with torch.no_grad():
            hard = hard_pixels(score, target, -100, self.thresh, self.min_kept)
        loss = F.cross_entropy(score, target, self.weights_of_classes(score), reduction='none')
        if avg_factor is None:
            avg_factor = hard.sum() if (reduction_override or self.reduction) == 'mean' else None
        return self.reduce(loss.where(hard, 0.0),
                           None if weight is None else per_pixel(weight, valid.unsqueeze(1))[:, 0],
                           avg_factor, reduction_override)
