"""``mmseg.engine.SegVisualizationHook``, and steps of ``mmseg.visualization`` that others override.

segplug's hook hands its samples to the runner's visualizer, and its visualizer draws in one step;
classes written for mmsegmentation override `_after_iter` and `_draw_sem_seg`, and read
``_visualizer``. H W pixels.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.structures import PixelData
from mmengine.visualization import Visualizer

from ...datasets.files import displayed
from ...engine.hooks import SegVisualizationHook as OurHook
from ...structures import SegDataSample
from ...visualization import SegLocalVisualizer, draw


class SegVisualizationHook(OurHook):
    """Ours, whose work is done in `_after_iter`; arguments are the same."""

    def __init__(self, draw: bool = False, interval: int = 50, show: bool = False,
                 wait_time: float = 0., backend_args: dict | None = None) -> None:
        super().__init__(draw, interval, show, wait_time, backend_args)
        self._visualizer = Visualizer.get_current_instance()

    def after_val_iter(self, runner, batch_idx: int, data_batch=None,
                       outputs: Sequence | None = None) -> None:
        """Draw what validation gave."""
        self._after_iter(runner, batch_idx, data_batch, outputs, mode='val')

    def after_test_iter(self, runner, batch_idx: int, data_batch=None,
                        outputs: Sequence | None = None) -> None:
        """Draw what the test gave."""
        self._after_iter(runner, batch_idx, data_batch, outputs, mode='test')

    def _after_iter(self, runner, batch_idx: int, data_batch,
                    outputs: Sequence[SegDataSample] | None, mode: str = 'val') -> None:
        """Draw the samples of every ``interval``-th batch; nothing in training."""
        if not self.draw or mode == 'train' \
                or not self.every_n_inner_iters(batch_idx, self.interval):
            return
        for sample in outputs or ():
            self._visualizer.add_datasample(
                f'{mode}_{Path(sample.img_path).name}',
                displayed(sample.img_path, self.backend_args), data_sample=sample,
                show=self.show, wait_time=self.wait_time, step=runner.iter)


def draw_sem_seg(self: SegLocalVisualizer, image: np.ndarray, sem_seg: PixelData,
                 classes: Sequence[str] | None, palette: Sequence | None,
                 with_labels: bool | None = True) -> np.ndarray:
    """Labels over an image: (H, W, 3) uint8, RGB as it came."""
    data = sem_seg.cpu().data
    labels = np.asarray(data).reshape(image.shape[:2])
    picture = draw.overlay(image, labels, palette, self.alpha)
    if with_labels and classes:
        picture = draw.name_regions(picture, labels, classes)
    self.set_image(picture)
    return picture


def draw_by_step(self: SegLocalVisualizer, image: np.ndarray, data,
                 with_labels: bool) -> np.ndarray:
    """`SegLocalVisualizer._draw` by the step that a class from elsewhere may override."""
    meta = self.dataset_meta or {}
    return self._draw_sem_seg(image, PixelData(data=data), meta.get('classes'),
                              meta.get('palette'), with_labels)


def set_dataset_meta(self: SegLocalVisualizer, classes=None, palette=None,
                     dataset_name: str | None = None) -> None:
    """Set names and colours; those of the data set that is called ``dataset_name`` by default."""
    from .class_names import get_classes, get_palette
    name = dataset_name or (None if classes and palette else 'cityscapes')
    self.dataset_meta = dict(classes=classes or get_classes(name),
                             palette=palette or get_palette(name))
