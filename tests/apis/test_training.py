"""Training from Python and from the command line, on one process and two, and what stops it."""

import json
import os
import subprocess
import sys

import pytest
import torch
from mmengine.config import Config

from segplug.apis.training import check_validation, train
from segplug.cli.main import main
from segplug.engine.checkpoint import load_checkpoint
from segplug.errors import ConfigError, DataError

CONFIG = 'unet/unet_r18_minicity.py'


def test_the_result_says_where_the_checkpoint_is_and_what_validation_gave(trained):
    assert trained.checkpoint.is_file()
    assert trained.checkpoint.parent == trained.work_dir
    assert 0 <= trained.metrics['mIoU'] <= 100


def test_the_loss_of_the_validation_stands_beside_its_scores(trained):
    """In the log line, in scalars.json, in TensorBoard and in the result, under one name."""
    line = next(line for line in next(trained.work_dir.rglob('*.log')).read_text().splitlines()
                if 'Iter(val) [3/3]' in line and 'mIoU' in line)
    assert 'val/loss: ' in line
    assert 'val/decode.loss_ce: ' in line
    rows = [json.loads(row) for row in
            next(trained.work_dir.rglob('scalars.json')).read_text().splitlines()]
    logged, = (row for row in rows if 'mIoU' in row)
    assert logged['val/loss'] == logged['val/decode.loss_ce'] == trained.metrics['val/loss'] > 0
    event_accumulator = pytest.importorskip(
        'tensorboard.backend.event_processing.event_accumulator')
    events = event_accumulator.EventAccumulator(
        str(next(trained.work_dir.rglob('events.out.*')).parent)).Reload()
    assert events.Scalars('val/loss')[0].value == pytest.approx(logged['val/loss'])
    assert events.Scalars('loss')[0].step == 1, 'the training has a curve of its own'


def test_a_checkpoint_names_its_classes_and_is_plain_data(trained):
    saved = torch.load(trained.checkpoint, weights_only=True)
    assert list(saved['meta']['classes'][:2]) == ['road', 'sidewalk']
    assert saved['meta']['iter'] == 2
    assert '"max_iters": 2' in saved['meta']['cfg']


def test_resume_goes_on_from_the_newest_checkpoint(trained, tiny, minicity, tmp_path):
    longer = {**tiny, 'train_cfg.max_iters': 3, 'train_cfg.val_interval': 10}
    result = train(CONFIG, options=longer, data_root=os.fspath(minicity),
                   work_dir=os.fspath(tmp_path), resume=os.fspath(trained.checkpoint))
    assert load_checkpoint(result.checkpoint)['meta']['iter'] == 3
    log = next(tmp_path.rglob('*.log')).read_text()
    assert 'iter: 2' in log
    assert 'Iter(train) [3/3]' in log
    assert 'Iter(train) [1/3]' not in log


