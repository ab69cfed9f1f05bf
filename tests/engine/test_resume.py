"""A resumed run ends in the bits of the uninterrupted one: every pair of what may interfere.

All runs are of `resume_toy`. The normal suite runs a set of cells in which every two values of
every two factors meet; ``--slow`` runs all cells.
"""

import itertools
import json
import os
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import resume_toy
from resume_toy import (
    CUTS,
    FEATURES,
    NUM_ITERS,
    Case,
    case_cfg,
    digests,
    pair,
    resumed_at,
    train,
    witness,
)

from segplug.engine import background, loops, sampling
from segplug.engine.checkpoint import load_checkpoint, save_checkpoint
from segplug.engine.distributed import launch_command

FACTORS = dict(by_epoch=(False, True), workers=(0, 2, 4), cut=tuple(CUTS), nproc=(1, 2),
               **dict.fromkeys(FEATURES, (False, True)))
WHOLE = [Case(**dict(zip(FACTORS, values, strict=True)))
         for values in itertools.product(*FACTORS.values())]


def values_of(case: Case) -> tuple:
    return tuple(getattr(case, name) for name in FACTORS)


def pairs_in(case: Case) -> set:
    """((factor, value), (factor, value)) for every two factors."""
    return set(itertools.combinations(enumerate(values_of(case)), 2))


def pairwise_cover() -> list[Case]:
    """Cells, taken greedily, in which every two values of every two factors meet."""
    missing, chosen = set().union(*map(pairs_in, WHOLE)), []
    while missing:
        chosen.append(max(WHOLE, key=lambda case: len(pairs_in(case) & missing)))
        missing -= pairs_in(chosen[-1])
    return chosen


COVER = pairwise_cover()


def check(report: dict, case: Case) -> None:
    """The same bits, and not because everything was trained again."""
    cut = CUTS[case.cut]
    whole, resumed = report['iterations']
    assert [one for one, _ in whole] == list(range(NUM_ITERS))
    assert resumed == whole[cut:]  # from the cut on, with the samples they had
    assert report['began'][1][1] == cut
    assert report['whole'] == report['resumed']
    assert ('ema_state_dict' in report['whole']) is case.ema
    assert report['weights'][0] == report['weights'][1]


def run_job(cells: list[tuple[Case, list[str], dict]], folder: Path) -> None:
    """Check (case, its cuts, options) in turn, in one job; the reports of all of its ranks."""
    folder.mkdir(exist_ok=True)
    nproc = cells[0][0].nproc
    listed = json.dumps([dict(case=vars(case), cuts=cuts, options=options)
                         for case, cuts, options in cells])
    root = Path(resume_toy.__file__).parents[2]
    env = {**os.environ, 'CUDA_VISIBLE_DEVICES': '-1', 'PYTHONPATH': str(root),
           'OMP_NUM_THREADS': '1'}
    job = subprocess.run(launch_command(nproc, [resume_toy.__file__, str(folder), listed]), env=env,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=6000)
    assert job.returncode == 0, job.stdout[-3000:]
    expected = [replace(case, cut=cut) for case, cuts, _ in cells for cut in cuts]
    for rank in range(nproc):
        reports = json.loads((folder / f'{rank}.json').read_text())
        for report, case in zip(reports, expected, strict=True):
            report['iterations'] = [[tuple(one) for one in run] for run in report['iterations']]
            check(report, case)


# --- the matrix ---------------------------------------------------------------------------


def test_the_cover_has_every_pair():
    assert set().union(*map(pairs_in, COVER)) == set().union(*map(pairs_in, WHOLE))
    assert len(WHOLE) == 2 * 3 * 3 * 2 * 2 ** 6
    assert len(COVER) < 20


@pytest.mark.parametrize('case', [case for case in COVER if case.nproc == 1], ids=str)
def test_one_process(case, tmp_path):
    check(pair(case, tmp_path), case)


def test_two_processes(tmp_path):
    cells = [(case, [case.cut], {}) for case in COVER if case.nproc == 2]
    # Seeds that differ by rank; random ones, so that the resumed run has the checkpoint's.
    cells.append((Case(nproc=2, dropout=True, augment=True), ['inside', 'end'],
                  {'randomness.diff_rank_seed': True, 'randomness.seed': None}))
    run_job(cells, tmp_path)


