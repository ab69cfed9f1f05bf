import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModule
from mmengine.optim import OptimWrapper
from mmengine.structures import PixelData

from segplug.errors import ConfigError, DataError
from segplug.registry import MODELS
from segplug.structures import SegDataSample

BN = dict(type='BN')
PREPROCESSOR = dict(type='SegDataPreProcessor', mean=[120, 110, 100], std=[60, 60, 60],
                    bgr_to_rgb=True)


def _fcn(in_index: int, channels: int, **kwargs) -> dict:
    return dict(type='FCNHead', in_channels=channels, in_index=in_index, channels=4, num_convs=1,
                num_classes=3, norm_cfg=BN, **kwargs)


def _cfg(**kwargs) -> dict:
    return {**dict(
        type='EncoderDecoder', data_preprocessor=PREPROCESSOR,
        backbone=dict(type='ResNet', depth=18, stem_channels=4, base_channels=4, norm_cfg=BN,
                      strides=(1, 2, 1, 1)),
        decode_head=_fcn(3, 32)), **kwargs}


def _build(seed: int = 0, **kwargs):
    torch.manual_seed(seed)
    model = MODELS.build(_cfg(**kwargs))
    for p in model.parameters():
        p.data.uniform_(-0.5, 0.5)
    model.eval()
    with torch.no_grad():  # centred logits, so that every class wins somewhere
        logits = model(torch.randn(1, 3, 32, 32))
        model.decode_head.conv_seg.bias -= logits.mean(dim=(0, 2, 3))
    return model


def _data(*sizes: tuple[int, int], ori_shape=None) -> dict:
    generator = torch.Generator().manual_seed(1)
    samples = []
    for h, w in sizes:
        sample = SegDataSample(metainfo=dict(ori_shape=ori_shape or (h, w), img_shape=(h, w),
                                             img_path=f'{h}x{w}.png'))
        label = torch.randint(0, 3, (1, h, w), dtype=torch.uint8, generator=generator)
        label[:, 0] = 255
        sample.gt_sem_seg = PixelData(data=label)
        samples.append(sample)
    images = [torch.randint(0, 256, (3, h, w), dtype=torch.uint8, generator=generator)
              for h, w in sizes]
    return dict(inputs=images, data_samples=samples)


def test_losses_bear_the_published_names():
    for auxiliary, names in ((None, []), (_fcn(2, 16), ['aux']),
                             ([_fcn(2, 16), _fcn(1, 8)], ['aux_0', 'aux_1'])):
        model = _build(auxiliary_head=auxiliary)
        data = model.data_preprocessor(_data((16, 24), (16, 24)), training=True)
        losses = model(**data, mode='loss')
        assert list(losses) == [f'{p}.{n}' for p in ['decode', *names]
                                for n in ('loss_ce', 'acc_seg')]
        assert model.with_auxiliary_head is bool(names)


def test_keys_have_the_published_prefixes():
    model = _build(auxiliary_head=_fcn(2, 16))
    assert {k.split('.')[0] for k in model.state_dict()} \
        == {'backbone', 'decode_head', 'auxiliary_head'}
    several = _build(auxiliary_head=[_fcn(2, 16)])
    assert 'auxiliary_head.0.conv_seg.weight' in several.state_dict()


def test_a_train_step_learns():
    model = _build(auxiliary_head=_fcn(2, 16, loss_decode=dict(type='CrossEntropyLoss',
                                                               loss_weight=0.4))).train()
    optim = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.05))
    data = _data((16, 24), (16, 24))
    logs = [model.train_step(copy.deepcopy(data), optim) for _ in range(8)]
    assert logs[0]['loss'].item() == pytest.approx(
        (logs[0]['decode.loss_ce'] + logs[0]['aux.loss_ce']).item())
    assert logs[-1]['loss'] < logs[0]['loss']


def test_plain_test_is_the_argmax_of_the_upsampled_logits():
    model, data = _build(test_cfg=dict(save_logits=True)), _data((17, 24))
    normalised = model.data_preprocessor(data)['inputs']
    logits = torch.nn.functional.interpolate(model(normalised), (17, 24), mode='bilinear')[0]
    sample, = model.test_step(data)
    assert sample.metainfo['img_path'] == '17x24.png'
    assert sample.pred_sem_seg.data.shape == (1, 17, 24)
    assert len(sample.pred_sem_seg.data.unique()) > 1
    assert torch.equal(sample.pred_sem_seg.data[0], logits.argmax(0))
    assert torch.allclose(sample.seg_logits.data, logits, atol=1e-5)


def test_logits_are_kept_only_when_asked_for():
    sample, = _build().test_step(_data((16, 16)))
    assert 'seg_logits' not in sample


def test_prediction_has_the_original_size():
    sample, = _build().test_step(_data((16, 24), ori_shape=(33, 40)))
    assert sample.pred_sem_seg.data.shape == (1, 33, 40)


