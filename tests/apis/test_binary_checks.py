"""Two classes end to end, both ways, and each mixture of the two refused before it runs.

The data: noise in which one square is brighter, which is class 1; a border of the square is
ignored.
"""

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from segplug.apis.binary_checks import check_binary
from segplug.apis.config_checks import check_classes
from segplug.apis.model import load_model
from segplug.apis.testing import test as run_test
from segplug.apis.training import train
from segplug.errors import ConfigError

SIGMOID = dict(num_classes=2, out_channels=1, threshold=0.5,
               loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True))
SOFTMAX = dict(num_classes=2, loss_decode=dict(type='CrossEntropyLoss'))
WAYS = {
    'softmax': SOFTMAX,
    'sigmoid': SIGMOID,
    # mmsegmentation's other spelling of the second.
    'one class': dict(num_classes=1, threshold=0.5, loss_decode=[
        dict(type='CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True),
        dict(type='DiceLoss', use_sigmoid=True)]),
}
CONFIG = """
_base_ = ['segplug::_base_/default_runtime.py']
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(type='SegDataPreProcessor', mean=[100.] * 3, std=[50.] * 3),
    backbone=dict(type='UNet', base_channels=4, num_stages=2, strides=(1, 1), enc_num_convs=(1, 1),
                  dec_num_convs=(1,), downsamples=(True,), enc_dilations=(1, 1),
                  dec_dilations=(1,)),
    decode_head=dict(type='FCNHead', in_channels=4, channels=4, num_convs=1, concat_input=False,
                     norm_cfg=dict(type='BN'), {head}))
dataset = dict(
    type='BaseSegDataset', data_root='{root}', img_suffix='.png',
    data_prefix=dict(img_path='img', seg_map_path='label'),
    metainfo=dict(classes=('background', 'square'), palette=[[0, 0, 0], [255, 0, 0]]),
    pipeline=[dict(type='LoadImageFromFile'),
              dict(type='LoadAnnotations', value_map={{200: 1}}), dict(type='PackSegInputs')])
loader = dict(batch_size=4, num_workers=0, persistent_workers=False, dataset=dataset)
train_dataloader = dict(sampler=dict(type='InfiniteSampler', shuffle=True), **loader)
val_dataloader = dict(sampler=dict(type='DefaultSampler', shuffle=False), **loader)
test_dataloader = val_dataloader
val_evaluator = test_evaluator = dict(type='IoUMetric')
train_cfg = dict(type='IterBasedTrainLoop', max_iters=40, val_interval=40)
val_cfg, test_cfg = dict(type='ValLoop'), dict(type='TestLoop')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.05))
"""


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp('squares')
    rng = np.random.default_rng(0)
    for name in ('img', 'label'):
        (folder / name).mkdir()
    for i in range(8):
        img = rng.integers(40, 110, (24, 32, 3), dtype=np.uint8)
        label = np.zeros((24, 32), np.uint8)
        y, x = rng.integers(2, 10, 2)
        img[y:y + 12, x:x + 12] += 100
        label[y - 1:y + 13, x - 1:x + 13] = 255
        label[y:y + 12, x:x + 12] = 200
        Image.fromarray(img).save(folder / 'img' / f'{i}.png')
        Image.fromarray(label).save(folder / 'label' / f'{i}.png')
    return folder


def config(root, head):
    return Config.fromstring(CONFIG.format(
        root=root, head=', '.join(f'{k}={v!r}' for k, v in head.items())), '.py')


@pytest.mark.parametrize('way', list(WAYS))
def test_it_learns_scores_and_predicts(way, root, tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(CONFIG.format(root=root, head=', '.join(
        f'{k}={v!r}' for k, v in WAYS[way].items())))
    result = train(str(path), work_dir=str(tmp_path / 'run'))
    assert result.metrics['mIoU'] > 95
    again = run_test(str(path), str(result.checkpoint), out=str(tmp_path / 'out'))
    assert again['mIoU'] == result.metrics['mIoU']
    model = load_model(path, result.checkpoint, device='cpu')
    labels = model.predict(root / 'img' / '0.png').labels
    truth = np.asarray(Image.open(root / 'label' / '0.png'))
    assert set(np.unique(labels)) == {0, 1}
    assert (labels == (truth == 200))[truth != 255].mean() > 0.97


@pytest.mark.parametrize(('head', 'said'), [
    (dict(num_classes=2, out_channels=1), 'one output, and CrossEntropyLoss compares'),
    (dict(num_classes=2, out_channels=1, loss_decode=dict(type='CrossEntropyLoss')),
     'one output, and CrossEntropyLoss compares'),
    (dict(num_classes=1, loss_decode=dict(type='LovaszLoss')), 'one output, and LovaszLoss'),
    (dict(num_classes=2, out_channels=1, loss_decode=[
        dict(type='CrossEntropyLoss', use_sigmoid=True), dict(type='OhemCrossEntropy')]),
     'one output, and OhemCrossEntropy'),
    (dict(num_classes=2, loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True)),
     'two outputs, of which the larger one counts'),
    (dict(num_classes=2, threshold=0.5), r'sets a threshold.*threshold=0\.5 with 2 outputs'),
])
def test_mixtures_are_refused_with_both_right_ways(head, said, root):
    with pytest.raises(ConfigError, match=said) as caught:
        check_binary(config(root, head))
    assert "out_channels=1, threshold=0.5, loss_decode=dict(type='CrossEntropyLoss', " \
        'use_sigmoid=True)' in str(caught.value)


def test_what_is_right_passes(root):
    for head in [*WAYS.values(), dict(num_classes=2), dict(SIGMOID, threshold=None),
                 dict(num_classes=2, out_channels=1,
                      loss_decode=dict(type='LovaszLoss', loss_type='binary')),
                 dict(num_classes=2, loss_decode=dict(type='DiceLoss', use_sigmoid=True))]:
        check_classes(config(root, head))
        check_binary(config(root, head))


def test_classes_that_do_not_fit(root):
    cfg = config(root, SIGMOID)
    cfg.train_dataloader.dataset.metainfo.classes = ('square',)
    with pytest.raises(ConfigError, match=r"one class.*classes=\('background', 'square'\)"):
        check_binary(cfg)
    cfg.train_dataloader.dataset.metainfo.classes = ('a', 'b', 'c')
    with pytest.raises(ConfigError, match='num_classes=2, but BaseSegDataset .* has 3 classes'):
        check_classes(cfg)
    cfg = config(root, dict(SIGMOID, num_classes=1))
    cfg.train_dataloader.dataset.metainfo.classes = ('a', 'b', 'c')
    with pytest.raises(ConfigError, match='num_classes=1, but'):
        check_classes(cfg)


def test_a_threshold_of_many_classes(root):
    with pytest.raises(ConfigError, match='sets a threshold.*remove it') as caught:
        check_binary(config(root, dict(num_classes=5, threshold=0.5)))
    assert 'sigmoid' not in str(caught.value)
