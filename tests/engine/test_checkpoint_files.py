"""A run goes on from the newest checkpoint that is whole, and says what it passed over."""

import logging
import os
import random
import shutil

import pytest
import torch
from engine_toy import fingerprint, toy_cfg

from segplug.engine.checkpoint import load_checkpoint, save_checkpoint
from segplug.engine.checkpoint_files import latest_checkpoint, newest_good
from segplug.engine.neighbours import by_likelihood, good_beside
from segplug.engine.runner import Runner
from segplug.errors import CheckpointError

LOGGER = logging.getLogger('test_checkpoint_files')


def run(folder, **options) -> Runner:
    runner = Runner.from_cfg(toy_cfg(folder, **options))
    runner.train()
    return runner


def state(iteration):
    return dict(meta=dict(iter=iteration, epoch=0), optimizer={}, state_dict=dict(a=torch.ones(9)))


@pytest.fixture
def folder(tmp_path):
    """iter_2, iter_4, iter_6 with the pointer to the last, and weights alone."""
    for iteration in (2, 4, 6):
        save_checkpoint(state(iteration), tmp_path / f'iter_{iteration}.pth')
    save_checkpoint(dict(state_dict=dict(a=torch.ones(9))), tmp_path / 'weights.pth')
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_6.pth'))
    return tmp_path


def damage(path, seed=0):
    draw, data = random.Random(seed), bytearray(path.read_bytes())
    data[draw.randrange(len(data))] ^= draw.randrange(1, 256)
    path.write_bytes(data)


def test_the_pointer_counts(folder):
    assert latest_checkpoint(folder) == newest_good(folder, LOGGER) == folder / 'iter_6.pth'
    (folder / 'last_checkpoint').write_text('/elsewhere/iter_4.pth')  # the folder was moved
    assert newest_good(folder, LOGGER) == folder / 'iter_4.pth'


def test_a_copied_folder_goes_on_from_its_own_file(folder, tmp_path_factory):
    copy = tmp_path_factory.mktemp('copy') / 'a'
    shutil.copytree(folder, copy)
    assert newest_good(copy, LOGGER) == copy / 'iter_6.pth'  # and not from the other's


@pytest.mark.parametrize('name', ['läuf 1', os.fsdecode(b'l\xe4uf')])
def test_a_folder_of_any_name_in_any_language_setting(name, tmp_path):
    """The pointer holds the bytes of the path."""
    try:
        (tmp_path / name).mkdir()
    except OSError:
        pytest.skip('this file system has no such names')
    path = tmp_path / name / 'iter_2.pth'
    save_checkpoint(state(2), path)
    (tmp_path / 'last_checkpoint').write_bytes(os.fsencode(path))
    assert latest_checkpoint(tmp_path) == path


def test_checkpoints_of_another_ending_are_found_beside(folder):
    for iteration in (2, 4, 6):
        (folder / f'iter_{iteration}.pth').rename(folder / f'step-{iteration}.ckpt')
    (folder / 'last_checkpoint').write_text(str(folder / 'step-6.ckpt'))
    damage(folder / 'step-6.ckpt')
    assert newest_good(folder, LOGGER) == folder / 'step-4.ckpt'


def test_nothing_there(tmp_path):
    assert newest_good(tmp_path, LOGGER) is None
    save_checkpoint(dict(state_dict=dict(a=torch.ones(1))), tmp_path / 'weights.pth')
    assert newest_good(tmp_path, LOGGER) is None


@pytest.mark.parametrize('seed', range(100))
def test_100_flipped_bytes(seed, folder, caplog):
    damage(folder / 'iter_6.pth', seed)
    with caplog.at_level('WARNING'):
        assert newest_good(folder, LOGGER) == folder / 'iter_4.pth'
    assert f'{folder / "iter_6.pth"} is passed over' in caplog.text
    assert f'Going on from {folder / "iter_4.pth"}' in caplog.text


@pytest.mark.parametrize('length', [0, 1, 1000, -1])
def test_truncated_and_missing(length, folder, caplog):
    data = (folder / 'iter_6.pth').read_bytes()
    (folder / 'iter_6.pth').write_bytes(data[:length])
    (folder / 'iter_4.pth').unlink()
    assert newest_good(folder, LOGGER) == folder / 'iter_2.pth'
    (folder / 'iter_6.pth').unlink()
    assert newest_good(folder, LOGGER) == folder / 'iter_2.pth'
    assert 'there is no such file' in caplog.text or 'iter_6.pth is passed over' in caplog.text


@pytest.mark.parametrize('pointer', [None, b'', b'\xff\xfe\0', b'/'])
def test_a_pointer_that_names_nothing(pointer, folder):
    """Then the time of writing decides."""
    (folder / 'last_checkpoint').unlink()
    if pointer is not None:
        (folder / 'last_checkpoint').write_bytes(pointer)
    for iteration in (2, 4, 6):
        os.utime(folder / f'iter_{iteration}.pth', (10 + iteration, 10 + iteration))
    assert newest_good(folder, LOGGER) == folder / 'iter_6.pth'


def test_all_broken_is_an_error_and_no_new_start(folder):
    for path in folder.glob('iter_*.pth'):
        damage(path)
    with pytest.raises(CheckpointError, match='none to resume.*iter_6.pth .broken.'):
        newest_good(folder, LOGGER)


def test_those_before_come_first_then_the_newest(folder):
    for name, written in dict(iter_40=9, iter_4=1, iter_2=3, epoch_3=5, weights=0).items():
        (folder / f'{name}.pth').touch()
        os.utime(folder / f'{name}.pth', (written, written))
    names = [p.stem for p in by_likelihood(folder, folder / 'iter_6.pth')]
    assert names == ['iter_4', 'iter_2', 'iter_40', 'epoch_3', 'weights']


def test_a_broken_one_that_is_named_names_a_good_one(folder):
    damage(folder / 'iter_6.pth')
    damage(folder / 'iter_4.pth')
    (folder / 'text.pth').write_text('not a checkpoint')
    with pytest.raises(CheckpointError, match=r'damaged.*use \S*iter_2\.pth, which is whole'):
        load_checkpoint(folder / 'iter_6.pth')
    for path in folder.glob('*.pth'):
        path.write_bytes(b'')
    with pytest.raises(CheckpointError, match='damaged') as caught:
        load_checkpoint(folder / 'iter_6.pth')
    assert 'which is whole' not in str(caught.value)
    assert good_beside(folder / 'iter_6.pth') is None


def test_a_run_resumes_from_the_one_before_and_ends_in_the_same_bits(tmp_path):
    whole = fingerprint(run(tmp_path / 'a').model)
    run(tmp_path / 'b', **{'train_cfg.max_iters': 6})
    damage(tmp_path / 'b' / 'iter_6.pth')
    resumed = run(tmp_path / 'b', resume='auto')
    log = next(p for p in sorted((tmp_path / 'b').glob('*/*.log'), reverse=True)).read_text()
    assert 'iter_6.pth is passed over' in log
    assert 'resumed epoch: 0, iter: 4' in log
    assert fingerprint(resumed.model) == whole
    assert load_checkpoint(tmp_path / 'b' / 'iter_6.pth')['meta']['iter'] == 6  # written anew
    damage(tmp_path / 'b' / 'iter_8.pth')
    with pytest.raises(CheckpointError, match='iter_6.pth, which is whole'):
        run(tmp_path / 'b', resume=True, load_from=str(tmp_path / 'b' / 'iter_8.pth'))
