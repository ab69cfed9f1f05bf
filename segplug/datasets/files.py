"""Bytes of a file to an array, whatever the format; a file that cannot be used is named.

The one place that reads images and labels: mmcv's decoders for pictures, tifffile for TIFF,
numpy and scipy for arrays. Nothing that is read is ever unpickled. H W pixels, C channels.
"""

import importlib.util
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import mmcv
import numpy as np
from mmengine import fileio
from PIL import Image, UnidentifiedImageError

from ..errors import ConfigError, DataError, did_you_mean
from ..ops.png import decode_png
from . import array_files

BACKENDS = ('cv2', 'pillow', 'tifffile', 'turbojpeg')
COLOR_TYPES = ('color', 'grayscale', 'unchanged', 'color_ignore_orientation',
               'grayscale_ignore_orientation')
_PNG_START, _PNG_END = b'\x89PNG', b'IEND\xaeB`\x82'
_JPEG_START, _JPEG_SCAN, _JPEG_END = b'\xff\xd8', b'\xff\xda', b'\xff\xd9'
_RESTORE = 'restore the file or leave it out'
_ORIENTATION = 274

# OpenCV warns of every tag of a GeoTIFF, at every reading; what is wrong with a file is said below.
if 'OPENCV_LOG_LEVEL' not in os.environ:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)


def read_bytes(path: str, kind: str, backend_args: dict | None = None) -> bytes:
    """The bytes of a file; DataError if it is missing, unreadable or empty."""
    try:
        data = fileio.get(path, backend_args=backend_args)
    except OSError as error:
        raise _unread(error, path, kind) from error
    if not data:
        raise DataError(f'The {kind} {path} is empty.', got='0 bytes', fix=_RESTORE)
    return data


def is_truncated(data: bytes) -> bool:
    """Whether a PNG or JPEG lacks its end marker; some decoders fill such files with grey."""
    if data.startswith(_PNG_START):
        return data.rfind(_PNG_END) < 0
    if data.startswith(_JPEG_START) and not data.endswith(_JPEG_END):
        # A thumbnail inside has an end marker of its own, before the last scan starts.
        return data.rfind(_JPEG_END) < data.rfind(_JPEG_SCAN)
    return False


def decode(data: bytes, path: str, kind: str, flag: str, backend: str,
           variable: str | None = None) -> np.ndarray:
    """The pixels of a file, (H, W) or (H, W, C).

    Args:
        data: The file.
        path: Its name: .npy, .npz and .mat are told by it, all else by the content.
        kind: 'image' or 'label', for messages.
        flag: One of COLOR_TYPES; arrays and what tifffile reads are not touched by it.
        backend: One of BACKENDS, for pictures. 'tifffile' reads TIFF, and hands what is none on
            to cv2; its channels stay in the file's order, where cv2 and pillow give BGR.
        variable: Of a .mat or .npz, see `array_files.chosen`.

    Raises:
        DataError: Naming ``path``, if it is broken or holds something else.
    """
    path = os.fspath(path)
    read = array_files.READERS.get(os.path.splitext(path)[1].lower())
    if read is not None:
        return _guarded(read, data, path, kind, variable, (2,) if kind == 'label' else (2, 3))
    if array_files.is_tiff(data):
        if backend == 'tifffile':
            return _guarded(array_files.read_tiff, data, path, kind)
        _guarded(array_files.check_one_page, data, path, kind)
    backend = 'cv2' if backend == 'tifffile' else backend
    img = decode_png(data, flag, backend)
    if img is not None:
        return img
    reason = 'the file ends too early' if is_truncated(data) else 'the decoder gave up'
    try:
        img = None if is_truncated(data) else mmcv.imfrombytes(data, flag=flag, backend=backend)
    except Exception as error:  # a damaged file may raise anything below a decoder
        img, reason = None, _reason(error)
    if img is None:
        raise _undecoded(data, path, kind, reason)
    return img


def decode_volume(data: bytes, path: str, kind: str, backend: str) -> np.ndarray:
    """The array of a volume file, with its axes in the file's order.

    Args:
        data: The file.
        path: Its name.
        kind: 'image' or 'label', for messages.
        backend: 'numpy' for .npy and .npz, 'nifti' for .nii and .nii.gz.

    Raises:
        DataError: Naming ``path``, if it is broken.
    """
    path = os.fspath(path)
    if backend == 'nifti':
        return _guarded(array_files.read_nifti, data, path, kind)
    read = array_files.read_npz if path.lower().endswith('.npz') else array_files.read_npy
    return _guarded(read, data, path, kind, None, (3, 4))


