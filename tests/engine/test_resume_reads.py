"""A resume reads no sample that the run has seen, however far it is, with any workers."""

import itertools
import os
from pathlib import Path

import pytest
from resume_toy import CUTS, NUM_ITERS, Case, DrawnData, case_cfg, digests, train, witness

from segplug.engine.checkpoint import load_checkpoint, save_checkpoint
from segplug.engine.sampling import epoch_order
from segplug.registry import DATASETS

LENGTH, BATCH, SEED = 60_000, 4, 3  # 15,000 batches in an epoch


@DATASETS.register_module()
class CountedData(DrawnData):
    """Notes each read in a file, so that those of workers are seen too."""

    def __init__(self, notes: str) -> None:
        super().__init__(augment=False, length=LENGTH)
        self.notes = notes

    def __getitem__(self, index: int) -> dict:
        handle = os.open(self.notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, b'%d\n' % index)  # one write of a line is never mixed with another
        os.close(handle)
        return super().__getitem__(index)


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory) -> dict:
    """What the toy's run saved at iteration 4."""
    folder = tmp_path_factory.mktemp('run')
    train(case_cfg(Case(), folder))
    return load_checkpoint(folder / 'iter_4.pth')


def expected_samples(iteration: int, count: int) -> list[int]:
    """The samples from the first of ``iteration`` on, by the definition of the order."""
    epoch, start = divmod(iteration * BATCH, LENGTH)
    return epoch_order(SEED, epoch, LENGTH)[start:start + count].tolist()


@pytest.mark.parametrize(('kind', 'workers', 'iteration'), [
    *itertools.product(['by epoch', 'by iteration', 'endless', 'plain endless'], [0, 2],
                       [10, 10_000]),
    ('by epoch', 4, 10_000), ('endless', 0, 40_000)])  # the last in the third epoch
def test_no_sample_is_read_before_the_first_new_batch(kind, workers, iteration, checkpoint,
                                                      tmp_path):
    notes = tmp_path / 'notes'
    sampler = {'endless': 'InfiniteSampler', 'plain endless': 'mmengine.InfiniteSampler'}
    cfg = case_cfg(Case(by_epoch=kind == 'by epoch', workers=workers), tmp_path / 'work',
                   resume=True, load_from=str(tmp_path / 'from.pth'),
                   custom_hooks=[dict(type='Witness'), dict(type='Stopper', count=2)])
    cfg.train_dataloader.dataset = dict(type='CountedData', notes=str(notes))
    cfg.train_dataloader.sampler = dict(type=sampler.get(kind, 'DefaultSampler'), shuffle=True)
    cfg.train_cfg.update(dict(max_epochs=9) if kind == 'by epoch' else dict(max_iters=90_000))
    cfg.param_scheduler = None
    meta = {**checkpoint['meta'], 'iter': iteration, 'epoch': 0}
    save_checkpoint({**checkpoint, 'meta': meta}, tmp_path / 'from.pth')
    runner = train(cfg)
    seen = witness(runner).iterations
    assert [one for one, _ in seen] == [iteration, iteration + 1]
    read = [int(line) for line in notes.read_text().split()]
    # Each worker reads two batches ahead, and another once the first is taken.
    ahead = BATCH * (2 + 3 * workers)
    assert len(read) == len(set(read)) <= ahead
    if kind == 'plain endless':  # another order than ours: what it gave is all that was read
        assert set(sum((samples for _, samples in seen), [])) <= set(read)
        return
    assert sum((samples for _, samples in seen), []) == expected_samples(iteration, 2 * BATCH)
    assert set(read) <= set(expected_samples(iteration, ahead))


def test_a_plain_endless_sampler_gives_what_comes_next(tmp_path):
    """Where the test above cannot say it by the definition of an order."""
    options = {'train_dataloader.sampler.type': 'mmengine.InfiniteSampler'}
    whole = train(case_cfg(Case(augment=True), tmp_path / 'whole', **options))
    resumed = train(case_cfg(Case(augment=True), tmp_path / 'resumed', resume=True,
                             load_from=str(tmp_path / 'whole' / 'iter_5.pth'), **options))
    assert witness(resumed).iterations == witness(whole).iterations[5:]
    assert digests(tmp_path / 'whole' / 'iter_9.pth') == digests(
        tmp_path / 'resumed' / 'iter_9.pth')


@pytest.mark.parametrize('by_epoch', [False, True])
def test_the_number_of_workers_may_change(by_epoch, tmp_path):
    """0 all the way; 0, resumed with 2; 0, resumed with 4; 4 all the way: one set of bits."""
    def folder_of(name: str) -> Path:
        return tmp_path / name

    def one_run(name: str, workers: int, **options) -> dict:
        case = Case(by_epoch=by_epoch, workers=workers, augment=True, dropout=True)
        cfg = case_cfg(case, folder_of(name), **options)
        cfg.train_dataloader.sampler.type = 'DefaultSampler'
        train(cfg)
        return digests(folder_of(name) / f'iter_{NUM_ITERS}.pth')

    expected = one_run('none', 0)
    start = str(folder_of('none') / f'iter_{CUTS["middle"]}.pth')
    assert one_run('four', 4) == expected
    for workers in (2, 4):
        assert one_run(f'to {workers}', workers, resume=True, load_from=start) == expected