def test_three_processes(tmp_path):
    run_job([(Case(nproc=3, dropout=True), ['inside', 'end'], {}),
             (Case(nproc=3, accumulate=True), ['middle'], {})], tmp_path)


def without_cuts(**values) -> list[Case]:
    """The cells of the whole matrix that have ``values``, one for all cuts."""
    return [case for case in WHOLE if case.cut == next(iter(CUTS))
            and all(getattr(case, name) == value for name, value in values.items())]


@pytest.mark.slow
@pytest.mark.parametrize('workers', FACTORS['workers'])
@pytest.mark.parametrize('by_epoch', FACTORS['by_epoch'])
def test_the_whole_matrix_on_one_process(by_epoch, workers, tmp_path):
    for number, case in enumerate(without_cuts(by_epoch=by_epoch, workers=workers, nproc=1)):
        reports = resumed_at(case, CUTS, tmp_path / str(number))
        for cut, report in zip(CUTS, reports, strict=True):
            check(report, replace(case, cut=cut))


@pytest.mark.slow
@pytest.mark.parametrize('workers', FACTORS['workers'])
@pytest.mark.parametrize('by_epoch', FACTORS['by_epoch'])
def test_the_whole_matrix_on_two_processes(by_epoch, workers, tmp_path):
    cases = without_cuts(by_epoch=by_epoch, workers=workers, nproc=2)
    run_job([(case, list(CUTS), {}) for case in cases], tmp_path)


# --- negative controls --------------------------------------------------------------------


@pytest.mark.parametrize('feature', ['dropout', 'drop_path'])
def test_without_the_iterations_seeds_the_bits_differ(feature, tmp_path, monkeypatch):
    monkeypatch.setattr(loops, 'seed_iteration', lambda *numbers: None)
    report = pair(Case(**{feature: True}), tmp_path)
    assert report['iterations'][1] == report['iterations'][0][CUTS['inside']:]
    assert report['whole']['state_dict'] != report['resumed']['state_dict']


def test_without_the_samples_seeds_the_bits_differ(tmp_path, monkeypatch):
    """mmengine's way: samples drawn from a worker's generators, seeded as it starts."""
    monkeypatch.setattr(sampling.SampleStream, '__getitem__',
                        lambda stream, key: stream.dataset[int(key)])
    report = pair(Case(augment=True, workers=2), tmp_path)
    assert report['iterations'][1] == report['iterations'][0][CUTS['inside']:]
    assert report['whole']['state_dict'] != report['resumed']['state_dict']


@pytest.mark.parametrize(('lost', 'case'), [
    ('gradients', Case(accumulate=True, cut='middle')), ('ema_state_dict', Case(ema=True)),
    ('loss_scaler', Case(scaler=True)), ('param_schedulers', Case()), ('optimizer', Case())])
def test_each_part_of_a_checkpoint_is_needed(lost, case, tmp_path):
    """Without it the ends differ, so that the matrix does see it."""
    cut = CUTS[case.cut]
    whole = train(case_cfg(case, tmp_path / 'whole'))
    saved = load_checkpoint(tmp_path / 'whole' / f'iter_{cut}.pth')
    if lost == 'optimizer':
        saved['optimizer']['state'] = {}
    else:
        del (saved['optimizer'] if lost == 'loss_scaler' else saved)[lost]
    save_checkpoint(saved, tmp_path / 'poorer.pth')
    resumed = train(case_cfg(case, tmp_path / 'resumed', resume=True,
                             load_from=str(tmp_path / 'poorer.pth')))
    assert witness(resumed).iterations == witness(whole).iterations[cut:]
    ends = [digests(tmp_path / name / f'iter_{NUM_ITERS}.pth') for name in ('whole', 'resumed')]
    assert ends[0] != ends[1]


# --- where else a run may stop ------------------------------------------------------------


