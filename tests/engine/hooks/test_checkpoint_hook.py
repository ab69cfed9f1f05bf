"""Which files the checkpoint hook removes, whatever a resumed checkpoint says."""

import errno
import itertools
import os

import pytest
from engine_toy import ToyMetric, toy_cfg
from mmengine.hooks import IterTimerHook

from segplug.engine.checkpoint import load_checkpoint, save_checkpoint
from segplug.engine.runner import Runner
from segplug.errors import ConfigError, OutputError

KEEP = {'default_hooks.checkpoint.max_keep_ckpts': 1, 'train_cfg.val_interval': 2,
        'default_hooks.checkpoint.save_best': 'count',
        'default_hooks.checkpoint.rule': 'greater'}


def run(folder, **options) -> Runner:
    runner = Runner.from_cfg(toy_cfg(folder, **KEEP, **options))
    runner.train()
    return runner


def test_a_checkpoint_cannot_name_files_to_remove(tmp_path):
    """mmengine removes what the message hub of a resumed checkpoint calls the best so far."""
    run(tmp_path / 'a', **{'train_cfg.max_iters': 2})
    (tmp_path / 'precious.pth').touch()
    (tmp_path / 'a' / 'iter_').mkdir()
    saved = load_checkpoint(tmp_path / 'a' / 'iter_2.pth')
    saved['message_hub']['runtime_info'] |= dict(
        best_ckpt=str(tmp_path / 'precious.pth'), best_score=-1.0,
        keep_ckpt_ids=['/../../precious', '/../../precious', 2])
    for name in ('best_ckpt', 'best_score', 'keep_ckpt_ids'):
        saved['message_hub']['resumed_keys'][name] = True
    save_checkpoint(saved, tmp_path / 'a' / 'iter_2.pth')
    run(tmp_path / 'a', resume='auto')
    assert (tmp_path / 'precious.pth').exists()
    names = sorted(p.name for p in (tmp_path / 'a').glob('*.pth'))
    assert names == ['best_count_iter_2.pth', 'best_count_iter_4.pth', 'iter_8.pth']


def test_the_best_of_a_moved_folder_is_removed_when_a_better_comes(tmp_path):
    run(tmp_path / 'a', **{'train_cfg.max_iters': 2, 'val_dataloader.dataset.length': 5})
    assert (tmp_path / 'a' / 'best_count_iter_2.pth').exists()
    (tmp_path / 'a').rename(tmp_path / 'b')
    run(tmp_path / 'b', resume='auto')
    assert sorted(p.name for p in (tmp_path / 'b').glob('*.pth')) == [
        'best_count_iter_4.pth', 'iter_8.pth']


def test_a_new_best_score_writes_the_newest_checkpoint_after_a_resume_too(tmp_path, monkeypatch):
    """Checkpoints every four iterations, validations every two, each better than the last."""
    scores = itertools.count()
    monkeypatch.setattr(ToyMetric, 'compute_metrics',
                        lambda self, results: dict(count=next(scores)))
    options = {'default_hooks.checkpoint.interval': 4}
    run(tmp_path / 'a', **{**options, 'train_cfg.max_iters': 4})

    def killed(runner, *args, **kwargs) -> None:
        raise KeyError('killed')

    monkeypatch.setattr(IterTimerHook, 'before_train_iter', lambda self, runner, *args, **kwargs:
                        killed(runner) if runner.iter == 7 else None)
    with pytest.raises(KeyError, match='killed'):
        run(tmp_path / 'a', resume='auto', **options)
    names = sorted(p.name for p in (tmp_path / 'a').glob('*.pth'))
    assert names == ['best_count_iter_6.pth', 'iter_6.pth']


def test_what_a_killed_run_began_to_write_is_cleared_away(tmp_path):
    (tmp_path / '.iter_4.pth.123.part').touch()
    (tmp_path / '.other.part').touch()
    run(tmp_path, **{'train_cfg.max_iters': 2})
    assert [p.name for p in tmp_path.glob('.*')] == ['.other.part']


def test_what_it_publishes_has_its_name_when_it_is_whole(tmp_path, monkeypatch):
    options = {'default_hooks.checkpoint.published_keys': ['meta', 'state_dict'],
               'train_cfg.max_iters': 2}
    run(tmp_path / 'a', **options)
    [path] = (tmp_path / 'a').glob('iter_2-*.pth')
    assert set(load_checkpoint(path)) == {'meta', 'state_dict'}
    replace = os.replace

    def full(source, target):
        if '-' in os.path.basename(target):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(OutputError, match=r'iter_2-\w+.pth could not be written'):
        run(tmp_path / 'b', **options)
    assert not list((tmp_path / 'b').glob('iter_2-*'))


def test_a_misspelt_argument_is_named(tmp_path):
    with pytest.raises(ConfigError, match="'max_keep_ckpt'"):
        run(tmp_path, **{'default_hooks.checkpoint.max_keep_ckpt': 3})
