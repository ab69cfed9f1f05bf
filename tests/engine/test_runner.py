"""Training, testing and resuming a toy, on one process and on two."""

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import engine_toy
import pytest
import torch
from engine_toy import ToyData, fingerprint, toy_cfg
from mmengine.config import Config

from segplug.engine.checkpoint import load_checkpoint, save_checkpoint
from segplug.engine.checkpoint_files import latest_checkpoint
from segplug.engine.distributed import launch_command
from segplug.engine.runner import Runner
from segplug.errors import CheckpointError, ConfigError, OutputError

BY_EPOCH = {  # three batches in each epoch: iteration 4 lies inside the second
    'train_cfg': dict(type='EpochBasedTrainLoop', max_epochs=3),
    'train_dataloader.sampler': dict(type='DefaultSampler', shuffle=True)}


def run(folder, **options) -> Runner:
    runner = Runner.from_cfg(toy_cfg(folder, **options))
    runner.train()
    return runner


def read_log(runner) -> str:
    return Path(runner.log_dir, f'{runner.timestamp}.log').read_text()


def test_checkpoint_is_data_with_the_promised_meta(tmp_path):
    runner = run(tmp_path)
    saved = load_checkpoint(tmp_path / 'iter_4.pth')
    meta = saved['meta']
    assert (meta['iter'], meta['epoch'], meta['seed']) == (4, 0, 3)
    assert meta['classes'] == ('a', 'b')
    assert meta['palette'] == [[0, 0, 0], [255, 255, 255]]
    assert {'segplug', 'torch', 'numpy'} <= set(meta['versions'])
    assert json.loads(meta['cfg'])['model']['type'] == 'ToyNet'
    assert saved['message_hub']['log_scalars']['train/loss']['log_history'].shape == (4,)
    assert len(saved['param_schedulers']) == 1
    assert latest_checkpoint(tmp_path) == tmp_path / 'iter_8.pth'
    log = read_log(runner)
    for part in ('[8/8]', 'lr: ', 'eta: ', 'data_time: ', 'loss_toy: ', 'memory: '):
        assert part in log
    assert log.count('SyncBN works as plain BatchNorm') == 1


@pytest.mark.parametrize('options', [
    {}, {'train_dataloader.num_workers': 2, 'train_dataloader.persistent_workers': True},
    {'optim_wrapper.accumulative_counts': 2}, {'optim_wrapper.type': 'AmpOptimWrapper'},
    {'train_dataloader.sampler': dict(type='DefaultSampler', shuffle=True)}, BY_EPOCH])
def test_resume_ends_in_the_same_bits(options, tmp_path):
    whole = fingerprint(run(tmp_path / 'whole', **options).model)
    ToyData.reads.clear()
    resumed = run(tmp_path / 'resumed', resume=True,
                  load_from=str(tmp_path / 'whole' / 'iter_4.pth'), **options)
    assert fingerprint(resumed.model) == whole
    assert 'resumed epoch: ' in read_log(resumed)
    assert 'iter: 4' in read_log(resumed)
    if not options:
        # 4 iterations of 4 samples, then the 10 of the validation: none is read twice
        assert len(ToyData.reads) == 4 * 4 + 10
    other = fingerprint(run(tmp_path / 'other', **options, **{'randomness.seed': 4}).model)
    assert other != whole


def test_dropout_matters_to_resuming(tmp_path, monkeypatch):
    """The negative control: with the iterations' seeds left out, the bits differ."""
    monkeypatch.setattr('segplug.engine.loops.seed_iteration', lambda *args: None)
    whole = fingerprint(run(tmp_path / 'whole').model)
    resumed = run(tmp_path / 'resumed', resume=True,
                  load_from=str(tmp_path / 'whole' / 'iter_4.pth'))
    assert fingerprint(resumed.model) != whole


def test_number_of_workers_does_not_change_the_weights(tmp_path):
    plain = run(tmp_path / 'a').model
    workers = run(tmp_path / 'b', **{'train_dataloader.num_workers': 2}).model
    assert fingerprint(plain) == fingerprint(workers)


