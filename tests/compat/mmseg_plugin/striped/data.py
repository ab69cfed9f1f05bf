"""A data set and a transform, written as for mmsegmentation 1.x."""

import os.path as osp

import mmengine.fileio as fileio
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS, TRANSFORMS


@DATASETS.register_module()
class StripesDataset(BaseSegDataset):
    METAINFO = dict(
        classes=('sky', 'stripe', 'ground'),
        palette=[[0, 0, 255], [255, 255, 0], [0, 255, 0]])

    def __init__(self, img_suffix='_img.png', seg_map_suffix='_lab.png', reduce_zero_label=False,
                 **kwargs) -> None:
        super().__init__(
            img_suffix=img_suffix,
            seg_map_suffix=seg_map_suffix,
            reduce_zero_label=reduce_zero_label,
            **kwargs)
        assert fileio.exists(self.data_prefix['img_path'], self.backend_args)

    def load_data_list(self):
        data_list = []
        img_dir = self.data_prefix.get('img_path', None)
        ann_dir = self.data_prefix.get('seg_map_path', None)
        for img in fileio.list_dir_or_file(
                dir_path=img_dir, list_dir=False, suffix=self.img_suffix, recursive=True,
                backend_args=self.backend_args):
            data_info = dict(img_path=osp.join(img_dir, img))
            data_info['seg_map_path'] = osp.join(
                ann_dir, img.replace(self.img_suffix, self.seg_map_suffix))
            data_info['label_map'] = self.label_map
            data_info['reduce_zero_label'] = self.reduce_zero_label
            data_info['seg_fields'] = []
            data_list.append(data_info)
        return sorted(data_list, key=lambda x: x['img_path'])


@TRANSFORMS.register_module()
class DimTransform(BaseTransform):
    """Darkens images, and ignores a column of the label."""

    def __init__(self, prob=0.5, factor=0.5):
        self.prob, self.factor = prob, factor

    @cache_randomness
    def is_dim(self):
        return np.random.rand() < self.prob

    def transform(self, results):
        if self.is_dim():
            results['img'] = (results['img'] * self.factor).astype(results['img'].dtype)
        for key in results.get('seg_fields', []):
            results[key][:, 0] = 255
        return results