@pytest.mark.parametrize('accumulate', [False, True])
def test_checkpoints_of_epochs(accumulate, tmp_path):
    """Epoch 1 ends at iteration 3: with two batches to a step, in the middle of one."""
    case = Case(by_epoch=True, accumulate=accumulate, dropout=True, ema=True)
    options = {'default_hooks.checkpoint': dict(type='CheckpointHook', by_epoch=True, interval=1)}
    whole = train(case_cfg(case, tmp_path / 'whole', **options))
    saved = load_checkpoint(tmp_path / 'whole' / 'epoch_1.pth')
    assert ('gradients' in saved) is accumulate
    resumed = train(case_cfg(case, tmp_path / 'resumed', resume=True,
                             load_from=str(tmp_path / 'whole' / 'epoch_1.pth'), **options))
    assert witness(resumed).began == (1, 3)
    assert witness(resumed).iterations == witness(whole).iterations[3:]
    assert digests(tmp_path / 'whole' / 'epoch_3.pth') == digests(
        tmp_path / 'resumed' / 'epoch_3.pth')


@pytest.mark.parametrize('counts', [1, 2])
def test_several_optimizers(counts, tmp_path):
    """Each clears the gradients of its own weights; those that the other left there stay."""
    def cfg_of(name, **options):
        cfg = case_cfg(Case(dropout=True), tmp_path / name, **options)
        cfg.model.type = 'TwoStepNet'
        cfg.optim_wrapper = dict(constructor='TwoOptimizers', accumulative_counts=counts)
        cfg.param_scheduler = dict(first=[dict(type='PolyLR', by_epoch=False, end=NUM_ITERS)],
                                   second=[dict(type='StepLR', by_epoch=False, step_size=2)])
        return cfg

    whole = train(cfg_of('whole'))
    for cut in (4, 5):
        resumed = train(cfg_of(str(cut), resume=True,
                               load_from=str(tmp_path / 'whole' / f'iter_{cut}.pth')))
        assert witness(resumed).iterations == witness(whole).iterations[cut:]
        assert digests(tmp_path / str(cut) / f'iter_{NUM_ITERS}.pth') == digests(
            tmp_path / 'whole' / f'iter_{NUM_ITERS}.pth')


@pytest.mark.parametrize('average', [
    dict(ema_type='StochasticWeightAverage', interval=2),
    dict(ema_type='MomentumAnnealingEMA', gamma=3), dict(update_buffers=True, momentum=0.1),
    dict(begin_iter=5, momentum=0.1)], ids=lambda a: next(iter(a.values())))
def test_every_kind_of_average(average, tmp_path):
    options = dict(custom_hooks=[dict(type='Witness'), dict(type='EMAHook', **average)])
    check(pair(Case(ema=True), tmp_path, **options), Case(ema=True))


@pytest.mark.slow
@pytest.mark.parametrize('schedule', [
    dict(type='OneCycleLR', eta_max=0.1, total_steps=9, three_phase=True),
    dict(type='CosineRestartLR', periods=[3, 6], restart_weights=[1, 0.5], eta_min=1e-5),
    dict(type='CosineAnnealingLR', T_max=9), dict(type='ExponentialLR', gamma=0.9),
    dict(type='CosineAnnealingMomentum', T_max=9)], ids=lambda s: s['type'])
def test_every_kind_of_schedule(schedule, tmp_path):
    options = dict(param_scheduler=[dict(schedule, by_epoch=False)])
    check(pair(Case(), tmp_path, **options), Case())


@pytest.mark.slow
@pytest.mark.parametrize('kind', [
    'SGD', 'Adam', 'Adagrad', 'Adadelta', 'RMSprop', 'NAdam', 'RAdam', 'Rprop', 'ASGD', 'Adamax'])
def test_every_kind_of_optimizer(kind, tmp_path):
    options = {'optim_wrapper.optimizer.type': kind}
    check(pair(Case(accumulate=True), tmp_path, **options), Case(accumulate=True))


def test_what_is_written_in_the_background_is_what_was_saved(tmp_path, monkeypatch):
    """Also where no step, but an average, follows the save; with a thread that is slow to copy."""
    case = Case(dropout=True, ema=True, accumulate=True)
    train(case_cfg(case, tmp_path / 'at once'))
    copy = background._fill

    def slow(pairs: list) -> None:
        time.sleep(0.02 if threading.current_thread() is not threading.main_thread() else 0)
        copy(pairs)

    monkeypatch.setattr(background, '_fill', slow)
    train(case_cfg(case, tmp_path / 'behind', **{'default_hooks.checkpoint.background': True}))
    for iteration in range(1, NUM_ITERS + 1):
        ends = [digests(tmp_path / name / f'iter_{iteration}.pth')
                for name in ('at once', 'behind')]
        assert ends[0] == ends[1]