def _guarded(read, data: bytes, path: str, kind: str, *options) -> np.ndarray:
    """``read(data, *options)``, with whatever goes wrong told of the file."""
    with told_of(path, kind, data):
        return read(data, *options)


@contextmanager
def told_of(path: str, kind: str, data: bytes | None = None) -> Iterator[None]:
    """Whatever a decoder or the disk raises inside ends as a DataError that names the file.

    Args:
        path: Of the file.
        kind: 'image' or 'label'.
        data: The file, where it is held.
    """
    try:
        yield
    except DataError as error:
        raise DataError(f'The {kind} {path} cannot be used: {error.what}', got=error.got,
                        expected=error.expected, fix=error.fix) from error
    except Exception as error:  # a damaged file may raise anything below a decoder
        if isinstance(error, OSError) and error.errno is not None:  # of the disk; no decoder's
            raise _unread(error, path, kind) from error
        raise _undecoded(data, path, kind, _reason(error)) from error


def _unread(error: OSError, path: str, kind: str) -> DataError:
    return DataError(f'The {kind} {path} cannot be read.', got=error.strerror or error,
                     fix=_RESTORE)


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):  # its text has an address in memory
        return 'it is of no known format'
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _undecoded(data: bytes | None, path: str, kind: str, reason: str) -> DataError:
    if data is None:
        return DataError(f'The {kind} {path} cannot be decoded.', got=reason,
                         expected='a whole image file', fix=_RESTORE)
    tiff = array_files.is_tiff(data)
    fix = "set imdecode_backend='tifffile' and color_type='unchanged' if it has floats or more " \
        f'than four channels; otherwise {_RESTORE}' if tiff and kind == 'image' else _RESTORE
    return DataError(f'The {kind} {path} cannot be decoded.', got=f'{len(data)} bytes; {reason}',
                     expected='a whole image file', fix=fix)


def read_bands(path: str, backend_args: dict | None = None) -> np.ndarray:
    """All channels of a file of any kind, in the file's order, as (H, W, C)."""
    return _bands(read_bytes(path, 'image', backend_args), path)


def _bands(data: bytes, path: str, backend: str = 'tifffile') -> np.ndarray:
    # OpenCV has a few compressions that tifffile has with imagecodecs only.
    if backend == 'tifffile' and array_files.is_tiff(data) and array_files.lacks_codec(data):
        backend = 'cv2'
    img = decode(data, path, 'image', 'unchanged', backend)
    if img.ndim == 2:
        return img[..., None]
    in_order = path.lower().endswith(array_files.SUFFIXES) or \
        backend == 'tifffile' and array_files.is_tiff(data)
    if not in_order and img.shape[2] >= 3:  # cv2 and pillow give BGR or BGRA
        img = img[..., [2, 1, 0, *range(3, img.shape[2])]]
    return img


def displayed(path: str, backend_args: dict | None = None, flag: str | None = None,
              backend: str = 'cv2') -> np.ndarray:
    """A file of any kind as a picture to look at: (H, W, 3) uint8, RGB.

    Of a TIFF or an array, the first three channels, or the first if there are fewer; what is not
    of 8 bits is stretched, channel by channel, from its 2nd to its 98th percentile.

    Args:
        path: The file.
        backend_args: mmengine's file backend.
        flag, backend: The ``color_type`` and ``imdecode_backend`` of a loader: the picture lies as
            that loader has it, turned by its EXIF orientation or not. By default it is turned.
    """
    data = read_bytes(path, 'image', backend_args)
    is_8bit = flag is not None and flag != 'unchanged' and backend != 'tifffile'
    if path.lower().endswith(array_files.SUFFIXES) or array_files.is_tiff(data) and not is_8bit:
        return as_picture(_bands(data, path, 'tifffile' if flag is None else backend))
    turned = flag is None or turns(flag, backend)
    picture = decode(data, path, 'image', 'color' if turned else 'color_ignore_orientation', 'cv2')
    return np.ascontiguousarray(picture[..., ::-1])


