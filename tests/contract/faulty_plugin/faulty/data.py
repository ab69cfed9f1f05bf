"""Data sets, transforms and a metric with a fault each."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.evaluator import BaseMetric

from segplug.datasets import BaseSegDataset
from segplug.registry import DATASETS, METRICS, TRANSFORMS

METAINFO = dict(classes=('a', 'b', 'c'), palette=[[0, 0, 0], [9, 9, 9], [0, 99, 0]])


@DATASETS.register_module()
class IgnoringDataset(BaseSegDataset):
    """Ignores a class of its own."""

    METAINFO = METAINFO

    def __init__(self, ignore_index=2, **kwargs):
        super().__init__(ignore_index=ignore_index, **kwargs)


@DATASETS.register_module()
class OtherDataset(BaseSegDataset):
    """Takes every second file."""

    METAINFO = METAINFO

    def load_data_list(self):
        return super().load_data_list()[::2]


@TRANSFORMS.register_module()
class OwnDice(BaseTransform):
    """Has a generator of its own."""

    def __init__(self):
        self.generator = np.random.default_rng()

    def transform(self, results):
        results['img'] = results['img'] // self.generator.integers(1, 99)
        return results


@TRANSFORMS.register_module()
class SoftLabels(BaseTransform):
    """Makes a class up between two others."""

    def transform(self, results):
        for key in results['seg_fields']:
            label = results[key]
            results[key] = np.where(label == 3, label.dtype.type(7), label)
        return results


@TRANSFORMS.register_module()
class HalfMoved(BaseTransform):
    """Leaves one of the label maps behind."""

    def transform(self, results):
        results['img'] = results['img'][:-1] if len(results['img']) > 1 else results['img']
        results['gt_seg_map'] = results['gt_seg_map'][:len(results['img'])]
        results['img_shape'] = results['img'].shape[:2]
        return results


@TRANSFORMS.register_module()
class Remembering(BaseTransform):
    """Counts samples."""

    def __init__(self):
        self.count = 0

    def transform(self, results):
        self.count += 1
        results['img'] = results['img'] // self.count
        return results


@TRANSFORMS.register_module()
class LambdaTransform(BaseTransform):
    """Keeps a function without a name."""

    def __init__(self):
        self.function = lambda img: img // 2

    def transform(self, results):
        results['img'] = self.function(results['img'])
        return results


@TRANSFORMS.register_module()
class Taking(BaseTransform):
    """Takes the label away."""

    def transform(self, results):
        return dict(img=results['img'], img_shape=results['img_shape'])


@TRANSFORMS.register_module()
class Shuffled(BaseTransform):
    """Moves the image alone."""

    def transform(self, results):
        results['img'] = results['img'][:, ::-1].copy()
        return results


@TRANSFORMS.register_module()
class Writing(BaseTransform):
    """Writes into the label that was loaded."""

    def transform(self, results):
        results['gt_seg_map'][0] = 255
        return results


@METRICS.register_module()
class MeanMetric(BaseMetric):
    """Adds up in a place of its own."""

    total = 0.

    def process(self, data_batch, data_samples):
        self.results += [1] * len(data_samples)
        self.total += sum(float(s['pred_sem_seg']['data'].float().mean()) for s in data_samples)

    def compute_metrics(self, results):
        return dict(mean=self.total / len(results))
