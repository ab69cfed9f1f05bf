"""Heads and losses as third parties write them for mmsegmentation 1.x, on our names alone.

Each uses what published plugins use: attributes of the base classes, helpers, hooks.
"""

import pytest
import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.structures import PixelData
from torch import nn

from segplug.models.decode_heads.aspp_head import ASPPHead, ASPPModule
from segplug.models.decode_heads.cascade_decode_head import BaseCascadeDecodeHead
from segplug.models.decode_heads.da_head import DAHead
from segplug.models.decode_heads.decode_head import BaseDecodeHead
from segplug.models.decode_heads.fcn_head import FCNHead
from segplug.models.decode_heads.ocr_head import ObjectAttentionBlock, SpatialGatherModule
from segplug.models.decode_heads.psp_head import PPM, PSPHead
from segplug.models.decode_heads.uper_head import UPerHead
from segplug.models.losses import CrossEntropyLoss, accuracy
from segplug.models.losses.utils import get_class_weight, weight_reduce_loss, weighted_loss
from segplug.models.segmentors import CascadeEncoderDecoder, EncoderDecoder
from segplug.ops.resize import resize
from segplug.registry import MODELS
from segplug.structures import SegDataSample

BN = dict(type='BN')
COMMON = dict(channels=4, num_classes=3, norm_cfg=BN)
HEADS = [dict(COMMON, type='FCNHead', in_channels=16, in_index=2, num_convs=1),
         dict(COMMON, type='_Refine', in_channels=16, in_index=2, ocr_channels=4)]
THREE_STAGES = dict(type='ResNet', depth=18, stem_channels=4, base_channels=4, num_stages=3,
                    strides=(1, 2, 2), dilations=(1, 1, 1), out_indices=(0, 1, 2))


class _Gate(FCNHead):
    """A block between the convolutions, and the base's own join."""

    def __init__(self, **kwargs):
        super().__init__(num_convs=2, **kwargs)
        self.gate = nn.Conv2d(self.channels, 1, 1)

    def forward(self, inputs):
        x = self._transform_inputs(inputs)
        output = self.convs[0](x)
        output = self.convs[1](output * self.gate(output).sigmoid())
        if self.concat_input:
            output = self.conv_cat(torch.cat([x, output], dim=1))
        return self.cls_seg(output)


class _Pyramid(PSPHead):
    """Joins the pyramid by hand, and normalises before the classifier."""

    def _forward_feature(self, inputs):
        x = self._transform_inputs(inputs)
        psp_outs = [x]
        psp_outs.extend(self.psp_modules(x))
        return F.normalize(self.bottleneck(torch.cat(psp_outs, dim=1)))

    def forward(self, inputs):
        return self.cls_seg(self._forward_feature(inputs))


class _Dilated(ASPPHead):
    """Other branches under the published names."""

    def __init__(self, **kwargs):
        super().__init__(dilations=(1, 2), **kwargs)
        self.aspp_modules = ASPPModule(self.dilations, self.in_channels, self.channels,
                                       conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg,
                                       act_cfg=self.act_cfg)

    def forward(self, inputs):
        x = self._transform_inputs(inputs)
        outs = [resize(self.image_pool(x), size=x.size()[2:], mode='bilinear',
                       align_corners=self.align_corners)]
        outs.extend(self.aspp_modules(x))
        return self.cls_seg(self.bottleneck(torch.cat(outs, dim=1)))


class _Levels(UPerHead):
    """The base's parts, put together anew."""

    def forward(self, inputs):
        inputs = self._transform_inputs(inputs)
        laterals = [conv(inputs[i]) for i, conv in enumerate(self.lateral_convs)]
        laterals.append(self.psp_forward(inputs))
        size = laterals[0].shape[2:]
        outs = [self.fpn_convs[0](laterals[0]),
                *(resize(x, size=size, mode='bilinear') for x in laterals[1:])]
        return self.cls_seg(self.fpn_bottleneck(torch.cat(outs, dim=1)))


