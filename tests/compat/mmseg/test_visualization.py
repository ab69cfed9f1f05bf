"""A hook and a visualizer from elsewhere, by the steps that they override."""

import types

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData

from segplug.structures import SegDataSample

META = dict(classes=('a', 'b'), palette=[[10, 0, 0], [0, 20, 0]])


@pytest.fixture
def sample(tmp_path):
    cv2.imwrite(str(tmp_path / 'x.png'), np.zeros((4, 6, 3), np.uint8))
    return SegDataSample(metainfo=dict(img_path=str(tmp_path / 'x.png')),
                         pred_sem_seg=PixelData(data=torch.ones(1, 4, 6, dtype=torch.long)))


@pytest.fixture
def visualizer(lent, tmp_path):
    from mmseg.visualization import SegLocalVisualizer

    class Striped(SegLocalVisualizer):
        def _draw_sem_seg(self, image, sem_seg, classes, palette, with_labels=True):
            picture = super()._draw_sem_seg(image, sem_seg, classes, palette, False)
            assert picture[0, 0].tolist() == [0, 16, 0]  # 0.8 of 20
            assert (classes, with_labels) == (META['classes'], True)
            picture[::2] = 255
            return picture

    made = Striped.get_instance('visualizer', vis_backends=[dict(type='LocalVisBackend')],
                                save_dir=str(tmp_path))
    made.dataset_meta = META
    return made


def test_a_hook_that_overrides_after_iter(lent, sample, visualizer, tmp_path):
    from mmseg.engine.hooks import SegVisualizationHook
    seen = []

    class Mine(SegVisualizationHook):
        def _after_iter(self, runner, batch_idx, data_batch, outputs, mode='val'):
            assert self._visualizer is visualizer
            seen.append(mode)
            super()._after_iter(runner, batch_idx, data_batch, outputs, mode)

    hook, runner = Mine(draw=True, interval=1), types.SimpleNamespace(iter=7)
    hook.after_test_iter(runner, 0, None, [sample])
    hook.after_val_iter(runner, 0, None, [sample])
    hook._after_iter(runner, 0, None, [sample], mode='train')
    assert seen == ['test', 'val', 'train']
    pictures = {path.name: cv2.imread(str(path)) for path in tmp_path.rglob('*_7.png')}
    assert set(pictures) == {'test_x.png_7.png', 'val_x.png_7.png'}
    assert pictures['val_x.png_7.png'][:2, 0].tolist() == [[255] * 3, [0, 16, 0]]


def test_it_draws_every_so_often(lent, sample, visualizer, tmp_path):
    from mmseg.engine.hooks import SegVisualizationHook
    runner = types.SimpleNamespace(iter=0)
    SegVisualizationHook(interval=1).after_test_iter(runner, 0, None, [sample])
    SegVisualizationHook(draw=True, interval=2).after_test_iter(runner, 0, None, [sample])
    assert not list(tmp_path.rglob('*_0.png'))
