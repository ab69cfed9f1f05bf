"""Kullback-Leibler divergence of a prediction from what it should be, a teacher's logits as a rule.

Hinton, Vinyals, Dean: Distilling the knowledge in a neural network (arXiv 1503.02531), section 2.
"""

import torch
import torch.nn.functional as F

from ...errors import ConfigError
from ...registry import MODELS
from .base import BaseLoss, at_the_door, needs_classes


@MODELS.register_module()
class KLDivLoss(BaseLoss):
    """sum over k of q_k (log q_k - log p_k), with p = softmax(input / T), q = softmax(target / T).

    The factor T^2 keeps its gradients as large as those of T = 1. mmsegmentation hands p where
    torch wants log p, so that its loss is another quantity, which may be below 0.

    Args:
        temperature: T, above 0.
        reduction: 'none' (N, K, P), 'mean' over all of these, or 'sum'.
        loss_name: Its name in the log.
        loss_weight: Factor of the whole loss.
        avg_non_ignore: 'mean' is over the pixels that count, rather than over all; in both cases
            over the classes too.

    Raises:
        ConfigError: If the temperature is not above 0.
    """

    def __init__(self, temperature: float = 1.0, reduction: str = 'mean',
                 loss_name: str = 'loss_kld', loss_weight: float = 1.0,
                 avg_non_ignore: bool = False) -> None:
        super().__init__(reduction, loss_weight, loss_name, avg_non_ignore=avg_non_ignore)
        if not temperature > 0:
            raise ConfigError('The temperature of KLDivLoss is above 0.', got=temperature,
                              culprit='temperature')
        self.temperature = temperature

    def forward(self, input: torch.Tensor, target: torch.Tensor,
                weight: torch.Tensor | None = None, avg_factor: float | None = None,
                reduction_override: str | None = None,
                ignore_index: int | None = 255) -> torch.Tensor:
        """(N, K, P) logits and (N, K, P) logits to come near to -> the loss.

        Of (N, P) integer labels, as a decode head gives them, q is 1 for the label.

        Raises:
            ShapeError: If target or weight (N, P) do not fit the logits, or those have one channel.
        """
        needs_classes(input, 'use CrossEntropyLoss(use_sigmoid=True)')
        given_logits = target.shape == input.shape
        input, target, valid = at_the_door(input, target, ignore_index)
        log_p = (input / self.temperature).log_softmax(dim=1)
        if given_logits:
            target = (target / self.temperature).softmax(dim=1)
        loss = F.kl_div(log_p, target, reduction='none') * self.temperature ** 2
        return self.reduce_pixels(loss, valid, weight, avg_factor, reduction_override)
