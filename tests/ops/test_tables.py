"""Tables by hand; the arithmetic and the compiled look-up are the table, byte for byte."""

import numpy as np
import pytest

from segplug.ops import kernels, tables

RNG = np.random.default_rng(0)
# Odd, so that the ends of rows go another way through the processor than their middles.
IMG = np.concatenate([np.arange(256, dtype=np.uint8), RNG.integers(0, 256, 5, dtype=np.uint8)])
IMG = np.stack([IMG, IMG[::-1], RNG.permutation(IMG)], -1)[None].repeat(3, 0)


def test_linear_table_by_hand():
    assert tables.linear_table(alpha=1.5)[[0, 1, 3, 170, 171]].tolist() == [0, 1, 4, 255, 255]
    assert tables.linear_table(beta=-10)[[0, 10, 30]].tolist() == [0, 0, 20]


@pytest.mark.parametrize('img', [IMG, IMG[..., 0], IMG[:, ::2], IMG[:1, :1]])
def test_arithmetic_is_the_table(img):
    shifts = [*RNG.uniform(-300, 300, 100), -12., 12., 0., -12 - 1e-9, 12 - 1e-9, -0.5, 255.5]
    for beta in shifts:
        np.testing.assert_array_equal(tables.add(img, beta), tables.linear_table(beta=beta)[img])
    # 1 / 3 and 0.7 have products just below whole numbers; 0.99999 has them just above the limit.
    factors = [*RNG.uniform(0, 3, 300), 0, 0.5, 1, 1.5, 2, 1 / 3, 0.1, 0.7, 1.1, 0.99999, 0.9998]
    for alpha in factors:
        np.testing.assert_array_equal(tables.scale(img, alpha), tables.linear_table(alpha)[img])


@pytest.mark.parametrize('mode', ['on', 'off'])
@pytest.mark.parametrize('img', [IMG, IMG[:, ::2], IMG[:1, :1]])
def test_each_channel_has_its_table(img, mode, monkeypatch):
    monkeypatch.setenv('SEGPLUG_KERNELS', mode)
    assert kernels.channel_tables() is None or mode == 'on'
    steps = RNG.integers(0, 256, (3, 256), dtype=np.uint8)
    before = img.copy()
    out = tables.look_up(img, steps)
    for c in range(3):
        np.testing.assert_array_equal(out[..., c], steps[c][img[..., c]])
    np.testing.assert_array_equal(img, before)
