"""Logs of three makers, joined where a run was resumed; what is no log is one sentence."""

import json
import math

import numpy as np
import pytest

from segplug.errors import DataError
from segplug.report.logs import log_files, read_run


def train(step, loss, **more):
    return dict(lr=0.1, loss=loss, time=0.5, iter=step, step=step, **more)


def val(step, miou):
    return {'mIoU': miou, 'val/loss': 1., 'time': 0.1, 'step': step}


def write(file, rows):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('\n'.join(r if isinstance(r, str) else json.dumps(r) for r in rows) + '\n')
    return file


def points(run, name):
    curve = run.curves[name]
    return list(zip(curve.x.tolist(), curve.y.tolist(), strict=True))


def scalars(work_dir, date, rows):
    return write(work_dir / date / 'vis_data' / 'scalars.json', rows)


def test_one_start(tmp_path):
    file = scalars(tmp_path, '20260101_000000', [train(50, 2.), train(100, 1.), val(100, 60.)])
    run = read_run(tmp_path)
    assert points(run, 'loss') == [(50, 2), (100, 1)]
    assert points(run, 'mIoU') == [(100, 60)]
    assert points(run, 'time') == [(50, 0.5), (100, 0.5)], 'of training alone'
    assert points(run, 'val/time') == [(100, 0.1)]
    assert (run.starts, run.files, run.notes) == ((50,), (file,), ())
    assert {'iter', 'step'}.isdisjoint(run.curves)


def test_any_place_of_a_run_leads_to_it(tmp_path):
    file = scalars(tmp_path, '20260101_000000', [train(50, 2.)])
    for place in (tmp_path, file.parents[1], file.parent, file):
        assert log_files(place) == [file]


def test_a_later_start_replaces_the_overlap(tmp_path):
    """Killed at 200, resumed from 100: its first line is 150. 50 and 100 stay."""
    scalars(tmp_path, '20260101_000000', [
        train(50, 5.), train(100, 4.), val(100, 40.), train(150, 3.), val(150, 45.), train(200, 2.),
        val(200, 50.)])
    scalars(tmp_path, '20260102_000000', [train(150, 3.5), train(250, 2.5), val(250, 55.)])
    scalars(tmp_path, '20260103_000000', [''])  # died before its first line
    run = read_run(tmp_path)
    assert points(run, 'loss') == [(50, 5), (100, 4), (150, 3.5), (250, 2.5)]
    assert points(run, 'mIoU') == [(100, 40), (250, 55)]
    assert run.starts == (50, 150)


def test_a_validation_alone_replaces_no_training(tmp_path):
    scalars(tmp_path, '1', [train(50, 5.), train(100, 4.), val(100, 40.)])
    scalars(tmp_path, '2', [val(100, 41.)])
    run = read_run(tmp_path)
    assert points(run, 'loss') == [(50, 5), (100, 4)]
    assert points(run, 'mIoU') == [(100, 41)]
    assert run.starts == (50,)


@pytest.mark.parametrize('step', [0, 1])
def test_a_validation_that_counts_epochs_stands_after_its_training(tmp_path, step):
    """mmengine logs the epoch, 0 in a training by iterations, unless log_metric_by_epoch=False."""
    scalars(tmp_path, '1', [train(50, 5., epoch=1), train(62, 4., epoch=1), val(step, 40.),
                            train(112, 3., epoch=2)])
    assert points(read_run(tmp_path), 'mIoU') == [(62, 40)]


def old(mode, epoch, iteration, **values):
    return dict(mode=mode, epoch=epoch, iter=iteration, **values)


def test_version_0_by_iterations(tmp_path):
    """Scores are fractions there; a validation's iter counts batches of its own."""
    write(tmp_path / '20210101_000000.log.json', [
        dict(env_info='Linux', seed=0, exp_name='x.py'), old('train', 1, 50, loss=2., time=0.3),
        old('train', 1, 100, loss=1., **{'decode.acc_seg': 80.}),
        old('val', 1, 63, lr=0.1, mIoU=0.625, **{'IoU.road': 0.5}),
        old('train', 2, 150, loss=0.5)])
    run = read_run(tmp_path)
    assert points(run, 'loss') == [(50, 2), (100, 1), (150, 0.5)]
    assert points(run, 'mIoU') == [(100, 62.5)]
    assert points(run, 'IoU.road') == [(100, 50)]
    assert points(run, 'decode.acc_seg') == [(100, 80)]
    assert 'seed' not in run.curves


