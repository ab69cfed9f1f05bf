"""``mmseg.utils``: registering, the environment, padding of a batch, decoding of bytes."""

import datetime
import gzip
import io
import warnings

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from mmengine.utils.dl_utils import collect_env as collect_base_env

from ... import __version__
from ...errors import ConfigError, ShapeError
from ...structures import SegDataSample


def register_all_modules(init_default_scope: bool = True) -> None:
    """Make 'mmseg' the default scope; what is registered is found by itself."""
    if not init_default_scope:
        return
    if not DefaultScope.check_instance_created('mmseg'):
        DefaultScope.get_instance('mmseg', scope_name='mmseg')
    elif DefaultScope.get_current_instance().scope_name != 'mmseg':
        current = DefaultScope.get_current_instance().scope_name
        warnings.warn(f'The current default scope "{current}" is not "mmseg", which takes its '
                      'place; register_all_modules(init_default_scope=False) leaves it',
                      UserWarning, stacklevel=2)
        # Instances keep their scope, so that another one has to become the current one.
        DefaultScope.get_instance(f'mmseg-{datetime.datetime.now()}', scope_name='mmseg')


def collect_env() -> dict:
    """Versions of what a report of a problem should name."""
    return {**collect_base_env(), 'MMSegmentation': f'1.2.2, lent by segplug {__version__}'}


def add_prefix(inputs: dict, prefix: str) -> dict:
    """``{'loss': x}`` -> ``{'prefix.loss': x}``."""
    return {f'{prefix}.{name}': value for name, value in inputs.items()}


def stack_batch(inputs: list[torch.Tensor], data_samples: list[SegDataSample] | None = None,
                size: tuple[int, int] | None = None, size_divisor: int | None = None,
                pad_val: float = 0, seg_pad_val: int = 255
                ) -> tuple[torch.Tensor, list[SegDataSample] | list[dict]]:
    """Pad images at the right and below to one size, and their labels along.

    Args:
        inputs: Images (C, H, W).
        data_samples: One for each image; img_shape, pad_shape and padding_size (left, right, top,
            bottom) are set.
        size: (H, W) to pad to; or
        size_divisor: Pad to the largest image, and on to a multiple of this.
        pad_val, seg_pad_val: Values of the padding of images and labels.

    Returns:
        (N, C, H, W), and the samples or, without any, dicts of img_padding_size and pad_shape.

    Raises:
        ConfigError: Unless one of ``size`` and ``size_divisor`` is given.
        ShapeError: The images differ in channels, or are not (C, H, W).
    """
    if (size is None) == (size_divisor is None):
        raise ConfigError('A batch is padded to a size, or to a multiple.',
                          got=f'size={size}, size_divisor={size_divisor}', expected='one of them')
    if not isinstance(inputs, list) or {img.ndim for img in inputs} != {3} \
            or len({len(img) for img in inputs}) != 1:
        raise ShapeError('A batch is a list of images of equal channels.',
                         got=[tuple(img.shape) for img in inputs], expected='(C, H, W) each')
    least = [max(img.shape[axis] for img in inputs) for axis in (1, 2)]
    to = tuple(size or (-(-length // size_divisor) * size_divisor for length in least))
    images, known = [], []
    for i, img in enumerate(inputs):
        below, right = (max(to[axis] - img.shape[axis + 1], 0) for axis in (0, 1))
        padding = (0, right, 0, below)
        images.append(F.pad(img, padding, value=pad_val))
        shape = tuple(images[-1].shape[-2:])
        if data_samples is None:
            known.append(dict(img_padding_size=padding, pad_shape=shape))
            continue
        for name in ('gt_sem_seg', 'gt_edge_map', 'gt_depth_map'):
            if name in data_samples[i]:
                data = F.pad(getattr(data_samples[i], name).data, padding, value=seg_pad_val)
                setattr(data_samples[i], name, PixelData(data=data))
        data_samples[i].set_metainfo(dict(img_shape=tuple(img.shape[-2:]), pad_shape=shape,
                                          padding_size=padding))
        known.append(data_samples[i])
    return torch.stack(images), known


def datafrombytes(content: bytes, backend: str = 'numpy') -> np.ndarray:
    """An array from the bytes of a file.

    Args:
        content: The bytes.
        backend: 'numpy', 'nifti' or 'cv2'. A pickle runs code, so it is not read.

    Raises:
        ConfigError: For another backend.
    """
    if backend == 'numpy':
        return np.load(io.BytesIO(content), allow_pickle=False)
    if backend == 'cv2':
        return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if backend == 'nifti':
        from nibabel import Nifti1Image
        return Nifti1Image.from_bytes(gzip.decompress(content)).get_fdata()
    raise ConfigError('datafrombytes has no such backend.', got=repr(backend),
                      expected="'numpy', 'nifti' or 'cv2'", culprit=str(backend))