def test_no_worker_is_left(tmp_path, monkeypatch):
    options = {'train_dataloader.num_workers': 2, 'train_dataloader.persistent_workers': True,
               'val_dataloader.num_workers': 1, 'val_dataloader.persistent_workers': True}
    runner = run(tmp_path / 'a', **options)
    assert runner.iter == 8
    assert multiprocessing.active_children() == []

    def fail(*args, **kwargs):
        raise OSError('disk full')

    monkeypatch.setattr('segplug.engine.checkpoint.save_checkpoint', fail)
    with pytest.raises(OSError, match='disk full'):
        run(tmp_path / 'b', **options)
    assert multiprocessing.active_children() == []


def test_auto_resume_and_a_moved_folder(tmp_path):
    run(tmp_path / 'old', **{'train_cfg.max_iters': 4})
    (tmp_path / 'old').rename(tmp_path / 'new')
    resumed = run(tmp_path / 'new', resume=True)
    assert resumed.iter == 8
    assert 'iter: 4' in read_log(resumed)
    anew = run(tmp_path / 'empty', resume=True, **{'train_cfg.max_iters': 1})
    assert 'Nothing to resume' in read_log(anew)


def test_auto_resume_without_a_checkpoint_starts_with_load_from(tmp_path):
    """A job that always resumes must not lose the weights that it fine-tunes on its first start."""
    weights = run(tmp_path / 'old').model.state_dict()
    save_checkpoint(dict(state_dict=dict(weights)), tmp_path / 'old.pth')
    options = dict(load_from=str(tmp_path / 'old.pth'), resume='auto')
    first = Runner.from_cfg(toy_cfg(tmp_path / 'new', **options))
    first.load_or_resume()
    assert torch.equal(first.model.decode_head.weight, weights['decode_head.weight'])
    run(tmp_path / 'new', **options)
    second = run(tmp_path / 'new', **options)
    assert 'resumed epoch: 0, iter: 8' in read_log(second)


def test_what_starts_anew_takes_from_load_from_the_same_with_and_without_resume(tmp_path):
    """The average of another run, which is not that run resumed."""
    average = dict(custom_hooks=[dict(type='EMAHook', momentum=0.5)])
    run(tmp_path / 'a', **average)
    first, second = (run(tmp_path / name, resume=resume, **average,
                         load_from=str(tmp_path / 'a' / 'iter_8.pth'))
                     for name, resume in (('b', False), ('c', 'auto')))
    assert fingerprint(first.model) == fingerprint(second.model)


@pytest.mark.parametrize('options', [{}, BY_EPOCH])
def test_a_run_that_is_complete_says_so_when_it_is_resumed(options, tmp_path):
    options = {**options, 'default_hooks.checkpoint.interval': 1}
    end = run(tmp_path, **options).iter
    again = run(tmp_path, resume='auto', **options)
    assert again.iter == end
    assert f'of iteration {end}, and the run has {end}: nothing is left to train' in read_log(again)


def test_a_schedule_of_the_checkpoint_that_the_config_has_otherwise_is_named(tmp_path):
    run(tmp_path, **{'train_cfg.max_iters': 4})
    schedules = [dict(type='PolyLR', by_epoch=False, power=0.9, end=16, eta_min=0),
                 dict(type='ConstantLR', by_epoch=False, factor=0.5)]
    log = read_log(run(tmp_path, resume='auto', param_scheduler=schedules))
    assert 'PolyLR goes on with end=8 of the checkpoint, not with 16 of the config.' in log
    assert 'the state of 1 schedules, the config has 2' in log
    assert 'goes on with' not in read_log(run(tmp_path, resume='auto', param_scheduler=[
        dict(type='PolyLR', by_epoch=False, power=0.9, end=8, eta_min=0)]))


def test_a_full_disk_leaves_the_config_of_an_earlier_run_whole(tmp_path, monkeypatch):
    (tmp_path / 'configs').mkdir()
    for path in (tmp_path / 'configs' / 'toy.py', tmp_path / 'toy.py'):
        path.write_text('# an earlier one')
    runner = Runner.from_cfg(Config(toy_cfg(tmp_path).to_dict(),
                                    filename=str(tmp_path / 'configs' / 'toy.py')))

    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OutputError, match='toy.py could not be written: No space'):
        runner.train()
    assert (tmp_path / 'toy.py').read_text() == '# an earlier one'


