"""A published file: its name, its content, and every place that loads it."""

import hashlib
import json

import pytest
import torch
from engine_toy import toy_cfg
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from segplug.apis.publishing import publish
from segplug.cli.main import main
from segplug.engine.checkpoint import load_checkpoint, save_checkpoint
from segplug.engine.containers import weights_of
from segplug.engine.runner import Runner
from segplug.engine.weight_init import PretrainedInit
from segplug.errors import CheckpointError

EMA = dict(custom_hooks=[dict(type='EMAHook', momentum=0.3)])


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp('run')
    Runner.from_cfg(toy_cfg(folder)).train()
    return folder / 'iter_8.pth'


@pytest.fixture
def published(checkpoint, tmp_path):
    return publish(str(checkpoint), str(tmp_path))


def test_name_and_content(published, checkpoint):
    digits = hashlib.sha256(published.read_bytes()).hexdigest()[:8]
    assert published.name == f'iter_8-{digits}.safetensors'
    loaded, saved = load_checkpoint(published), load_checkpoint(checkpoint)
    assert set(loaded) == {'state_dict', 'meta'}
    assert set(loaded['state_dict']) == set(saved['state_dict'])
    assert all(torch.equal(loaded['state_dict'][k], v) for k, v in saved['state_dict'].items())
    assert loaded['meta']['classes'] == ['a', 'b']
    assert loaded['meta']['palette'] == [[0, 0, 0], [255, 255, 255]]
    assert json.loads(loaded['meta']['cfg'])['model']['type'] == 'ToyNet'
    assert 'torch' in loaded['meta']['versions']


def test_where_it_is_written(checkpoint, tmp_path):
    first = publish(str(checkpoint))
    assert first.parent == checkpoint.parent
    named = publish(str(checkpoint), str(tmp_path / 'new' / 'net.safetensors'))
    assert named.name == f'net{first.name.removeprefix("iter_8")}'
    assert named.read_bytes() == first.read_bytes()
    again = publish(str(named))
    assert load_checkpoint(again)['meta'] == load_checkpoint(named)['meta']


def test_it_is_loaded_like_a_checkpoint(published, checkpoint, tmp_path):
    name = str(published)
    metrics = [Runner.from_cfg(toy_cfg(tmp_path / 'test', load_from=path)).test()
               for path in (name, str(checkpoint))]
    assert metrics[0] == metrics[1]
    weights = load_checkpoint(checkpoint)['state_dict']
    tuned = Runner.from_cfg(toy_cfg(tmp_path / 'tune', load_from=name, **{
        'train_cfg.max_iters': 1, 'optim_wrapper.optimizer.lr': 0.0}))
    tuned.train()
    assert torch.equal(tuned.model.backbone.weight, weights['backbone.weight'])
    conv = nn.Conv2d(3, 4, 3, padding=1)
    PretrainedInit(name, prefix='backbone.')(conv)
    assert torch.equal(conv.weight, weights['backbone.weight'])
    assert set(weights_of(CheckpointLoader.load_checkpoint(name))) == set(weights)
    with pytest.raises(CheckpointError, match='weights but not the state of a run'):
        Runner.from_cfg(toy_cfg(tmp_path / 'w', load_from=name, resume=True)).train()


def test_averages(tmp_path):
    Runner.from_cfg(toy_cfg(tmp_path / 'a', **EMA)).train()
    plain = Runner.from_cfg(toy_cfg(tmp_path / 'b')).train()
    source = str(tmp_path / 'a' / 'iter_8.pth')
    by_default, averaged, trained = (
        load_checkpoint(publish(source, str(tmp_path), ema=ema))['state_dict']
        for ema in (None, True, False))
    for name, tensor in plain.state_dict().items():
        assert torch.equal(by_default[name], averaged[name])
        assert torch.equal(trained[name], tensor)
    assert not torch.equal(averaged['backbone.weight'], trained['backbone.weight'])
    with pytest.raises(CheckpointError, match='no averaged weights'):
        publish(str(tmp_path / 'b' / 'iter_8.pth'), ema=True)


def test_nothing_to_publish(tmp_path):
    save_checkpoint(dict(meta=dict(iter=1)), tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match='holds no weights'):
        publish(str(tmp_path / 'a.pth'))


def test_the_command(checkpoint, tmp_path, capsys):
    assert main(['publish', str(checkpoint), '--out', str(tmp_path)]) == 0
    assert str(next(tmp_path.glob('iter_8-*.safetensors'))) in capsys.readouterr().out
    assert main(['publish', str(checkpoint), '--ema']) == 1
    assert 'no averaged weights' in capsys.readouterr().err
    assert main(['publish', str(tmp_path / 'none.pth')]) == 1
