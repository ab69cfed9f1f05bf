"""Intervals and the paired test against enumeration, SciPy and a population of known truth."""

import itertools

import numpy as np
import pytest
from scipy import stats

from segplug.errors import ConfigError, ShapeError
from segplug.evaluation import bootstrap, scores
from segplug.evaluation.bootstrap import RATIOS, interval, paired

# Binomial(500, 0.95) lies between 465 and 485 (93 and 97 %) in 96 % of cases; the issue allows
# 92 to 98 %.
DATA_SETS = 500


def population(num_classes: int, rarest: float, num_images: int = 20_000) -> np.ndarray:
    """All images that there are, (I, 3, K) int64; its own score is the truth, exactly.

    A scene makes classes come together, an image is hard for all of its classes, areas are
    skewed, later classes are rarer, smaller and worse, and missed pixels go to other classes.
    """
    rng = np.random.default_rng(num_classes)
    shape = (num_images, num_classes)
    scene, difficulty = rng.normal(size=(2, num_images, 1))
    presence = np.geomspace(0.95, rarest, num_classes)
    cut = np.quantile(rng.normal(size=100_000) * np.sqrt(1.5), presence)
    present = np.sqrt(0.5) * scene + rng.normal(size=shape) < cut
    size = np.geomspace(2000, 200, num_classes)
    area = np.where(present, np.round(size * rng.lognormal(0, 1, shape)), 0)
    ease = np.linspace(3, 0, num_classes) + difficulty + rng.normal(0, 0.8, shape)
    hit = np.round(area / (1 + np.exp(-ease)))
    missed = area - hit
    false = np.round(missed.sum(1, keepdims=True) * size / size.sum())
    return np.stack([hit, false, missed], axis=1).astype(np.int64)


def another_run(images: np.ndarray, seed: int, better: float = 0.) -> np.ndarray:
    """The same images and labels with the predictions of a run that is ``better`` (logits)."""
    rng = np.random.default_rng(seed)
    area = images[:, 0] + images[:, 2]
    share = (images[:, 0] + 1) / (area + 2)
    ease = np.log(share / (1 - share)) + better + rng.normal(0, 0.4, area.shape)
    hit = np.round(area / (1 + np.exp(-ease))).astype(np.int64)
    return np.stack([hit, images[:, 1], area - hit], axis=1)


def miou(images: np.ndarray) -> float:
    return float(scores.mean(scores.class_scores(*images.sum(axis=0))['IoU']))


def draw(count: int, size: int, seed: int):
    """(data set, image) indices into the population."""
    return np.random.default_rng(seed).integers(20_000, size=(count, size))


# Two images of one class: tp 1 and 3, fp 0, fn 1 and 1.
TWO = np.array([[[1], [0], [1]], [[3], [0], [1]]])


def test_the_standard_error_by_hand():
    """IoU = 4 / 6; influences (1 - 2/3 * 2) / 6 = -1/18 and (3 - 2/3 * 4) / 6 = 1/18."""
    parts = bootstrap._parts([TWO], 'IoU', 0.95, 1)
    error = bootstrap._standard_error(np.ones((1, 2)), parts, parts.sum(axis=0)[None], np.ones(1))
    np.testing.assert_allclose(error, np.sqrt(2) / 18, rtol=1e-14)


@pytest.mark.parametrize('score', RATIOS)
def test_the_estimate_is_the_score_to_the_bit(score):
    images = population(5, 0.3, 50)
    images[:, :, 3] = 0  # in no image: left out of the mean
    expected = scores.mean(scores.class_scores(*images.sum(axis=0))[score])
    assert interval(images, score, draws=10).estimate == expected
    both = paired(images, another_run(images, 1), score, draws=10)
    assert both.a == expected
    assert both.difference == both.b - both.a


def test_every_score_of_a_class_has_an_interval():
    assert set(RATIOS) == set(scores.class_scores(*np.ones((3, 1))))


def test_the_interval_is_that_of_all_resamples():
    """Five images have 5**5 = 3125 resamples: half width = s * 80 % quantile of |d| / s*."""
    images = np.random.default_rng(4).integers(1, 9, size=(5, 3, 2))

    def slopes_error(index):
        """Numerical influence of one more copy of each image, and the score."""
        own, step = images[list(index)], 1e-6
        total = own.sum(axis=0)

        def score(shift):
            hit, false, missed = total + shift
            return np.mean(hit / (hit + false + missed))
        gains = [(score(step * image) - score(-step * image)) / (2 * step) for image in own]
        return score(0), np.sqrt(np.sum(np.square(gains)))

    estimate, error = slopes_error(range(5))
    far = []
    for index in itertools.product(range(5), repeat=5):
        value, own_error = slopes_error(index)
        # Five copies of one image have no spread: 5 of 3125 lie infinitely far.
        far.append(abs(value - estimate) / own_error if len(set(index)) > 1 else np.inf)
    margin = error * np.quantile(far, 0.8)
    result = interval(images, level=0.8, draws=40_000)
    assert result.high - result.estimate == pytest.approx(margin, rel=0.02)
    assert result.estimate - result.low == pytest.approx(margin, rel=0.02)


def test_the_p_value_is_that_of_scipy():
    """Eight images have 256 swaps; SciPy goes through all of them."""
    images = population(2, 0.8, 8)
    runs = np.concatenate([images, another_run(images, 3, better=0.4)])
    exact = stats.permutation_test(
        (np.arange(8), 8 + np.arange(8)), lambda a, b: miou(runs[b]) - miou(runs[a]),
        permutation_type='samples', n_resamples=np.inf, vectorized=False)
    result = paired(runs[:8], runs[8:], draws=40_000)
    assert 0.02 < exact.pvalue < 0.6
    assert result.p_value == pytest.approx(exact.pvalue, abs=0.01)
    assert result.difference == exact.statistic