class _Own(BaseDecodeHead):
    """Two classifiers, a loss of its own, a check of the inputs, and a prediction resized."""

    def __init__(self, **kwargs):
        super().__init__(input_transform=None, **kwargs)
        self._init_inputs(self.in_channels, self.in_index, self.input_transform)
        self.ppm = PPM((1, 2), self.in_channels, self.channels, self.conv_cfg, self.norm_cfg,
                       self.act_cfg, align_corners=self.align_corners)
        self.reduce = ConvModule(2 * self.channels, self.channels, 1)
        self.side = nn.Conv2d(self.channels, self.out_channels, 1)

    def forward(self, inputs):
        x = self.reduce(torch.cat(self.ppm(self._transform_inputs(inputs)), dim=1))
        return (self.cls_seg(x), self.side(x)) if self.training else self.cls_seg(x)

    def loss_by_feat(self, seg_logits, batch_data_samples):
        seg_label = self._stack_batch_gt(batch_data_samples)
        losses = {}
        for name, logits in zip(('main', 'side'), seg_logits, strict=True):
            logits = resize(input=logits, size=seg_label.shape[2:], mode='bilinear',
                            align_corners=self.align_corners)
            losses[f'loss_{name}'] = self.loss_decode(logits, seg_label.squeeze(1),
                                                      ignore_index=self.ignore_index)
            losses[f'acc_{name}'] = accuracy(logits, seg_label.squeeze(1),
                                             ignore_index=self.ignore_index)
        return losses

    def predict_by_feat(self, seg_logits, batch_img_metas):
        return resize(input=seg_logits, size=batch_img_metas[0]['img_shape'], mode='bilinear',
                      align_corners=self.align_corners)


class _Sides(DAHead):
    """The classifiers of both branches by name."""

    def forward(self, inputs):
        x = self._transform_inputs(inputs)
        pam = self.pam_out_conv(self.pam(self.pam_in_conv(x)))
        cam = self.cam_out_conv(self.cam(self.cam_in_conv(x)))
        if not self.training:
            return self.cls_seg(pam + cam)
        return self.cls_seg(pam + cam), self.pam_cls_seg(pam), self.cam_cls_seg(cam)


class _Refine(BaseCascadeDecodeHead):
    """Regions of the head before, gathered and attended to."""

    def __init__(self, ocr_channels, scale=1, **kwargs):
        super().__init__(**kwargs)
        self.object_context_block = ObjectAttentionBlock(
            self.channels, ocr_channels, scale, conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg,
            act_cfg=self.act_cfg)
        self.spatial_gather_module = SpatialGatherModule(scale)
        self.bottleneck = ConvModule(self.in_channels, self.channels, 3, padding=1,
                                     norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)

    def forward(self, inputs, prev_output):
        feats = self.bottleneck(self._transform_inputs(inputs))
        context = self.spatial_gather_module(feats, prev_output)
        return self.cls_seg(self.object_context_block(feats, context))


@weighted_loss
def _distance(pred, target):
    return (pred - target).abs()


class _Distance(nn.Module):
    """A loss of elements by the decorator, with class weights."""

    loss_name = 'loss_distance'

    def __init__(self, class_weight=None):
        super().__init__()
        self.class_weight = get_class_weight(class_weight)

    def forward(self, cls_score, label, weight=None, avg_factor=None, ignore_index=255):
        known = (label != ignore_index).float()
        target = F.one_hot(label.where(known.bool(), 0), 3).movedim(-1, 1).float()
        loss = _distance(cls_score.softmax(1), target, reduction='none')
        loss = loss * cls_score.new_tensor(self.class_weight).view(1, -1, 1, 1)
        return weight_reduce_loss(loss.sum(1), weight=known, avg_factor=known.sum())


class _Smooth(CrossEntropyLoss):
    """The published loss with one more step before its criterion."""

    def forward(self, cls_score, label, weight=None, avg_factor=None, reduction_override=None,
                ignore_index=-100, **kwargs):
        assert not self.use_sigmoid
        class_weight = (None if self.class_weight is None
                        else cls_score.new_tensor(self.class_weight))
        return self.loss_weight * self.cls_criterion(
            0.9 * cls_score, label, weight, class_weight=class_weight,
            reduction=reduction_override or self.reduction, avg_factor=avg_factor,
            avg_non_ignore=self.avg_non_ignore, ignore_index=ignore_index, **kwargs)


class _Segmentor(EncoderDecoder):
    """The published loss written out, with a term for the levels."""

    def loss(self, inputs, data_samples):
        x = self.extract_feat(inputs)
        losses = {}
        losses.update(self._decode_head_forward_train(x, data_samples))
        if self.with_auxiliary_head:
            losses.update(self._auxiliary_head_forward_train(x, data_samples))
        losses['loss_levels'] = sum(level.square().mean() for level in x)
        return losses


