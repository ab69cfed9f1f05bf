"""Where a validation's metrics stand, and what its times are called."""

import json

import pytest
from engine_toy import toy_cfg
from mmengine.hooks import LoggerHook as Upstream

from segplug.engine.runner import Runner


def rows(folder, **options):
    """The rows of validation in scalars.json of two epochs of 4 iterations."""
    cfg = toy_cfg(folder, train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=2),
                  **{'visualizer': dict(type='SegLocalVisualizer',
                                        vis_backends=[dict(type='LocalVisBackend')]),
                     'train_dataloader.sampler': dict(type='DefaultSampler', shuffle=True),
                     **options})
    runner = Runner.from_cfg(cfg)
    runner.train()
    path, = folder.rglob('scalars.json')
    found = [json.loads(line) for line in path.read_text().splitlines()]
    return len(runner.train_dataloader), [row for row in found if 'mean' in row]


def test_metrics_stand_at_their_iteration(tmp_path):
    length, found = rows(tmp_path)
    assert [row['step'] for row in found] == [length, 2 * length]
    assert 'val/time' in found[0]
    assert 'time' not in found[0]


def test_metrics_stand_at_their_epoch_where_asked_for(tmp_path):
    _, found = rows(tmp_path, **{'default_hooks.logger.log_metric_by_epoch': True})
    assert [row['step'] for row in found] == [1, 2]


def test_mmengine_puts_metrics_at_the_epoch(tmp_path):
    """While this passes, our hook is needed."""
    _, found = rows(tmp_path, **{'default_hooks.logger.type': f'{Upstream.__module__}.LoggerHook'})
    assert [row['step'] for row in found] == [1, 2]
    assert 'time' in found[0]


@pytest.mark.parametrize('by_epoch', [True, False])
def test_a_validation_alone_stands_at_nought(tmp_path, by_epoch):
    cfg = toy_cfg(tmp_path, **{'default_hooks.logger.log_metric_by_epoch': by_epoch})
    Runner.from_cfg(cfg).val()
    path, = tmp_path.rglob('scalars.json')
    assert json.loads(path.read_text().splitlines()[-1])['step'] == 0
