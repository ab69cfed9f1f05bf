"""Pictures of label and prediction while validating or testing; published schedules name it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.hooks import Hook

from ...datasets.files import displayed
from ...errors import ConfigError
from ...registry import HOOKS


@HOOKS.register_module()
class SegVisualizationHook(Hook):
    """Hand some tested images, with label and prediction, to the visualizer: the same each time.

    Args:
        draw: Whether to draw at all.
        interval: Batches from one picture to the next.
        show: Whether to show it in a window too.
        wait_time: Seconds the window stays; 0 is until a key is pressed.
        backend_args: mmengine's file backend of the images.
        num_pictures: Draw so many, spread evenly over the batches, in place of all of every
            ``interval``-th batch.
        with_image: Whether the image alone stands beside label and prediction.
        max_side: Longest side of an image in a picture; larger ones are made smaller.

    Raises:
        ConfigError: A number is too small.
    """

    priority = 'NORMAL'

    def __init__(self, draw: bool = False, interval: int = 50, show: bool = False,
                 wait_time: float = 0., backend_args: dict | None = None,
                 num_pictures: int | None = None, with_image: bool = False,
                 max_side: int | None = None) -> None:
        for name, value in (('num_pictures', num_pictures), ('max_side', max_side)):
            if value is not None and value < 1:
                raise ConfigError(f'SegVisualizationHook has a wrong {name}.', got=value,
                                  expected='1 or more, or None', culprit=name)
        self.draw, self.interval, self.show = draw, interval, show
        self.wait_time, self.backend_args = wait_time, backend_args
        self.num_pictures, self.with_image, self.max_side = num_pictures, with_image, max_side

    def after_val_iter(self, runner, batch_idx: int, data_batch=None,
                       outputs: Sequence | None = None) -> None:
        """Draw what validation gave."""
        self._draw(runner, batch_idx, outputs, 'val')

    def after_test_iter(self, runner, batch_idx: int, data_batch=None,
                        outputs: Sequence | None = None) -> None:
        """Draw what the test gave."""
        self._draw(runner, batch_idx, outputs, 'test')

    def _draw(self, runner, batch_idx: int, outputs: Sequence | None, mode: str) -> None:
        if not self.draw or not outputs:
            return
        if self.num_pictures is None:
            chosen = outputs if self.every_n_inner_iters(batch_idx, self.interval) else ()
        else:
            is_one = batch_idx in spread(len(getattr(runner, f'{mode}_dataloader')),
                                         self.num_pictures)
            chosen = outputs[:1] if is_one else ()
        for sample in chosen:
            image = displayed(sample.img_path, self.backend_args)
            runner.visualizer.add_datasample(
                f'{mode}_{Path(sample.img_path).name}', image, data_sample=sample,
                show=self.show, wait_time=self.wait_time, step=runner.iter, **self._more())

    def _more(self) -> dict:
        """What only our visualizer knows, where it is asked for."""
        more = dict(draw_image=self.with_image, max_side=self.max_side)
        return {key: value for key, value in more.items() if value}


def spread(length: int, count: int) -> set[int]:
    """``count`` of the numbers below ``length``, evenly; all where there are no more."""
    return set(np.linspace(0, length - 1, min(count, length)).round().astype(int).tolist())