def as_picture(bands: np.ndarray) -> np.ndarray:
    """(H, W, C) in the file's order -> (H, W, 3) uint8 RGB, as `displayed` has it."""
    bands = bands[..., :3] if bands.shape[2] > 2 else bands[..., :1].repeat(3, axis=2)
    if bands.dtype == np.uint8:
        return np.ascontiguousarray(bands)
    low, high = np.nanpercentile(bands.reshape(-1, 3).astype(np.float32), (2, 98), axis=0)
    share = (bands - low) / np.where(high > low, high - low, 1)
    return (np.nan_to_num(share).clip(0, 1) * 255).astype(np.uint8)


def orientation(data: bytes) -> int:
    """The EXIF orientation of a picture, 1 to 8; 1 is as it lies in the file."""
    if not _may_have_exif(data):
        return 1
    try:
        with Image.open(io.BytesIO(data)) as img:
            value = img.getexif().get(_ORIENTATION, 1)
    except Image.DecompressionBombError:  # merely large
        value = _orientation_of_large(data)
    return value if value in range(1, 9) else 1


def _orientation_of_large(data: bytes) -> int:
    """Of a picture that Pillow does not open; a WebP is never so large."""
    if array_files.is_tiff(data):
        return array_files.tag(data, _ORIENTATION) or 1
    mark = b'eXIf' if data.startswith(_PNG_START) else b'Exif\0\0'
    start, exif = data.find(mark), Image.Exif()
    if start >= 0:
        start += len(mark)
        exif.load(data[start:start + (1 << 16)])  # what a JPEG has room for
    return exif.get(_ORIENTATION, 1)


def _may_have_exif(data: bytes) -> bool:
    """Whether the tag is worth asking Pillow for, which decodes a whole PNG for it."""
    if not data.startswith(_PNG_START):
        return array_files.is_tiff(data) or b'Exif\0\0' in data or data.startswith(b'RIFF')
    start = 8
    while start + 8 <= len(data):  # chunk by chunk: length, name, content, checksum
        if data[start + 4:start + 8] == b'eXIf':
            return True
        start += 12 + int.from_bytes(data[start:start + 4], 'big')
    return False


def turns(flag: str, backend: str) -> bool:
    """Whether a decoder turns a picture as its EXIF orientation says; mmcv's rule."""
    return backend in ('cv2', 'pillow') and flag in ('color', 'grayscale')


def check_backend(owner: str, backend: str, flag: str = 'color') -> None:
    """Refuse a decoder or a ``color_type`` that there is not, and prepare turbojpeg.

    Raises:
        ConfigError: Also where PyTurboJPEG is asked for and cannot be imported.
    """
    for name, value, known in (('imdecode_backend', backend, BACKENDS),
                               ('color_type', flag, COLOR_TYPES)):
        if value not in known:
            raise ConfigError(f'{owner} has no such {name}.', got=repr(value), culprit=str(value),
                              expected=f'one of {known}', fix=did_you_mean(str(value), known))
    if backend != 'turbojpeg':
        return
    if flag not in ('color', 'grayscale'):
        raise ConfigError(f'{owner}: turbojpeg reads colour and grayscale only.', got=repr(flag),
                          culprit='color_type', fix="leave color_type, or use 'cv2'")
    chosen = mmcv.image.io.imread_backend
    try:
        mmcv.use_backend('turbojpeg')
    except (ImportError, OSError, RuntimeError) as error:
        raise ConfigError(f'{owner}: turbojpeg cannot be used here.', got=str(error),
                          culprit='turbojpeg', fix='pip install PyTurboJPEG, and the library '
                          "libturbojpeg beside it; or use 'cv2'") from error
    finally:
        mmcv.use_backend(chosen)


def check_volume_backend(owner: str, backend: str, known: tuple[str, ...]) -> None:
    """Refuse a reader of volumes that there is not.

    Raises:
        ConfigError: Also for 'pickle', which would run what is in the file, and for 'nifti' where
            nibabel is not installed.
    """
    if backend not in known:
        fix = 'write .npy files: a pickle runs whatever code its author put in' \
            if backend == 'pickle' else did_you_mean(str(backend), known)
        raise ConfigError(f'{owner} has no such decode_backend.', got=repr(backend),
                          expected=f'one of {known}', fix=fix, culprit=str(backend))
    if backend == 'nifti' and importlib.util.find_spec('nibabel') is None:
        raise ConfigError(f'{owner}: NIfTI files are read by nibabel, which is not installed.',
                          fix="pip install nibabel, or convert the files and set "
                              "decode_backend='numpy'", culprit='nifti')
