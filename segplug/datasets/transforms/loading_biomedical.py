"""Read volumes: N modalities of Z planes, by numpy or NIfTI.

mmsegmentation's names and arguments. A NIfTI file has its axes as (X, Y, Z), with the modalities
last if there are several, as the format says (mmsegmentation takes them to be first); a numpy
file has them as (Z, Y, X), with the modalities first. Either comes out as (N, Z, Y, X).
"""

import copy
import inspect
import os

import numpy as np
from mmcv.transforms import BaseTransform

from ...errors import DataError
from ...registry import TRANSFORMS
from .. import files, labels


class _VolumeLoader(BaseTransform):
    """What the three loaders share.

    Args:
        decode_backend: 'nifti' or 'numpy'.
        to_xyz: Turn (Z, Y, X) into (X, Y, Z) at last.
        backend_args: mmengine's file backend.
    """

    def __init__(self, decode_backend: str, to_xyz: bool, backend_args: dict | None) -> None:
        files.check_volume_backend(type(self).__name__, decode_backend, ('nifti', 'numpy'))
        self.decode_backend = decode_backend
        self.to_xyz = to_xyz
        self.backend_args = copy.copy(backend_args)

    def _read(self, path: str, kind: str) -> np.ndarray:
        """(N, Z, Y, X), or with ``to_xyz`` (N, X, Y, Z)."""
        path = os.fspath(path)
        data = files.read_bytes(path, kind, self.backend_args)
        volume = files.decode_volume(data, path, kind, self.decode_backend)
        if volume.ndim not in (3, 4) or 0 in volume.shape:
            raise DataError(f'The {kind} {path} is no volume.', got=volume.shape,
                            expected='three axes, or four with the modalities')
        if volume.ndim == 3:
            volume = volume[None]
        elif self.decode_backend == 'nifti':
            volume = np.moveaxis(volume, -1, 0)
        if (self.decode_backend == 'nifti') != self.to_xyz:
            volume = volume.transpose(0, 3, 2, 1)
        return np.ascontiguousarray(volume)

    def _settle(self, results: dict, img: np.ndarray) -> dict:
        results['img'] = img
        results['img_shape'] = results['ori_shape'] = img.shape[1:]
        return results

    def _settle_label(self, results: dict, label: np.ndarray, path: str) -> dict:
        if label.shape != tuple(results.get('ori_shape', label.shape)):
            raise DataError(f'The label {path} and its image differ in size.', got=label.shape,
                            expected=tuple(results['ori_shape']))
        results['gt_seg_map'] = labels.as_ids(label, os.fspath(path))
        results['seg_fields'] = [*results.get('seg_fields', []), 'gt_seg_map']
        return results

    def __repr__(self) -> str:
        settings = (f'{name}={getattr(self, name)!r}'
                    for name in inspect.signature(type(self)).parameters)
        return f'{type(self).__name__}({", ".join(settings)})'


@TRANSFORMS.register_module()
class LoadBiomedicalImageFromFile(_VolumeLoader):
    """Read ``img_path``; sets img (N, Z, Y, X), img_shape and ori_shape (Z, Y, X).

    Args:
        decode_backend: 'nifti' or 'numpy'.
        to_xyz: Turn (Z, Y, X) into (X, Y, Z).
        to_float32: Convert to float32.
        backend_args: mmengine's file backend.

    Raises:
        ConfigError: For another backend, or 'nifti' without nibabel.
        DataError: The file is missing, broken or no volume.
    """

    def __init__(self, decode_backend: str = 'nifti', to_xyz: bool = False,
                 to_float32: bool = True, backend_args: dict | None = None) -> None:
        super().__init__(decode_backend, to_xyz, backend_args)
        self.to_float32 = to_float32

    def transform(self, results: dict) -> dict:
        img = self._read(results['img_path'], 'image')
        return self._settle(results, img.astype(np.float32) if self.to_float32 else img)


@TRANSFORMS.register_module()
class LoadBiomedicalAnnotation(_VolumeLoader):
    """Read ``seg_map_path``; sets gt_seg_map (Z, Y, X) and enters it in seg_fields.

    Args:
        decode_backend: 'nifti' or 'numpy'.
        to_xyz: Turn (Z, Y, X) into (X, Y, Z).
        to_float32: mmsegmentation's. A label is uint8 or uint16 here, whatever it says.
        backend_args: mmengine's file backend.

    Raises:
        ConfigError: For another backend, or 'nifti' without nibabel.
        DataError: The file is missing or broken, holds values that are no ids, or differs from
            the image in size.
    """

    def __init__(self, decode_backend: str = 'nifti', to_xyz: bool = False,
                 to_float32: bool = True, backend_args: dict | None = None) -> None:
        super().__init__(decode_backend, to_xyz, backend_args)
        self.to_float32 = to_float32

    def transform(self, results: dict) -> dict:
        path = results['seg_map_path']
        label = self._read(path, 'label')
        if len(label) > 1:
            raise DataError(f'The label {path} has several modalities.', got=label.shape,
                            expected='(Z, Y, X)')
        return self._settle_label(results, label[0], path)


@TRANSFORMS.register_module()
class LoadBiomedicalData(_VolumeLoader):
    """Read ``img_path``, whose last modality is the label.

    Sets img (N, Z, Y, X), img_shape, ori_shape and, with ``with_seg``, gt_seg_map (Z, Y, X).

    Args:
        with_seg: Whether to hand on the label.
        decode_backend: 'nifti' or 'numpy'.
        to_xyz: Turn (Z, Y, X) into (X, Y, Z).
        backend_args: mmengine's file backend.

    Raises:
        ConfigError: For another backend, or 'nifti' without nibabel.
        DataError: The file is missing or broken, has one modality only, or holds labels that are
            no ids.
    """

    def __init__(self, with_seg: bool = False, decode_backend: str = 'numpy',
                 to_xyz: bool = False, backend_args: dict | None = None) -> None:
        super().__init__(decode_backend, to_xyz, backend_args)
        self.with_seg = with_seg

    def transform(self, results: dict) -> dict:
        path = results['img_path']
        volume = self._read(path, 'image')
        if len(volume) < 2:
            raise DataError(f'The image {path} has no label as its last modality.',
                            got=volume.shape, expected='(N + 1, Z, Y, X)',
                            fix='use LoadBiomedicalImageFromFile')
        self._settle(results, volume[:-1])
        return self._settle_label(results, volume[-1], path) if self.with_seg else results
