"""The running confusion matrix, and the counts of each image as they arrive from the device.

On the CPU an image is counted and checked at once. On an accelerator its counts are added to a
matrix that stays there, a copy of them sets out for the host, and what it says (a value out of
range, a network that gave nan, the image's row) is read when later images are under way, so
that nothing waits. Letters: K classes, H W pixels.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import DataError, SegplugError
from ..ops.confusion import check_range, joint_counts, square
from . import scores
from .rows import Row

# Images whose counts may be on their way. Each keeps its two maps, so that a value out of range
# can be named; more than the device runs ahead of the host is of no use.
IN_FLIGHT = 4


@dataclass(frozen=True)
class _OnItsWay:
    """An image whose host copies may not have arrived yet."""

    sample_idx: int
    file: str
    label_file: str | None
    maps: tuple[Tensor, Tensor] | None
    joint: 'HostCopy | None'
    is_finite: 'HostCopy | None'


class HostCopy:
    """A tensor on its way to the host; only CUDA's copies are waited for later."""

    def __init__(self, values: Tensor) -> None:
        self._event = None
        if values.is_cuda:
            # Into pinned memory, which torch takes by itself for such a copy.
            self._values = values.to('cpu', non_blocking=True)
            self._event = torch.cuda.Event()
            self._event.record(torch.cuda.current_stream(values.device))
        else:
            self._values = values.cpu()

    def get(self) -> Tensor:
        """The values, once they have arrived."""
        if self._event is not None:
            self._event.synchronize()
        return self._values


class Tally:
    """Counts images.

    Args:
        num_classes: K.
        ignore_index: Label value that is not counted.
    """

    def __init__(self, num_classes: int, ignore_index: int) -> None:
        self.num_classes, self.ignore_index = num_classes, ignore_index
        self._running: Tensor | None = None
        self._queue: deque[_OnItsWay] = deque()

    def add(self, sample_idx: int, file: str, pred: Tensor, label: Tensor | None = None,
            label_file: str | None = None, is_finite: Tensor | None = None) -> list[Row]:
        """Count one image.

        Args:
            sample_idx, file: Its place and name.
            pred: (H, W) integer.
            label: (H, W) integer; None scores nothing.
            label_file: The label's name, for errors.
            is_finite: () bool: False where the network gave nan.

        Returns:
            The rows that are complete by now, in order.

        Raises:
            DataError: Of this image or, on an accelerator, of an earlier one: a value out of
                range, or nan.
            ShapeError: The maps differ in size or are not integers.
        """
        maps = joint = None
        if label is not None:
            maps = pred, label.to(pred.device, non_blocking=True)
            try:
                joint = joint_counts(*maps, self.num_classes, self.ignore_index)
            except SegplugError as error:
                raise _named(error, file, label_file) from None
            self._running = joint if self._running is None else self._running + joint
        joint, finite = (None if x is None else HostCopy(x) for x in (joint, is_finite))
        self._queue.append(_OnItsWay(sample_idx, file, label_file, maps, joint, finite))
        return self.settle(IN_FLIGHT if _can_wait(pred) else 0)

    def settle(self, leave: int = 0) -> list[Row]:
        """Wait for all but the newest ``leave`` images; returns their rows, in order.

        Raises:
            DataError: As `add`.
        """
        rows = []
        while len(self._queue) > leave:
            rows.append(self._row(self._queue.popleft()))
        return rows

    def matrix(self) -> Tensor:
        """(K, K) int64 of all images, rows ground truth, where they were counted."""
        if self._running is None:
            return torch.zeros((self.num_classes, self.num_classes), dtype=torch.int64)
        return square(self._running)

    def _row(self, image: _OnItsWay) -> Row:
        if image.is_finite is not None and not bool(image.is_finite.get()):
            raise DataError(f'The network gave nan for {image.file}.',
                            fix='test in float32 or bfloat16 if this was float16; else look for '
                                'nan in the checkpoint')
        if image.joint is None:
            return Row(image.sample_idx, image.file, None)
        joint = image.joint.get().numpy()
        try:
            check_range(joint, *image.maps, self.ignore_index)
        except SegplugError as error:
            raise _named(error, image.file, image.label_file) from None
        return Row(image.sample_idx, image.file, np.stack(scores.counts(square(joint))))


def _can_wait(pred: Tensor) -> bool:
    return pred.device.type != 'cpu'


def _named(error: SegplugError, file: str, label_file: str | None) -> SegplugError:
    """The error with the names of the files in front."""
    against = f' against {label_file}' if label_file else ''
    error.what = f'Scoring {file}{against}: {error.what}'
    return error
