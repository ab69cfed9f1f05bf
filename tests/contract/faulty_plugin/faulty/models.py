"""Parts of networks with a fault each."""

import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from torch import nn

from segplug.models.decode_heads import BaseDecodeHead
from segplug.models.segmentors import EncoderDecoder
from segplug.registry import MODELS


@MODELS.register_module(name='PSPHead', force=True)
class TakenHead(BaseDecodeHead):
    """Has the name of a head of segplug."""

    def forward(self, inputs):
        return self.cls_seg(self._transform_inputs(inputs))


@MODELS.register_module()
class RestlessHead(BaseDecodeHead):
    """Draws in evaluation."""

    def forward(self, inputs):
        x = self._transform_inputs(inputs)
        return self.cls_seg(x + torch.rand_like(x))


@MODELS.register_module()
class UnusedHead(BaseDecodeHead):
    """Has a layer that it does not use."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.unused = nn.Conv2d(1, 1, 1)

    def forward(self, inputs):
        return self.cls_seg(self._transform_inputs(inputs))


@MODELS.register_module()
class TwoHead(BaseDecodeHead):
    """Has one channel too many."""

    def forward(self, inputs):
        logits = self.cls_seg(self._transform_inputs(inputs))
        return logits if self.training else F.pad(logits, (0, 0, 0, 0, 0, 1), value=-99.)


@MODELS.register_module()
class SilentHead(BaseDecodeHead):
    """Has no loss."""

    def forward(self, inputs):
        return self.cls_seg(self._transform_inputs(inputs))

    def loss_by_feat(self, seg_logits, batch_data_samples):
        return dict(acc_seg=seg_logits.mean())


@MODELS.register_module()
class NeedyHead(BaseDecodeHead):
    """Needs what nobody can guess."""

    def __init__(self, patience, **kwargs):
        super().__init__(**kwargs)

    def forward(self, inputs):
        return self.cls_seg(self._transform_inputs(inputs))


@MODELS.register_module()
class Mystery(nn.Module):
    """May be anything."""


class _Loss(nn.Module):
    loss_name = 'loss_own'

    def forward(self, pred, target, weight=None, ignore_index=255, **kwargs):
        loss = F.cross_entropy(pred.float(), target, ignore_index=ignore_index, reduction='none')
        return self.reduced(loss if weight is None else weight * loss, target != ignore_index)

    def reduced(self, loss, valid):
        return loss.sum() / valid.sum().clamp(min=1)


@MODELS.register_module()
class PlainLoss(_Loss):
    pass


@MODELS.register_module()
class HungryLoss(_Loss):
    """Takes logits of ignored pixels in."""

    def forward(self, pred, target, **kwargs):
        return super().forward(pred, target, **kwargs) + 1e-3 * pred.square().mean()


@MODELS.register_module()
class EmptyLoss(_Loss):
    """Divides by the number of pixels, 0 of them too."""

    def reduced(self, loss, valid):
        return loss.sum() / valid.sum()


@MODELS.register_module()
class CallLoss(_Loss):
    """Takes no ignore_index."""

    def forward(self, pred, target):
        return super().forward(pred, target)


@MODELS.register_module()
class FallingLoss(_Loss):
    """Wants the wrong class."""

    def reduced(self, loss, valid):
        return -super().reduced(loss, valid)


@MODELS.register_module()
class HalvedLoss(_Loss):
    """Forgets its weight."""

    def __init__(self, loss_weight=1.0, loss_name='loss_own'):
        super().__init__()
        self.loss_name = loss_name


@MODELS.register_module()
class ExcusedLoss(_Loss):
    """Is called in another way."""

    def forward(self, edges):
        return edges.mean()


@MODELS.register_module()
class LyingBackbone(nn.Module):
    """Declares channels that it does not have."""

    out_channels, out_strides = [5], [2]

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, 2, 1)

    def forward(self, x):
        return self.conv(x),


@MODELS.register_module()
class ForgetfulBackbone(nn.Module):
    """Keeps a drawn scale that its state_dict lacks."""

    def __init__(self):
        super().__init__()
        self.conv, self.scale = nn.Conv2d(3, 4, 3, 2, 1), torch.rand(())

    def forward(self, x):
        return self.conv(x) * self.scale,


@MODELS.register_module()
class InfiniteNeck(nn.Module):
    """Divides by nothing."""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(c, out_channels, 1) for c in in_channels)

    def forward(self, inputs):
        return tuple(conv(x) / 0 for conv, x in zip(self.convs, inputs, strict=True))


@MODELS.register_module()
class UnlikeSegmentor(EncoderDecoder):
    """Predicts at half the size."""

    def test_step(self, data):
        found = super().test_step(data)
        for sample in found:
            sample.pred_sem_seg = PixelData(data=sample.pred_sem_seg.data[:, ::2, ::2])
        return found