def test_a_run_that_fails_at_its_start_leaves_the_config_of_an_earlier_one(tmp_path):
    def config_file(**options):
        return Config(toy_cfg(tmp_path, **options).to_dict(), cfg_text='-', filename='toy.py')

    Runner.from_cfg(config_file()).train()
    before = (tmp_path / 'toy.py').read_text()
    with pytest.raises(CheckpointError):
        Runner.from_cfg(config_file(load_from=str(tmp_path / 'missing.pth'))).train()
    assert (tmp_path / 'toy.py').read_text() == before


def test_a_test_leaves_the_config_of_the_training(tmp_path):
    def config_file(**options):
        return Config(toy_cfg(tmp_path, **options).to_dict(), cfg_text='-', filename='toy.py')

    Runner.from_cfg(config_file()).train()
    before = (tmp_path / 'toy.py').read_text()
    runner = Runner.from_cfg(config_file(load_from=str(tmp_path / 'iter_8.pth'),
                                         experiment_name='a_test'))
    runner.test()
    assert (tmp_path / 'toy.py').read_text() == before
    assert 'a_test' in (Path(runner.log_dir) / 'toy.py').read_text()


def test_the_log_has_memory_whatever_log_processor_is_named(tmp_path):
    cfg = toy_cfg(tmp_path)
    cfg.log_processor = dict(by_epoch=False)  # as published configs write it
    runner = Runner.from_cfg(cfg)
    runner.train()
    log = read_log(runner)
    assert 'memory: ' in log
    assert 'FileClient' not in log


def test_seed_of_the_checkpoint_goes_on(tmp_path):
    whole = fingerprint(run(tmp_path / 'a').model)
    resumed = run(tmp_path / 'b', resume=True, load_from=str(tmp_path / 'a' / 'iter_4.pth'),
                  **{'randomness.seed': None})
    assert fingerprint(resumed.model) == whole


def test_config_text_is_never_evaluated(tmp_path, monkeypatch):
    run(tmp_path, **{'train_cfg.max_iters': 2})
    saved = load_checkpoint(tmp_path / 'iter_2.pth')
    saved['meta'] |= dict(config='open("HACKED", "w")', cfg='open("HACKED", "w")')
    save_checkpoint(saved, tmp_path / 'evil.pth')
    monkeypatch.chdir(tmp_path)
    run(tmp_path / 'b', resume=True, load_from='evil.pth')
    assert not Path('HACKED').exists()


def test_weights_alone_cannot_be_resumed(tmp_path):
    run(tmp_path, **{'train_cfg.max_iters': 2})
    saved = load_checkpoint(tmp_path / 'iter_2.pth')
    save_checkpoint(dict(state_dict=saved['state_dict']), tmp_path / 'w.pth')
    with pytest.raises(CheckpointError, match='weights but not the state of a run'):
        run(tmp_path / 'b', resume=True, load_from=str(tmp_path / 'w.pth'))


def test_kept_checkpoints(tmp_path):
    run(tmp_path, **{'default_hooks.checkpoint.max_keep_ckpts': 1, 'train_cfg.val_interval': 2,
                     'default_hooks.checkpoint.save_best': 'mean',
                     'default_hooks.checkpoint.rule': 'greater'})
    names = sorted(p.name for p in tmp_path.glob('*.pth'))
    assert len(names) == 2
    assert names[0].startswith('best_mean_iter_')
    assert names[1] == 'iter_8.pth'


def test_an_old_checkpoint_stays_when_the_new_one_fails(tmp_path, monkeypatch):
    def full(obj, path):
        if '4' in Path(path).name:
            raise OSError('disk full')
        return save_checkpoint(obj, path)

    monkeypatch.setattr('segplug.engine.checkpoint.save_checkpoint', full)
    with pytest.raises(OSError, match='disk full'):
        run(tmp_path, **{'default_hooks.checkpoint.max_keep_ckpts': 1})
    assert latest_checkpoint(tmp_path) == tmp_path / 'iter_2.pth'
    assert latest_checkpoint(tmp_path).is_file()


