import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData

from segplug.errors import ConfigError
from segplug.models.segmentors import CascadeEncoderDecoder
from segplug.registry import MODELS
from segplug.structures import SegDataSample

BN = dict(type='BN')


def _fcn(**options) -> dict:
    return dict(type='FCNHead', in_channels=16, in_index=2, channels=4, num_convs=1,
                concat_input=False, num_classes=3, norm_cfg=BN, dropout_ratio=0,
                **{'loss_decode': dict(type='CrossEntropyLoss', loss_weight=0.4), **options})


def _ocr(**options) -> dict:
    return dict(type='OCRHead', in_channels=32, in_index=3, channels=4, ocr_channels=3,
                num_classes=3, norm_cfg=BN, dropout_ratio=0, **options)


def _point() -> dict:
    return dict(type='PointHead', in_channels=[4], in_index=[0], channels=5, num_classes=3,
                dropout_ratio=0)


def _model(*heads: dict, seed: int = 0, **options) -> CascadeEncoderDecoder:
    torch.manual_seed(seed)
    heads = list(heads or (_fcn(), _ocr()))
    model = MODELS.build(dict(
        type='CascadeEncoderDecoder', num_stages=len(heads), decode_head=heads,
        backbone=dict(type='ResNet', depth=18, stem_channels=4, base_channels=4,
                      strides=(1, 2, 1, 1), norm_cfg=BN),
        data_preprocessor=dict(type='SegDataPreProcessor', mean=[120.], std=[60.]), **options))
    for p in model.parameters():
        p.data.uniform_(-0.5, 0.5)
    return model.eval()


def _data(size=(16, 24)) -> dict:
    generator = torch.Generator().manual_seed(1)
    sample = SegDataSample(metainfo=dict(ori_shape=size, img_shape=size, img_path='a.png'))
    label = torch.randint(0, 3, (1, *size), dtype=torch.uint8, generator=generator)
    label[:, :3] = 255
    sample.gt_sem_seg = PixelData(data=label)
    return dict(inputs=[torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=generator)],
                data_samples=[sample])


def _batch(model) -> dict:
    parts = [_data(), _data()]
    return model.data_preprocessor({key: [x for part in parts for x in part[key]]
                                    for key in parts[0]}, training=True)


# --- building --------------------------------------------------------------------------------

@pytest.mark.parametrize('heads', [[_fcn()], [_fcn()] * 3, _fcn()])
def test_as_many_heads_as_stages(heads):
    with pytest.raises(ConfigError, match='a list of 2') as error:
        CascadeEncoderDecoder(2, backbone=dict(type='ResNet', depth=18), decode_head=heads)
    assert error.value.culprit == 'decode_head'


def test_the_last_head_is_the_main_one():
    model = _model(_fcn(align_corners=True), _ocr(ignore_index=7))
    assert model.main_head is model.decode_head[1]
    assert (model.align_corners, model.num_classes, model.out_channels) == (False, 3, 3)
    assert {k.split('.')[1] for k in model.state_dict() if k.startswith('decode_head')} \
        == {'0', '1'}


def test_test_cfg_may_hold_the_keys_of_the_main_head():
    cfg = dict(mode='whole', subdivision_steps=1, subdivision_num_points=4, scale_factor=2)
    model = _model(_fcn(), _point(), test_cfg=cfg)
    assert model.tta_cfg.mode == 'whole'
    with pytest.raises(ConfigError, match='subdivision_steps'):
        _model(test_cfg=cfg)


# --- test ------------------------------------------------------------------------------------

@torch.no_grad()
def test_logits_go_from_head_to_head():
    model, x = _model(_fcn(), _ocr(), _ocr()), torch.randn(2, 3, 16, 24)
    levels = model.extract_feat(x)
    first = model.decode_head[0](levels)
    second = model.decode_head[1](levels, first)
    third = model.decode_head[2](levels, second)
    assert torch.equal(model.encode_decode(x, [dict(pad_shape=(16, 24))] * 2), third)
    assert torch.equal(model(x), third)


@pytest.mark.parametrize('test_cfg', [
    dict(), dict(mode='slide', crop_size=(16, 16), stride=(10, 10)), dict(flip=True)])
