"""SegLocalVisualizer draws through draw.py and hands on to mmengine's back ends."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData

from segplug.errors import ConfigError
from segplug.registry import VISUALIZERS
from segplug.structures import SegDataSample
from segplug.visualization import SegLocalVisualizer
from segplug.visualization.draw import overlay

PALETTE = [[200, 0, 0], [0, 100, 0]]
IMAGE = np.full((8, 10, 3), 100, np.uint8)


@pytest.fixture
def sample():
    made = SegDataSample()
    made.gt_sem_seg = PixelData(data=torch.zeros(1, 8, 10, dtype=torch.uint8))
    made.pred_sem_seg = PixelData(data=torch.ones(1, 8, 10, dtype=torch.uint8))
    return made


def test_label_left_prediction_right(tmp_path, sample):
    visualizer = SegLocalVisualizer(classes=('a', 'b'), palette=PALETTE, alpha=.5)
    visualizer.add_datasample('x', IMAGE, sample, out_file=str(tmp_path / 'new' / 'x.png'),
                              with_labels=False)
    found = cv2.imread(str(tmp_path / 'new' / 'x.png'))[..., ::-1]
    assert found.shape == (8, 20, 3)
    for part, value in ((found[:, :10], 0), (found[:, 10:], 1)):
        assert np.array_equal(part, overlay(IMAGE, np.full((8, 10), value), PALETTE, .5))


def test_only_what_is_asked_for(tmp_path, sample):
    visualizer = SegLocalVisualizer(palette=PALETTE)
    for settings, width in ((dict(draw_gt=False), 10), (dict(draw_pred=False), 10), ({}, 20)):
        visualizer.add_datasample('x', IMAGE, sample, out_file=str(tmp_path / 'x.png'), **settings)
        assert cv2.imread(str(tmp_path / 'x.png')).shape[1] == width
    visualizer.add_datasample('x', IMAGE, None, out_file=str(tmp_path / 'x.png'))
    assert np.array_equal(cv2.imread(str(tmp_path / 'x.png')), IMAGE)


def test_back_ends_get_the_picture(tmp_path, sample):
    visualizer = VISUALIZERS.build(dict(
        type='SegLocalVisualizer', name='drawn by the test', save_dir=str(tmp_path),
        vis_backends=[dict(type='LocalVisBackend')]))
    visualizer.dataset_meta = dict(classes=('a', 'b'), palette=PALETTE)
    visualizer.add_datasample('x', IMAGE, sample, step=3)
    assert (tmp_path / 'vis_data' / 'vis_image' / 'x_3.png').exists()


def test_classes_of_a_data_set_by_name():
    meta = SegLocalVisualizer(dataset_name='cityscapes').dataset_meta
    assert (len(meta['classes']), meta['palette'][0]) == (19, [128, 64, 128])
    with pytest.raises(ConfigError, match="'cityscape'.*'cityscapes'"):
        SegLocalVisualizer(dataset_name='cityscape')


def test_bad_settings():
    with pytest.raises(ConfigError, match='1 classes and 2 colours'):
        SegLocalVisualizer(classes=('a',), palette=PALETTE)
    with pytest.raises(ConfigError, match='alpha.*Got: 2'):
        SegLocalVisualizer(alpha=2)


def test_depths_come_below(tmp_path, sample):
    sample.pred_depth_map = PixelData(data=torch.rand(1, 4, 5))
    visualizer = SegLocalVisualizer(palette=PALETTE)
    visualizer.add_datasample('x', IMAGE, sample, draw_gt=False, out_file=str(tmp_path / 'x.png'))
    assert cv2.imread(str(tmp_path / 'x.png')).shape == (16, 10, 3)
    only = SegDataSample(gt_depth_map=PixelData(data=np.ones((1, 8, 10), np.float32)))
    visualizer.add_datasample('x', IMAGE, only, out_file=str(tmp_path / 'y.png'))
    found = cv2.imread(str(tmp_path / 'y.png'))[..., ::-1]
    assert np.array_equal(found[:8], IMAGE)
    assert found.shape == (16, 10, 3)


def test_the_figure_is_made_when_it_is_asked_for():
    visualizer = SegLocalVisualizer('late')
    assert not {'fig_save', 'fig_save_canvas', 'ax_save', 'dpi'} & set(vars(visualizer))
    assert visualizer.dpi == visualizer.fig_save.get_dpi()
    assert visualizer.ax_save is visualizer.fig_save.axes[0]  # the one figure, not a second
    assert visualizer.fig_save_canvas is visualizer.fig_save.canvas
    with pytest.raises(AttributeError, match="'SegLocalVisualizer' object has no attribute 'fig'"):
        _ = visualizer.fig


def test_a_visualizer_may_begin_with_an_image():
    image = np.full((6, 8, 3), 9, np.uint8)
    visualizer = SegLocalVisualizer('begun', image)
    assert (visualizer.height, visualizer.width) == (6, 8)
    assert visualizer.get_image().shape == (6, 8, 3)


def test_a_figure_of_a_subclass_is_made_at_once():
    class Own(SegLocalVisualizer):
        def _initialize_fig(self, fig_cfg):
            canvas, fig, ax = super()._initialize_fig(fig_cfg)
            fig.set_dpi(50)
            return canvas, fig, ax

    assert Own('own').dpi == 50


def test_the_image_alone_first_and_no_part_larger_than_asked_for(tmp_path, sample):
    visualizer = SegLocalVisualizer(palette=PALETTE)
    file = tmp_path / 'x.png'
    visualizer.add_datasample('x', IMAGE, sample, out_file=str(file), draw_image=True)
    found = cv2.imread(str(file))
    assert found.shape == (8, 30, 3)
    assert np.array_equal(found[:, :10], IMAGE)
    for side, shape in ((5, (4, 15, 3)), (10, (8, 30, 3))):
        visualizer.add_datasample('x', IMAGE, sample, out_file=str(file), draw_image=True,
                                  max_side=side)
        assert cv2.imread(str(file)).shape == shape


def test_an_image_without_labels_is_made_smaller_too(tmp_path):
    file = tmp_path / 'x.png'
    SegLocalVisualizer().add_datasample('x', IMAGE, out_file=str(file), draw_image=True, max_side=5)
    assert cv2.imread(str(file)).shape == (4, 5, 3)