def test_testing_checks_the_model_and_holds_one_thread(tmp_path):
    run(tmp_path / 'a', **{'train_cfg.max_iters': 2})
    good = str(tmp_path / 'a' / 'iter_2.pth')
    torch.set_num_threads(2)
    try:
        runner = Runner.from_cfg(toy_cfg(tmp_path / 'b', load_from=good))
        metrics = runner.test()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert metrics['count'] == 10
    assert metrics['threads'] == 1
    save_checkpoint(dict(state_dict=dict(x=torch.ones(1))), tmp_path / 'other.pth')
    with pytest.raises(CheckpointError, match='another model'):
        Runner.from_cfg(toy_cfg(tmp_path / 'c', load_from=str(tmp_path / 'other.pth'))).test()


def test_endless_sampler_by_epoch_is_refused(tmp_path):
    with pytest.raises(ConfigError, match='InfiniteSampler'):
        run(tmp_path, train_cfg=BY_EPOCH['train_cfg'])


def test_an_epoch_without_a_batch_is_refused(tmp_path):
    with pytest.raises(ConfigError, match='An epoch has no batch: .* 3 samples .* batches of 4'):
        run(tmp_path, **{'train_dataloader.dataset.length': 3, 'train_dataloader.drop_last': True,
                         'train_dataloader.sampler.type': 'DefaultSampler'})


def test_only_the_training_data_is_streamed(tmp_path):
    runner = run(tmp_path, **{'train_cfg.max_iters': 1})
    assert type(runner.train_dataloader.dataset).__name__ == 'SampleStream'
    assert type(runner.val_dataloader.dataset) is ToyData


def test_unknown_dist_key(tmp_path):
    with pytest.raises(ConfigError, match="no key 'timeuot'"):
        Runner.from_cfg(toy_cfg(tmp_path, **{'env_cfg.dist_cfg.timeuot': 3}))


# --- two processes ------------------------------------------------------------------------


def start(folder, *options, nproc=2) -> subprocess.Popen:
    root = Path(engine_toy.__file__).parents[2]
    command = launch_command(nproc, [engine_toy.__file__, str(folder), *options])
    env = {**os.environ, 'CUDA_VISIBLE_DEVICES': '-1', 'PYTHONPATH': str(root),
           'OMP_NUM_THREADS': '1'}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True)


def test_two_processes_equal_one(tmp_path):
    job = start(tmp_path / 'two', 'train_dataloader.batch_size=2', 'model.dropout=0.0')
    output = job.communicate()[0]
    assert job.returncode == 0, output[-3000:]
    assert 'destroy_process_group' not in output  # torch's complaint about one that is left
    run(tmp_path / 'one', **{'model.dropout': 0.0})
    two = load_checkpoint(tmp_path / 'two' / 'iter_8.pth')
    one = load_checkpoint(tmp_path / 'one' / 'iter_8.pth')
    assert two['meta']['world_size'] == 2
    for name, value in one['state_dict'].items():
        torch.testing.assert_close(two['state_dict'][name], value, rtol=1e-4, atol=1e-5)
    # ten images over two processes, batch 4: nothing tested twice
    assert list(two['message_hub']['log_scalars']['train/loss']['log_history'].shape) == [8]


def test_ranks_end_when_torchrun_is_killed(tmp_path):
    job = start(tmp_path / 'a', 'train_cfg.max_iters=1000000', 'default_hooks.checkpoint=None',
                'default_hooks.logger.interval=100000')
    try:
        ranks = []
        while len(ranks) < 2 or not list((tmp_path / 'a').glob('*/vis_data/config.py')):
            assert job.poll() is None, job.stdout.read()[-3000:]
            children = Path(f'/proc/{job.pid}/task/{job.pid}/children').read_text().split()
            ranks = [int(p) for p in children]
            time.sleep(0.1)
        job.send_signal(signal.SIGKILL)
        deadline = time.time() + 60
        while any(Path(f'/proc/{pid}').exists() for pid in ranks) and time.time() < deadline:
            time.sleep(0.1)
        assert not [pid for pid in ranks if Path(f'/proc/{pid}').exists()
                    and 'State:\tZ' not in Path(f'/proc/{pid}/status').read_text()]
    finally:
        job.kill()
        job.stdout.close()
        job.wait()


if sys.platform != 'linux':
    test_ranks_end_when_torchrun_is_killed = pytest.mark.skip(
        reason='asks Linux for it')(test_ranks_end_when_torchrun_is_killed)
