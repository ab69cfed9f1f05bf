"""Which classes a model labels: told, never guessed; and the flags by which a file is read."""

import os

import pytest
import torch
from mmengine.config import Config
from torch import nn

import segplug.datasets  # noqa: F401 (registers the data sets)
from segplug.apis.checkpoints import classes_for
from segplug.apis.model import load_model
from segplug.apis.testing import test as score
from segplug.engine.checkpoint import load_checkpoint, save_checkpoint
from segplug.errors import CheckpointError

CONFIG = 'unet/unet_r18_minicity.py'
SET = Config(dict(test_dataloader=dict(dataset=dict(
    type='CityscapesDataset', metainfo=dict(classes=('x', 'y'), palette=[[1] * 3, [2] * 3])))))


def net(count=2):
    model, model.decode_head = nn.Module(), nn.Module()
    model.decode_head.num_classes = count
    return model


def test_who_is_asked_first():
    saved = dict(meta=dict(CLASSES=['a', 'b'], PALETTE=[[3] * 3, [4] * 3]))
    assert classes_for(net(), saved, SET, 'a.pth', 'p, q') == (('p', 'q'), None)
    assert classes_for(net(), saved, SET, 'a.pth') == (['a', 'b'], [[3] * 3, [4] * 3])
    assert classes_for(net(), {}, SET, 'a.pth') == (('x', 'y'), [[1] * 3, [2] * 3])
    with pytest.raises(CheckpointError, match=r'Neither a\.pth nor the config.*--classes'):
        classes_for(net(19), {}, Config({}), 'a.pth')  # 19 are not taken for Cityscapes'


def test_as_many_as_the_model_has():
    saved = dict(meta=dict(classes=['a', 'b', 'c']))
    with pytest.raises(CheckpointError, match=r'a\.pth names 3 classes, the model has 2'):
        classes_for(net(), saved, SET, 'a.pth')
    with pytest.raises(CheckpointError, match='--classes names 19 classes, the model has 2'):
        classes_for(net(), saved, SET, 'a.pth', 'cityscapes')
    with pytest.raises(CheckpointError, match='^The test data set names 2 classes'):
        classes_for(net(3), {}, SET, 'a.pth')
    assert classes_for(net(1), {}, SET, 'a.pth')[0] == ('x', 'y')  # a sigmoid of two
    assert classes_for(nn.Module(), saved, SET, 'a.pth')[0] == ['a', 'b', 'c']


def test_a_palette_of_another_length_is_none():
    saved = dict(meta=dict(classes=['a', 'b'], palette=[[0, 0, 0]]))
    assert classes_for(net(), saved, SET, 'a.pth')[1] is None


@pytest.fixture(scope='module')
def saved(trained):
    return load_checkpoint(trained.checkpoint)


def test_a_model_of_another_number_of_classes_is_refused(saved, tiny, tmp_path):
    state = {name: value[:7] if 'conv_seg' in name else value
             for name, value in saved['state_dict'].items()}
    save_checkpoint(dict(state_dict=state, meta=saved['meta']), tmp_path / 'seven.pth')
    with pytest.raises(CheckpointError, match='trained for 7 classes, the config has 19'):
        load_model(CONFIG, tmp_path / 'seven.pth', options=tiny)


def test_a_file_that_lacks_a_weight_of_the_test(saved, tiny, minicity, tmp_path):
    state = {name: value for name, value in saved['state_dict'].items() if 'conv_seg' not in name}
    path = str(tmp_path / 'headless.pth')
    save_checkpoint(dict(state_dict=state, meta=saved['meta']), path)
    with pytest.raises(CheckpointError, match='lacks weights.*decode_head.conv_seg'):
        load_model(CONFIG, path, options=tiny)
    with pytest.raises(CheckpointError, match='--min-loaded 0.99'):
        score(CONFIG, path, options=tiny, data_root=os.fspath(minicity),
              work_dir=os.fspath(tmp_path / 'w'))
    found = load_model(CONFIG, path, options=tiny, load=dict(floor=0.9))
    assert len(found.classes) == 19


def test_two_networks_in_a_file(saved, tiny, tmp_path):
    path = str(tmp_path / 'both.pth')
    other = {name: torch.zeros_like(value) for name, value in saved['state_dict'].items()}
    save_checkpoint(dict(model=dict(saved['state_dict']), model_ema=other), path)
    with pytest.raises(CheckpointError, match='--ema or --no-ema'):
        load_model(CONFIG, path, options=tiny)
    for flag, same in ((dict(ema=False), True), (dict(key='model_ema'), False)):
        weight = load_model(CONFIG, path, options=tiny, load=flag).net.decode_head.conv_seg.weight
        assert torch.equal(weight, saved['state_dict']['decode_head.conv_seg.weight']) is same


def test_labels_in_another_order_are_not_scored(saved, tiny, minicity, tmp_path):
    names = list(saved['meta']['classes'])
    meta = {'classes': [*names[1:], names[0]]}
    path = str(tmp_path / 'turned.pth')
    save_checkpoint(dict(state_dict=saved['state_dict'], meta=meta), path)
    with pytest.raises(CheckpointError, match='the same classes in another order'):
        score(CONFIG, path, options=tiny, data_root=os.fspath(minicity),
              work_dir=os.fspath(tmp_path / 'w'))
