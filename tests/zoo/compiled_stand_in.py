"""A stand-in for ``mmcv._ext``, mmcv's compiled module, which mmcv-lite lacks: mmsegmentation
imports with it. What it would compile raises when called, but for PSANet's mask, which is written
out as a loop after the paper (Zhao et al., ECCV 2018, section 3.2). For make_fixtures.py alone.
"""

import sys
import types

COLLECT = 0


def install() -> None:
    """Put the stand-in where ``import mmcv._ext`` finds it."""
    module = types.ModuleType('mmcv._ext')
    module.__getattr__ = _attribute
    sys.modules['mmcv._ext'] = module


def _attribute(name: str):
    if name.startswith('__'):
        raise AttributeError(name)
    return psamask_forward if name == 'psamask_forward' else _missing


def _missing(*args, **kwargs):
    raise RuntimeError('mmcv is not compiled here')


def psamask_forward(mask, out, psa_type=COLLECT, num_=0, h_feature=0, w_feature=0, h_mask=0,
                    w_mask=0, half_h_mask=0, half_w_mask=0):
    """Fill ``out`` (N, H * W, H, W) from ``mask`` (N, h_mask * w_mask, H, W).

    The mask of a pixel has a value for each place of a window around that pixel. Collecting, it
    stands at the pixel, one channel a place; distributing, at the place, one channel a pixel.
    Places outside the image are dropped. The names are those by which mmcv calls it.
    """
    for row in range(h_feature):
        for column in range(w_feature):
            for i, j in ((i, j) for i in range(h_mask) for j in range(w_mask)):
                y, x = row + i - half_h_mask, column + j - half_w_mask
                if not (0 <= y < h_feature and 0 <= x < w_feature):
                    continue
                value = mask[:, i * w_mask + j, row, column]
                if psa_type == COLLECT:
                    out[:, y * w_feature + x, row, column] = value
                else:
                    out[:, row * w_feature + column, y, x] = value
