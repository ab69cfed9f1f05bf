# Draws and noise: integers of a published hash, the same everywhere.

import numpy as np

from segplug.datasets.minicity.canvas import int_sqrt
from segplug.datasets.minicity.draws import TILE, Stream, hash_grid, mix, noise, noise_tile


def test_mix_is_splitmix64():
    # first outputs of Vigna's splitmix64.c started at state 0: mix(state), the state growing by the
    # golden gamma
    gamma = 0x9E3779B97F4A7C15
    assert [mix(0), mix(gamma)] == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4]


def test_stream_stays_in_its_range_and_reaches_both_ends():
    draw = Stream(1, 2)
    assert {draw.between(-1, 1) for _ in range(100)} == {-1, 0, 1}
    assert not any(draw.chance(0) for _ in range(20))
    assert all(draw.chance(100) for _ in range(20))


def test_streams_of_other_keys_differ():
    firsts = {Stream(*keys).bits() for keys in ((0,), (1,), (0, 0), (0, 1), (1, 0), (-1,))}
    assert len(firsts) == 6


def test_jitter_stays_a_colour():
    assert all(0 <= c <= 255 for _ in range(50) for c in Stream(5).jitter((0, 128, 255), 40))


def test_hash_grid_does_not_depend_on_the_window():
    rows, cols = np.arange(8), np.arange(6)
    whole = hash_grid(rows[:, None], cols[None, :], 9)
    part = hash_grid(rows[3:, None], cols[None, 2:], 9)
    assert whole.dtype == np.uint32
    np.testing.assert_array_equal(whole[3:, 2:], part)


def test_noise_is_periodic_and_in_range():
    place = np.arange(0, 40, dtype=np.int32)
    first = noise('leaf', place[None, :], place[:, None], 2)
    again = noise('leaf', place[None, :] + TILE * 4, place[:, None] - TILE * 4, 2)
    np.testing.assert_array_equal(first, again)
    for kind in ('leaf', 'cloud'):
        tile = noise_tile(kind)
        assert tile.min() >= -128
        assert tile.max() <= 127
        assert tile.std() > 10


def test_int_sqrt_is_the_floor():
    assert [int_sqrt(n) for n in (1, 3, 4, 15, 16, 10**12, 10**12 - 1)] == [
        1,
        1,
        2,
        3,
        4,
        10**6,
        10**6 - 1,
    ]
