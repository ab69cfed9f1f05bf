"""Read image and label; a file that cannot be used is named, whoever reads it.

Arguments are mmcv's (image) and mmsegmentation's (label). Label values are remapped by one
table look-up, whatever the reason of the mapping.
"""

import copy
import os

import cv2
import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine import fileio

from ...errors import ConfigError, DataError
from ...registry import TRANSFORMS

_PNG_START, _PNG_END = b'\x89PNG', b'IEND\xaeB`\x82'
_JPEG_START, _JPEG_SCAN, _JPEG_END = b'\xff\xd8', b'\xff\xda', b'\xff\xd9'


def read_bytes(path: str, kind: str, backend_args: dict | None = None) -> bytes:
    """The bytes of a file; DataError if it is missing, unreadable or empty."""
    try:
        data = fileio.get(path, backend_args=backend_args)
    except OSError as error:
        raise DataError(f'The {kind} {path} cannot be read.', got=error.strerror or error,
                        fix='restore the file or take it out of the data set') from error
    if not data:
        raise DataError(f'The {kind} {path} is empty.', got='0 bytes',
                        fix='restore the file or take it out of the data set')
    return data


def is_truncated(data: bytes) -> bool:
    """Whether a PNG or JPEG lacks its end marker; some decoders fill such files with grey."""
    if data.startswith(_PNG_START):
        return data.rfind(_PNG_END) < 0
    if data.startswith(_JPEG_START) and not data.endswith(_JPEG_END):
        # A thumbnail inside has an end marker of its own, before the last scan starts.
        return data.rfind(_JPEG_END) < data.rfind(_JPEG_SCAN)
    return False


def decode(data: bytes, path: str, kind: str, flag: str, backend: str) -> np.ndarray:
    """Pixels of an encoded image, (H, W) or (H, W, C); DataError naming ``path`` if broken."""
    reason = 'the file ends too early' if is_truncated(data) else 'the decoder gave up'
    try:
        img = None if is_truncated(data) else mmcv.imfrombytes(data, flag=flag, backend=backend)
    except (OSError, SyntaxError, ValueError, cv2.error) as error:  # what Pillow and cv2 raise
        img, reason = None, str(error)
    if img is None:
        raise DataError(f'The {kind} {path} cannot be decoded.',
                        got=f'{len(data)} bytes; {reason}', expected='a whole image file',
                        fix='restore the file or take it out of the data set')
    return img


def label_table(label_map: dict[int, int] | None, reduce_zero_label: bool) -> np.ndarray | None:
    """(256,) uint8: new value of each label value, or None where nothing changes.

    ``reduce_zero_label`` first (0 and 255 become 255, v becomes v - 1), then ``label_map``;
    values it does not hold stay.
    """
    table = np.arange(256, dtype=np.uint8)
    if reduce_zero_label:
        table[1:255] -= 1
        table[0] = 255
    if label_map:
        mapped = np.arange(256, dtype=np.uint8)
        for old, new in label_map.items():
            mapped[old] = new
        table = mapped[table]
    return table if (table != np.arange(256)).any() else None


def check_label(label: np.ndarray, path: str, img_shape: tuple[int, int] | None) -> np.ndarray:
    """The label as (H, W) uint8; DataError for channels, values or a size that do not fit."""
    if label.ndim == 3 and label.shape[2] == 1:
        label = label[..., 0]
    if label.ndim != 2:
        raise DataError(f'The label {path} has {label.shape[-1]} channels.',
                        got=f'shape {label.shape}', expected='one channel of class ids',
                        fix='convert colour masks to class ids')
    if img_shape is not None and label.shape != tuple(img_shape):
        raise DataError(f'The label {path} and its image differ in size.',
                        got=f'label {label.shape} (H, W)', expected=f'{tuple(img_shape)}')
    if label.dtype != np.uint8:
        low, high = label.min(), label.max()
        if low < 0 or high > 255:
            raise DataError(f'The label {path} has values outside 0 to 255.',
                            got=f'{low} to {high} ({label.dtype})', expected='0 to 255')
        label = label.astype(np.uint8)
    return label


def _settle(results: dict, img: np.ndarray) -> dict:
    results['img'] = img
    results['img_shape'] = results['ori_shape'] = img.shape[:2]
    return results


