"""The head of PIDNet: a classifier for the result and, in training, for detail and boundaries.

Xu et al., https://arxiv.org/abs/2206.02066.
"""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import nn

from ...errors import ConfigError, DataError
from ...ops.resize import resize
from ...registry import MODELS
from ...structures import SegDataSample
from ..layers import KAIMING, extends, pre_activated
from ..losses import accuracy
from .ddr_head import check_losses
from .decode_head import BaseDecodeHead

# Probability of a boundary above which a pixel takes part in the fourth loss; t in the paper.
_SURE = 0.8


@MODELS.register_module()
class PIDHead(BaseDecodeHead):
    """Norm, activation, 3x3 convolution, norm, activation and classifier, for three levels.

    Its training needs ``gt_edge_map`` in every sample, (1, H, W) with 1 at boundaries and 0
    elsewhere; mmsegmentation's transform for it is ``GenerateEdge``. A validation loss is had
    without it, and then lacks 'loss_bd'.

    Args:
        in_channels: Channels of the result; detail and boundary levels have half of them.
        channels: Channels before the classifiers.
        num_classes: K.
        norm_cfg, act_cfg: As everywhere in mmcv.
        loss_decode: Four losses: of the detail; of the result; of the boundaries; of the result
            where a boundary is predicted.
        init_cfg: mmengine's initialisation; default Kaiming, and biases start at 0.
        Others as for `BaseDecodeHead`, less ``input_transform``; ``in_index`` and ``sampler``
            have no effect.

    Raises:
        ConfigError: For another number of losses, or without ``ignore_index``.
    """

    @extends(BaseDecodeHead, without=('input_transform',))
    def __init__(self, in_channels: int, channels: int, num_classes: int,
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU', inplace=True),
                 init_cfg: dict | list | None = list(KAIMING), **options) -> None:
        super().__init__(in_channels, channels, num_classes=num_classes, norm_cfg=norm_cfg,
                         act_cfg=act_cfg, init_cfg=init_cfg, **options)
        check_losses(self, 4)
        if self.ignore_index is None:
            raise ConfigError('PIDHead ignores what is no boundary in its fourth loss.',
                              got='ignore_index=None', fix='give ignore_index a number that is '
                              'no class', culprit='ignore_index')
        half, quarter = in_channels // 2, in_channels // 4
        self.i_head, self.p_head, self.d_head = (
            nn.Sequential(OrderedDict(zip(('conv', 'norm', 'act'),
                                          pre_activated(cin, cout, norm_cfg, act_cfg),
                                          strict=True)))
            for cin, cout in ((in_channels, channels), (half, channels), (half, quarter)))
        self.p_cls_seg = nn.Conv2d(channels, self.out_channels, 1)
        self.d_cls_seg = nn.Conv2d(quarter, 1, 1)

    def forward(self, inputs: Sequence[torch.Tensor]):
        """Levels (detail, result, boundaries) -> logits (N, K, h, w) of the result.

        In training the logits of all three, with one channel for boundaries.
        """
        return self._all(inputs) if self.training else self.cls_seg(self.i_head(inputs[1]))

    def _all(self, inputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        p, i, d = inputs
        return (self.p_cls_seg(self.p_head(p)), self.cls_seg(self.i_head(i)),
                self.d_cls_seg(self.d_head(d)))

    def loss(self, inputs: Sequence[torch.Tensor], batch_data_samples: list[SegDataSample],
             train_cfg: dict | None = None) -> dict[str, torch.Tensor]:
        """Levels and samples -> 'loss_sem_p', '_sem_i', '_bd', '_sem_bd' and 'acc_seg'."""
        return self.loss_by_feat(self._all(inputs), batch_data_samples)

    def loss_by_feat(self, seg_logits: tuple[torch.Tensor, ...],
                     batch_data_samples: list[SegDataSample]) -> dict[str, torch.Tensor]:
        """The losses of the logits of detail, result and boundaries, at the size of the label.

        Raises:
            DataError: If a sample has no ``gt_edge_map`` in training.
        """
        label = self._stack_batch_gt(batch_data_samples)
        edges = self._edges(batch_data_samples)
        p, i, d = (resize(x, size=label.shape[2:], mode='bilinear',
                          align_corners=self.align_corners) for x in seg_logits)
        label = label.squeeze(1)
        near = label.where(d[:, 0].sigmoid() > _SURE, self.ignore_index)
        loss_p, loss_i, loss_bd, loss_near = self.loss_decode
        ignored = dict(ignore_index=self.ignore_index)
        losses = dict(loss_sem_p=loss_p(p, label, **ignored),
                      loss_sem_i=loss_i(i, label, **ignored))
        if edges is not None:
            losses['loss_bd'] = loss_bd(d, edges, **ignored)
        losses['loss_sem_bd'] = loss_near(i, near, **ignored)
        losses['acc_seg'] = accuracy(i, label, self.ignore_index, self.threshold)
        return losses

    def _edges(self, batch_data_samples: list[SegDataSample]) -> torch.Tensor | None:
        """The edge maps as (N, H, W) int64; None where a validation has none."""
        if all('gt_edge_map' in sample for sample in batch_data_samples):
            return torch.cat([s.gt_edge_map.data for s in batch_data_samples]).long()
        if not self.training:
            return None
        raise DataError('PIDHead learns boundaries, and a sample comes without gt_edge_map.',
                        expected='gt_edge_map, (1, H, W) with 1 at boundaries and 0 elsewhere',
                        fix="put dict(type='GenerateEdge', edge_width=4), or a transform of your "
                            'own that makes it, before PackSegInputs of the training pipeline')
