"""``mmseg.evaluation.DepthMetric``: how far predicted depths are from measured ones.

The measures of Eigen, Puhrsch, Fergus: Depth map prediction from a single image (arXiv 1406.2283),
section 4.1, each the mean over the images. H W pixels, P those that count.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from ...errors import ConfigError, ShapeError
from ...evaluation import outputs
from .unsupported import tell_without_effect

# Rows and columns of NYU's images in which there are measurements.
_NYU_CROP = (slice(45, 471), slice(41, 601))


def depth_scores(depth: torch.Tensor, pred: torch.Tensor) -> dict[str, float]:
    """(P,) measured and (P,) predicted depths, above 0 -> each measure by name.

    Raises:
        ShapeError: The shapes differ.
    """
    if depth.shape != pred.shape:
        raise ShapeError('Depths do not fit each other.', got=tuple(pred.shape),
                         expected=tuple(depth.shape))
    ratio = torch.max(depth / pred, pred / depth)
    diff, logs = pred - depth, pred.log() - depth.log()
    found = {f'd{i}': (ratio < 1.25 ** i).float().mean() for i in (1, 2, 3)}
    found |= dict(abs_rel=(diff.abs() / depth).mean(), sq_rel=(diff ** 2 / depth).mean(),
                  rmse=(diff ** 2).mean().sqrt(), rmse_log=(logs ** 2).mean().sqrt(),
                  log10=(pred.log10() - depth.log10()).abs().mean(),
                  silog=((logs ** 2).mean() - 0.5 * logs.mean() ** 2).sqrt())
    return {name: value.item() for name, value in found.items()}


class DepthMetric(BaseMetric):
    """`depth_scores` of each image, averaged.

    Args:
        depth_metrics: Which measures; None for all.
        min_depth_eval, max_depth_eval: Only measurements between them count.
        crop_type: 'nyu_crop' leaves out the border of NYU's images.
        depth_scale_factor: Factor of what is written.
        collect_device, prefix: mmengine's. Others are accepted as there, with a warning that they
            have no effect.
        output_dir: Folder for predictions as PNGs of 16 bits.
        format_only: Write, score nothing.

    Raises:
        ConfigError: For an unknown measure or crop.
    """

    METRICS = ('d1', 'd2', 'd3', 'abs_rel', 'sq_rel', 'rmse', 'rmse_log', 'log10', 'silog')

    def __init__(self, depth_metrics: Sequence[str] | None = None, min_depth_eval: float = 0.0,
                 max_depth_eval: float = float('inf'), crop_type: str | None = None,
                 depth_scale_factor: float = 1.0, collect_device: str = 'cpu',
                 output_dir: str | None = None, format_only: bool = False,
                 prefix: str | None = None, **kwargs) -> None:
        tell_without_effect('DepthMetric', kwargs)
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.metrics = self.METRICS if depth_metrics is None else tuple(depth_metrics)
        unknown = [name for name in self.metrics if name not in self.METRICS]
        if unknown:
            raise ConfigError(f'DepthMetric knows no measure {unknown[0]!r}.',
                              expected=', '.join(self.METRICS), culprit=unknown[0])
        if crop_type not in (None, 'nyu_crop'):
            raise ConfigError('DepthMetric has no such crop.', got=repr(crop_type),
                              expected="None or 'nyu_crop'", culprit='crop_type')
        self.crop_type, self.depth_scale_factor = crop_type, depth_scale_factor
        self.min_depth_eval, self.max_depth_eval = min_depth_eval, max_depth_eval
        self.output_dir, self.format_only = output_dir, format_only

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep the pixels of a batch that count, and write its predictions."""
        for sample in data_samples:
            pred = _plane(sample['pred_depth_map']['data'])
            if not self.format_only:
                depth = _plane(sample['gt_depth_map']['data']).to(pred)
                counts = self._get_eval_mask(depth)
                self.results.append((depth[counts].cpu(), pred[counts].cpu()))
            if self.output_dir is not None:
                values = (pred.cpu().numpy() * self.depth_scale_factor).clip(0, 65535)
                path = Path(self.output_dir, Path(sample['img_path']).stem + '.png')
                outputs.atomic_write(
                    path, cv2.imencode('.png', values.astype(np.uint16))[1].tobytes())

    def _get_eval_mask(self, gt_depth: torch.Tensor) -> torch.Tensor:
        """(H, W) measurements -> (H, W) bool, those that count."""
        counts = (gt_depth > self.min_depth_eval) & (gt_depth < self.max_depth_eval)
        if self.crop_type is None:
            return counts
        inside = torch.zeros_like(counts)
        inside[_NYU_CROP] = True
        return counts & inside

    def compute_metrics(self, results: list) -> dict[str, float]:
        """What `process` kept of all images -> the mean of each measure."""
        if self.format_only:
            print_log(f'Predictions are in {self.output_dir}', 'current')
            return {}
        scores = [depth_scores(depth, pred) for depth, pred in results]
        found = {name: sum(score[name] for score in scores) / len(scores)
                 for name in self.metrics}
        print_log(', '.join(f'{name} {value:.5f}' for name, value in found.items()), 'current')
        return found


def _plane(data: torch.Tensor) -> torch.Tensor:
    """(1, H, W) or (H, W) -> (H, W)."""
    return data.reshape(data.shape[-2:])
