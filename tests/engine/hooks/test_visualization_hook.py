"""Which images the hook draws, and what it hands over."""

import types

import cv2
import numpy as np
import pytest

from segplug.engine.hooks import SegVisualizationHook
from segplug.errors import ConfigError
from segplug.structures import SegDataSample


@pytest.fixture
def sample(tmp_path):
    """One 2x3 picture, blue as files go through cv2: (0, 0, 255) in RGB."""
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((2, 3, 3), (255, 0, 0), np.uint8))
    return SegDataSample(metainfo=dict(img_path=str(tmp_path / 'a.png')))


def drawn(hook, sample, method):
    """Names, first pixels and steps of the pictures of four batches."""
    seen = []

    def add(name, image, step, **_):
        seen.append((name, tuple(image[0, 0]), step))

    runner = types.SimpleNamespace(iter=7, visualizer=types.SimpleNamespace(add_datasample=add))
    for batch in range(4):
        getattr(hook, method)(runner, batch, None, [sample])
    return seen


def test_every_second_batch_is_drawn_in_rgb(sample):
    hook = SegVisualizationHook(draw=True, interval=2)
    assert drawn(hook, sample, 'after_val_iter') == [('val_a.png', (0, 0, 255), 7)] * 2
    assert drawn(hook, sample, 'after_test_iter') == [('test_a.png', (0, 0, 255), 7)] * 2


def test_nothing_is_drawn_unless_asked_for(sample):
    assert drawn(SegVisualizationHook(), sample, 'after_val_iter') == []


def test_so_many_pictures_spread_over_the_batches_the_same_each_time(sample):
    """Of batches 0 to 9: 0, 4.5 (4 is even) and 9; of two samples in a batch the first."""
    hook = SegVisualizationHook(draw=True, num_pictures=3, with_image=True, max_side=64)
    seen = []
    runner = types.SimpleNamespace(iter=7, val_dataloader=range(10), test_dataloader=range(2),
                                   visualizer=types.SimpleNamespace(
        add_datasample=lambda name, image, **given: seen.append((batch, given))))
    for _ in range(2):
        for batch in range(10):
            hook.after_val_iter(runner, batch, None, [sample, sample])
    assert [batch for batch, _ in seen] == [0, 4, 9] * 2
    assert (seen[0][1]['draw_image'], seen[0][1]['max_side']) == (True, 64)
    seen.clear()
    for batch in range(2):
        hook.after_test_iter(runner, batch, None, [sample])
    assert [batch for batch, _ in seen] == [0, 1]


@pytest.mark.parametrize('name', ['num_pictures', 'max_side'])
def test_numbers_that_are_too_small(name):
    with pytest.raises(ConfigError, match=f'wrong {name}'):
        SegVisualizationHook(**{name: 0})
