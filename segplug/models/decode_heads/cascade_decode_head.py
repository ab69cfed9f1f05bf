"""The base of decode heads that refine the logits of another head."""

from abc import abstractmethod
from collections.abc import Sequence

import torch

from ...structures import SegDataSample
from .decode_head import BaseDecodeHead


class BaseCascadeDecodeHead(BaseDecodeHead):
    """A head of `CascadeEncoderDecoder` after the first; its arguments are `BaseDecodeHead`'s."""

    @abstractmethod
    def forward(self, inputs: Sequence[torch.Tensor], prev_output: torch.Tensor) -> torch.Tensor:
        """Levels and logits (N, K, h, w) of the head before -> better ones."""

    @property
    def loss_is_of_logits(self) -> bool:
        """Whether `loss` is `loss_by_feat` of the very logits that `predict` gives."""
        return all(getattr(type(self), name) is getattr(BaseCascadeDecodeHead, name)
                   for name in ('loss', 'predict', 'predict_by_feat'))

    def loss(self, inputs: Sequence[torch.Tensor], prev_output: torch.Tensor,
             batch_data_samples: list[SegDataSample],
             train_cfg: dict | None = None) -> dict[str, torch.Tensor]:
        """Levels, logits of the head before and samples -> each loss by name, and 'acc_seg'."""
        return self.loss_by_feat(self.forward(inputs, prev_output), batch_data_samples)

    def predict(self, inputs: Sequence[torch.Tensor], prev_output: torch.Tensor,
                batch_img_metas: list[dict], test_cfg: dict | None = None) -> torch.Tensor:
        """Levels and logits of the head before -> logits at the head's own size."""
        return self.predict_by_feat(self.forward(inputs, prev_output), batch_img_metas)
