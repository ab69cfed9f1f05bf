import math

import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData

from segplug.errors import DataError
from segplug.models import val_loss
from segplug.models.segmentors import EncoderDecoder
from segplug.models.tta_cfg import TestCfg
from segplug.registry import MODELS
from segplug.structures import SegDataSample

WHOLE = TestCfg()


def _head(in_index: int, channels: int, **kwargs) -> dict:
    return dict(type='FCNHead', in_channels=channels, in_index=in_index, channels=4, num_convs=1,
                num_classes=3, norm_cfg=dict(type='BN'), **{
                    'loss_decode': dict(type='CrossEntropyLoss', avg_non_ignore=True), **kwargs})


def _model(cls=EncoderDecoder, decode_head=None, divisor: int | None = None, **kwargs):
    torch.manual_seed(0)
    preprocessor = dict(type='SegDataPreProcessor', mean=[120.], std=[60.],
                        test_cfg=divisor and dict(size_divisor=divisor))
    model = cls(
        backbone=dict(type='ResNet', depth=18, stem_channels=4, base_channels=4,
                      strides=(1, 2, 1, 1), norm_cfg=dict(type='BN')),
        decode_head=decode_head or _head(3, 32), data_preprocessor=preprocessor, **kwargs)
    for p in model.parameters():
        p.data.uniform_(-0.5, 0.5)
    model.with_val_losses = True
    return model.eval()


def _data(size=(16, 24), label_size=None) -> dict:
    generator = torch.Generator().manual_seed(1)
    sample = SegDataSample(metainfo=dict(ori_shape=label_size or size, img_path='a.png'))
    label = torch.randint(0, 3, (1, *(label_size or size)), dtype=torch.uint8, generator=generator)
    label[:, :3] = 255
    sample.gt_sem_seg = PixelData(data=label)
    return dict(inputs=[torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=generator)],
                data_samples=[sample])


@torch.no_grad()
def _expected(model, img, label, head=None) -> float:
    """Cross entropy, over the labelled pixels, of the logits upsampled to the label."""
    levels = model.extract_feat((img[None].float() - 120) / 60)
    logits = (head or model.decode_head)(levels)
    logits = F.interpolate(logits, label.shape[-2:], mode='bilinear').double()
    return F.cross_entropy(logits, label.long(), ignore_index=255).item()


# --- parts -----------------------------------------------------------------------------------

def test_a_whole_image_is_one_part():
    label = torch.arange(6, dtype=torch.uint8).view(1, 2, 3)
    (rows, cols, part), = val_loss.labelled_parts(label, (2, 3), (2, 3), WHOLE, 255)
    assert (rows, cols) == ((0, 2), (0, 3))
    assert torch.equal(part, label)


def test_the_label_is_padded_as_its_image_is_at_its_own_scale():
    """Valid 2x3 of padded 4x4 is 4x6 of 8x8 on a label of twice the size."""
    label = torch.ones(1, 4, 6, dtype=torch.uint8)
    (_, _, part), = val_loss.labelled_parts(label, (2, 3), (4, 4), WHOLE, 7)
    assert part.shape == (1, 8, 8)
    assert part[:, :4, :6].eq(1).all()
    assert part.eq(7).sum() == 64 - 24


def test_windows_stand_side_by_side_and_empty_ones_are_left_out():
    cfg = TestCfg(mode='slide', crop_size=(4, 4), stride=(1, 1))
    label = torch.arange(12, dtype=torch.uint8).expand(1, 4, 12).clone()
    first, last = val_loss.labelled_parts(label, (4, 6), (4, 6), cfg, 255)
    # Columns 0..4 and, shifted back inside, 2..6; the label has two columns for each.
    assert (first[1], last[1]) == ((0, 4), (2, 6))
    assert first[2][0, 0].tolist() == list(range(8))
    assert last[2][0, 0].tolist() == list(range(4, 12))
    label[..., 4:] = 255
    (only,) = val_loss.labelled_parts(label, (4, 6), (4, 6), cfg, 255)
    assert only[1] == (0, 4)


def test_scalars_are_the_losses_and_their_sum():
    losses = {'decode.loss_ce': torch.tensor([1., 3.]), 'decode.acc_seg': torch.tensor(99.),
              'aux.loss_dice': [torch.tensor(1.), torch.tensor([2., 4.])]}
    # (1 + 3) / 2 = 2 and 1 + (2 + 4) / 2 = 4.
    assert val_loss.scalars(losses) == {'loss': 6., 'decode.loss_ce': 2., 'aux.loss_dice': 4.}


# --- of a segmentor --------------------------------------------------------------------------

def test_one_forward_pass_gives_labels_and_losses():
    model, calls = _model(auxiliary_head=_head(2, 16)), []
    model.backbone.register_forward_hook(lambda *_: calls.append(1))
    sample, = model.val_step(_data())
    assert len(calls) == 1
    data = _data()
    img, label = data['inputs'][0], data['data_samples'][0].gt_sem_seg.data
    decode, aux = (_expected(model, img, label, head)
                   for head in (model.decode_head, model.auxiliary_head))
    assert sample.losses == pytest.approx(
        {'loss': decode + aux, 'decode.loss_ce': decode, 'aux.loss_ce': aux}, rel=1e-6)
    plain, = model.test_step(_data())
    assert torch.equal(sample.pred_sem_seg.data, plain.pred_sem_seg.data)
    assert 'losses' not in plain


def test_it_is_off_unless_asked_for():
    model = _model()
    model.with_val_losses = False
    sample, = model.val_step(_data())
    assert 'losses' not in sample


