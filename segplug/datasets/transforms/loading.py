"""Read image and label; a file that cannot be used is named, whoever reads it.

Arguments are mmcv's (image) and mmsegmentation's (label), and a few of ours by keyword. What
reads the formats is `..files`; what the values mean is `..labels`.
"""

import copy
import os
from collections.abc import Mapping, Sequence

import numpy as np
from mmcv.transforms import BaseTransform

from ...errors import ConfigError, DataError, ShapeError
from ...registry import TRANSFORMS
from .. import files, labels

_LABEL_BACKENDS = ('pillow', 'cv2', 'tifffile')


def as_pixels(img: np.ndarray, path: str | None, to_float32: bool = False) -> np.ndarray:
    """An image in a type that transforms work on: uint8, uint16, int16 or float32.

    Wider numbers become float32, which holds integers up to 2^24 exactly.

    Args:
        img: (H, W) or (H, W, C).
        path: For messages.
        to_float32: Make it float32 in any case.

    Raises:
        DataError: It is no image, or holds nan or infinity.
    """
    if img.ndim not in (2, 3) or img.dtype.kind not in 'biuf' or 0 in img.shape:
        raise DataError(f'The image {path} is none.', got=f'{img.shape} {img.dtype}',
                        expected='numbers, (H, W) or (H, W, C)')
    if img.dtype.kind == 'f' and not np.isfinite(img).all():
        raise DataError(f'The image {path} holds nan or infinity.',
                        got=f'{int((~np.isfinite(img)).sum())} values',
                        fix='write a number where there is no measurement')
    if img.dtype == bool:
        img = img.astype(np.uint8)
    if to_float32 or img.dtype.newbyteorder('=') not in (np.uint8, np.uint16, np.int16):
        return img.astype(np.float32, copy=False)
    return img.astype(img.dtype.newbyteorder('='), copy=False)


def settle(results: dict, img: np.ndarray) -> dict:
    """Enter an image and its size."""
    results['img'] = img
    results['img_shape'] = results['ori_shape'] = img.shape[:2]
    return results


@TRANSFORMS.register_module()
class LoadImageFromFile(BaseTransform):
    """Read ``img_path``; sets img (H, W, C), img_shape and ori_shape.

    Pictures come as ``color_type`` says: 'color' is BGR of 8 bits (deeper ones are scaled, alpha
    is dropped), 'unchanged' is what the file holds, BGR or BGRA first. With 'tifffile', a TIFF
    keeps all its channels in its own order, as do .npy, .npz and .mat, whatever the backend.

    Args:
        to_float32: Convert the pixels to float32.
        color_type: mmcv's flag: 'color' (BGR), 'grayscale', 'unchanged', and the first two with
            '_ignore_orientation': an EXIF orientation does not turn the picture.
        imdecode_backend: 'cv2', 'pillow', 'turbojpeg' or 'tifffile'.
        file_client_args: Older name of ``backend_args``; refused.
        ignore_empty: Refused: a sample that cannot be read is an error here.
        backend_args: mmengine's file backend.
        variable: Name of the array in a .npz or .mat that holds several.

    Raises:
        ConfigError: For a backend or a ``color_type`` that there is not.
        DataError: The file is missing, empty, truncated or broken, or no image.
    """

    def __init__(self, to_float32: bool = False, color_type: str = 'color',
                 imdecode_backend: str = 'cv2', file_client_args: dict | None = None,
                 ignore_empty: bool = False, *, backend_args: dict | None = None,
                 variable: str | None = None) -> None:
        if file_client_args is not None:
            raise ConfigError('LoadImageFromFile: file_client_args is no longer read.',
                              fix='name it backend_args', culprit='file_client_args')
        if ignore_empty:
            raise ConfigError('LoadImageFromFile: ignore_empty would replace samples silently.',
                              fix='remove it, and the broken files', culprit='ignore_empty')
        files.check_backend('LoadImageFromFile', imdecode_backend, color_type)
        self.to_float32 = to_float32
        self.color_type = color_type
        self.imdecode_backend = imdecode_backend
        self.backend_args = copy.copy(backend_args)
        self.variable = variable

    @property
    def packed_settings(self) -> str:
        """What a packed image must have been loaded with to be the same."""
        return repr(dict(to_float32=self.to_float32, color_type=self.color_type,
                         imdecode_backend=self.imdecode_backend, variable=self.variable))

    def transform(self, results: dict) -> dict:
        path = results['img_path']
        if results.get('packed') is not None:
            return settle(results, results['packed'].read('image', path, self.packed_settings))
        data = files.read_bytes(path, 'image', self.backend_args)
        img = files.decode(data, path, 'image', self.color_type, self.imdecode_backend,
                           self.variable)
        if results.get('seg_map_path') is not None \
                and files.turns(self.color_type, self.imdecode_backend):
            results['exif_orientation'] = files.orientation(data)
        return settle(results, as_pixels(img, path, self.to_float32))

    def __repr__(self) -> str:
        # As mmcv's; there are no more settings.
        return (f'{type(self).__name__}(ignore_empty=False, to_float32={self.to_float32}, '
                f'color_type={self.color_type!r}, imdecode_backend={self.imdecode_backend!r}, '
                f'backend_args={self.backend_args})')