def test_two_processes_train_by_the_command_that_users_know(minicity, options, repo_root, tmp_path):
    environment = {**os.environ, 'PYTHON': sys.executable}
    done = subprocess.run(
        ['bash', 'tools/dist_train.sh', f'configs/{CONFIG}', '2', '--data-root', str(minicity),
         '--work-dir', str(tmp_path), '--amp', *options],
        cwd=repo_root, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('Trained. Checkpoint: ') == 1, 'only the first process talks'
    assert (tmp_path / 'iter_2.pth').is_file()


@pytest.mark.parametrize(('override', 'error', 'said'), [
    ({'model.decode_head.num_clases': 19}, ConfigError, "did you mean 'num_classes'"),
    ({'model.backbone.type': 'ResNett'}, ConfigError, "did you mean 'ResNet'"),
    ({'train_cfg.max_iter': 3}, ConfigError, "did you mean 'max_iters'"),
    ({'optim_wrapper.optimizer.typ': 'SGD'}, ConfigError, "no argument 'typ'"),
    ({'optim_wrapper.optimizer.type': 'AdamX'}, ConfigError, "or 'Adam'"),
    ({'param_scheduler.0.eta_mx': 1}, ConfigError, "did you mean 'eta_max'"),
    ({'randomness.sed': 1}, ConfigError, "did you mean 'seed'"),
    ({'env_cfg.cudnn_benchmrk': True}, ConfigError, "did you mean 'cudnn_benchmark'"),
    ({'env_cfg.dist_cfg.bakend': 'nccl'}, ConfigError, "did you mean 'backend'"),
    ({'auto_scale_lr.base_batch_sise': 1}, ConfigError, "did you mean 'base_batch_size'"),
    ({'train_cfg.max_iters': 'many'}, ConfigError,
     "'max_iters' of IterBasedTrainLoop has a value of a wrong type"),
    ({'log_level': 'INFOO'}, ConfigError, 'Got: INFOO'),
    ({'train_dataloader.batchsize': 2}, ConfigError, "did you mean 'batch_size'"),
    ({'default_hooks.chekpoint': dict(interval=1)}, ConfigError,
     "default_hooks has no key 'chekpoint'"),
    ({'train_dataloader.dataset.pipeline.3.prb': 1}, ConfigError, "did you mean 'prob'"),
    ({'model.decode_head.num_classes': 7}, ConfigError, 'CityscapesDataset .* has 19 classes'),
    ({'train_dataloader.dataset.data_root': 'nowhere'}, DataError, 'nowhere'),
])
def test_what_is_wrong_is_named_with_its_place(override, error, said, tiny, minicity, tmp_path):
    options = {**tiny, **override}
    root = None if 'nowhere' in override.values() else os.fspath(minicity)
    with pytest.raises(error, match=said) as caught:
        train(CONFIG, options=options, data_root=root, work_dir=os.fspath(tmp_path))
    if error is ConfigError:
        assert '--cfg-options' in str(caught.value)


def test_a_bad_config_overwrites_nothing_and_exits_with_1(trained, options, minicity, capsys):
    before = {p: p.read_bytes() for p in trained.work_dir.glob('*.p*')}
    code = main(['train', CONFIG, '--work-dir', str(trained.work_dir), '--data-root', str(minicity),
                 *options, 'model.backbone.detph=18'])
    assert code == 1
    assert "no argument 'detph'" in capsys.readouterr().err
    assert before == {p: p.read_bytes() for p in trained.work_dir.glob('*.p*')}


def test_auto_scale_lr_multiplies_by_the_batch_size_ratio(tiny, minicity, tmp_path):
    """2 images on 1 process against a base of 8: a quarter of 2e-3."""
    options = {**tiny, 'param_scheduler': None, 'train_cfg.max_iters': 1}
    train(CONFIG, options=options, data_root=os.fspath(minicity), work_dir=os.fspath(tmp_path),
          auto_scale_lr=True)
    assert 'lr: 5.0000e-04' in next(tmp_path.rglob('*.log')).read_text()


def test_auto_scale_lr_reaches_the_one_cycle(tiny, minicity, tmp_path):
    """The cycle starts at eta_max / 25: 2e-3 / 4 / 25 = 2e-5."""
    options = {**tiny, 'train_cfg.max_iters': 10, 'val_dataloader': None}
    options = {k: v for k, v in options.items() if not k.startswith('val_dataloader.')}
    train(CONFIG, options=options, data_root=os.fspath(minicity), work_dir=os.fspath(tmp_path),
          auto_scale_lr=True)
    assert 'lr: 2.0000e-05' in next(tmp_path.rglob('*.log')).read_text()


@pytest.mark.parametrize('given', [
    dict(val_dataloader=None), dict(val_dataloader=None, val_cfg=None, val_evaluator=None)])
def test_without_validation_data_there_is_no_validation(given):
    cfg = Config(dict(val_dataloader=dict(batch_size=1), val_cfg=dict(), val_evaluator=dict()))
    cfg.update(given)
    check_validation(cfg)
    assert [cfg.val_dataloader, cfg.val_cfg, cfg.val_evaluator] == [None, None, None]


def test_validation_data_without_an_evaluator_is_one_sentence():
    cfg = Config(dict(val_dataloader=dict(batch_size=1), val_cfg=dict()))
    with pytest.raises(ConfigError, match='no val_evaluator'):
        check_validation(cfg)


def test_training_alone_needs_no_other_part(tiny, minicity, tmp_path):
    alone = {**tiny, 'val_dataloader': None, 'test_evaluator': None, 'param_scheduler': None}
    alone = {k: v for k, v in alone.items() if not k.startswith(('val_dataloader.', 'test_data'))}
    result = train(CONFIG, options=alone, data_root=os.fspath(minicity), work_dir=str(tmp_path))
    assert result.metrics == {}
    assert result.checkpoint.name == 'iter_2.pth'


def test_auto_scale_lr_needs_a_base(tiny, minicity):
    with pytest.raises(ConfigError, match='base_batch_size'):
        train(CONFIG, options={**tiny, 'auto_scale_lr': None}, data_root=os.fspath(minicity),
              auto_scale_lr=True)
