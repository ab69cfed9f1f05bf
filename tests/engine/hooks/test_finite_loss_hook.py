"""A loss or a weight that is no number: what is said, what is left out and what is never written.
That several processes decide alike stands in test_jobs."""

import hashlib
import math

import pytest
import torch
from engine_toy import ToyData, fingerprint, toy_cfg
from mmengine.hooks import EMAHook, Hook
from mmengine.structures import BaseDataElement
from trouble_toy import Trouble

from segplug.engine.checkpoint import load_checkpoint
from segplug.engine.checkpoint_files import latest_checkpoint
from segplug.engine.hooks import FiniteLossHook
from segplug.engine.hooks.finite_loss_hook import COUNT, all_finite, names_of, not_finite
from segplug.engine.runner import Runner
from segplug.errors import ConfigError, TrainingError


def build(folder, *hooks, skip: int = 0, **options) -> Runner:
    cfg = toy_cfg(folder, **options)
    cfg.model.type = 'FragileNet'
    cfg.default_hooks.finite_loss = dict(type='FiniteLossHook', skip=skip)
    runner = Runner.from_cfg(cfg)
    for hook in hooks:
        runner.register_hook(hook)
    return runner


def digest(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize('what', ['nan', 'inf'])
def test_it_stops_in_that_iteration_and_the_last_good_checkpoint_stays(what, tmp_path):
    runner = build(tmp_path, Trouble(f'{what}_loss', at=4))  # a checkpoint was due after it
    with pytest.raises(TrainingError, match=f'Iteration 4: loss is {what}, loss_toy is {what}') \
            as caught:
        runner.train()
    assert 'finite_loss.skip=N' in str(caught.value)
    assert runner.iter == 3  # of which the fourth was not counted
    assert latest_checkpoint(tmp_path) == tmp_path / 'iter_2.pth'
    assert not (tmp_path / 'iter_4.pth').exists()


def test_weights_that_are_no_numbers_are_not_written(tmp_path):
    runner = build(tmp_path, Trouble('nan_weights', at=4), **{
        'default_hooks.checkpoint.max_keep_ckpts': 1})
    with pytest.raises(TrainingError, match=r'No checkpoint is written: 1 of \d+ tensors .*'
                                            r'Got: backbone.weight'):
        runner.train()
    assert [path.name for path in tmp_path.glob('*.pth')] == ['iter_2.pth']
    assert all_finite(list(load_checkpoint(tmp_path / 'iter_2.pth')['state_dict'].values()))


def test_a_batch_left_out_moves_nothing_but_time(tmp_path):
    class Note(Trouble):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            super().before_train_iter(runner, batch_idx, data_batch)
            seen.append(fingerprint(runner.model))

    seen = []
    runner = build(tmp_path, Note('nan_loss', at=4), skip=1)
    runner.train()
    assert runner.iter == 8
    assert seen[4] == seen[3]  # before iterations 5 and 4: weights, and statistics of the norm
    assert len(set(seen)) == 7
    assert runner.message_hub.get_info(COUNT) == 1
    assert load_checkpoint(tmp_path / 'iter_8.pth')['message_hub']['runtime_info'][COUNT] == 1
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert 'Iteration 4: loss is nan, loss_toy is nan. It was left out (1 of at most 1).' in log


def test_no_more_than_the_limit_are_left_out_also_over_a_resume(tmp_path):
    first = build(tmp_path, Trouble('nan_loss', at=3), skip=1,
                  train_cfg=dict(type='IterBasedTrainLoop', max_iters=4))
    first.train()
    second = build(tmp_path, Trouble('nan_loss', at=6), skip=1, resume='auto')
    with pytest.raises(TrainingError, match='Iteration 6: .* no more than skip'):
        second.train()
    assert second.message_hub.get_info(COUNT) == 2


def test_with_accumulation_a_batch_counts_once_and_its_step_is_left_out(tmp_path):
    """Two batches to a step: the third's loss spoils the gradients of the step after the fourth."""
    class Note(Trouble):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            super().before_train_iter(runner, batch_idx, data_batch)
            seen.append(digest_of(runner.model.backbone.weight))

    seen, options = [], {'optim_wrapper.accumulative_counts': 2,
                         'default_hooks.checkpoint.interval': 1}
    runner = build(tmp_path / 'a', Note('nan_loss', at=3), skip=1, **options)
    runner.train()
    assert [a == b for a, b in zip(seen, seen[1:], strict=False)] == [  # steps after 2, (4), 6
        True, False, True, True, True, False, True]
    assert runner.message_hub.get_info(COUNT) == 1
    resumed = build(tmp_path / 'b', skip=1, resume=True,
                    load_from=str(tmp_path / 'a' / 'iter_3.pth'), **options)
    resumed.train()
    assert resumed.message_hub.get_info(COUNT) == 1
    assert fingerprint(resumed.model) == fingerprint(runner.model)


def digest_of(tensor) -> str:
    return hashlib.sha256(tensor.detach().numpy().tobytes()).hexdigest()


def test_weights_behind_an_average_are_looked_at_too(tmp_path):
    """An average that takes up weights every fifth iteration holds what was before them."""
    runner = build(tmp_path, Trouble('nan_weights', at=4), EMAHook(interval=5))
    with pytest.raises(TrainingError, match='1 of .* Got: backbone.weight'):
        runner.train()
    assert [path.name for path in tmp_path.glob('*.pth')] == ['iter_2.pth']


def test_without_the_hook_that_logs_losses_they_are_read_themselves(tmp_path):
    """The log of a resumed run holds losses, of before."""
    build(tmp_path, train_cfg=dict(type='IterBasedTrainLoop', max_iters=4)).train()
    runner = build(tmp_path, Trouble('nan_loss', at=6), resume='auto', **{
        'default_hooks.runtime_info': None, 'default_hooks.logger': None,
        'default_hooks.timer': None})
    with pytest.raises(TrainingError, match='Iteration 6: loss is nan'):
        runner.train()


def test_the_first_batch_can_be_left_out(tmp_path):
    runner = build(tmp_path, Trouble('nan_loss', at=1), skip=1,
                   train_cfg=dict(type='IterBasedTrainLoop', max_iters=2))
    runner.train()
    assert all_finite(list(runner.model.state_dict().values()))


def test_leaving_none_out_changes_no_bit(tmp_path):
    plain, guarded = build(tmp_path / 'a'), build(tmp_path / 'b', skip=5)
    assert fingerprint(plain.train()) == fingerprint(guarded.train())


def test_a_finite_loss_with_a_gradient_that_is_not_is_left_out(tmp_path):
    class Spoil(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            if runner.iter == 2:
                weight = runner.model.backbone.weight
                handle = weight.register_hook(lambda gradient: (handle.remove(), gradient / 0)[1])

    runner = build(tmp_path, Spoil(), skip=1)
    runner.train()
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert 'Iteration 3: the gradient is not finite. It was left out' in log


def test_infinite_gradients_under_loss_scaling_are_normal(tmp_path):
    """A scale that overflows float32: the scaler leaves out steps until it fits, unreported."""
    runner = build(tmp_path, **{'optim_wrapper.type': 'AmpOptimWrapper',
                                'optim_wrapper.optimizer.lr': 1e-4})
    wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    # float16 needs a GPU; the scaler itself works on a CPU too.
    wrapper.loss_scaler = torch.amp.GradScaler('cpu', init_scale=2.0 ** 127, backoff_factor=2.0 **
                                               -120, growth_interval=1000)
    wrapper.cast_dtype = torch.bfloat16
    runner.optim_wrapper = wrapper
    runner.model.poison = 100.0  # 2 ** 127 times a loss above 2 is infinite
    runner.train()
    assert runner.iter == 8
    assert wrapper.loss_scaler.get_scale() == 2.0 ** 7  # 127 - 120: it did meet infinity
    assert runner.message_hub.get_info(COUNT) == 0
    assert all_finite(list(runner.model.parameters()))


def test_the_batch_and_where_several_are_suspect_the_one_before_are_named(tmp_path, monkeypatch):
    def with_path(self, index):
        item = read(self, index)
        sample = BaseDataElement(metainfo=dict(img_path=f'picture{index}.png'))
        return dict(inputs=item['inputs'], data_samples=sample)

    read = ToyData.__getitem__
    monkeypatch.setattr(ToyData, '__getitem__', with_path)
    monkeypatch.setattr('trouble_toy.FragileNet.forward', lambda self, inputs, data_samples, mode:
                        dict(loss=sum(p.sum() for p in self.parameters()) * (self.poison or 1)))
    runner = build(tmp_path, Trouble('nan_loss', at=2), val_dataloader=None, val_cfg=None,
                   val_evaluator=None,
                   **{'train_dataloader.sampler': dict(type='DefaultSampler', shuffle=False)})
    with pytest.raises(TrainingError) as caught:
        runner.train()
    assert ('Iteration 2: loss is nan. The batch: picture4.png, picture5.png, picture6.png, '
            'picture7.png. The batch before: picture0.png, picture1.png, ') in str(caught.value)


def test_names_of_a_batch():
    assert names_of(None) == []
    assert names_of(dict(data_samples=[torch.zeros(1)])) == []
    assert names_of(dict(data_samples=[BaseDataElement(metainfo=dict(img_path='ä.png'))])) == [
        'ä.png']


def test_what_is_finite():
    assert all_finite([])
    assert all_finite([torch.tensor([1, 2]), torch.zeros(0), torch.tensor([1e38]),
                       torch.tensor([6e4], dtype=torch.float16)])
    for value in (math.nan, math.inf, -math.inf):
        assert not all_finite([torch.ones(3), torch.tensor([0.0, value])])
    mask = torch.tensor([0.0, -math.inf])
    weight = torch.nn.Parameter(torch.tensor([math.inf]))
    assert not_finite(dict(mask=mask), {}) == []  # of an attention
    assert not_finite(dict(mask=mask, weight=weight), dict(weight=weight)) == ['weight']
    assert not_finite(dict(mean=torch.tensor([math.nan])), {}) == ['mean']


@pytest.mark.parametrize('skip', [-1, True, 1.5, None])
def test_a_limit_is_a_number(skip):
    with pytest.raises(ConfigError, match='skip is the number of batches'):
        FiniteLossHook(skip=skip)