@pytest.mark.parametrize(('num_classes', 'rarest', 'num_images'),
                         [(3, 0.5, 60), (5, 0.3, 80), (12, 0.3, 100)])
def test_the_interval_covers_the_truth(num_classes, rarest, num_images):
    everything = population(num_classes, rarest)
    truth, covered = miou(everything), 0
    for index in draw(DATA_SETS, num_images, seed=1):
        result = interval(everything[index], draws=300)
        covered += result.low <= truth <= result.high
    assert 0.92 * DATA_SETS <= covered <= 0.98 * DATA_SETS


def test_the_interval_of_a_difference_covers_the_truth():
    a = population(5, 0.3)
    b = another_run(a, 2, better=0.2)
    truth, covered = miou(b) - miou(a), 0
    for index in draw(DATA_SETS, 80, seed=2):
        result = paired(a[index], b[index], draws=300)
        covered += result.low <= truth <= result.high
    assert 0.92 * DATA_SETS <= covered <= 0.98 * DATA_SETS


def p_values(better: float, num_images: int = 60) -> np.ndarray:
    """p-values of data sets where B is ``better``; at 0 a coin says which run is called B."""
    a = population(4, 0.4)
    b = another_run(another_run(a, 3), 4, better)
    a = another_run(another_run(a, 5), 6)
    coin = np.random.default_rng(7)
    found = []
    for index in draw(DATA_SETS, num_images, seed=8):
        swap = (coin.random(num_images) < 0.5)[:, None, None] if better == 0 else False
        one, other = np.where(swap, b[index], a[index]), np.where(swap, a[index], b[index])
        found.append(paired(one, other, draws=199).p_value)
    return np.array(found)


def test_p_values_are_uniform_when_the_runs_are_alike():
    found = p_values(0.)
    # 199 swaps give steps of 1/200. Binomial(500, p) has a standard deviation of at most 2.3 %.
    assert 0.03 <= (found <= 0.05).mean() <= 0.07
    for level in (0.1, 0.25, 0.5, 0.75):
        assert (found <= level).mean() == pytest.approx(level, abs=0.05)


def test_a_better_run_is_found():
    found = p_values(0.5)
    assert (found <= 0.05).mean() > 0.8


def test_what_was_seen_is_one_of_the_swaps():
    """B is far better in each of 60 images: none of 19 swaps comes near, p = (0 + 1) / 20."""
    images = population(2, 0.8, 60)
    assert paired(images, another_run(images, 1, better=3.), draws=19).p_value == 1 / 20


def test_the_same_seed_gives_the_same_bits_whatever_the_chunks(monkeypatch):
    images = population(5, 0.3, 40)
    other = another_run(images, 1)
    whole = interval(images), paired(images, other)
    monkeypatch.setattr(bootstrap, 'CHUNK', 4000)  # 100 draws at a time
    assert (interval(images), paired(images, other)) == whole
    assert interval(images, seed=1) != whole[0]


def test_exchanging_the_runs_mirrors_the_result():
    images = population(5, 0.3, 40)
    other = another_run(images, 1, better=0.1)
    one, two = paired(images, other), paired(other, images)
    assert (two.difference, two.p_value) == (-one.difference, one.p_value)
    assert (two.low, two.high) == pytest.approx((-one.high, -one.low), rel=1e-12)


def test_a_run_against_itself():
    images = population(3, 0.5, 30)
    result = paired(images, images)
    assert (result.difference, result.low, result.high, result.p_value) == (0, 0, 0, 1)


def test_images_that_are_alike_leave_no_doubt():
    result = interval(np.repeat(TWO[1:], 7, axis=0))
    assert result.estimate == result.low == result.high == 0.75


@pytest.mark.parametrize('num_images', [0, 1])
def test_fewer_than_two_images_give_no_interval(num_images):
    result = interval(TWO[:num_images])
    assert np.isnan([result.low, result.high]).all()
    assert num_images == 0 or result.estimate == 0.5
    both = paired(TWO[:num_images], TWO[:num_images])
    assert np.isnan([both.low, both.high]).all()
    assert num_images == 0 or both.p_value == 1


def test_two_images_say_next_to_nothing():
    """Half of the resamples hold one image twice and have no spread: the interval is everything."""
    result = interval(TWO)
    assert (result.low, result.high) == (0, 1)


def test_without_any_pixel_nothing_is_said():
    nothing = np.zeros((4, 3, 2), np.int64)
    assert np.isnan(interval(nothing).estimate)
    assert np.isnan([paired(nothing, nothing).p_value, paired(nothing, nothing).low]).all()


def test_images_without_pixels_and_one_rare_class_do_no_harm():
    images = np.zeros((30, 3, 300), np.int64)
    images[:20, :, 0] = population(1, 0.9, 20)[:, :, 0]
    images[3, :, 299] = 5, 2, 3
    result = interval(images)
    assert result.estimate == miou(images)
    assert 0 <= result.low < result.estimate < result.high <= 1


def test_wrong_arguments_are_named():
    with pytest.raises(ConfigError, match="'IoU'"):
        interval(TWO, 'iou')
    for level in (0, 1, 95):
        with pytest.raises(ConfigError, match='0.95'):
            interval(TWO, level=level)
    with pytest.raises(ConfigError, match='draws'):
        interval(TWO, draws=0)
    with pytest.raises(ShapeError, match=r'\(2, 3\)'):
        interval(TWO[..., 0])
    with pytest.raises(ShapeError, match='alike'):
        paired(TWO, TWO[:1])
