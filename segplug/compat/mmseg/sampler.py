"""``mmseg.structures.sampler``: what chooses the pixels of a loss."""

from abc import ABCMeta, abstractmethod

import torch

from ...registry import TASK_UTILS

PIXEL_SAMPLERS = TASK_UTILS


class BasePixelSampler(metaclass=ABCMeta):
    """The base of third-party samplers; a decode head calls `sample` in its loss."""

    @abstractmethod
    def sample(self, seg_logit: torch.Tensor, seg_label: torch.Tensor) -> torch.Tensor:
        """(N, K, H, W) logits and (N, 1, H, W) labels -> (N, H, W) weights."""


def build_pixel_sampler(cfg: dict, **default_args):
    """Build a sampler."""
    return TASK_UTILS.build(cfg, default_args=default_args)