@pytest.mark.parametrize('last', [_ocr, _point])
def test_a_test_step(last, test_cfg):
    model = _model(_fcn(), last(), test_cfg=dict(test_cfg, save_logits=True))
    sample, = model.test_step(_data((17, 24)))
    assert sample.pred_sem_seg.data.shape == (1, 17, 24)
    assert sample.seg_logits.data.isfinite().all()
    if not test_cfg:
        x = model.data_preprocessor(_data((17, 24)))['inputs']
        logits = F.interpolate(model(x), (17, 24), mode='bilinear')[0]
        assert torch.allclose(sample.seg_logits.data, logits, atol=1e-5)


# --- training --------------------------------------------------------------------------------

def test_losses_bear_the_published_names():
    model = _model(_fcn(), _ocr(), auxiliary_head=[_fcn()])
    assert list(model(**_batch(model), mode='loss')) == [
        f'{prefix}.{name}' for prefix in ('decode_0', 'decode_1', 'aux_0')
        for name in ('loss_ce', 'acc_seg')]
    model = _model(_fcn(), _point(), auxiliary_head=_fcn())
    assert list(model(**_batch(model), mode='loss')) == [
        'decode_0.loss_ce', 'decode_0.acc_seg', 'decode_1.pointloss_ce', 'decode_1.acc_point',
        'aux.loss_ce', 'aux.acc_seg']


def test_losses_and_gradients_are_those_of_heads_run_one_by_one():
    model = _model()
    batch = _batch(model)
    losses = model(**batch, mode='loss')
    total = losses['decode_0.loss_ce'] + losses['decode_1.loss_ce']
    found = torch.autograd.grad(total, list(model.parameters()))

    levels = model.extract_feat(batch['inputs'])
    first, second = model.decode_head
    expected = (first.loss(levels, batch['data_samples'])['loss_ce']
                + second.loss(levels, first(levels), batch['data_samples'])['loss_ce'])
    assert torch.allclose(total, expected)
    for a, b in zip(found, torch.autograd.grad(expected, list(model.parameters())), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
    # Through what the second head sees, its loss trains the first.
    alone = torch.autograd.grad(model(**batch, mode='loss')['decode_1.loss_ce'],
                                first.conv_seg.weight)[0]
    assert alone.abs().sum() > 0


def test_each_head_runs_once():
    model = _model().train()
    model(**_batch(model), mode='loss')
    assert [int(head.get_submodule(name).bn.num_batches_tracked) for head, name in zip(
        model.decode_head, ('convs.0', 'bottleneck'), strict=True)] == [1, 1]


# --- validation ------------------------------------------------------------------------------

def _backbone_runs(model) -> list:
    runs = []
    model.backbone.register_forward_hook(lambda *_: runs.append(1))
    return runs


@pytest.mark.parametrize('last', [_ocr, _point])
def test_losses_of_a_validation_are_of_the_pass_that_labels(last):
    model, data = _model(_fcn(), last(), auxiliary_head=_fcn()), _data()
    model.with_val_losses = True
    runs = _backbone_runs(model)
    sample, = model.val_step(data)
    assert len(runs) == 1
    plain = _model(_fcn(), last(), auxiliary_head=_fcn())
    with torch.no_grad():
        losses = plain.loss(plain.data_preprocessor(_data())['inputs'], data['data_samples'])
    want = {name: value.item() for name, value in losses.items() if 'loss' in name}
    assert sample.losses == pytest.approx({**want, 'loss': sum(want.values())}, rel=1e-5)
    assert torch.equal(sample.pred_sem_seg.data, plain.test_step(_data())[0].pred_sem_seg.data)


def test_losses_of_a_validation_in_windows_are_their_mean():
    model = _model(test_cfg=dict(mode='slide', crop_size=(16, 16), stride=(8, 8)))
    model.with_val_losses = True
    data = _data((16, 32))
    sample, = model.val_step(data)
    x = model.data_preprocessor(_data((16, 32)))['inputs']
    losses = []
    for left in (0, 16):
        part = SegDataSample()
        part.gt_sem_seg = PixelData(
            data=data['data_samples'][0].gt_sem_seg.data[..., left:left + 16])
        with torch.no_grad():
            losses.append(model.loss(x[..., left:left + 16], [part])['decode_1.loss_ce'].item())
    assert sample.losses['decode_1.loss_ce'] == pytest.approx(sum(losses) / 2, rel=1e-5)


class _Own(CascadeEncoderDecoder):
    def loss(self, inputs, data_samples):
        return {'loss_own': inputs.new_tensor(2.0)}


def test_a_subclass_with_a_loss_of_its_own_validates_by_it():
    model = _model()
    model.__class__ = _Own
    model.with_val_losses = True
    assert model.val_step(_data())[0].losses == {'loss': 2.0, 'loss_own': 2.0}
