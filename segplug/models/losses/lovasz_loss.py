"""Lovasz losses: the Jaccard index (IoU), made into something with a gradient.

Berman, Rannen Triki, Blaschko: The Lovasz-Softmax loss, CVPR 2018 (arXiv 1705.08790), equations
8, 9, 11 and algorithm 1. N batch, K classes, M pixels that count.
"""

from collections.abc import Sequence

import torch

from ...errors import ConfigError, ShapeError
from ...registry import MODELS
from .base import BaseLoss, counted, needs_classes, per_pixel, widened


def lovasz_grad(truth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """What each error adds to the Jaccard loss of those before it (algorithm 1).

    Args:
        truth: (M,) 1 for foreground, 0 for others, by falling error.
        weight: (M,) float above 0; a pixel of weight two counts as two.

    Returns:
        (M,) of the type of ``weight``.
    """
    # In float32 counts stop at 2^24, and neighbours in a large image cannot be told apart.
    inside = (truth * weight).double().cumsum(0)
    outside = ((1 - truth) * weight).double().cumsum(0)
    union = (inside[-1] + outside).clamp(min=torch.finfo(torch.float64).tiny)
    jaccard = 1 - (inside[-1] - inside) / union
    return jaccard.diff(prepend=jaccard.new_zeros(1)).to(weight.dtype)


def lovasz_flat(errors: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The Lovasz extension of the Jaccard loss at (M,) errors, as a scalar."""
    errors, order = errors.sort(descending=True, stable=True)
    return torch.dot(errors, lovasz_grad(truth[order], weight[order]))


def lovasz_hinge(logits: torch.Tensor, label: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Of two classes: (M, 1) logits and (M,) labels 0 and 1 -> scalar."""
    truth = (label == 1).to(logits.dtype)
    return lovasz_flat((1 - logits[:, 0] * (2 * truth - 1)).relu(), truth, weight)


def lovasz_softmax(logits: torch.Tensor, label: torch.Tensor, weight: torch.Tensor,
                   classes: str | Sequence[int] = 'present',
                   class_weight: torch.Tensor | None = None) -> torch.Tensor:
    """The mean over classes of (M, K) logits and (M,) labels, as a scalar.

    Args:
        weight: (M,) float above 0.
        classes: Over which: 'all', those that are 'present' in the label, or these.
        class_weight: (K,), factor of each class.
    """
    if isinstance(classes, str):
        classes = label.unique().tolist() if classes == 'present' else range(logits.size(1))
    prob, losses = logits.softmax(dim=1), []
    for k in classes:
        truth = (label == k).to(prob.dtype)
        loss = lovasz_flat((truth - prob[:, k]).abs(), truth, weight)
        losses.append(loss if class_weight is None else loss * class_weight[k])
    return torch.stack(losses).mean()


@MODELS.register_module()
class LovaszLoss(BaseLoss):
    """Lovasz-Softmax, or the Lovasz hinge of two classes, of the batch or of each image.

    Args:
        loss_type: 'multi_class', or 'binary' for logits of one channel.
        classes: Of 'multi_class': the mean is over 'all' classes, over those that are 'present' in
            the label, or over the classes of this list.
        per_image: The mean of each image's loss, rather than one loss of all their pixels.
        reduction: With ``per_image``: 'none' (N,), 'mean' or 'sum'. Without, there is one number
            to reduce, and it changes nothing.
        class_weight: Of 'multi_class': K numbers, or a .npy, .json or .yaml file that holds them.
        loss_weight: Factor of the whole loss.
        loss_name: Its name in the log.

    Raises:
        ConfigError: For an unknown loss_type or unknown classes.
    """

    def __init__(self, loss_type: str = 'multi_class', classes: str | list[int] = 'present',
                 per_image: bool = False, reduction: str = 'mean',
                 class_weight: list[float] | str | None = None, loss_weight: float = 1.0,
                 loss_name: str = 'loss_lovasz') -> None:
        super().__init__(reduction, loss_weight, loss_name, class_weight)
        if loss_type not in ('binary', 'multi_class'):
            raise ConfigError('LovaszLoss has no such loss_type.', got=repr(loss_type),
                              expected="'binary' or 'multi_class'", culprit='loss_type')
        if not classes or isinstance(classes, str) and classes not in ('all', 'present'):
            raise ConfigError('LovaszLoss cannot choose these classes.', got=repr(classes),
                              expected="'all', 'present' or a list of class indices",
                              culprit='classes')
        self.loss_type = loss_type
        self.classes = classes
        self.per_image = per_image

    def forward(self, cls_score: torch.Tensor, label: torch.Tensor,
                weight: torch.Tensor | None = None, avg_factor: float | None = None,
                reduction_override: str | None = None,
                ignore_index: int | None = 255) -> torch.Tensor:
        """(N, K, P) float logits and (N, P) integer labels -> the loss.

        ``weight`` (N, P) is of pixels: one of weight two counts as two, one of weight zero does
        not count. ``avg_factor`` divides the sum of the images' losses with ``per_image``.

        Raises:
            ShapeError: If label, weight or class weights do not fit the logits, or ``loss_type``
                and ``classes`` do not fit the channels.
        """
        self._check(cls_score)
        pred = widened(cls_score)
        pixels = per_pixel(weight, counted(pred, label, ignore_index)).to(pred.dtype)
        maps = (pred, label.view(pixels.shape).long(), pixels)
        if not self.per_image:
            return self.loss_weight * self._of(*maps)
        losses = [self._of(*(x[i:i + 1] for x in maps)) for i in range(len(pred))]
        return self.reduce(torch.stack(losses), None, avg_factor, reduction_override)

    def _check(self, pred) -> None:
        """Whether the channels are what ``loss_type`` and ``classes`` need."""
        if self.loss_type == 'multi_class':
            needs_classes(pred, "set loss_type='binary' for a head with out_channels=1")
            if not isinstance(self.classes, str) and not all(
                    0 <= k < pred.size(1) for k in self.classes):
                raise ShapeError('LovaszLoss is to choose classes that have no logits.',
                                 got=self.classes, expected=f'0 to {pred.size(1) - 1}')
        elif pred.size(1) != 1:
            raise ShapeError('The Lovasz hinge is of one channel.', got=tuple(pred.shape),
                             expected='(N, 1, H, W)', fix="set loss_type='multi_class', or "
                             'out_channels=1 in the head')

    def _of(self, pred, label, weight) -> torch.Tensor:
        """The loss of the pixels of these images that have a weight, all in one."""
        chosen = weight[:, 0] != 0
        pred = pred.movedim(1, -1)[chosen]
        label, weight = label[:, 0][chosen], weight[:, 0][chosen]
        if len(pred) == 0:
            return pred.sum()
        if self.loss_type == 'binary':
            return lovasz_hinge(pred, label, weight)
        return lovasz_softmax(pred, label, weight, self.classes, self.weights_of_classes(pred))