@TRANSFORMS.register_module()
class LoadImageFromNDArray(LoadImageFromFile):
    """Take the (H, W, C) array that is already in ``img`` (BGR), as LoadImageFromFile would.

    It has the arguments of `LoadImageFromFile`, so that it can stand in its place; of these,
    ``to_float32`` has an effect.
    """

    def transform(self, results: dict) -> dict:
        results.setdefault('img_path', None)
        return settle(results, as_pixels(results['img'], results['img_path'] or 'of the array',
                                         self.to_float32))


@TRANSFORMS.register_module()
class InferencerLoader(BaseTransform):
    """An image by file name, as array or in a dict; whichever of the two loaders fits reads it.

    Args:
        to_float32, color_type, imdecode_backend, backend_args, variable: LoadImageFromFile's.
    """

    def __init__(self, to_float32: bool = False, color_type: str = 'color',
                 imdecode_backend: str = 'cv2', backend_args: dict | None = None,
                 variable: str | None = None) -> None:
        self.from_file = LoadImageFromFile(to_float32, color_type, imdecode_backend,
                                           backend_args=backend_args, variable=variable)
        self.from_ndarray = LoadImageFromNDArray(to_float32)

    def transform(self, single_input: str | os.PathLike | np.ndarray | dict) -> dict:
        """A name, an (H, W, C) BGR array, or a dict with ``img`` or ``img_path``.

        Raises:
            ShapeError: It is none of these.
        """
        if isinstance(single_input, str | os.PathLike):
            single_input = dict(img_path=os.fspath(single_input))
        elif isinstance(single_input, np.ndarray):
            single_input = dict(img=single_input)
        elif not isinstance(single_input, dict):
            raise ShapeError('InferencerLoader cannot take this input.', got=type(single_input),
                             expected='a file name, an array or a dict')
        return (self.from_ndarray if 'img' in single_input else self.from_file)(single_input)


