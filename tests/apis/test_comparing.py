"""Two runs side by side: numbers by hand, the verdict, and what is no comparison."""

import math

import numpy as np
import pytest

from segplug.apis.comparing import compare, compare_classes, verdict
from segplug.errors import ConfigError, DataError
from segplug.evaluation.bootstrap import Comparison
from segplug.evaluation.outputs import per_image_table


def write(folder, counts, classes=('sky', 'road')):
    """A folder as ``segplug test --out`` leaves it; counts (I, 3, K)."""
    folder.mkdir(parents=True)
    counts = np.asarray(counts)
    files = [f'{i:02}.png' for i in range(len(counts))]
    table = per_image_table(files, *np.moveaxis(counts, 1, 0), classes)
    table.to_csv(folder / 'per_image.csv', index=False)
    return str(folder)


# Image -> tp, fp, fn of (sky, road); label: 4 sky and 6 road pixels in each.
A = [[[4, 6], [0, 0], [0, 0]], [[2, 6], [0, 2], [2, 0]], [[4, 3], [3, 0], [0, 3]]]
B = [[[4, 6], [0, 0], [0, 0]], [[4, 6], [0, 0], [0, 0]], [[4, 2], [4, 0], [0, 4]]]


@pytest.fixture
def result(tmp_path):
    return compare(write(tmp_path / 'a', A), write(tmp_path / 'b', B), num=5)


def test_scores_by_hand(result):
    """A: sky 10 / (10 + 3 + 2), road 15 / (15 + 2 + 3). B: 12 / (12 + 4 + 0), 14 / (14 + 4)."""
    assert result['IoU']['sky']['a'] == pytest.approx(100 * 10 / 15)
    assert result['IoU']['road']['a'] == pytest.approx(75)
    assert result['IoU']['sky']['difference'] == pytest.approx(75 - 100 * 10 / 15)
    assert result['IoU']['road']['b'] == pytest.approx(100 * 14 / 18)
    whole = result['mIoU']
    assert whole['a'] == pytest.approx(50 * (10 / 15 + 0.75))
    assert whole['difference'] == pytest.approx(50 * (0.75 + 14 / 18 - 10 / 15 - 0.75))
    assert whole['low'] < whole['difference'] < whole['high']


def test_images_by_hand(result):
    """01: A (2/4 + 6/8) / 2 = 62.5, B 100. 02: A (4/7 + 3/6) / 2 = 53.6, B (4/8 + 2/6) / 2."""
    assert result['images'] == dict(better=1, worse=1, same=1, unscored=0)
    assert [row['file'] for row in result['changed']] == ['01.png', '02.png']
    assert result['changed'][0]['difference'] == pytest.approx(37.5)
    assert result['changed'][1]['b'] == pytest.approx(50 * (4 / 8 + 2 / 6))


def test_three_images_show_nothing(result):
    assert result['verdict'].startswith('No difference is shown by these 3 images: +5.')


def test_num_limits_the_list(tmp_path):
    a, b = write(tmp_path / 'a', A), write(tmp_path / 'b', B)
    assert len(compare(a, b, num=1)['changed']) == 1
    assert compare(a, b, num=0)['changed'] == []


def test_a_clear_difference_is_called(tmp_path):
    """30 images; B has about 10 pixels more of 100 right in each."""
    rng = np.random.default_rng(0)
    hits = rng.integers(60, 80, size=30), rng.integers(70, 90, size=30)
    a, b = (write(tmp_path / name, np.stack([hit, 100 - hit, 100 - hit], 1)[..., None], ['x'])
            for name, hit in zip('ab', hits, strict=True))
    better, worse = compare(a, b), compare(b, a)
    assert better['verdict'].startswith('B is better than A on images like these 30: +')
    assert worse['verdict'].startswith('B is worse than A on images like these 30: -')
    assert better['mIoU']['p_value'] == pytest.approx(1 / 2001)
    assert better['mIoU']['low'] > 0


def test_a_run_against_itself(tmp_path):
    a = write(tmp_path / 'a', A)
    result = compare(a, a)
    assert result['verdict'] == 'Every image has the same counts in both runs.'
    assert result['images'] == dict(better=0, worse=0, same=3, unscored=0)
    assert result['mIoU']['p_value'] == 1


def test_one_image_and_images_without_labels(tmp_path):
    a, b = write(tmp_path / 'a', A[1:2]), write(tmp_path / 'b', B[1:2])
    result = compare(a, b)
    assert result['verdict'].startswith('One image cannot tell')
    assert math.isnan(result['mIoU']['low'])
    nothing = np.zeros((1, 3, 2), int)
    result = compare(write(tmp_path / 'c', np.concatenate([A, nothing])),
                     write(tmp_path / 'd', np.concatenate([B, nothing])))
    assert result['images'] == dict(better=1, worse=1, same=1, unscored=1)
    empty = write(tmp_path / 'e', np.zeros((2, 3, 2), int))
    false = np.zeros((2, 3, 2), int)
    false[0, 1, 0] = 1  # predicted, labelled nowhere: A has no score, B's is 0
    result = compare(empty, write(tmp_path / 'f', false))
    assert result['verdict'].startswith('No class has a score in both runs')


@pytest.mark.parametrize(('low', 'p_value', 'start'), [
    (0.01, 0.04, 'B is better'), (0.01, 0.06, 'Undecided'), (-0.01, 0.04, 'Undecided'),
    (-0.01, 0.06, 'No difference')])
def test_interval_and_test_must_agree(low, p_value, start):
    assert verdict(Comparison(0.02, low, 0.05, p_value, 0.5, 0.52), 9, 0.95).startswith(start)


def test_wrong_input_is_named(tmp_path):
    a = write(tmp_path / 'a', A)
    with pytest.raises(DataError, match='nowhere'):
        compare(a, str(tmp_path / 'nowhere'))
    with pytest.raises(DataError, match='different images.*02.png'):
        compare(a, write(tmp_path / 'b', B[:2]))
    for setting in (dict(num=-1), dict(seed=-1), dict(level=95), dict(draws=0)):
        with pytest.raises(ConfigError):
            compare(a, a, **setting)


def test_classes_alone_are_compared_as_runs_of_one_class():
    """Sky: 10 / 15 and 12 / 16; the same class twice in both runs has the same test."""
    a, b = np.array(A), np.array(B)
    sky, road = compare_classes(a, b)
    assert (sky.a, sky.b) == pytest.approx((10 / 15, 12 / 16))
    assert road.difference == pytest.approx(14 / 18 - 15 / 20)
    assert sky.low < sky.difference < sky.high
    assert compare_classes(a[..., [1, 1]], b[..., [1, 1]]) == [road, road]
