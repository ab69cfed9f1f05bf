"""Validation and test loops: the order of hooks, the progress they show, batches on the device."""

from pathlib import Path

import pytest
import torch
from engine_toy import toy_cfg
from mmengine.hooks import Hook

from segplug.engine import loops
from segplug.engine.runner import Runner
from segplug.registry import HOOKS, LOOPS


class Recorder(Hook):
    """What was called, and with which batch."""

    def __init__(self):
        self.calls, self.batches = [], []

    def before_test(self, runner):
        self.calls.append('before')

    def before_test_iter(self, runner, batch_idx, data_batch=None):
        self.calls.append(f'iter {batch_idx}')
        self.batches.append(data_batch)

    def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.calls.append(f'{len(outputs)} outputs')
        assert data_batch is self.batches[-1]

    def after_test_epoch(self, runner, metrics=None):
        self.calls.append(f'count {metrics["count"]}')

    def after_test(self, runner):
        self.calls.append('after')


def toy_test(folder, **options):
    runner = Runner.from_cfg(toy_cfg(folder, **{'train_cfg': None, 'train_dataloader': None,
                                                'optim_wrapper': None, 'param_scheduler': None,
                                                **options}))
    recorder = Recorder()
    runner.register_hook(recorder)
    return runner, recorder, runner.test()


def read_log(runner) -> str:
    return Path(runner.log_dir, f'{runner.timestamp}.log').read_text()


def test_hooks_come_in_order_and_the_log_says_how_far_it_is(tmp_path):
    runner, recorder, metrics = toy_test(tmp_path)
    assert recorder.calls == ['before', 'iter 0', '4 outputs', 'iter 1', '4 outputs', 'iter 2',
                              '2 outputs', 'count 10', 'after']
    assert metrics['count'] == 10
    log = read_log(runner)
    assert 'test: 10 images in 0:00:0' in log
    lines = [line for line in log.splitlines() if '/3]' in line]
    assert [('images/s: ' in line, 'eta: ' in line) for line in lines] == [
        (False, True), (True, True), (True, True), (False, False)]


def test_the_model_gets_the_copy_and_hooks_the_original(tmp_path, monkeypatch):
    def halved(batches, device):
        for batch in batches:
            yield batch, {**batch, 'inputs': [0 * x for x in batch['inputs']]}

    whole = toy_test(tmp_path / 'a', **{'model.dropout': 0.0})[2]
    monkeypatch.setattr(loops, 'ahead', halved)
    _, recorder, metrics = toy_test(tmp_path / 'b', **{'model.dropout': 0.0})
    assert metrics['mean'] != whole['mean']
    assert max(x.max() for x in recorder.batches[2]['inputs']) > 0


def test_a_loop_that_hands_on_another_batch_is_heard(tmp_path, monkeypatch):
    """A third-party loop may change the batch on its way; an early copy of it must not win."""
    seen = []

    class Doubling(loops.TestLoop):
        def run_iter(self, idx, data_batch):
            super().run_iter(idx, {**data_batch, 'inputs': [2 * x for x in data_batch['inputs']]})

    step = loops._step
    monkeypatch.setattr(loops, '_step', lambda loop, stage, idx, batch, losses: seen.append(
        loop.on_device[0] is batch) or step(loop, stage, idx, batch, losses))
    LOOPS.register_module(name='Doubling', module=Doubling)
    try:
        toy_test(tmp_path, test_cfg=dict(type='Doubling'))
    finally:
        LOOPS.module_dict.pop('Doubling')
    assert seen == [False, False, False]


@pytest.mark.parametrize(('batch_size', 'num_batches', 'images'),
                         [(4, 1, 4), (4, 3, 10), (None, 1, 3), (None, 3, 10)])
def test_images_done(batch_size, num_batches, images):
    class Loader:
        sampler = range(10)

        def __len__(self):
            return 3

    loader = Loader()
    loader.batch_size = batch_size
    assert loops._num_images(loader, num_batches) == images


def test_a_loop_of_a_test_without_gradients(tmp_path):
    grads = []

    @HOOKS.register_module(name='Grads', force=True)
    class Grads(Hook):
        def after_test_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            grads.append((torch.is_grad_enabled(), torch.is_inference_mode_enabled()))

    try:
        toy_test(tmp_path, custom_hooks=[dict(type='Grads')])
    finally:
        HOOKS.module_dict.pop('Grads')
    assert set(grads) == {(False, True)}
