"""A run that stops at a validation neither loses what follows from metrics nor does it twice."""

from pathlib import Path

import pytest
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from resume_toy import Case, Stopped, case_cfg, digests, train, witness

from segplug.engine.checkpoint import load_checkpoint
from segplug.registry import HOOKS, METRICS


@METRICS.register_module()
class Falling(BaseMetric):
    """The mean prediction, and a score of 5, 7 and 6 in turn.

    Args:
        dies_at: Iteration at which the run ends in the middle of the validation.
    """

    iterations, now = [], None

    def __init__(self, dies_at: int | None = None) -> None:
        super().__init__()
        self.dies_at = dies_at

    def process(self, data_batch, data_samples) -> None:
        self.results += [float(x) for x in data_samples]

    def compute_metrics(self, results: list) -> dict:
        if Falling.now == self.dies_at:
            raise Stopped
        Falling.iterations.append(Falling.now)
        return dict(mean=sum(results) / len(results), score={3: 5, 6: 7, 9: 6}[Falling.now])


@HOOKS.register_module()
class Telling(Hook):
    """Tells the metric the iteration."""

    def before_val(self, runner) -> None:
        Falling.now = runner.iter


FOLLOW_UPS = {
    'schedule': dict(param_scheduler=[dict(
        type='ReduceOnPlateauLR', monitor='score', rule='less', patience=0, by_epoch=True)]),
    'best': {'default_hooks.checkpoint.save_best': 'score',
             'default_hooks.checkpoint.rule': 'greater'},
    'none': {}}


def cfg_of(folder: Path, by_epoch: bool, follow_up: str, dies_at: int | None = None, **options):
    """Validates at iterations 3, 6 and 9, which are the ends of the epochs."""
    cfg = case_cfg(Case(by_epoch=by_epoch, dropout=True), folder,
                   **FOLLOW_UPS[follow_up], **options)
    cfg.val_dataloader = dict(batch_size=4, num_workers=0, sampler=dict(
        type='DefaultSampler', shuffle=False), dataset=dict(type='DrawnData', augment=False))
    cfg.val_cfg = dict()
    cfg.custom_hooks.append(dict(type='Telling'))
    cfg.val_evaluator = dict(type='Falling', dies_at=dies_at)
    cfg.train_cfg.val_interval = 1 if by_epoch else 3
    if by_epoch:
        cfg.default_hooks.checkpoint.by_epoch = True
    return cfg


def end(folder: Path, by_epoch: bool) -> dict:
    """Digests of the last checkpoint, the best score, and which files there are."""
    path = folder / ('epoch_3.pth' if by_epoch else 'iter_9.pth')
    infos = load_checkpoint(path)['message_hub']['runtime_info']
    return dict(digests(path), score=infos.get('best_score'),
                best=[p.name for p in folder.glob('best*')])


@pytest.mark.parametrize('follow_up', FOLLOW_UPS)
@pytest.mark.parametrize('by_epoch', [False, True])
def test_killed_in_the_middle_of_a_validation(by_epoch, follow_up, tmp_path):
    train(cfg_of(tmp_path / 'whole', by_epoch, follow_up))
    train(cfg_of(tmp_path / 'killed', by_epoch, follow_up, dies_at=6))
    Falling.iterations.clear()
    resumed = train(cfg_of(tmp_path / 'killed', by_epoch, follow_up, resume='auto'))
    assert witness(resumed).began[1] == 6
    assert [one for one, _ in witness(resumed).iterations] == [6, 7, 8]
    # Without a follow-up the run goes on at once.
    assert Falling.iterations == ([9] if follow_up == 'none' else [6, 9])
    assert end(tmp_path / 'killed', by_epoch) == end(tmp_path / 'whole', by_epoch)
    assert end(tmp_path / 'whole', by_epoch)['score'] == (7 if follow_up == 'best' else None)


@pytest.mark.parametrize('follow_up', FOLLOW_UPS)
@pytest.mark.parametrize('by_epoch', [False, True])
def test_killed_after_a_validation(by_epoch, follow_up, tmp_path):
    """It is not done again; at 3, 6 and 9 the score is the first, better, and worse."""
    train(cfg_of(tmp_path / 'whole', by_epoch, follow_up))
    for at in (3, 6, 9):
        name = f'epoch_{at // 3}.pth' if by_epoch else f'iter_{at}.pth'
        Falling.iterations.clear()
        resumed = train(cfg_of(tmp_path / str(at), by_epoch, follow_up, resume=True,
                               load_from=str(tmp_path / 'whole' / name)))
        assert witness(resumed).began[1] == at
        assert Falling.iterations == list(range(at + 3, 10, 3))
        if at < 9:
            assert digests(tmp_path / str(at) / Path(name).with_stem(
                'epoch_3' if by_epoch else 'iter_9')) == digests(
                tmp_path / 'whole' / ('epoch_3.pth' if by_epoch else 'iter_9.pth'))


def test_the_schedule_did_step(tmp_path):
    """Patience 0: scores 7 and 6 are no better than 5, so the rate falls twice, by ten each."""
    runner = train(cfg_of(tmp_path, False, 'schedule'))
    assert runner.optim_wrapper.get_lr()['lr'] == [pytest.approx(0.01 / 100)]


def test_a_checkpoint_that_lies_in_no_epoch_is_said(tmp_path):
    """Of a run by iterations, or with another batch size: 9 iterations are not in epoch 1."""
    train(case_cfg(Case(), tmp_path / 'a'))
    cfg = case_cfg(Case(by_epoch=True), tmp_path / 'b', resume=True,
                   load_from=str(tmp_path / 'a' / 'iter_9.pth'), log_level='WARNING')
    runner = train(cfg)
    assert [one for one, _ in witness(runner).iterations] == list(range(9, 18))
    log = Path(runner.log_dir, f'{runner.timestamp}.log').read_text()
    assert 'Iteration 9 does not lie in epoch 1 of 3 batches' in log
