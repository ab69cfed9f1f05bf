"""A signal at any point of a run on one process: what is saved, the exit code, and a resume that
ends in the bits of the uninterrupted run. Jobs of several processes stand in test_jobs."""

import os
import signal

import pytest
from engine_toy import fingerprint, toy_cfg
from mmengine.hooks import EMAHook, Hook
from trouble_toy import Trouble

from segplug.engine.checkpoint import load_checkpoint
from segplug.engine.checkpoint_files import latest_checkpoint
from segplug.engine.runner import Runner
from segplug.engine.stopping import Stopped, request
from segplug.errors import OutputError

BY_EPOCH = {  # three batches in each epoch
    'train_cfg': dict(type='EpochBasedTrainLoop', max_epochs=3),
    'train_dataloader.sampler': dict(type='DefaultSampler', shuffle=True),
    'default_hooks.checkpoint.by_epoch': True, 'default_hooks.checkpoint.interval': 1}


@pytest.fixture(autouse=True)
def nobody_listens():
    """A test of another file may have left a run in the middle, with its ear on the signals."""
    request.restore()


def run(folder, *hooks, resume: bool = False, **options) -> Runner:
    runner = Runner.from_cfg(toy_cfg(folder, resume='auto' if resume else False, **options))
    for hook in hooks:
        runner.register_hook(hook)
    runner.train()
    return runner


def stop(folder, trouble: Trouble, *hooks, **options) -> int:
    """The exit code of a run that the trouble stops."""
    with pytest.raises(Stopped) as caught:
        run(folder, trouble, *hooks, **options)
    return caught.value.code


def started_at(runner) -> int:
    """The iteration that a resumed run began with."""
    with open(f'{runner.log_dir}/{runner.timestamp}.log') as file:
        line = next(line for line in file if 'resumed epoch' in line)
    return int(line.rsplit('iter: ', 1)[1])


@pytest.mark.parametrize(('what', 'code'), [('SIGTERM', 143), ('SIGINT', 130), ('SIGUSR1', 138)])
def test_the_iteration_ends_and_is_saved(what, code, tmp_path):
    before = signal.getsignal(getattr(signal, what))
    assert stop(tmp_path, Trouble(what)) == code
    assert latest_checkpoint(tmp_path) == tmp_path / 'iter_3.pth'
    assert load_checkpoint(tmp_path / 'iter_3.pth')['meta']['iter'] == 3
    assert signal.getsignal(getattr(signal, what)) is before


@pytest.mark.parametrize(('trouble', 'options', 'saved'), [
    (dict(at=3), {'train_dataloader.num_workers': 2}, 3),
    (dict(at=4), {}, 4),  # which the CheckpointHook has just written
    (dict(when='write', at=4), {}, 4),
    (dict(when='val'), {'train_cfg.val_interval': 3}, 3),
    (dict(when='val'), {'train_cfg.val_interval': 4}, 4),
    (dict(at=3), {'default_hooks.checkpoint.background': True}, 3),
    (dict(at=4), BY_EPOCH, 4),
    (dict(at=6), BY_EPOCH, 6),  # the last of an epoch, before that epoch's hooks
    (dict(when='val'), {**BY_EPOCH, 'train_cfg.val_interval': 1}, 3)],
    ids=['inside', 'saved', 'writing', 'validating', 'validating-saved', 'background', 'epoch',
         'epoch-end', 'epoch-validating'])
def test_the_resumed_run_ends_in_the_same_bits(trouble, options, saved, tmp_path):
    ema = trouble.get('when') == 'val'  # which lends its average to the model there
    hooks = [EMAHook(momentum=0.5)] if ema else []
    whole = run(tmp_path / 'whole', *hooks, **options)
    hooks = [EMAHook(momentum=0.5)] if ema else []
    assert stop(tmp_path / 'cut', Trouble('SIGTERM', **trouble), *hooks, **options) == 143
    assert load_checkpoint(latest_checkpoint(tmp_path / 'cut'))['meta']['iter'] == saved
    hooks = [EMAHook(momentum=0.5)] if ema else []
    resumed = run(tmp_path / 'cut', *hooks, resume=True, **options)
    assert started_at(resumed) == saved
    assert fingerprint(resumed.model) == fingerprint(whole.model)
    if ema:
        averages = [runner.hooks[[type(h) for h in runner.hooks].index(EMAHook)].ema_model
                    for runner in (whole, resumed)]
        assert fingerprint(averages[0]) == fingerprint(averages[1])


