"""The compiled kernel against the plain one, on drawn settings; and its exponential."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from segplug.models.tta import TestCfg, predict_image

pytest.importorskip('numba', reason='numba, which compiles the kernels, is not installed')

from segplug.ops.kernels import cpu_pieces  # noqa: E402
from segplug.ops.kernels.jit import compiled  # noqa: E402


@compiled
def _exponentials(values, out):
    for i in range(values.size):
        out[i] = cpu_pieces.exp(values[i])


def test_exponential():
    values = np.linspace(-87, 0, 200_001, dtype=np.float32)
    found = np.empty_like(values)
    _exponentials(values, found)
    expected = np.array([math.exp(v) for v in values.tolist()])
    error = np.abs(found / expected - 1)
    assert error.max() < 5e-7
    assert error[values > -20].max() < 3e-7
    _exponentials(np.array([-1e30, -np.inf], np.float32), found)
    assert (found[:2] < 1e-37).all()


def drawn(rng):
    """A random setting: (network, image, size of the result, cfg, K, align_corners)."""
    channels, stride = int(rng.choice([1, 2, 19, 300])), int(rng.choice([1, 2, 4, 8]))
    shape = tuple(int(n) for n in rng.integers(1, 60, 2))
    out = shape if rng.random() < .5 else tuple(int(n) for n in rng.integers(1, 80, 2))
    crop = tuple(int(n) for n in rng.integers(4, 40, 2))
    slide = dict(mode='slide', crop_size=crop, window_average=str(rng.choice(['logits', 'probs'])),
                 stride=tuple(int(rng.integers(2, n + 1)) for n in crop))
    cfg = TestCfg(scales=[(1.,), (.5, 1.), (.7, 1.3, 1.9)][rng.integers(3)],
                  flip=bool(rng.random() < .5), save_logits=True,
                  upsample=str(rng.choice(['once', 'once', 'twice'])),
                  **(slide if rng.random() < .6 else {}))
    weight = torch.from_numpy(rng.standard_normal((channels, 3, 3, 3)).astype(np.float32))

    def network(x):
        return F.conv2d(x, weight, padding=1)[..., ::stride, ::stride]

    img = torch.from_numpy(rng.integers(0, 256, (3, *shape), dtype=np.uint8))
    return network, img, out, cfg, channels, bool(rng.random() < .3)


def prepare(x):
    height, width = x.shape[-2:]
    return F.pad((x - 120) / 60, (0, -width % 8, 0, -height % 8)), (height, width)


@pytest.mark.parametrize('seed', range(24))
def test_equals_plain_torch(seed, monkeypatch):
    network, img, out, cfg, channels, align = drawn(np.random.default_rng(seed))
    found = []
    for state in ('on', 'off'):
        monkeypatch.setenv('SEGPLUG_KERNELS', state)
        found.append(predict_image(network, img, out, cfg, prepare, out_channels=channels,
                                   align_corners=align, threshold=.4))
    ours, plain = ((f.logits if f.probs is None else f.probs) for f in found)
    scale = max(1., float(plain.abs().max()))
    assert (ours - plain).abs().max() < 1e-5 * scale
    if channels == 1:
        probability = plain[0] if found[1].logits is None else plain[0].sigmoid()
        clear = (probability - .4).abs() > 1e-5
    else:
        top = plain.topk(2, 0).values
        clear = top[0] - top[1] > 1e-5 * scale
    assert torch.equal(found[0].labels[clear], found[1].labels[clear])
