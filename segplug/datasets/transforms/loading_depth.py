"""Read the depth of each pixel; mmsegmentation's name and arguments."""

import copy
import os

import numpy as np
from mmcv.transforms import BaseTransform

from ...errors import ConfigError, DataError
from ...registry import TRANSFORMS
from .. import files
from .loading import as_pixels

_BACKENDS = ('cv2', 'numpy', 'nifti')


@TRANSFORMS.register_module()
class LoadDepthAnnotation(BaseTransform):
    """Read ``depth_map_path``; sets gt_depth_map (H, W), enters it in seg_fields.

    ``depth_rescale_factor`` is set too, by which the values were multiplied.

    Args:
        decode_backend: 'cv2' for pictures and TIFF, 'numpy' for .npy and .npz, 'nifti'.
        to_float32: Convert to float32; a factor other than 1 does so in any case.
        depth_rescale_factor: Factor of the values.
        backend_args: mmengine's file backend.

    Raises:
        ConfigError: For another backend, or 'nifti' without nibabel.
        DataError: The file is missing or broken, is not one number per pixel, or has another
            size than the image.
    """

    def __init__(self, decode_backend: str = 'cv2', to_float32: bool = True,
                 depth_rescale_factor: float = 1.0, backend_args: dict | None = None) -> None:
        files.check_volume_backend('LoadDepthAnnotation', decode_backend, _BACKENDS)
        if isinstance(depth_rescale_factor, bool) \
                or not isinstance(depth_rescale_factor, int | float) or not depth_rescale_factor:
            raise ConfigError('depth_rescale_factor is a number other than 0.',
                              got=repr(depth_rescale_factor), culprit='depth_rescale_factor')
        self.decode_backend = decode_backend
        self.to_float32 = to_float32
        self.depth_rescale_factor = depth_rescale_factor
        self.backend_args = copy.copy(backend_args)

    def transform(self, results: dict) -> dict:
        path = os.fspath(results['depth_map_path'])
        data = files.read_bytes(path, 'depth map', self.backend_args)
        if self.decode_backend == 'cv2':
            depth = files.decode(data, path, 'depth map', 'unchanged', 'tifffile')
        else:
            depth = files.decode_volume(data, path, 'depth map', self.decode_backend)
        depth = self._checked(np.squeeze(depth), path, results.get('ori_shape'))
        results['gt_depth_map'] = depth
        results['seg_fields'] = [*results.get('seg_fields', []), 'gt_depth_map']
        results['depth_rescale_factor'] = self.depth_rescale_factor
        return results

    def _checked(self, depth: np.ndarray, path: str, shape: tuple | None) -> np.ndarray:
        if depth.ndim != 2 or (shape is not None and depth.shape != tuple(shape)):
            raise DataError(f'The depth map {path} does not fit its image.', got=depth.shape,
                            expected='(H, W)' if shape is None else tuple(shape))
        scaled = self.depth_rescale_factor != 1
        depth = as_pixels(depth, path, self.to_float32 or scaled)
        return depth * np.float32(self.depth_rescale_factor) if scaled else depth

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(decode_backend={self.decode_backend!r}, '
                f'to_float32={self.to_float32}, '
                f'depth_rescale_factor={self.depth_rescale_factor})')
