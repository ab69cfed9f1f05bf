"""Which curves stand in which chart, what they are called, and the moving average by hand."""

import math

import numpy as np
import pytest

from segplug.errors import ConfigError
from segplug.report.curves import chosen, panels, smoothed
from segplug.report.logs import Curve, RunLog


def run(**curves):
    return RunLog('r', {key.replace('__', '/').replace('_', '.'): Curve(
        np.arange(1., len(y) + 1), np.array(y, np.float64)) for key, y in curves.items()}, (1,), ())


ONE = run(loss=[3, 2], val__loss=[2.5], mIoU=[50], lr=[1, 1], decode_a=[1], decode_b=[1])


def names(found):
    return {panel.key: [line.name for line in panel.series] for panel in found}


def test_the_usual_curves_of_one_run():
    assert chosen([ONE]) == ['loss', 'val/loss', 'mIoU']
    assert names(panels([ONE], ['x'])) == {'loss': ['loss', 'val/loss'], 'mIoU': ['mIoU']}


def test_a_validation_stands_beside_its_training_where_that_is_drawn():
    """But not the time of one, which is of something else."""
    found = run(loss=[3], val__loss=[2], time=[1], val__time=[1])
    assert names(panels([found], ['x'], ['val/loss'])) == {'val/loss': ['val/loss']}
    assert names(panels([found], ['x'], ['loss', 'val/*', 'time'])) == {
        'loss': ['loss', 'val/loss'], 'val/time': ['val/time'], 'time': ['time']}


def test_two_runs_share_a_chart():
    other = run(loss=[1], a__mIoU=[1])
    assert names(panels([ONE, other], ['x', 'y'])) == {
        'loss': ['x', 'x, validation', 'y'], 'mIoU': ['x'], 'a/mIoU': ['y']}


def test_without_usual_curves_there_are_others():
    assert chosen([run(time=[1], psnr=[1], ssim=[1])]) == ['psnr', 'ssim']
    assert chosen([run(time=[1])]) == ['time']


def test_patterns_and_misspelt_keys():
    assert chosen([ONE], ['decode.*', 'lr', 'lr']) == ['decode.a', 'decode.b', 'lr']
    with pytest.raises(ConfigError, match="No log has 'mIuo'.*did you mean 'mIoU'"):
        chosen([ONE], ['mIuo'])


def test_a_name_that_looks_like_a_pattern_is_taken_as_it_is():
    found = RunLog('r', {'a[0]': ONE.curves['loss'], 'a0': ONE.curves['lr']}, (1,), ())
    assert chosen([found], ['a[0]']) == ['a[0]']


def test_a_legend_goes_run_by_run():
    found = panels([ONE, ONE], ['x', 'y'], ['loss', 'mIoU'], legend=['1', '2', '3', '4'])
    assert names(found) == {'loss': ['1', '3'], 'mIoU': ['2', '4']}
    with pytest.raises(ConfigError, match='Got: 3 names. Expected: 4: the curves loss, mIoU of 2 '
                                          'runs'):
        panels([ONE, ONE], ['x', 'y'], ['loss', 'mIoU'], legend=['1', '2', '3'])


def test_smoothed_by_hand():
    """Weight 0.5: 4; (0.5 * 4 + 1) / 1.5 = 2; (0.25 * 4 + 0.5 * 1 + 9) / 1.75 = 6."""
    assert smoothed(np.array([4, math.nan, 1, 9]), 0.5)[[0, 2, 3]] == pytest.approx([4, 2, 6])
    assert np.isnan(smoothed(np.array([4, math.nan]), 0.5)[1])
    assert smoothed(np.array([4., 1]), 0).tolist() == [4, 1]


def test_long_curves_are_smoothed_with_the_logged_values_behind():
    long = run(loss=list(range(30)), val__loss=[1, 2])
    loss = panels([long], ['x'], smooth=0.9)[0]
    assert [(line.name, line.faint, line.colour) for line in loss.series] == [
        ('', True, 0), ('loss', False, 0), ('val/loss', False, 1)]
    assert loss.series[2].y.tolist() == [1, 2]
    with pytest.raises(ConfigError, match='smooth is out of range'):
        panels([long], ['x'], smooth=1)


def test_a_chart_is_drawn():
    assert 'loss over the training' in panels([ONE], ['x'])[0].svg()