@TRANSFORMS.register_module()
class LoadAnnotations(BaseTransform):
    """Read ``seg_map_path``; sets gt_seg_map (H, W) and enters it in seg_fields.

    It is uint8, or uint16 where a value is above 255 after ``label_map``. ``seg_map_path`` None
    says that the data set has no labels: nothing is set.

    Args:
        reduce_zero_label: None takes the data set's; anything else must equal it.
        backend_args: mmengine's file backend.
        imdecode_backend: 'pillow' keeps the indices of palette files; 'cv2' turns them to colour;
            'tifffile'.
        color_map: For colour masks: '#rrggbb' -> id, or colours (r, g, b) in the order of the
            classes.
        value_map: Value of the file -> class id, before everything else; others stay.
        variable: Name of the array in a .npz or .mat that holds several; 'struct.field'.

    Raises:
        ConfigError: For settings that do not fit.
        DataError: The file is missing, empty, truncated or broken; it has several channels,
            a colour that is not in ``color_map``, values that are no ids, or another size than
            the image.
    """

    takes_frames = True  # it does not look at the image, which may be one of a packed data set

    def __init__(self, reduce_zero_label: bool | None = None, backend_args: dict | None = None,
                 imdecode_backend: str = 'pillow', *,
                 color_map: Mapping[str, int] | Sequence | None = None,
                 value_map: Mapping[int, int] | None = None,
                 variable: str | None = None) -> None:
        if imdecode_backend not in _LABEL_BACKENDS:
            raise ConfigError('LoadAnnotations has no such imdecode_backend.',
                              got=repr(imdecode_backend), culprit=str(imdecode_backend),
                              expected=f'one of {_LABEL_BACKENDS}')
        self.reduce_zero_label = reduce_zero_label
        self.backend_args = copy.copy(backend_args)
        self.imdecode_backend = imdecode_backend
        self.color_items = None if color_map is None else labels.color_items(color_map)
        self.value_map = None if value_map is None else labels.value_items(value_map)
        self.variable = variable

    def transform(self, results: dict) -> dict:
        if 'seg_map_path' not in results:
            raise DataError(f'{results.get("img_path")} comes without seg_map_path.',
                            fix='remove LoadAnnotations, or give the data set labels')
        if results['seg_map_path'] is None:
            return results
        results['gt_seg_map'] = labels.mapped(
            self.values(results), results.get('label_map'), self._reduces(results),
            results.get('ignore_index', 255), self.value_map)
        if 'num_values' in results:
            labels.check_values(results['gt_seg_map'], results['seg_map_path'],
                                results['num_values'], results.get('ignore_index', 255))
        # A new list: copies of a sample may share the old one.
        results['seg_fields'] = [*results.get('seg_fields', []), 'gt_seg_map']
        return results

    @property
    def packed_settings(self) -> str:
        """What a packed label must have been loaded with to be the same."""
        return repr(dict(imdecode_backend=self.imdecode_backend, color_items=self.color_items,
                         variable=self.variable))

    def values(self, results: dict):
        """(H, W) uint8 or uint16, array or Frame: the label's values before any map."""
        path = os.fspath(results['seg_map_path'])
        if results.get('packed') is not None:
            label = results['packed'].read('label', path, self.packed_settings)
            labels.check_size(label.shape, path, results.get('ori_shape'))
            return label
        return labels.check_label(self._read(path), path, _shape_of(results))

    def _read(self, path: str) -> np.ndarray:
        data = files.read_bytes(path, 'label', self.backend_args)
        if self.color_items is None:
            return labels.decode_label(data, path, self.imdecode_backend, self.variable)
        mask = labels.decode_colors(data, path, self.imdecode_backend, self.variable)
        return labels.ids_of_colors(mask, self.color_items, path)

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
                f'imdecode_backend={self.imdecode_backend!r}, '
                f'backend_args={self.backend_args})')


def _shape_of(results: dict) -> tuple[int, int] | None:
    """(H, W) that the label must have: the image's, if there is one.

    Raises:
        DataError: EXIF turned the image, and the sizes do not tell whether the label was drawn on
            the turned one.
    """
    shape, turned = results.get('ori_shape'), results.get('exif_orientation', 1)
    # 5 to 8 exchange height and width, so that the label's size tells.
    if turned == 1 or (turned >= 5 and shape[0] != shape[1]):
        return shape
    raise DataError(
        f'The image {results["img_path"]} is turned by its EXIF orientation, and nothing tells '
        f'whether its label {results["seg_map_path"]} was drawn before or after.',
        got=f'orientation {turned}',
        fix="if before, LoadImageFromFile(color_type='color_ignore_orientation'); if after, "
            'write the image turned, without the tag')
