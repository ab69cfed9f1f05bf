"""Online hard example mining: only the pixels that a network finds hard count in its loss.

Shrivastava, Gupta, Girshick: Training region-based object detectors with online hard example
mining, CVPR 2016 (arXiv 1604.03540); by probability as in the published training of PIDNet and
BiSeNet. N batch, K classes, P pixels.
"""

import torch
from torch import nn

from ...errors import ConfigError, ShapeError
from ...ops.masks import valid_mask
from ...registry import TASK_UTILS


def hard_pixels(logits: torch.Tensor, label: torch.Tensor, ignore_index: int | None,
                thresh: float, min_kept: int) -> torch.Tensor:
    """Where the right class has a probability below a threshold.

    The threshold is ``thresh`` or, where fewer than ``min_kept`` pixels lie below that, the
    probability of the pixel after the ``min_kept`` hardest; of fewer pixels, that of the easiest.

    Args:
        logits: (N, K, P) float; of one channel the sigmoid is the probability of label 1.
        label: (N, P) integer in [0, K) or ignore.
        ignore_index: Label of the pixels that do not count.
        thresh: In [0, 1].
        min_kept: Over all N.

    Returns:
        (N, P) bool.
    """
    valid = valid_mask(label, ignore_index)
    index = label.long().where(valid, 0).unsqueeze(1)
    if logits.size(1) == 1:
        prob = logits.where(index == 1, -logits).sigmoid()
    else:
        prob = logits.softmax(dim=1).gather(1, index)
    prob = prob.squeeze(1)
    known = prob[valid]
    if known.numel() == 0:
        return valid
    rank = min(min_kept, known.numel() - 1)
    # As long as enough pixels are hard, as in most of a training, nothing has to be sorted.
    if (known < thresh).sum() < rank:
        thresh = known.sort().values[rank].clamp(min=thresh)
    return valid & (prob < thresh)


def costly_pixels(losses: torch.Tensor, valid: torch.Tensor, num_kept: int) -> torch.Tensor:
    """The ``num_kept`` pixels of the greatest loss; of equal ones the first.

    Args:
        losses: (N, P) float.
        valid: (N, P) bool, the pixels to choose from.
        num_kept: Over all N.

    Returns:
        (N, P) bool.
    """
    places = valid.flatten().nonzero().squeeze(1)
    order = losses.flatten()[places].sort(descending=True, stable=True).indices
    chosen = torch.zeros(valid.numel(), dtype=torch.bool, device=valid.device)
    chosen[places[order[:num_kept]]] = True
    return chosen.view(valid.shape)


@TASK_UTILS.register_module()
class OHEMPixelSampler:
    """Gives the hard pixels weight 1 and the others 0.

    Args:
        context: The decode head; its ``ignore_index`` and, without ``thresh``, its losses are used.
        thresh: Pixels whose right class is less probable are hard. None ranks them by loss.
        min_kept: How many pixels per image of the batch are hard at least (with ``thresh``), or
            exactly (without), as far as there are as many.

    Raises:
        ConfigError: If ``min_kept`` is below 2.
    """

    def __init__(self, context: nn.Module, thresh: float | None = None,
                 min_kept: int = 100000) -> None:
        if min_kept <= 1:
            raise ConfigError('OHEM would keep next to no pixels.', got=f'min_kept={min_kept}',
                              expected='at least 2', culprit='min_kept')
        self.context = context
        self.thresh = thresh
        self.min_kept = min_kept

    @torch.no_grad()
    def sample(self, seg_logit: torch.Tensor, seg_label: torch.Tensor) -> torch.Tensor:
        """(N, K, P) logits and (N, 1, P) labels -> (N, P) weights.

        Raises:
            ConfigError: Without ``thresh``, if a loss of the head has no value per pixel.
            ShapeError: If the labels do not fit the logits.
        """
        if seg_label.shape != (len(seg_logit), 1, *seg_logit.shape[2:]):
            raise ShapeError('The label does not fit the logits.', got=tuple(seg_label.shape),
                             expected=(len(seg_logit), 1, *seg_logit.shape[2:]))
        label, kept = seg_label.squeeze(1).long(), self.min_kept * seg_label.size(0)
        ignore_index = self.context.ignore_index
        if self.thresh is not None:
            hard = hard_pixels(seg_logit, label, ignore_index, self.thresh, kept)
        else:
            hard = costly_pixels(self._losses(seg_logit, label), valid_mask(label, ignore_index),
                                 kept)
        return hard.to(seg_logit.dtype)

    def _losses(self, logits, label) -> torch.Tensor:
        """(N, P), the sum of the head's losses in each pixel."""
        criteria = self.context.loss_decode
        total = 0.0
        for criterion in criteria if isinstance(criteria, nn.ModuleList) else [criteria]:
            loss = criterion(logits, label, ignore_index=self.context.ignore_index,
                             reduction_override='none')
            if loss.ndim == logits.ndim:
                loss = loss.sum(dim=1)
            if loss.shape != label.shape:
                raise ConfigError(
                    f'OHEMPixelSampler cannot rank pixels by {type(criterion).__name__}, which '
                    'has no value for each pixel.', culprit=type(criterion).__name__,
                    fix='give the sampler a thresh, so that it ranks by probability')
            total = total + loss
        return total