def test_the_label_keeps_its_size():
    model, data = _model(), _data((16, 24), (33, 50))
    wanted = _expected(model, data['inputs'][0], data['data_samples'][0].gt_sem_seg.data)
    assert model.val_step(data)[0].losses['loss'] == pytest.approx(wanted, rel=1e-6)


def test_a_unet_computes_at_the_size_of_the_image_not_of_the_label():
    head = dict(type='UNetHead', in_channels=(4, 4, 8, 16, 32), decoder_channels=(8, 8, 4, 4, 4),
                num_classes=3, loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))
    model = MODELS.build(dict(
        type='EncoderDecoder', decode_head=head,
        data_preprocessor=dict(type='SegDataPreProcessor', mean=[120.], std=[60.]),
        backbone=dict(type='ResNet', depth=18, stem_channels=4, base_channels=4,
                      out_stem=True))).eval()
    model.with_val_losses, data = True, _data((17, 25), (34, 50))
    img, label = data['inputs'][0], data['data_samples'][0].gt_sem_seg.data
    with torch.no_grad():
        logits = model.decode_head(model.extract_feat((img[None].float() - 120) / 60), (17, 25))
    wanted = F.cross_entropy(F.interpolate(logits, (34, 50), mode='bilinear'), label.long(),
                             ignore_index=255).item()
    assert model.val_step(data)[0].losses['loss'] == pytest.approx(wanted, rel=1e-6)


def test_padding_does_not_count():
    """With a network that sees one pixel at a time, padding to 32 changes nothing."""
    model = _model(divisor=32)
    model.extract_feat = lambda x: [x]
    model.decode_head.forward = lambda levels: levels[0]
    data = _data()
    img, label = data['inputs'][0], data['data_samples'][0].gt_sem_seg.data
    wanted = F.cross_entropy((img[None].double() - 120) / 60, label.long(),
                             ignore_index=255).item()
    assert model.val_step(data)[0].losses['loss'] == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize('test_cfg', [dict(flip=True), dict(scales=[0.5, 1.0])])
def test_mirror_images_and_more_scales_do_not_change_the_loss(test_cfg):
    plain, = _model().val_step(_data())
    sample, = _model(test_cfg=test_cfg).val_step(_data())
    assert sample.losses == pytest.approx(plain.losses, rel=1e-6)


def test_a_single_scale_is_the_size_of_the_loss():
    model, data = _model(test_cfg=dict(base_size=12)), _data((16, 24))
    img, label = data['inputs'][0].float(), data['data_samples'][0].gt_sem_seg.data
    small = F.interpolate(img[None], (8, 12), mode='bilinear')[0]
    assert model.val_step(data)[0].losses['loss'] == pytest.approx(
        _expected(model, small, label), rel=1e-5)


def test_windows_have_the_mean_of_their_losses():
    model = _model(test_cfg=dict(mode='slide', crop_size=(16, 16), stride=(5, 5)))
    data = _data((16, 24))
    img, label = data['inputs'][0], data['data_samples'][0].gt_sem_seg.data
    wanted = [_expected(model, img[..., x:x + 16], label[..., x:x + 16]) for x in (0, 8)]
    assert model.val_step(data)[0].losses['loss'] == pytest.approx(sum(wanted) / 2, rel=1e-6)


def test_without_a_labelled_pixel_there_is_no_loss():
    data = _data()
    data['data_samples'][0].gt_sem_seg.data[:] = 255
    assert _model().val_step(data)[0].losses == {}
    del data['data_samples'][0].gt_sem_seg
    assert 'losses' not in _model().val_step(data)[0]


def test_images_of_a_batch_are_taken_one_by_one():
    small, large = _data((16, 16)), _data((24, 32))
    model = _model()
    alone = [model.val_step(d)[0].losses for d in (_data((16, 16)), _data((24, 32)))]
    together = model.val_step({k: small[k] + large[k] for k in small})
    assert [s.losses for s in together] == alone


def test_labels_out_of_range_are_named():
    data = _data()
    data['data_samples'][0].gt_sem_seg.data[0, 5, 5] = 77
    with pytest.raises(DataError, match=r'a\.png.*77'):
        _model().val_step(data)


def test_a_head_with_a_loss_of_its_own_is_asked_for_it():
    model = _model()
    kind = type(model.decode_head)

    class Own(kind):
        def loss(self, inputs, batch_data_samples, train_cfg=None):
            return {'loss_own': torch.tensor(2.), 'loss_seen': [levels.mean() for levels in inputs]}

    model.decode_head.__class__ = Own
    losses = model.val_step(_data())[0].losses
    assert losses['decode.loss_own'] == 2.
    assert math.isfinite(losses['decode.loss_seen'])


def test_a_segmentor_with_a_loss_of_its_own_is_asked_for_it():
    class Own(EncoderDecoder):
        def loss(self, inputs, data_samples):
            return {'loss_size': torch.tensor(float(inputs.shape[-1])), 'other': torch.tensor(1.)}

    assert _model(Own).val_step(_data())[0].losses == {'loss': 24., 'loss_size': 24.}


def test_a_network_put_in_the_place_of_encode_decode_is_used_once_for_both():
    """As speed settings do; only auxiliary heads then need the levels again."""
    for auxiliary, passes in ((None, 1), (_head(2, 16), 2)):
        model, calls = _model(auxiliary_head=auxiliary), []
        wanted = model.val_step(_data())[0].losses
        model.backbone.register_forward_hook(lambda *_, calls=calls: calls.append(1))
        network = model.encode_decode
        model.encode_decode = lambda x, metas, network=network: network(x, metas)
        assert model.val_step(_data())[0].losses == wanted
        assert len(calls) == passes
