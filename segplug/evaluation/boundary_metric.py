"""`BoundaryIoUMetric`: IoU of what lies near the contours, summed over the data set.

Two int64 counts per class and image, intersection and union of the boundaries, are all that is
kept, and integers add up to the same sum in any order: the scores are the same bits for any number
of processes. Letters: K classes, H W pixels.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.dist import all_gather_object, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from terminaltables import AsciiTable

from ..errors import DataError, SegplugError
from ..ops.boundary import boundary_counts, check_dilation_ratio
from ..registry import METRICS
from . import outputs, scores
from .rows import Row, in_order

FILE_NAME = 'boundary_metrics.json'


@METRICS.register_module()
class BoundaryIoUMetric(BaseMetric):
    """Boundary IoU per class and mean, in percent (Cheng et al., CVPR 2021).

    A class's intersections and unions are summed over all images before they are divided, as for
    mIoU; a class without boundary pixels in labels and predictions is nan and left out.

    Args:
        ignore_index: Label value that is not scored; those pixels leave the predictions too, and
            the border of an ignored region is no contour.
        dilation_ratio: Width of a boundary, as a share of each image's diagonal.
        collect_device: mmengine's; what is exchanged is small on either device.
        format_only: Score nothing, need no labels; for a test whose `IoUMetric` only writes.
        prefix: Put before each key of the result, as ``prefix/mBIoU``.
        out_dir: Folder for boundary_metrics.json.

    Attributes:
        counts: (2, K) int64 of the last evaluation: intersections and unions.
        details: What boundary_metrics.json holds, of the last evaluation.
    """

    default_prefix = ''

    def __init__(self, ignore_index: int = 255, dilation_ratio: float = 0.02,
                 collect_device: str = 'cpu', format_only: bool = False,
                 prefix: str | None = None, out_dir: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        check_dilation_ratio(dilation_ratio)
        self.ignore_index, self.dilation_ratio = ignore_index, dilation_ratio
        self.format_only = format_only
        self.out_dir = Path(out_dir) if out_dir else None
        self.counts: np.ndarray | None = None
        self.details: dict[str, float] = {}

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count the boundaries of a batch, on the CPU.

        Args:
            data_batch: Not used.
            data_samples: Dicts with ``pred_sem_seg.data`` and, unless ``format_only``,
                ``gt_sem_seg.data``, both (1, H, W) integer, and metainfo.

        Raises:
            DataError: A value out of range, naming the file; or an image without a label.
            ShapeError: Prediction and label differ in size.
        """
        if self.format_only:
            return
        for sample in data_samples:
            index = int(sample.get('sample_idx', -1))
            file = sample.get('img_path') or f'sample_{index}'
            self.results.append(Row(index, file, self._count(sample, file)))

    def _count(self, sample: dict, file: str) -> np.ndarray:
        if 'gt_sem_seg' not in sample:
            raise DataError(f'{file} has no label to score against.',
                            fix='use --format-only to write predictions without scoring')
        pred, label = (sample[key]['data'].squeeze(0).cpu().numpy()
                       for key in ('pred_sem_seg', 'gt_sem_seg'))
        try:
            return boundary_counts(pred, label, len(self.dataset_meta['classes']),
                                   self.ignore_index, self.dilation_ratio)
        except SegplugError as error:
            error.what = f'Scoring the boundaries of {file}: {error.what}'
            raise

    def evaluate(self, size: int) -> dict[str, float]:
        """Join all processes and return ``mBIoU`` in percent, the same on each of them.

        Args:
            size: Number of images in the data set; each must have been seen exactly once.

        Raises:
            DataError: An image came twice or not at all.
        """
        own = list(self.results)
        self.results.clear()
        if self.format_only:
            return {}
        rows = in_order(all_gather_object(own), size)
        metrics = self.compute_metrics(rows)
        if self.out_dir is not None and is_main_process():
            outputs.atomic_write(self.out_dir / FILE_NAME, outputs.metrics_json(self.details))
        return {f'{self.prefix}/{k}' if self.prefix else k: v for k, v in metrics.items()}

    def compute_metrics(self, results: list[Row]) -> dict[str, float]:
        """Sum the rows; logs the table of classes and fills ``counts`` and ``details``."""
        classes = self.dataset_meta['classes']
        self.counts = sum((row.counts for row in results), np.zeros((2, len(classes)), np.int64))
        shared, union = self.counts
        with np.errstate(invalid='ignore'):
            each = 100 * (shared / union)
        mean = float(scores.mean(each))
        self.details = dict(mBIoU=mean, **{f'BIoU.{name}': float(value) for name, value
                                           in zip(classes, each, strict=True)})
        lines = [[name, f'{value:.2f}'] for name, value in zip(classes, each, strict=True)]
        table = AsciiTable([['Class', 'Boundary IoU'], *lines, ['mean', f'{mean:.2f}']])
        table.inner_footing_row_border = True
        table.justify_columns[1] = 'right'
        print_log(f'Boundaries, {100 * self.dilation_ratio:g} % of the diagonal wide, in percent:\n'
                  f'{table.table}', 'current')
        return dict(mBIoU=mean)