class _Doubled(CascadeEncoderDecoder):
    """The losses of the cascade alone, under another name."""

    def _decode_head_forward_train(self, inputs, data_samples):
        losses = super()._decode_head_forward_train(inputs, data_samples)
        return {f'twice.{name}': 2 * value for name, value in losses.items()}


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setattr(MODELS, '_module_dict', dict(MODELS._module_dict))
    for cls in (_Gate, _Pyramid, _Dilated, _Levels, _Own, _Sides, _Refine, _Distance, _Smooth,
                _Segmentor, _Doubled):
        MODELS.register_module(module=cls)


def _model(head: dict | list, **options) -> nn.Module:
    torch.manual_seed(0)
    return MODELS.build({**dict(
        type='EncoderDecoder', decode_head=head,
        backbone=dict(type='ResNetV1c', depth=18, stem_channels=4, base_channels=4)), **options})


def _trains_and_tests(model: nn.Module) -> dict:
    label = torch.randint(0, 3, (2, 1, 32, 32))
    label[:, :, :4] = 255
    samples = [SegDataSample(gt_sem_seg=PixelData(data=one)) for one in label]
    losses = model.train().loss(torch.randn(2, 3, 32, 32), samples)
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    assert all(p.grad is not None for p in model.parameters())
    out, = model.eval().predict(torch.randn(1, 3, 33, 40))
    assert out.pred_sem_seg.data.shape == (1, 33, 40)
    return losses


@pytest.mark.parametrize('head', [
    dict(type='_Gate', in_channels=32), dict(type='_Pyramid', in_channels=32),
    dict(type='_Dilated', in_channels=32),
    dict(type='_Levels', in_channels=[8, 32], in_index=[1, 3]),
    dict(type='_Gate', in_channels=32, loss_decode=[
        dict(type='_Smooth', class_weight=[1.0, 2.0, 1.0], loss_weight=0.5),
        dict(type='_Distance', class_weight=[1.0, 1.0, 3.0])])], ids=lambda head: head['type'])
def test_a_subclass_of_a_published_head(head):
    losses = _trains_and_tests(_model({**COMMON, **head}))
    names = {'decode.loss_distance'} if 'loss_decode' in head else set()
    assert set(losses) == {'decode.loss_ce', 'decode.acc_seg'} | names


def test_a_head_with_losses_and_predictions_of_its_own():
    losses = _trains_and_tests(_model(dict(COMMON, type='_Own', in_channels=32)))
    assert set(losses) == {f'decode.{kind}_{name}' for kind in ('loss', 'acc')
                           for name in ('main', 'side')}


def test_classifiers_of_both_branches():
    _trains_and_tests(_model(dict(COMMON, type='_Own', in_channels=32),
                             auxiliary_head=dict(COMMON, type='_Sides', in_channels=16,
                                                 pam_channels=2, in_index=2)))


def test_a_refinement_in_a_cascade_built_by_position():
    torch.manual_seed(0)
    model = CascadeEncoderDecoder(2, THREE_STAGES, HEADS)
    assert {'decode_0.loss_ce', 'decode_1.loss_ce'} < set(_trains_and_tests(model))


def test_a_segmentor_whose_loss_is_put_together_anew():
    fcn = dict(COMMON, type='FCNHead', in_channels=32, num_convs=1)
    losses = _trains_and_tests(_model(fcn, type='_Segmentor', auxiliary_head=fcn))
    assert {'decode.loss_ce', 'aux.loss_ce', 'loss_levels'} < set(losses)


def test_a_segmentor_with_losses_of_its_own_validates_by_them():
    torch.manual_seed(0)
    model = _Doubled(2, THREE_STAGES, HEADS, data_preprocessor=dict(type='SegDataPreProcessor'))
    assert {'twice.decode_0.loss_ce', 'twice.decode_1.loss_ce'} < set(_trains_and_tests(model))
    model.with_val_losses = True
    sample = SegDataSample(gt_sem_seg=PixelData(data=torch.ones(1, 32, 32, dtype=torch.uint8)))
    out, = model.val_step(dict(inputs=[torch.zeros(3, 32, 32, dtype=torch.uint8)],
                               data_samples=[sample]))
    assert set(out.losses) == {'loss', 'twice.decode_0.loss_ce', 'twice.decode_1.loss_ce'}
