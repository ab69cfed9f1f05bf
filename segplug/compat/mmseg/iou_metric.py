"""``mmseg.evaluation.IoUMetric``, for code that calls it or derives from it.

A config that names IoUMetric gets segplug's, which holds one confusion matrix; this one keeps
four vectors per image, so that third-party classes can change what is made of them. Counts are
integers, results are not rounded. K classes, H W pixels.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from ...errors import ConfigError
from ...evaluation import IoUMetric as Ours
from ...evaluation import outputs
from .unsupported import tell_without_effect

_METRICS = ('mIoU', 'mDice', 'mFscore')


class IoUMetric(Ours):
    """Arguments as for `segplug.evaluation.IoUMetric`; others are accepted as in
    mmsegmentation, with a warning that they have no effect."""

    def __init__(self, ignore_index: int = 255, iou_metrics: Sequence[str] = ('mIoU',),
                 nan_to_num: float | None = None, beta: float = 1, collect_device: str = 'cpu',
                 output_dir: str | None = None, format_only: bool = False,
                 prefix: str | None = None, **kwargs) -> None:
        tell_without_effect('IoUMetric', kwargs)
        super().__init__(ignore_index, iou_metrics, nan_to_num, beta, collect_device, output_dir,
                         format_only, prefix)

    evaluate = BaseMetric.evaluate

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Put `intersect_and_union` of each sample into ``results``, and write predictions."""
        num_classes = len(self.dataset_meta['classes'])
        for sample in data_samples:
            pred = sample['pred_sem_seg']['data'].squeeze()
            if not self.format_only:
                label = sample['gt_sem_seg']['data'].squeeze().to(pred)
                self.results.append(self.intersect_and_union(pred, label, num_classes,
                                                             self.ignore_index))
            if self.output_dir is not None:
                values = outputs.file_values(pred.cpu().numpy(), num_classes,
                                             shift=int(bool(sample.get('reduce_zero_label'))))
                path = Path(self.output_dir, Path(sample['img_path']).stem + '.png')
                outputs.atomic_write(path, outputs.label_png(values))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """What `process` kept of all images -> aAcc and the means, in percent."""
        if self.format_only:
            return {}
        values = self.total_area_to_metrics(*(sum(part) for part in zip(*results, strict=True)),
                                            self.metrics, self.nan_to_num, self.beta)
        per_class = {name: value * 100 for name, value in values.items() if name != 'aAcc'}
        for i, name in enumerate(self.dataset_meta['classes']):
            row = ', '.join(f'{key} {value[i]:.2f}' for key, value in per_class.items())
            print_log(f'{name}: {row}', 'current')
        return {'aAcc': float(values['aAcc'] * 100),
                **{f'm{name}': float(np.nanmean(value)) for name, value in per_class.items()}}

    @staticmethod
    def intersect_and_union(pred_label: torch.Tensor, label: torch.Tensor, num_classes: int,
                            ignore_index: int) -> tuple[torch.Tensor, ...]:
        """Intersection, union, prediction and label of each class, in pixels.

        Args:
            pred_label, label: (H, W) integer.
            num_classes: K.
            ignore_index: Label of the pixels that do not count.

        Returns:
            Four tensors (K,) int64 on the CPU.
        """
        valid = label != ignore_index
        pred, label = pred_label[valid].long(), label[valid].long()
        intersect, of_pred, of_label = (
            torch.bincount(x[(x >= 0) & (x < num_classes)], minlength=num_classes).cpu()
            for x in (pred[pred == label], pred, label))
        return intersect, of_pred + of_label - intersect, of_pred, of_label

    @staticmethod
    def total_area_to_metrics(total_area_intersect: torch.Tensor, total_area_union: torch.Tensor,
                              total_area_pred_label: torch.Tensor,
                              total_area_label: torch.Tensor,
                              metrics: Sequence[str] | str = ('mIoU',),
                              nan_to_num: float | None = None,
                              beta: float = 1) -> dict[str, np.ndarray]:
        """Sums over images, each (K,) -> 'aAcc' and, per class, what ``metrics`` ask for.

        Fractions in [0, 1]; nan for a class that divides by 0, or ``nan_to_num``.

        Raises:
            ConfigError: For an unknown metric.
        """
        names = [metrics] if isinstance(metrics, str) else list(metrics)
        if set(names) - set(_METRICS):
            raise ConfigError('IoUMetric knows no such metric.', got=names, expected=_METRICS,
                              culprit=names[0])
        hit, union, pred, label = (torch.as_tensor(x).double() for x in (
            total_area_intersect, total_area_union, total_area_pred_label, total_area_label))
        precision, recall = hit / pred, hit / label
        found = {'aAcc': hit.sum() / label.sum()}
        if 'mIoU' in names:
            found |= {'IoU': hit / union, 'Acc': recall}
        if 'mDice' in names:
            found |= {'Dice': 2 * hit / (pred + label), 'Acc': recall}
        if 'mFscore' in names:
            score = (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
            found |= {'Fscore': score, 'Precision': precision, 'Recall': recall}
        arrays = {name: value.numpy() for name, value in found.items()}
        if nan_to_num is None:
            return arrays
        return {name: np.nan_to_num(value, nan=nan_to_num) for name, value in arrays.items()}
