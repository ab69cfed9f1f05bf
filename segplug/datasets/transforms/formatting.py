"""Pack a sample as the model takes it."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import PixelData

from ...registry import TRANSFORMS
from ...structures import META_KEYS, SegDataSample
from .fields import label_keys


def channels_first(img: np.ndarray) -> torch.Tensor:
    """(H, W, C) or (H, W) array as contiguous (C, H, W) tensor of the same type."""
    if img.ndim == 2:
        img = img[..., None]
    planes = np.empty((img.shape[2], *img.shape[:2]), img.dtype)
    cv2.split(img, list(planes))  # ten times faster than a transposed copy
    return torch.from_numpy(planes)


@TRANSFORMS.register_module()
class PackSegInputs(BaseTransform):
    """``inputs`` (C, H, W) as loaded, and ``data_samples`` with labels (1, H, W) and metainfo.

    A label map of three axes, as of a volume, stays as it is.
    gt_seg_map becomes ``gt_sem_seg``; other label maps keep their names. uint8 stays, uint16, of
    which torch knows little, becomes int32.

    Args:
        meta_keys: What to hand on of the results, where they hold it.
    """

    def __init__(self, meta_keys: Sequence[str] = tuple(META_KEYS)) -> None:
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict) -> dict:
        packed = {}
        if 'img' in results:
            packed['inputs'] = channels_first(results['img'])
        sample = SegDataSample()
        for key in label_keys(results):
            label = results[key]
            label = label.astype(np.int32) if label.dtype == np.uint16 else label
            data = torch.from_numpy(np.ascontiguousarray(label))
            data = data[None] if data.ndim == 2 else data
            setattr(sample, 'gt_sem_seg' if key == 'gt_seg_map' else key, PixelData(data=data))
        sample.set_metainfo({k: results[k] for k in self.meta_keys if k in results})
        packed['data_samples'] = sample
        return packed

    def __repr__(self) -> str:
        return f'{type(self).__name__}(meta_keys={self.meta_keys})'
