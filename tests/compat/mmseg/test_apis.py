"""A model from a config and a checkpoint, what it says of images, and the inferencer."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from segplug.errors import CheckpointError, ConfigError

CONFIG = dict(
    default_scope='mmseg',
    model=dict(
        type='EncoderDecoder', pretrained='torchvision://resnet18',
        data_preprocessor=dict(type='SegDataPreProcessor', mean=[100.0] * 3, std=[50.0] * 3),
        backbone=dict(type='ResNet', depth=18, stem_channels=4, base_channels=4,
                      init_cfg=dict(type='Pretrained', checkpoint='none')),
        decode_head=dict(type='FCNHead', in_channels=32, channels=4, num_classes=2, num_convs=1),
        test_cfg=dict(mode='whole')),
    test_pipeline=[dict(type='LoadImageFromFile'), dict(type='Resize', scale=(48, 32)),
                   dict(type='LoadAnnotations'), dict(type='PackSegInputs')])
META = dict(classes=('no', 'yes'), palette=[[0, 0, 0], [250, 0, 0]])


@pytest.fixture
def checkpoint(lent, tmp_path):
    from mmseg.apis import init_model
    torch.manual_seed(0)
    state = init_model(Config(CONFIG), device='cpu').state_dict()

    def save(**meta):
        torch.save(dict(state_dict=state, meta=meta), tmp_path / 'model.pth')
        return str(tmp_path / 'model.pth')
    return save


@pytest.fixture
def image(tmp_path):
    path = str(tmp_path / 'img.png')
    cv2.imwrite(path, np.random.randint(0, 255, (20, 31, 3), np.uint8))
    return path


def test_from_a_file_and_from_an_array(lent, checkpoint, image):
    from mmseg.apis import inference_model, init_model, show_result_pyplot
    config = Config(CONFIG)
    model = init_model(config, checkpoint(dataset_meta=META), device='cpu')
    assert config.model.pretrained == 'torchvision://resnet18'  # the caller's is left alone
    assert not model.training
    assert model.dataset_meta['classes'] == ('no', 'yes')
    of_file = inference_model(model, image)
    of_arrays = inference_model(model, [cv2.imread(image)] * 2)
    assert of_file.pred_sem_seg.data.shape == (1, 20, 31)
    assert len(of_arrays) == 2
    assert torch.equal(of_arrays[1].pred_sem_seg.data, of_file.pred_sem_seg.data)
    picture = show_result_pyplot(model, image, of_file, show=False)
    assert (picture.shape, picture.dtype) == ((20, 31, 3), np.uint8)


def test_classes_come_from_the_checkpoint_and_are_not_guessed(lent, checkpoint):
    from mmseg.apis import init_model
    old = init_model(Config(CONFIG), checkpoint(CLASSES=['a', 'b'], PALETTE=[[1] * 3, [2] * 3]),
                     device='cpu')
    assert old.dataset_meta == dict(classes=['a', 'b'], palette=[[1] * 3, [2] * 3])
    with pytest.raises(CheckpointError, match='what the classes are'):
        init_model(Config(CONFIG), checkpoint(), device='cpu')


def test_overrides_and_files(lent, tmp_path):
    from mmseg.apis import init_model
    Config(CONFIG).dump(str(tmp_path / 'config.py'))
    model = init_model(tmp_path / 'config.py', device='cpu',
                       cfg_options={'model.decode_head.num_classes': 5})
    assert model.num_classes == 5
    assert model.cfg.model.decode_head.num_classes == 5
    with pytest.raises(TypeError, match='a file or a Config'):
        init_model(3)


def test_a_config_without_a_test_pipeline(lent, image):
    from mmseg.apis import inference_model, init_model
    model = init_model(Config({k: v for k, v in CONFIG.items() if k != 'test_pipeline'}),
                       device='cpu')
    with pytest.raises(ConfigError, match='no test_pipeline'):
        inference_model(model, image)


def test_inferencer(lent, checkpoint, image, tmp_path):
    from mmseg.apis import MMSegInferencer
    from mmseg.structures import SegDataSample
    inferencer = MMSegInferencer(Config(CONFIG), checkpoint(dataset_meta=META), device='cpu')
    one = inferencer(image)
    assert one['predictions'].shape == (20, 31)
    assert len(one['visualization']) == 0
    many = inferencer([image, cv2.imread(image)], batch_size=2, return_vis=True,
                      out_dir=str(tmp_path / 'out'))
    assert np.array_equal(many['predictions'][1], one['predictions'])
    assert [vis.shape for vis in many['visualization']] == [(20, 31, 3)] * 2
    files = sorted(p.relative_to(tmp_path / 'out').as_posix()
                   for p in (tmp_path / 'out').rglob('*.*'))
    assert files == ['pred/00000000_pred.png', 'pred/00000001_pred.png', 'vis/00000001_vis.jpg',
                     'vis/img.png']
    written = cv2.imread(str(tmp_path / 'out' / files[0]), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(written, one['predictions'])
    assert isinstance(inferencer(image, return_datasamples=True), SegDataSample)


def test_inferencer_takes_classes(lent, checkpoint):
    from mmseg.apis import MMSegInferencer
    file = checkpoint(dataset_meta=META)
    named = MMSegInferencer(Config(CONFIG), file, classes=['x', 'y'], device='cpu')
    assert named.model.dataset_meta == dict(classes=['x', 'y'], palette=META['palette'])
    stare = MMSegInferencer(Config(CONFIG), file, dataset_name='stare', device='cpu')
    assert stare.model.dataset_meta['palette'][0] == [120, 120, 120]
