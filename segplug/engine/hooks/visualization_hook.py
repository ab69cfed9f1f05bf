"""Pictures of label and prediction while validating or testing; published schedules name it."""

from collections.abc import Sequence
from pathlib import Path

from mmengine.hooks import Hook

from ...datasets.files import displayed
from ...registry import HOOKS


@HOOKS.register_module()
class SegVisualizationHook(Hook):
    """Hand every ``interval``-th tested image, with its label and prediction, to the visualizer.

    Args:
        draw: Whether to draw at all.
        interval: Batches from one picture to the next.
        show: Whether to show it in a window too.
        wait_time: Seconds the window stays; 0 is until a key is pressed.
        backend_args: mmengine's file backend of the images.
    """

    priority = 'NORMAL'

    def __init__(self, draw: bool = False, interval: int = 50, show: bool = False,
                 wait_time: float = 0., backend_args: dict | None = None) -> None:
        self.draw, self.interval, self.show = draw, interval, show
        self.wait_time, self.backend_args = wait_time, backend_args

    def after_val_iter(self, runner, batch_idx: int, data_batch=None,
                       outputs: Sequence | None = None) -> None:
        """Draw what validation gave."""
        self._draw(runner, batch_idx, outputs, 'val')

    def after_test_iter(self, runner, batch_idx: int, data_batch=None,
                        outputs: Sequence | None = None) -> None:
        """Draw what the test gave."""
        self._draw(runner, batch_idx, outputs, 'test')

    def _draw(self, runner, batch_idx: int, outputs: Sequence | None, mode: str) -> None:
        if not self.draw or not self.every_n_inner_iters(batch_idx, self.interval):
            return
        for sample in outputs or ():
            image = displayed(sample.img_path, self.backend_args)
            runner.visualizer.add_datasample(
                f'{mode}_{Path(sample.img_path).name}', image, data_sample=sample,
                show=self.show, wait_time=self.wait_time, step=runner.iter)