def test_before_the_first_iteration_there_is_nothing_to_save(tmp_path):
    assert stop(tmp_path, Trouble('SIGTERM', when='start')) == 143
    assert latest_checkpoint(tmp_path) is None


@pytest.mark.parametrize('at', [3, 4])
def test_what_it_saves_can_be_gone_on_from_whatever_the_others_hold(at, tmp_path):
    options = {'default_hooks.checkpoint.save_optimizer': False,
               'default_hooks.checkpoint.save_param_scheduler': False}
    whole = run(tmp_path / 'whole', **options)
    assert stop(tmp_path / 'cut', Trouble('SIGTERM', at=at), **options) == 143
    resumed = run(tmp_path / 'cut', resume=True, **options)
    assert started_at(resumed) == at
    assert fingerprint(resumed.model) == fingerprint(whole.model)


def test_stops_between_epochs_leave_no_file_behind(tmp_path):
    """Where old checkpoints are removed, each stop removes the file of the one before."""
    options = {**BY_EPOCH, 'default_hooks.checkpoint.max_keep_ckpts': 1}

    def names() -> list[str]:
        return sorted(path.name for path in tmp_path.glob('*.pth'))

    assert stop(tmp_path, Trouble('SIGTERM', at=4), **options) == 143
    assert names() == ['epoch_1.pth', 'iter_4.pth']
    assert stop(tmp_path, Trouble('SIGTERM', at=5), resume=True, **options) == 143
    assert names() == ['epoch_1.pth', 'iter_5.pth']
    assert started_at(run(tmp_path, resume=True, **options)) == 5
    assert names() == ['epoch_3.pth']


def test_an_error_after_a_signal_is_not_hidden_by_it(tmp_path):
    """Nothing was saved, and the exit code of a stop would say that it was."""
    def before_train_iter(runner, batch_idx, data_batch=None):
        if runner.iter == 3:
            os.kill(os.getpid(), signal.SIGTERM)
            raise FileNotFoundError('no such image')

    hook = Hook()
    hook.before_train_iter = before_train_iter
    with pytest.raises(FileNotFoundError, match='no such image'):
        run(tmp_path, hook)
    assert request.signum == signal.SIGTERM
    assert latest_checkpoint(tmp_path) == tmp_path / 'iter_2.pth'


def test_a_folder_that_vanished_is_not_made_anew_by_a_stop(tmp_path):
    class Vanish(Trouble):
        def _do(self, runner) -> None:
            (tmp_path / 'a').rename(tmp_path / 'elsewhere')
            super()._do(runner)

    with pytest.raises(OutputError, match='is gone'):
        run(tmp_path / 'a', Vanish('SIGTERM', at=4), **{
            **BY_EPOCH, 'default_hooks.logger': None, 'default_hooks.checkpoint.interval': 3})
    assert not (tmp_path / 'a').exists()


def test_without_a_checkpoint_hook_it_still_stops(tmp_path):
    cfg = toy_cfg(tmp_path)
    cfg.default_hooks.checkpoint = None
    runner = Runner.from_cfg(cfg)
    runner.register_hook(Trouble('SIGTERM'))
    with pytest.raises(Stopped):
        runner.train()
    assert not list(tmp_path.glob('*.pth'))


def test_it_can_be_left_out(tmp_path):
    signals = []
    before = signal.signal(signal.SIGUSR1, lambda *args: signals.append(args[0]))
    try:
        cfg = toy_cfg(tmp_path)
        cfg.default_hooks.stop = None
        runner = Runner.from_cfg(cfg)
        runner.register_hook(Trouble('SIGUSR1'))
        runner.train()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert signals == [signal.SIGUSR1]
    assert runner.iter == 8


def test_an_old_request_does_not_stop_the_next_run(tmp_path):
    stop(tmp_path / 'one', Trouble('SIGTERM'))
    assert run(tmp_path / 'two').iter == 8
    assert request.signum == 0
