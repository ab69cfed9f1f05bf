"""What every loss has, and the door through which logits and labels come in.

Letters: N batch, K classes, P the pixels (one axis or several).
"""

import torch
from torch import nn

from ...errors import ShapeError
from ...ops.masks import valid_mask
from .utils import check_reduction, get_class_weight, weight_reduce_loss

# The published default of a loss's own ``ignore_index``. It stands for "as the call says": a
# head names its value in every call, and 255 may be a class of a data set that has 300.
AS_CALLED = 255


class BaseLoss(nn.Module):
    """Reduction, class weights, factor and name.

    Args:
        reduction: 'none', 'mean' or 'sum'.
        loss_weight: Factor of the whole loss.
        loss_name: Its name in the log; it takes part in training only if it holds 'loss'.
        class_weight: K numbers, or a .npy, .json or .yaml file that holds them.
        avg_non_ignore: 'mean' of a loss of pixels is over those that count, rather than over all.

    Raises:
        ConfigError: For an unknown reduction, or a file of class weights that cannot be read.
    """

    def __init__(self, reduction: str, loss_weight: float, loss_name: str,
                 class_weight: list[float] | str | None = None,
                 avg_non_ignore: bool = False) -> None:
        super().__init__()
        check_reduction(reduction)
        self.reduction = reduction
        self.loss_weight = loss_weight
        self.loss_name = loss_name
        self.avg_non_ignore = avg_non_ignore
        self.class_weight = get_class_weight(class_weight)
        # On the device like the model; not in checkpoints, whose published keys lack it.
        self.register_buffer('_class_weight', None if self.class_weight is None else
                             torch.tensor(self.class_weight).float(), persistent=False)

    def weights_of_classes(self, pred: torch.Tensor) -> torch.Tensor | None:
        """(K,) in the type and on the device of (N, K, P) logits, or None.

        Raises:
            ShapeError: If there are not as many class weights as channels.
        """
        if self._class_weight is None:
            return None
        if self._class_weight.shape != pred.shape[1:2]:
            raise ShapeError('There is one class weight per class.',
                             got=f'{len(self.class_weight)} weights',
                             expected=f'{pred.shape[1]}, the channels of the logits')
        return self._class_weight.to(pred)

    def reduce(self, loss: torch.Tensor, weight: torch.Tensor | None,
               avg_factor: float | torch.Tensor | None, override: str | None) -> torch.Tensor:
        """Weigh a loss by element, reduce it and give it its factor."""
        return self.loss_weight * weight_reduce_loss(loss, weight, override or self.reduction,
                                                     avg_factor)

    def reduce_pixels(self, loss: torch.Tensor, valid: torch.Tensor, weight: torch.Tensor | None,
                      avg_factor: float | torch.Tensor | None,
                      override: str | None) -> torch.Tensor:
        """`reduce` a loss of pixels.

        Args:
            loss: (N, K, P), or (N, P).
            valid: (N, 1, P) bool, the pixels that count; 'mean' with ``avg_non_ignore`` is over
                them, and over the classes too.
            weight: (N, P), or None.
            avg_factor, override: As a loss gets them.
        """
        if avg_factor is None and self.avg_non_ignore \
                and (override or self.reduction) == 'mean':
            avg_factor = valid.sum() * (loss.numel() // max(valid.numel(), 1))
        weight = per_pixel(weight, valid)
        return self.reduce(loss, weight if loss.ndim == weight.ndim else weight.squeeze(1),
                           avg_factor, override)

    def extra_repr(self) -> str:
        return f'loss_weight={self.loss_weight}'


def at_the_door(pred: torch.Tensor, label: torch.Tensor, *ignored: int | None
                ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What the logits are, what they should become, and which pixels count.

    Args:
        pred: (N, K, P) float, raw logits.
        label: (N, P) integer in [0, K) or ignored; where K = 1, 1 is the foreground, 0 is not.
            Or (N, K, P) float, the share of each class; then all pixels count.
        ignored: Labels whose pixels do not count.

    Returns:
        (N, K, P) logits, `widened` and 0 in the pixels that do not count, so that nothing of
        those is left; (N, K, P) shares in the same type, 0 there too; (N, 1, P) bool.

    Raises:
        ShapeError: If the label does not fit the logits.
    """
    if label.shape == pred.shape and (label.is_floating_point() or pred.size(1) > 1):
        pred = widened(pred)
        return pred, label.to(pred.dtype), torch.ones_like(pred[:, :1], dtype=torch.bool)
    pred, valid = without_ignored(pred, label, *ignored)
    label = label.view(valid.shape)
    if pred.size(1) == 1:
        target = (valid & (label == 1)).to(pred.dtype)
    else:
        target = torch.zeros_like(pred).scatter_(1, label.long().where(valid, 0),
                                                 valid.to(pred.dtype))
    return pred, target, valid


def without_ignored(pred: torch.Tensor, label: torch.Tensor,
                    *ignored: int | None) -> tuple[torch.Tensor, torch.Tensor]:
    """`at_the_door` for labels only, and without the shares."""
    valid = counted(pred, label, *ignored)
    return widened(pred).where(valid, 0.0), valid


def widened(pred: torch.Tensor) -> torch.Tensor:
    """At least float32: half precision is too short for sums over millions of pixels."""
    return pred.to(torch.promote_types(pred.dtype, torch.float32))


def counted(pred: torch.Tensor, label: torch.Tensor, *ignored: int | None) -> torch.Tensor:
    """(N, K, P) logits and (N, P) or (N, 1, P) labels -> (N, 1, P) bool, where pixels count.

    Raises:
        ShapeError: If the label does not fit the logits.
    """
    shape = (pred.size(0), 1, *pred.shape[2:])
    if tuple(label.shape) not in (shape, (shape[0], *shape[2:])):
        raise ShapeError('The label does not fit the logits.', got=tuple(label.shape),
                         expected=(shape[0], *shape[2:]))
    label, valid = label.view(shape), torch.ones(shape, dtype=torch.bool, device=pred.device)
    for value in ignored:
        valid = valid & valid_mask(label, value)
    return valid


def per_pixel(weight: torch.Tensor | None, valid: torch.Tensor) -> torch.Tensor:
    """The factor of each pixel: (N, P) or None, and (N, 1, P) bool -> (N, 1, P) float.

    Raises:
        ShapeError: If there is not one weight per pixel.
    """
    if weight is None:
        return valid.float()
    if weight.numel() != valid.numel() or len(weight) != len(valid):
        raise ShapeError('A loss takes one weight per pixel.', got=tuple(weight.shape),
                         expected=(valid.size(0), *valid.shape[2:]))
    return weight.view(valid.shape).where(valid, 0.0)


def own_ignored(ignore_index: int | None) -> int | None:
    """What a loss ignores besides what the call names; see `AS_CALLED`."""
    return None if ignore_index == AS_CALLED else ignore_index


def needs_classes(pred: torch.Tensor, fix: str) -> None:
    """Raise ShapeError for the softmax of one channel."""
    if pred.size(1) == 1:
        raise ShapeError('The softmax of a single channel is always 1.', got=tuple(pred.shape),
                         expected='a channel for each class', fix=fix)