@pytest.mark.parametrize('test_cfg', [
    dict(), dict(mode='slide', crop_size=(16, 16), stride=(10, 10)), dict(flip=True)])
def test_predict_of_a_prepared_batch_is_the_test_step(test_cfg):
    """Sizes differ, so the batch is padded; the padding must not be seen."""
    model, sizes = _build(test_cfg=test_cfg), ((17, 24), (24, 20))
    steps = model.val_step(_data(*sizes))
    prepared = model.data_preprocessor(_data(*sizes))
    assert prepared['inputs'].shape[2:] == (24, 24)
    for a, b in zip(steps, model(**prepared, mode='predict'), strict=True):
        assert torch.equal(a.pred_sem_seg.data, b.pred_sem_seg.data)


@pytest.mark.parametrize('size', [(61, 40), (9, 11), (33, 17)])
@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('padding', [None, dict(size_divisor=16), dict(size=(80, 80))])
def test_rows_have_the_labels_of_the_whole_image(size, flip, padding):
    model = _build(test_cfg=dict(mode='slide', crop_size=(16, 16), stride=(10, 10), flip=flip),
                   data_preprocessor=dict(PREPROCESSOR, test_cfg=padding))
    data = _data(size)
    sample, = model.test_step(_data(size))
    image = data['inputs'][0]
    bands = list(model.predict_rows(lambda top, bottom: image[:, top:bottom], size))
    assert torch.equal(torch.cat([band.labels for band in bands]), sample.pred_sem_seg.data[0])


def test_rows_need_a_preprocessor_that_takes_rows():
    model = _build(test_cfg=dict(mode='slide', crop_size=(16, 16), stride=(10, 10)),
                   data_preprocessor=dict(type='mmengine.BaseDataPreprocessor'))
    with pytest.raises(ConfigError, match='BaseDataPreprocessor prepares whole images only'):
        model.predict_rows(None, (16, 16))


def test_predict_without_samples():
    sample, = _build().predict(torch.rand(1, 3, 16, 24))
    assert sample.pred_sem_seg.data.shape == (1, 16, 24)
    sample, = _build().test_step(dict(inputs=[torch.zeros(3, 16, 24, dtype=torch.uint8)]))
    assert sample.pred_sem_seg.data.shape == (1, 16, 24)


def test_the_result_does_not_depend_on_the_batch():
    model = _build(test_cfg=dict(save_logits=True))
    together = model.test_step(_data((16, 24), (16, 24)))
    data = _data((16, 24), (16, 24))
    for i, sample in enumerate(together):
        alone, = model.test_step({k: [v[i]] for k, v in data.items()})
        assert torch.equal(alone.seg_logits.data, sample.seg_logits.data)


def test_another_preprocessor_works_as_it_is():
    model = _build(data_preprocessor=dict(type='ImgDataPreprocessor', mean=[120, 110, 100],
                                          std=[60, 60, 60], bgr_to_rgb=True))
    ours = _build()
    a, = model.test_step(_data((16, 24)))
    b, = ours.test_step(_data((16, 24)))
    assert torch.equal(a.pred_sem_seg.data, b.pred_sem_seg.data)


def test_a_unet_on_an_odd_image():
    head = dict(type='UNetHead', in_channels=(4, 4, 8, 16, 32), decoder_channels=(8, 8, 4, 4, 4),
                num_classes=3, norm_cfg=BN)
    backbone = dict(type='ResNet', depth=18, stem_channels=4, base_channels=4, out_stem=True)
    model = _build(backbone=backbone, decode_head=head, test_cfg=dict(save_logits=True))
    sample, = model.test_step(_data((33, 47)))
    x = model.data_preprocessor(_data((33, 47)))['inputs']
    wanted = model.decode_head(model.extract_feat(x), (33, 47))[0]
    assert torch.allclose(sample.seg_logits.data, wanted, atol=1e-5)
    data = model.data_preprocessor(_data((33, 47)), training=True)
    assert model(**data, mode='loss')['decode.loss_ce'].isfinite()


def test_binary_by_threshold():
    head = _fcn(3, 32)
    head.update(num_classes=2, out_channels=1, threshold=0.6,
                loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True))
    model = _build(decode_head=head)
    sample, = model.test_step(_data((16, 16)))
    logits = model(model.data_preprocessor(_data((16, 16)))['inputs'])
    wanted = torch.nn.functional.interpolate(logits, (16, 16), mode='bilinear').sigmoid() > 0.6
    assert torch.equal(sample.pred_sem_seg.data[0] == 1, wanted[0, 0])


def test_a_neck_stands_between():
    @MODELS.register_module(force=True)
    class Halve(BaseModule):
        def forward(self, levels):
            return [x / 2 for x in levels]

    model, plain = _build(neck=dict(type='Halve')), _build()
    x = torch.rand(1, 3, 16, 16)
    assert model.with_neck
    assert not plain.with_neck
    assert torch.equal(model.extract_feat(x)[0], plain.extract_feat(x)[0] / 2)


