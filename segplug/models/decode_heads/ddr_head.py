"""The head of DDRNet: one classifier for the result and, in training, one for the detail.

Hong et al., https://arxiv.org/abs/2101.06085.
"""

from collections.abc import Sequence

import torch
from torch import nn

from ...errors import ConfigError
from ...ops.resize import resize
from ...registry import MODELS
from ...structures import SegDataSample
from ..layers import KAIMING, extends, pre_activated
from ..losses import accuracy
from .decode_head import BaseDecodeHead


@MODELS.register_module()
class DDRHead(BaseDecodeHead):
    """Norm, activation, 3x3 convolution, norm, activation and classifier, for both levels.

    Args:
        in_channels: Channels of the last level; the level before it has half of them.
        channels: Channels before the classifiers.
        num_classes: K.
        norm_cfg, act_cfg: As everywhere in mmcv.
        loss_decode: Two losses, for the result and for the detail.
        init_cfg: mmengine's initialisation; default Kaiming, and biases start at 0.
        Others as for `BaseDecodeHead`, less ``input_transform``; ``in_index`` and ``sampler``
            have no effect.

    Raises:
        ConfigError: For another number of losses.
    """

    @extends(BaseDecodeHead, without=('input_transform',))
    def __init__(self, in_channels: int, channels: int, num_classes: int,
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU', inplace=True),
                 init_cfg: dict | list | None = list(KAIMING), **options) -> None:
        super().__init__(in_channels, channels, num_classes=num_classes, norm_cfg=norm_cfg,
                         act_cfg=act_cfg, init_cfg=init_cfg, **options)
        check_losses(self, 2)
        self.head = nn.Sequential(*pre_activated(in_channels, channels, norm_cfg, act_cfg))
        self.aux_head = nn.Sequential(*pre_activated(in_channels // 2, channels, norm_cfg,
                                                     act_cfg))
        self.aux_cls_seg = nn.Conv2d(channels, self.out_channels, 1)

    def forward(self, inputs: Sequence[torch.Tensor]):
        """Levels (..., detail, result) -> logits (N, K, h, w); in training those of both.

        The result's come first.
        """
        return self._both(inputs) if self.training else self.cls_seg(self.head(inputs[-1]))

    def _both(self, inputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        return (self.cls_seg(self.head(inputs[-1])), self.aux_cls_seg(self.aux_head(inputs[-2])))

    def loss(self, inputs: Sequence[torch.Tensor], batch_data_samples: list[SegDataSample],
             train_cfg: dict | None = None) -> dict[str, torch.Tensor]:
        """Levels and samples -> 'loss_context', 'loss_spatial' and 'acc_seg'."""
        return self.loss_by_feat(self._both(inputs), batch_data_samples)

    def loss_by_feat(self, seg_logits: tuple[torch.Tensor, torch.Tensor],
                     batch_data_samples: list[SegDataSample]) -> dict[str, torch.Tensor]:
        """The losses of the logits of result and detail, at the size of the label."""
        label = self._stack_batch_gt(batch_data_samples)
        logits = [resize(x, size=label.shape[2:], mode='bilinear',
                         align_corners=self.align_corners) for x in seg_logits]
        label = label.squeeze(1)
        losses = {name: criterion(x, label, ignore_index=self.ignore_index)
                  for name, criterion, x in zip(('loss_context', 'loss_spatial'),
                                                self.loss_decode, logits, strict=True)}
        losses['acc_seg'] = accuracy(logits[0], label, self.ignore_index, self.threshold)
        return losses


def check_losses(head: BaseDecodeHead, num: int) -> None:
    """Refuse a head whose ``loss_decode`` is not a list of ``num``."""
    got = len(head.loss_decode) if isinstance(head.loss_decode, nn.ModuleList) else 'a single one'
    if got != num:
        raise ConfigError(f'{type(head).__name__} has a loss for each of its outputs.', got=got,
                          expected=f'a list of {num}', culprit='loss_decode')
