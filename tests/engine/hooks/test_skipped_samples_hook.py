"""A training that skips says what it left out: in the log, in a file, once, over a resume too."""

import os

import pytest
import torch
from engine_toy import ToyData, toy_cfg

from segplug.engine.hooks import skipped_samples_hook
from segplug.engine.hooks.skipped_samples_hook import (
    FILE,
    SkippedSamplesHook,
    read_list,
    write_list,
)
from segplug.engine.runner import Runner
from segplug.engine.skipping import Skipped
from segplug.errors import ConfigError, DataError
from segplug.registry import DATASETS


@DATASETS.register_module()
class HoledData(ToyData):
    """ToyData of which some samples cannot be read."""

    def __init__(self, bad=(), length: int = 10) -> None:
        super().__init__(length)
        self.bad = bad

    def __getitem__(self, index: int) -> dict:
        if index in self.bad:
            raise DataError(f'The image {index}.png is empty.', got='0 bytes', fix='restore it')
        return super().__getitem__(index)


def runner_of(work_dir, bad=(2, 5), skip=True, **options) -> Runner:
    cfg = toy_cfg(work_dir, **{'train_dataloader.dataset': dict(type='HoledData', bad=list(bad)),
                               'train_dataloader.skip_bad_samples': skip, **options})
    return Runner.from_cfg(cfg)


def logged(work_dir) -> list[str]:
    return [line for path in sorted(work_dir.glob('*/*.log')) for line in
            path.read_text().splitlines()]


def hooks_of(runner) -> list:
    return [hook for hook in runner.hooks if isinstance(hook, SkippedSamplesHook)]


def test_each_is_logged_once_and_all_are_listed_at_the_end(tmp_path):
    runner_of(tmp_path).train()  # 8 batches of 4: three epochs of 10 samples
    assert read_list(tmp_path / FILE) == {
        f'sample {i}': f'The image {i}.png is empty. Got: 0 bytes.' for i in (2, 5)}
    lines = logged(tmp_path)
    for i in (2, 5):
        assert len([x for x in lines if 'Left out' in x and f'sample {i}: The image' in x]) == 1
    end = next(k for k, x in enumerate(lines) if '2 samples were left out of the training' in x)
    assert str(tmp_path / FILE) in lines[end]
    assert {x.split(':')[0].strip() for x in lines[end + 1:end + 3]} == {'sample 2', 'sample 5'}


def test_nothing_bad_is_said_too_and_a_list_of_an_earlier_run_goes(tmp_path):
    (tmp_path / FILE).write_text('old\tlist\n')
    runner_of(tmp_path, bad=()).train()
    assert not (tmp_path / FILE).exists()
    assert any('No sample was left out' in line for line in logged(tmp_path))


def test_a_limit_ends_the_run_with_the_files(tmp_path):
    runner_of(tmp_path / 'two', skip=2).train()
    with pytest.raises(DataError, match=r'skip_bad_samples=1 allows.*Got: 2: sample'):
        runner_of(tmp_path / 'one', skip=1).train()
    assert len(read_list(tmp_path / 'one' / FILE)) == 2


def test_a_resumed_run_ends_alike_and_goes_on_with_the_list(tmp_path):
    whole, cut = tmp_path / 'whole', tmp_path / 'cut'
    runner_of(whole).train()
    runner_of(cut, **{'train_cfg.max_iters': 4}).train()
    write_list(cut / FILE, {'earlier': 'broken', **read_list(cut / FILE)})
    runner_of(cut, resume='auto').train()
    ends = [torch.load(path / 'iter_8.pth', weights_only=True)['state_dict']
            for path in (whole, cut)]
    assert all(torch.equal(ends[0][k], ends[1][k]) for k in ends[0])
    assert set(read_list(cut / FILE)) == {'earlier', 'sample 2', 'sample 5'}


def test_processes_tell_each_other_and_stop_together(tmp_path, monkeypatch):
    """This one met sample 2; the other met 2 and 5."""
    runner = runner_of(tmp_path, skip=1)
    runner.call_hook('before_run')
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    hook, = hooks_of(runner)
    hook.before_train(runner)
    theirs = [Skipped(f'sample {i}', 'x') for i in (2, 5)]
    monkeypatch.setattr(skipped_samples_hook, 'get_world_size', lambda: 2)
    monkeypatch.setattr(skipped_samples_hook, 'all_gather_object', lambda own: [own, theirs])
    runner.train_dataloader.skipped.append(Skipped('sample 2', 'x'))
    runner.train_loop._iter = 3
    hook.after_train_iter(runner, 3)  # not yet: they tell each other every 50 iterations
    assert not (tmp_path / FILE).exists()
    runner.train_loop._iter = 49
    with pytest.raises(DataError, match='Got: 2: sample 2; sample 5'):
        hook.after_train_iter(runner, 49)
    assert read_list(tmp_path / FILE) == {'sample 2': 'x', 'sample 5': 'x'}


def test_only_a_training_that_skips_has_the_hook(tmp_path):
    assert len(hooks_of(runner_of(tmp_path / 'a'))) == 1
    assert hooks_of(runner_of(tmp_path / 'b', skip=False)) == []


def test_a_validation_that_skips_is_refused(tmp_path):
    with pytest.raises(ConfigError, match='leaves no sample out'):
        runner_of(tmp_path, **{'val_dataloader.skip_bad_samples': True}).train()


def test_the_list_holds_names_of_any_kind(tmp_path):
    names = ['straße 图.png', os.fsdecode(b'\xff.png'), 'a b.png']
    write_list(tmp_path / FILE, dict.fromkeys(names, 'one\nreason\twith tabs'))
    assert read_list(tmp_path / FILE) == dict.fromkeys(names, 'one reason with tabs')
    assert read_list(tmp_path / 'none') == {}
    (tmp_path / 'other').write_text('something\nelse\n')
    with pytest.raises(DataError, match='other'):
        read_list(tmp_path / 'other')


def test_a_long_list_is_cut_in_the_log(tmp_path):
    runner_of(tmp_path, bad=range(40), **{'train_dataloader.dataset.length': 64,
                                          'train_cfg.max_iters': 30}).train()
    assert len(read_list(tmp_path / FILE)) == 40
    assert any('... and 20 more' in line for line in logged(tmp_path))