def test_version_0_by_epochs(tmp_path):
    """iter counts from 1 in each epoch: 60 + 20 = 80, 60 + 60 = 120."""
    write(tmp_path / '1.log.json', [
        old('train', 1, 20, loss=3.), old('train', 1, 60, loss=2.), old('val', 1, 9, mIoU=0.5),
        old('train', 2, 20, loss=1.), old('train', 2, 60, loss=0.), old('train', 3, 20, loss=0.)])
    run = read_run(tmp_path)
    assert [x for x, _ in points(run, 'loss')] == [20, 60, 80, 120, 140]
    assert points(run, 'mIoU') == [(60, 50)]


def test_version_0_by_epochs_resumed(tmp_path):
    """The second start is in epoch 2: (2 - 1) * 60 + 40 = 100; the first got to 120."""
    write(tmp_path / '1.log.json', [old('train', e, i, loss=3.) for e in (1, 2) for i in (40, 60)])
    write(tmp_path / '2.log.json', [old('train', 2, 40, loss=1.), old('val', 2, 9, mIoU=0.5)])
    run = read_run(tmp_path)
    assert points(run, 'loss') == [(40, 3), (60, 3), (100, 1)]
    assert points(run, 'mIoU') == [(100, 50)]


def test_one_line_an_epoch(tmp_path):
    write(tmp_path / '1.log.json', [old('train', e, 60, loss=1.) for e in (1, 2, 3)])
    assert [x for x, _ in points(read_run(tmp_path), 'loss')] == [60, 120, 180]


def test_nan_and_infinity_are_values(tmp_path):
    scalars(tmp_path, '1', [train(1, 2.), train(2, math.nan), train(3, math.inf),
                            '{"loss": 1' + '0' * 400 + ', "iter": 4, "step": 4}'])
    y = read_run(tmp_path).curves['loss'].y
    assert np.isnan(y).tolist() == [False, True, False, True]
    assert y[2] == math.inf


@pytest.mark.parametrize('torn', ['{"lr": 0.1, "lo', '{"lr"\x00\x00', '\x00' * 9])
def test_a_torn_last_line_is_passed_over_with_a_word(tmp_path, torn):
    file = scalars(tmp_path, '1', [train(50, 2.), torn])
    run = read_run(tmp_path)
    assert points(run, 'loss') == [(50, 2)]
    assert run.notes == (f'{file}:2 was cut off and is passed over',)


def test_a_start_that_was_killed_in_its_first_line(tmp_path):
    scalars(tmp_path, '1', [train(50, 2.)])
    file = scalars(tmp_path, '2', ['{"lr": 0.'])
    run = read_run(tmp_path)
    assert points(run, 'loss') == [(50, 2)]
    assert run.notes == (f'{file}:1 was cut off and is passed over',)


@pytest.mark.parametrize('place', ['NaN', 'Infinity', '1' + '0' * 400, '-1e999', 'null', '"5"'])
def test_a_line_at_no_place_is_passed_over(tmp_path, place):
    scalars(tmp_path, '1', [train(50, 2.), f'{{"loss": 1.0, "iter": 1, "step": {place}}}'])
    assert (50, 2) in points(read_run(tmp_path), 'loss')


@pytest.mark.parametrize('line', ['{"loss": ', '[1, 2]', '7', 'epoch 3', '[' * 100_000])
def test_a_broken_line_is_named(tmp_path, line):
    file = scalars(tmp_path, '1', [train(50, 2.), line, train(100, 1.)])
    with pytest.raises(DataError, match='scalars.json:2 is no line of a log') as error:
        read_run(tmp_path)
    assert str(file) in str(error.value)
    assert len(str(error.value)) < 600


@pytest.mark.parametrize(('make', 'words'), [
    (lambda d: d / 'none', 'There is no'),
    (lambda d: d, 'holds no log of a training. Got: an empty folder'),
    (lambda d: [write(d / f'{i}.txt', ['']) for i in range(6)][0].parent,
     'Got: 0.txt, 1.txt, 2.txt, 3.txt and 2 more'),
    (lambda d: write(d / 'metrics.json', ['{', '"mIoU": 5', '}']), 'metrics.json:1 is no line'),
    (lambda d: write(d / 'a.json', ['']), 'a.json holds no value'),
    (lambda d: write(d / 'a.json', ['{"mIoU": 5}']), 'a.json holds no value')])
def test_what_is_no_run_is_one_sentence(tmp_path, make, words):
    with pytest.raises(DataError, match=words):
        read_run(make(tmp_path))


def test_bytes_are_no_log(tmp_path):
    (tmp_path / 'x.json').write_bytes(b'\xff\xfe\x00')
    with pytest.raises(DataError, match='cannot be read'):
        read_run(tmp_path / 'x.json')