def test_labels_out_of_range_are_named():
    model, data = _build(), _data((16, 16), (16, 18))
    data['data_samples'][1].gt_sem_seg.data[0, 3, 3] = 34
    data['data_samples'][1].set_metainfo(dict(seg_map_path='wrong_label.png'))
    with pytest.raises(DataError, match=r'wrong_label\.png.*34 in 1 pixels.*0 to 2, or 255'):
        model(**model.data_preprocessor(data, training=True), mode='loss')


def test_a_sample_without_label_is_named():
    model, data = _build(), _data((16, 16), (16, 16))
    del data['data_samples'][1].gt_sem_seg
    with pytest.raises(DataError, match=r'16x16\.png comes .* without a label.*LoadAnnotations'):
        model(**model.data_preprocessor(data, training=True), mode='loss')


def test_labels_must_fit_the_auxiliary_head_too():
    auxiliary = _fcn(2, 16)
    auxiliary['num_classes'] = 2
    model = _build(auxiliary_head=auxiliary)
    with pytest.raises(DataError, match='0 to 1'):
        model(**model.data_preprocessor(_data((16, 16)), training=True), mode='loss')


@pytest.mark.parametrize('num_classes', [[3, 300], None])
def test_labels_of_a_head_with_several_sets_of_classes_are_left_to_it(num_classes):
    model = _build(auxiliary_head=_fcn(2, 16)).train()
    model.auxiliary_head.num_classes = num_classes
    data = _data((32, 32), (32, 32))
    for sample in data['data_samples']:
        sample.gt_sem_seg.data[:] = 250
    model._check_labels(data['data_samples'])()
    model.auxiliary_head.num_classes = 3
    with pytest.raises(DataError):
        model._check_labels(data['data_samples'])()


def test_pretrained_goes_to_the_backbone():
    cfg = Config(dict(model=_cfg(pretrained='x.pth'))).model
    assert MODELS.build(cfg).backbone.init_cfg['checkpoint'] == 'x.pth'
    assert 'pretrained' not in cfg.backbone
    cfg.backbone.pretrained = 'y.pth'
    with pytest.raises(ConfigError, match='both set pretrained'):
        MODELS.build(cfg)


def test_a_batch_of_one_under_a_global_pooling_is_explained():
    head = dict(type='PSPHead', in_channels=32, channels=4, num_classes=3, norm_cfg=BN)
    model = _build(decode_head=head).train()
    data = model.data_preprocessor(_data((32, 32)), training=True)
    with pytest.raises(ConfigError, match='batch of 1 in this process.*drop_last') as error:
        model.loss(**data)
    assert error.value.culprit == 'batch_size'
    assert 'decode.loss_ce' in model.loss(
        **model.data_preprocessor(_data((32, 32), (32, 32)), training=True))


def test_other_errors_of_a_loss_stay_as_they_are(monkeypatch):
    model = _build().train()
    monkeypatch.setattr(model, 'extract_feat', lambda inputs: int('x'))
    with pytest.raises(ValueError, match='invalid literal'):
        model.loss(**model.data_preprocessor(_data((32, 32)), training=True))


def test_wrong_settings():
    with pytest.raises(ConfigError, match='flip'):
        _build(test_cfg=dict(flipp=True))
    with pytest.raises(ConfigError, match='auxiliary_head'):
        _build(auxilary_head=None)
    with pytest.raises(ConfigError, match="'train'"):
        _build()(torch.rand(1, 3, 8, 8), mode='train')


@pytest.mark.parametrize('name', ['fcn_r50-d8', 'unet_r18', 'unet_r101d'])
def test_base_configs_build_and_their_declared_widths_fit(repo_root, name):
    cfg = Config.fromfile(repo_root / f'configs/_base_/models/{name}.py').model
    cfg.decode_head.num_classes = 5
    with torch.device('meta'):
        model = MODELS.build(cfg)
        assert model(torch.empty(1, 3, 64, 64)).shape[1] == 5


def test_fcn_r50_d8_has_the_published_keys(repo_root):
    """The heads' keys in full; the backbone's are worked out in the tests of ResNet."""
    cfg = Config.fromfile(repo_root / 'configs/_base_/models/fcn_r50-d8.py').model
    with torch.device('meta'):
        model = MODELS.build(cfg)
    norm = ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked']
    wanted = {f'{head}.{part}' for head, convs in (
        ('decode_head', ('convs.0', 'convs.1', 'conv_cat')), ('auxiliary_head', ('convs.0',)))
        for part in ['conv_seg.weight', 'conv_seg.bias', *(f'{c}.conv.weight' for c in convs),
                     *(f'{c}.bn.{n}' for c in convs for n in norm)]}
    keys = set(model.state_dict())
    assert {k for k in keys if not k.startswith('backbone.')} == wanted
    assert {'backbone.stem.0.weight', 'backbone.stem.7.running_mean',
            'backbone.layer4.0.downsample.1.weight'} <= keys
