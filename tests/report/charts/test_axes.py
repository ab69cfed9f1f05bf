"""Ticks, labels and scales, by hand."""

import math

import numpy as np
import pytest

from segplug.report.charts import axes


@pytest.mark.parametrize(('low', 'high', 'expected'), [
    (0, 10, [0, 2, 4, 6, 8, 10]),  # 10 / 5 = 2
    (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
    (-3, 3, [-3, -2, -1, 0, 1, 2, 3]),  # 6 / 5 = 1.2 is nearer to 1
    (0.43, 2.87, [0.5, 1, 1.5, 2, 2.5]),  # 2.44 / 5 = 0.488 is nearest to 0.5
    (1e-9, 5e-9, [1e-9, 2e-9, 3e-9, 4e-9, 5e-9])])
def test_ticks_are_round(low, high, expected):
    assert axes.ticks(low, high) == expected


def test_log_ticks():
    assert axes.log_ticks(0.01, 100) == [0.01, 0.1, 1, 10, 100]
    assert axes.log_ticks(0.8, 9) == [1, 2, 5]
    assert axes.log_ticks(1e-20, 1) == [1e-20, 1e-16, 1e-12, 1e-8, 1e-4, 1]  # 20 / 5 = 4 decades
    assert axes.log_ticks(3, 4) == [3, 3.2, 3.4, 3.6, 3.8, 4], 'no round power: as a linear one'


@pytest.mark.parametrize(('values', 'expected'), [
    ([0, 50_000, 100_000], ['0', '50k', '100k']), ([1e6, 2.5e6], ['1M', '2.5M']),
    ([500, 1000], ['500', '1000']), ([0, 1e-5, 2e-5], ['0', '1e-5', '2e-5']),
    ([0, 0.5], ['0', '0.5']), ([123456789.1, 123456789.2], ['123456789.1', '123456789.2']),
    ([1e20], ['1e20']), ([-2000, 2000], ['-2k', '2k'])])
def test_labels_are_short(values, expected):
    assert axes.labels(values) == expected


def test_scales():
    up = axes.Scale(0, 10, 200, 100)
    assert up(0) == 200
    assert up(2.5) == 175  # a quarter of the way from 200 to 100
    log = axes.Scale(1, 100, 0, 50, log=True)
    assert log(10) == 25
    assert log(np.array([1, 100])).tolist() == [0, 50]


def test_what_has_no_place_is_nan():
    assert axes.drawable([5e-324, -1e-310]).tolist() == [0, 0]
    values = axes.drawable([1, None, math.inf, -math.inf, 1e301, math.nan, -2])
    assert np.isnan(values).tolist() == [False, True, True, True, True, True, False]
    assert np.isnan(axes.drawable([0, -1, 2], log=True)).tolist() == [True, True, False]


def test_a_span_is_never_empty():
    assert axes.span(np.array([math.nan, 2, 5])) == (2, 5)
    assert axes.span(np.array([4., 4])) == (2, 6)
    assert axes.span(np.array([0.])) == (-1, 1)
    assert axes.span(np.array([4.]), log=True) == (2, 8)
    assert axes.span(np.array([math.nan])) is None


def test_ends_move_out_to_the_step():
    assert axes.rounded_out(0.43, 2.87) == (0, 3)  # step 0.5
    assert axes.rounded_out(0, 10) == (0, 10)


def test_a_wider_axis_ends_at_its_own_ticks():
    """1.74 / 5 = 0.348 asks for steps of 0.2: 0.2 to 2; there 1.8 / 5 = 0.36 asks for 0.5."""
    assert axes.rounded_out(0.26, 2) == (0, 2)
    for low, high in np.random.default_rng(0).normal(0, 10, (200, 2)) ** 3:
        ends = axes.rounded_out(min(low, high), max(low, high))
        assert axes.ticks(*ends)[0] == ends[0]
        assert axes.ticks(*ends)[-1] == ends[1]
