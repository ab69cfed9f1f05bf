"""Softmax cross entropy of logits that are resized to the label, without keeping them resized.

The resized logits are by far the largest map of a training step: with 150 classes and images of
512x512 pixels 157 MB per image, and autograd would keep or make it several times. Here the
gradient is worked out together with the loss, part by part, at the logits' own size.
Letters: N batch, K classes, H W pixels, h w cells of the logits.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import ConfigError, DataError, ShapeError
from . import kernels
from .resize import resize

_CHUNK_VALUES = 1 << 26  # of the resized logits of as many images as go together
_NONE = -100  # torch's own default, which no label has


def resized_cross_entropy(logits: Tensor, label: Tensor, class_weight: Tensor | None = None,
                          ignore_index: int | None = None, align_corners: bool = False
                          ) -> tuple[Tensor, Tensor]:
    """Sum of the cross entropy over pixels, and how many of them are right.

    Half precision is resized and summed as float32.

    Args:
        logits: (N, K, h, w) float, raw.
        label: (N, H, W) int64 in [0, K) or ignore.
        class_weight: (K,) float, factor of the pixels of each class.
        ignore_index: Value of the pixels that do not count; None if all do.
        align_corners: As for `resize`, bilinear, to (H, W).

    Returns:
        The sum, a scalar that can be differentiated once; and the number of pixels that count and
        whose greatest logit is their label's, a scalar int64.

    Raises:
        ShapeError: If the label does not fit the logits.
        DataError: For labels that are neither a class nor ignored; from plain torch its own error.
        ConfigError: In a backward pass with ``create_graph``.
    """
    if logits.dim() != 4 or label.dim() != 3 or len(logits) != len(label):
        raise ShapeError('The label does not fit the logits.',
                         got=f'{tuple(logits.shape)} logits and {tuple(label.shape)} labels',
                         expected='(N, K, h, w) and (N, H, W)')
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    want_grad = torch.is_grad_enabled() and logits.requires_grad
    ignored = _NONE if ignore_index is None else ignore_index
    return _ResizedCrossEntropy.apply(logits, label, class_weight, ignored, align_corners,
                                      want_grad)


class _ResizedCrossEntropy(torch.autograd.Function):
    """The gradient is that of the sum; backward only gives it its factor."""

    @staticmethod
    def forward(ctx, logits, label, class_weight, ignored, align_corners, want_grad):
        # torch.compile cannot look into a kernel.
        kernel = None if torch.compiler.is_compiling() else \
            kernels.cross_entropy_for(logits.device)
        # The kernel's exp knows neither infinity nor NaN.
        if kernel is None or logits.dtype != torch.float32 or not bool(logits.isfinite().all()):
            total, right, grad = _by_chunks(logits, label, class_weight, ignored, align_corners,
                                            want_grad)
        else:
            total, right, grad = _compiled(kernel, logits, label, class_weight, ignored,
                                           align_corners, want_grad)
        if want_grad:
            ctx.save_for_backward(grad)
        ctx.mark_non_differentiable(right)
        return total, right

    @staticmethod
    def backward(ctx, grad_total, grad_right):
        if torch.is_grad_enabled():  # as it is with create_graph
            raise ConfigError('This cross entropy can be differentiated once only.',
                              got='create_graph=True', fix='write loss_decode as a list: its '
                              'losses are of resized logits, by plain torch')
        grad, = ctx.saved_tensors
        return grad * grad_total, None, None, None, None, None


def _compiled(kernel, logits, label, class_weight, ignored, align_corners, want_grad):
    num_classes = logits.shape[1]
    weight = torch.ones(num_classes) if class_weight is None else class_weight.float()
    grad = torch.zeros(logits.shape) if want_grad else None
    total, right, wrong = kernel(logits.contiguous(), label.contiguous(), weight.contiguous(),
                                 ignored, align_corners, grad)
    if wrong:
        raise DataError('A label holds values that are no class.', got=f'{wrong} such pixels',
                        expected=f'0 to {num_classes - 1}'
                        + ('' if ignored == _NONE else f', or {ignored} for ignored pixels'))
    return logits.new_tensor(total), torch.tensor(right), grad


def _by_chunks(logits, label, class_weight, ignored, align_corners, want_grad):
    """In plain torch, for as many images at once as `_CHUNK_VALUES` allows."""
    size = tuple(label.shape[1:])
    num = max(_CHUNK_VALUES // (logits.shape[1] * size[0] * size[1]), 1)
    total, right, grads = logits.new_zeros(()), label.new_zeros(()), []
    for part, target in zip(logits.split(num), label.split(num), strict=True):
        with torch.set_grad_enabled(want_grad), torch.autocast(logits.device.type, enabled=False):
            part = part.detach().requires_grad_(want_grad)
            full = resize(part, size, mode='bilinear', align_corners=align_corners)
            # Summed by torch itself, it would not be the same every time on CUDA.
            loss = F.cross_entropy(full, target, class_weight, ignore_index=ignored,
                                   reduction='none').sum()
        # max is four times as fast as argmax on a CPU
        right += ((full.detach().max(dim=1).indices == target) & (target != ignored)).sum()
        total += loss.detach()
        if want_grad:
            grads += torch.autograd.grad(loss, part)
    return total, right, torch.cat(grads) if want_grad else None
