"""Writing in a thread: the same bytes, of the moment of the save, one at a time."""

import threading

import pytest
import torch
from engine_toy import fingerprint, toy_cfg

from segplug.engine import background
from segplug.engine.background import BackgroundWriter
from segplug.engine.checkpoint import load_checkpoint, save_checkpoint, to_plain
from segplug.engine.runner import Runner
from segplug.errors import CheckpointError, OutputError


@pytest.fixture
def writer():
    writer = BackgroundWriter()
    yield writer
    writer.close()


def checkpoint():
    """Shared memory (a tied weight, a view), an empty tensor, a transposed one, attributes."""
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3))
    model.tied = model[0].weight
    state = model.state_dict()
    base = torch.arange(12.)
    return dict(state_dict=state, meta=dict(a=[1, ('b', None)], c='text'),
                extra=[base[2:5], base.view(3, 4).t(), torch.empty(0), torch.ones(2).bool()])


def test_the_same_bytes(writer, tmp_path):
    made = checkpoint()
    save_checkpoint(to_plain(made), tmp_path / 'plain.pth')
    for name in 'ab':  # the second copies into the memory of the first
        writer.save(made, tmp_path / f'{name}.pth')
        writer.finish()
        assert (tmp_path / f'{name}.pth').read_bytes() == (tmp_path / 'plain.pth').read_bytes()
    writer.save(dict(other=torch.ones(3).half()), tmp_path / 'c.pth')
    writer.finish()
    assert load_checkpoint(tmp_path / 'c.pth')['other'].dtype == torch.half


def held(monkeypatch, name) -> threading.Event:
    """Make a function of the module wait in the thread until the event is set."""
    go, real = threading.Event(), getattr(background, name)

    def wait(*args):
        if threading.current_thread() is not threading.main_thread():
            assert go.wait(60)
        return real(*args)

    monkeypatch.setattr(background, name, wait)
    return go


def test_what_changes_after_the_copy_is_not_written(writer, tmp_path, monkeypatch):
    go = held(monkeypatch, 'save_checkpoint')
    steady, buffer = torch.ones(5), torch.ones(5)
    writer.save(dict(a=steady, b=buffer), tmp_path / 'a.pth', changing=[buffer])
    writer.copied()
    steady.zero_()
    buffer.zero_()
    assert not (tmp_path / 'a.pth').exists()
    go.set()
    writer.finish()
    loaded = load_checkpoint(tmp_path / 'a.pth')
    assert (loaded['a'].sum(), loaded['b'].sum()) == (5, 5)


def test_what_may_change_is_copied_at_once_and_the_rest_waited_for(writer, tmp_path, monkeypatch):
    go = held(monkeypatch, '_fill')
    steady, buffer = torch.ones(5), torch.ones(5)
    writer.save(dict(a=steady, b=buffer), tmp_path / 'a.pth', changing=[buffer])
    buffer.zero_()
    waiting = threading.Thread(target=writer.copied)
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    go.set()
    waiting.join(60)
    steady.zero_()
    writer.finish()
    loaded = load_checkpoint(tmp_path / 'a.pth')
    assert (loaded['a'].sum(), loaded['b'].sum()) == (5, 5)


def test_an_error_is_raised_by_the_next_save_and_by_the_end(writer, tmp_path):
    calls = []
    (tmp_path / 'file').touch()
    writer.save(dict(a=1), tmp_path / 'file' / 'a.pth')
    writer.then(lambda: calls.append('removed the old one'))
    with pytest.raises(OutputError, match='could not be written'):
        writer.save(dict(a=1), tmp_path / 'b.pth')
    assert not calls
    writer.save(dict(a=1), tmp_path / 'b.pth')
    writer.then(lambda: calls.append('removed the old one'))
    writer.finish()
    assert calls
    writer.save(dict(a=1), tmp_path / 'file' / 'a.pth')
    with pytest.raises(OutputError, match='could not be written'):
        writer.finish()


def test_what_is_not_data_is_refused_at_once(writer, tmp_path):
    with pytest.raises(CheckpointError, match='tensors and plain data only'):
        writer.save(dict(a={1, 2}), tmp_path / 'a.pth')


EMA = [dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.1)]


@pytest.mark.parametrize('options', [
    {}, {'train_cfg.val_interval': 2, 'custom_hooks': EMA,
         'default_hooks.checkpoint.save_best': 'mean', 'default_hooks.checkpoint.rule': 'greater',
         'default_hooks.checkpoint.max_keep_ckpts': 1}])
def test_a_run_writes_the_same(options, tmp_path):
    models = {}
    for name, more in (('plain', {}), ('thread', {'default_hooks.checkpoint.background': True})):
        runner = Runner.from_cfg(toy_cfg(tmp_path / name, **options, **more))
        models[name] = fingerprint(runner.train())
        assert runner.checkpoint_writer is None
    assert models['plain'] == models['thread']
    names = sorted(p.name for p in (tmp_path / 'plain').glob('*.pth'))
    assert names == sorted(p.name for p in (tmp_path / 'thread').glob('*.pth'))
    for name in names:
        plain, thread = (load_checkpoint(tmp_path / folder / name)
                         for folder in ('plain', 'thread'))
        for key in ('state_dict', 'ema_state_dict', 'optimizer'):
            torch.testing.assert_close(plain.get(key), thread.get(key), rtol=0, atol=0)
    assert (tmp_path / 'thread' / 'last_checkpoint').read_text().endswith('iter_8.pth')
    resumed = Runner.from_cfg(toy_cfg(tmp_path / 'thread', resume='auto', **options))
    resumed.train()
    assert fingerprint(resumed.model) == models['plain']


def test_a_run_that_cannot_write_ends_with_the_error_and_keeps_the_old_file(tmp_path, monkeypatch):
    def full(obj, path):
        if '4' in path.name:
            raise CheckpointError('disk full')
        return save_checkpoint(obj, path)

    monkeypatch.setattr(background, 'save_checkpoint', full)
    with pytest.raises(CheckpointError, match='disk full'):
        Runner.from_cfg(toy_cfg(tmp_path, **{
            'default_hooks.checkpoint.background': True,
            'default_hooks.checkpoint.max_keep_ckpts': 1})).train()
    assert [p.name for p in tmp_path.glob('*.pth')] == ['iter_2.pth']
    assert (tmp_path / 'last_checkpoint').read_text().endswith('iter_2.pth')
