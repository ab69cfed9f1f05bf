"""The steps of mmsegmentation's test, one by one."""

import pytest
import torch
from mmengine.structures import PixelData
from torch import nn

from segplug.errors import ConfigError
from segplug.models.decode_heads import BaseDecodeHead
from segplug.models.segmentors import CascadeEncoderDecoder, EncoderDecoder
from segplug.registry import MODELS
from segplug.structures import SegDataSample


def build(cls=EncoderDecoder, **test_cfg):
    torch.manual_seed(0)
    backbone = dict(type='ResNet', depth=18, stem_channels=4, base_channels=4)
    head = dict(type='FCNHead', in_channels=32, channels=4, num_classes=3, num_convs=1,
                norm_cfg=dict(type='BN'))
    return cls(backbone=backbone, decode_head=head, test_cfg=test_cfg or dict(mode='whole'),
               data_preprocessor=dict(type='SegDataPreProcessor')).eval()


def metas(h, w):
    return [dict(ori_shape=(h, w), img_shape=(h, w), pad_shape=(h, w))]


def test_whole_inference_gives_logits_of_the_size_of_the_input(lent):
    model, x = build(), torch.randn(1, 3, 40, 33)
    out = model.inference(x, metas(40, 33))
    assert out.shape == (1, 3, 40, 33)
    small = model.decode_head(model.extract_feat(x))
    assert torch.equal(out, nn.functional.interpolate(small, (40, 33), mode='bilinear'))
    assert torch.equal(out, model.encode_decode(x, metas(40, 33)))
    assert torch.equal(out, model.decode_head.predict(model.extract_feat(x), metas(40, 33), {}))


def test_sliding_averages_logits_of_windows(lent):
    model, x = build(mode='slide', crop_size=(32, 32), stride=(32, 16)), torch.randn(1, 3, 32, 48)
    out = model.inference(x, metas(32, 48))
    left, right = (model.whole_inference(x[..., c:c + 32], metas(32, 32)) for c in (0, 16))
    assert torch.allclose(out[..., :16], left[..., :16], atol=1e-6)
    assert torch.allclose(out[..., 16:32], (left[..., 16:] + right[..., :16]) / 2, atol=1e-6)
    assert torch.allclose(out[..., 32:], right[..., 16:], atol=1e-6)


def test_a_head_that_must_know_the_size_is_told_that_of_the_window(lent):
    model, seen = build(mode='slide', crop_size=(32, 32), stride=(32, 16)), []
    model.decode_head.logits_at = lambda levels, size: (
        seen.append(size), model.decode_head.forward(levels))[1]
    model.inference(torch.randn(1, 3, 32, 48), [dict(ori_shape=(32, 48), img_shape=(32, 48))])
    assert seen == [(32, 32), (32, 32)]


def test_an_unknown_mode(lent):
    model = build()
    model.test_cfg = dict(mode='tile')
    with pytest.raises(ConfigError, match="'tile'"):
        model.inference(torch.randn(1, 3, 32, 32), metas(32, 32))


def test_postprocess_cuts_padding_turns_back_and_resizes(lent):
    model = build()
    logits = torch.zeros(1, 3, 4, 6)
    logits[0, 2, :2, 0] = 1  # top left; of the mirror image, top right
    sample = SegDataSample(metainfo=dict(padding_size=(0, 2, 0, 1), ori_shape=(3, 4), flip=True,
                                         flip_direction='horizontal'))
    out, = model.postprocess_result(logits, [sample])
    assert out is sample
    assert out.seg_logits.data.shape == (3, 3, 4)
    assert out.pred_sem_seg.data.tolist() == [[[0, 0, 0, 2], [0, 0, 0, 2], [0, 0, 0, 0]]]
    out, = model.postprocess_result(logits)
    assert out.pred_sem_seg.data.shape == (1, 4, 6)


def test_one_channel_is_a_probability(lent):
    model = build()
    model.decode_head.threshold = 0.6
    out, = model.postprocess_result(torch.tensor([[[[0.0, 1.0]]]]))
    # sigmoid(0) = 0.5, sigmoid(1) = 0.73
    assert out.pred_sem_seg.data.tolist() == [[[0, 1]]]
    assert out.seg_logits.data[0, 0, 0] == 0.5


def test_predict_gives_logits_with_the_labels(lent):
    model, x = build(), torch.randn(2, 3, 33, 40)
    for samples in (None, [SegDataSample(metainfo=dict(
            ori_shape=(33, 40), img_shape=(33, 40), pad_shape=(33, 40))) for _ in x]):
        for sample in model(x, samples, mode='predict'):
            assert sample.seg_logits.data.shape == (3, 33, 40)
            assert torch.equal(sample.pred_sem_seg.data,
                               sample.seg_logits.data.argmax(0, keepdim=True))


def test_a_cascade_hands_small_logits_on(lent):
    """The first head's logits go to the second at their own size, not at that of the input."""
    seen = []

    class Second(BaseDecodeHead):
        def forward(self, inputs, prev_output):
            seen.append(tuple(prev_output.shape[2:]))
            return prev_output

        def predict(self, inputs, prev_output, batch_img_metas, test_cfg):
            return self.predict_by_feat(self.forward(inputs, prev_output), batch_img_metas)

    MODELS.register_module(name='_Second', module=Second)
    try:
        model = build()
        first = dict(type='FCNHead', in_channels=32, channels=4, num_classes=3, num_convs=1)
        model = CascadeEncoderDecoder(
            2, dict(type='ResNet', depth=18, stem_channels=4, base_channels=4),
            [first, dict(type='_Second', in_channels=32, channels=4, num_classes=3)],
            test_cfg=dict(mode='whole')).eval()
    finally:
        del MODELS.module_dict['_Second']
    assert model.inference(torch.randn(1, 3, 64, 64), metas(64, 64)).shape == (1, 3, 64, 64)
    assert seen == [(2, 2)]


def test_base_segmentor(lent):
    from mmseg.models import BaseSegmentor
    assert isinstance(build(), BaseSegmentor)

    class Tiny(BaseSegmentor):
        align_corners = False

        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.decode_head = nn.Conv2d(3, 2, 1)

        def extract_feat(self, inputs):
            return inputs

        def encode_decode(self, inputs, batch_img_metas):
            return self.decode_head(inputs)

        def loss(self, inputs, data_samples):
            return dict(loss=self.decode_head(inputs).mean())

        def predict(self, inputs, data_samples=None):
            return self.postprocess_result(self.encode_decode(inputs, None), data_samples)

        def _forward(self, inputs, data_samples=None):
            return self.decode_head(inputs)

    model = Tiny(data_preprocessor=dict(type='SegDataPreProcessor', mean=[0.0] * 3,
                                        std=[1.0] * 3))
    assert (model.with_decode_head, model.with_neck, model.with_auxiliary_head) == (
        True, False, False)
    data = dict(inputs=[torch.zeros(3, 4, 5, dtype=torch.uint8)], data_samples=[SegDataSample(
        metainfo=dict(ori_shape=(8, 10)), gt_sem_seg=PixelData(data=torch.zeros(1, 4, 5)))])
    assert model.test_step(data)[0].pred_sem_seg.data.shape == (1, 8, 10)
    assert model(torch.zeros(1, 3, 4, 5)).shape == (1, 2, 4, 5)
    with pytest.raises(ValueError, match='no such mode'):
        model(torch.zeros(1, 3, 4, 5), mode='fly')
    with pytest.raises(TypeError, match='abstract'):
        BaseSegmentor()
