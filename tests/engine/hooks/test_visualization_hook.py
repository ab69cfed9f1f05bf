"""Which images the hook draws, and what it hands over."""

import types

import cv2
import numpy as np
import pytest

from segplug.engine.hooks import SegVisualizationHook
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
