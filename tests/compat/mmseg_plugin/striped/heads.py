"""Three decode heads and a loss, written as for mmsegmentation 1.x."""


import torch
import torch.nn as nn
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmseg.models.builder import build_loss
from mmseg.models.decode_heads.cascade_decode_head import BaseCascadeDecodeHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.losses import accuracy, weighted_loss
from mmseg.models.utils import SELayer, resize
from mmseg.registry import MODELS
from mmseg.utils import ConfigType, SampleList
from torch import Tensor


@weighted_loss
def squared_edge(pred, target):
    return (pred - target)**2


@MODELS.register_module()
class SharpLoss(nn.Module):

    def __init__(self, loss_weight=1.0, loss_name='loss_sharp'):
        super().__init__()
        self.loss_weight = loss_weight
        self._loss_name = loss_name

    def forward(self, pred, target, weight=None, avg_factor=None, **kwargs):
        return self.loss_weight * squared_edge(pred, target, weight, avg_factor=avg_factor)

    @property
    def loss_name(self):
        return self._loss_name


@MODELS.register_module()
class FocusHead(BaseDecodeHead):
    """Weighs its loss by how unsure it is, in a ``loss_by_feat`` of its own."""

    def __init__(self, ratio=4, **kwargs):
        super().__init__(**kwargs)
        self.conv = ConvModule(self.in_channels, self.channels, 3, padding=1,
                               norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        self.se = SELayer(self.channels, ratio=ratio)

    def forward(self, inputs):
        x = self._transform_inputs(inputs)
        return self.cls_seg(self.se(self.conv(x)))

    def loss_by_feat(self, seg_logits: Tensor, batch_data_samples: SampleList) -> dict:
        seg_label = self._stack_batch_gt(batch_data_samples)
        seg_logits = resize(
            input=seg_logits,
            size=seg_label.shape[2:],
            mode='bilinear',
            align_corners=self.align_corners)
        seg_label = seg_label.squeeze(1)
        unsure = 1 - seg_logits.detach().softmax(dim=1).max(dim=1)[0]
        loss = dict()
        loss['loss_focus'] = self.loss_decode(
            seg_logits, seg_label, weight=unsure, ignore_index=self.ignore_index)
        loss['acc_seg'] = accuracy(seg_logits, seg_label, ignore_index=self.ignore_index)
        return loss


@MODELS.register_module()
class EdgeHead(BaseDecodeHead):
    """Has edges as an auxiliary output, with a loss of their own."""

    def __init__(self, loss_edge=dict(type='SharpLoss'), **kwargs):
        super().__init__(input_transform='multiple_select', **kwargs)
        self.convs = nn.ModuleList([
            ConvModule(c, self.channels, 1, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
            for c in self.in_channels
        ])
        self.conv_edge = nn.Conv2d(self.channels, 1, 1)
        self.loss_edge = build_loss(loss_edge)

    def forward(self, inputs) -> tuple[Tensor, Tensor]:
        inputs = self._transform_inputs(inputs)
        size = inputs[0].shape[2:]
        x = sum(
            resize(conv(level), size=size, mode='bilinear', align_corners=self.align_corners)
            for conv, level in zip(self.convs, inputs, strict=False))
        return self.cls_seg(x), self.conv_edge(x)

    def loss_by_feat(self, seg_logits: tuple[Tensor, Tensor],
                     batch_data_samples: SampleList) -> dict:
        seg_logits, edge = seg_logits
        losses = super().loss_by_feat(seg_logits, batch_data_samples)
        label = self._stack_batch_gt(batch_data_samples).float()
        step = (label[..., 1:] != label[..., :-1]).float()
        step = F.pad(step, (0, 1))
        edge = resize(edge, size=label.shape[2:], mode='bilinear',
                      align_corners=self.align_corners)
        losses[self.loss_edge.loss_name] = self.loss_edge(edge.sigmoid(), step)
        return losses

    def predict_by_feat(self, seg_logits: tuple[Tensor, Tensor],
                        batch_img_metas: list[dict]) -> Tensor:
        logits = super().predict_by_feat(seg_logits[0], batch_img_metas)
        # As theirs does, it gives logits of the size of the input.
        assert tuple(logits.shape[2:]) == tuple(batch_img_metas[0]['img_shape'][:2])
        return logits


@MODELS.register_module()
class RefineHead(BaseCascadeDecodeHead):
    """Sees features and the logits of the head before it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.conv = ConvModule(self.in_channels + self.num_classes, self.channels, 3, padding=1,
                               norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)

    def forward(self, inputs, prev_output):
        x = self._transform_inputs(inputs)
        before = resize(prev_output, size=x.shape[2:], mode='bilinear',
                        align_corners=self.align_corners)
        return self.cls_seg(self.conv(torch.cat([x, before.softmax(dim=1)], dim=1)))

    def loss(self, inputs: list[Tensor], prev_output: Tensor, batch_data_samples: SampleList,
             train_cfg: ConfigType) -> dict:
        losses = super().loss(inputs, prev_output, batch_data_samples, train_cfg)
        losses['refined'] = losses['acc_seg'].new_tensor(1.)
        return losses