@TRANSFORMS.register_module()
class LoadImageFromFile(BaseTransform):
    """Read ``img_path``; sets img (H, W, C), img_shape and ori_shape.

    Args:
        to_float32: Convert the pixels to float32.
        color_type: mmcv's flag: 'color' (BGR), 'grayscale', 'unchanged', ...
        imdecode_backend: 'cv2', 'pillow', 'turbojpeg' or 'tifffile'.
        file_client_args: Older name of ``backend_args``; refused.
        ignore_empty: Refused: a sample that cannot be read is an error here.
        backend_args: mmengine's file backend.

    Raises:
        DataError: The file is missing, empty, truncated or broken.
    """

    def __init__(self, to_float32: bool = False, color_type: str = 'color',
                 imdecode_backend: str = 'cv2', file_client_args: dict | None = None,
                 ignore_empty: bool = False, *, backend_args: dict | None = None) -> None:
        if file_client_args is not None:
            raise ConfigError('LoadImageFromFile: file_client_args is no longer read.',
                              fix='name it backend_args', culprit='file_client_args')
        if ignore_empty:
            raise ConfigError('LoadImageFromFile: ignore_empty would replace samples silently.',
                              fix='remove it, and the broken files', culprit='ignore_empty')
        self.to_float32 = to_float32
        self.color_type = color_type
        self.imdecode_backend = imdecode_backend
        self.backend_args = copy.copy(backend_args)

    def transform(self, results: dict) -> dict:
        path = results['img_path']
        data = read_bytes(path, 'image', self.backend_args)
        img = decode(data, path, 'image', self.color_type, self.imdecode_backend)
        return _settle(results, img.astype(np.float32) if self.to_float32 else img)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(color_type={self.color_type!r}, '
                f'imdecode_backend={self.imdecode_backend!r}, to_float32={self.to_float32})')


@TRANSFORMS.register_module()
class LoadImageFromNDArray(BaseTransform):
    """Take the (H, W, C) array that is already in ``img`` (BGR), as LoadImageFromFile would.

    Args:
        to_float32: Convert the pixels to float32.
    """

    def __init__(self, to_float32: bool = False) -> None:
        self.to_float32 = to_float32

    def transform(self, results: dict) -> dict:
        results.setdefault('img_path', None)
        img = results['img']
        return _settle(results, img.astype(np.float32) if self.to_float32 else img)


@TRANSFORMS.register_module()
class LoadAnnotations(BaseTransform):
    """Read ``seg_map_path``; sets gt_seg_map (H, W) uint8 and enters it in seg_fields.

    ``seg_map_path`` None says that the data set has no labels: nothing is set.

    Args:
        reduce_zero_label: None takes the data set's; anything else must equal it.
        backend_args: mmengine's file backend.
        imdecode_backend: 'pillow' keeps the indices of palette files; 'cv2' turns them to colour.

    Raises:
        DataError: The file is missing, empty, truncated or broken; it has several channels,
            values above 255, or another size than the image.
    """

    def __init__(self, reduce_zero_label: bool | None = None, backend_args: dict | None = None,
                 imdecode_backend: str = 'pillow') -> None:
        self.reduce_zero_label = reduce_zero_label
        self.backend_args = copy.copy(backend_args)
        self.imdecode_backend = imdecode_backend

    def transform(self, results: dict) -> dict:
        if 'seg_map_path' not in results:
            raise DataError(f'{results.get("img_path")} comes without seg_map_path.',
                            fix='remove LoadAnnotations, or give the data set labels')
        path = results['seg_map_path']
        if path is None:
            return results
        label = decode(read_bytes(path, 'label', self.backend_args), os.fspath(path), 'label',
                       'unchanged', self.imdecode_backend)
        label = check_label(label, path, results.get('ori_shape'))
        table = label_table(results.get('label_map'), self._reduces(results))
        results['gt_seg_map'] = label if table is None else cv2.LUT(label, table)
        # A new list: copies of a sample may share the old one.
        results['seg_fields'] = [*results.get('seg_fields', []), 'gt_seg_map']
        return results

    def _reduces(self, results: dict) -> bool:
        of_dataset = results.get('reduce_zero_label')
        if None not in (of_dataset, self.reduce_zero_label) \
                and of_dataset != self.reduce_zero_label:
            raise ConfigError('The data set and LoadAnnotations differ in reduce_zero_label.',
                              got=f'{of_dataset} and {self.reduce_zero_label}',
                              fix='set it in the data set only', culprit='reduce_zero_label')
        return bool(of_dataset if of_dataset is not None else self.reduce_zero_label)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(reduce_zero_label={self.reduce_zero_label}, '
                f'imdecode_backend={self.imdecode_backend!r})')
