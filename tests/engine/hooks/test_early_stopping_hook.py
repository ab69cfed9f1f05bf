"""Early stopping ends where it would have without an interruption, and an ended run stays ended."""

import pytest
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from resume_toy import Case, case_cfg, digests, train, witness

from segplug.engine.checkpoint import load_checkpoint
from segplug.registry import HOOKS, METRICS

SCORES = {1: 5, 2: 7, 3: 6, 4: 6, 5: 6, 6: 6, 7: 8, 8: 6, 9: 6}  # of a validation of each iteration


@METRICS.register_module()
class Scripted(BaseMetric):
    """`SCORES` of the iteration that `Clock` told."""

    now = None

    def process(self, data_batch, data_samples) -> None:
        self.results.append(0)

    def compute_metrics(self, results: list) -> dict:
        return dict(score=float(SCORES[Scripted.now]))


@HOOKS.register_module()
class Clock(Hook):
    """Tells the metric the iteration."""

    def before_val(self, runner) -> None:
        Scripted.now = runner.iter


def cfg_of(folder, patience: int = 4, **options):
    cfg = case_cfg(Case(), folder, **options)
    cfg.val_dataloader = dict(batch_size=4, num_workers=0, sampler=dict(
        type='DefaultSampler', shuffle=False), dataset=dict(type='DrawnData', augment=False))
    cfg.val_cfg, cfg.val_evaluator = dict(), dict(type='Scripted')
    cfg.train_cfg.val_interval = 1
    cfg.custom_hooks += [dict(type='Clock'), dict(
        type='EarlyStoppingHook', monitor='score', rule='greater', patience=patience, min_delta=0)]
    return cfg


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """The best score is that of iteration 2; 3, 4, 5 and 6 are worse, so it ends after 6."""
    folder = tmp_path_factory.mktemp('whole')
    runner = train(cfg_of(folder))
    assert runner.iter == 6
    return folder


@pytest.mark.parametrize('cut', [2, 4, 5])
def test_patience_goes_on_where_it_was(cut, whole, tmp_path):
    resumed = train(cfg_of(tmp_path, resume=True, load_from=str(whole / f'iter_{cut}.pth')))
    assert [one for one, _ in witness(resumed).iterations] == list(range(cut, 6))
    assert digests(tmp_path / 'iter_6.pth') == digests(whole / 'iter_6.pth')


def test_a_run_that_it_ended_has_nothing_left_to_train(whole, tmp_path):
    end = str(whole / 'iter_6.pth')
    assert witness(train(cfg_of(tmp_path / 'a', resume=True, load_from=end))).iterations == []
    # With more patience it goes on: 7 is better, 8 and 9 are not.
    longer = train(cfg_of(tmp_path / 'b', patience=5, resume=True, load_from=end))
    assert [one for one, _ in witness(longer).iterations] == [6, 7, 8]
    known = load_checkpoint(tmp_path / 'b' / 'iter_9.pth')['message_hub']['runtime_info']
    assert known['early_stopping'] == dict(score=dict(wait_count=2, best_score=8.0, ended_by=None))


def test_a_validation_that_it_missed_is_done_first(whole, tmp_path):
    """Killed between the checkpoint of iteration 6 and its validation: as if written before it."""
    from segplug.engine.checkpoint import save_checkpoint
    saved = load_checkpoint(whole / 'iter_6.pth')
    infos = saved['message_hub']['runtime_info']
    infos['last_validation'] = 5
    infos['early_stopping'] = load_checkpoint(
        whole / 'iter_5.pth')['message_hub']['runtime_info']['early_stopping']
    save_checkpoint(saved, tmp_path / 'iter_6.pth')
    resumed = train(cfg_of(tmp_path / 'a', resume=True, load_from=str(tmp_path / 'iter_6.pth')))
    assert witness(resumed).iterations == []
    assert resumed.train_loop.stop_training
