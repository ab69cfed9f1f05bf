"""Arrays and pictures of Pillow, as the loader of a pipeline would give them.

A file and the same file opened by somebody else must get the same labels, so what a loader does to
channels, depth and orientation is done here too. H W pixels, C channels.
"""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
from mmengine.logging import print_log
from PIL import Image, ImageOps

from ..datasets import files
from ..errors import ConfigError, DataError

_PICTURES = ('LoadImageFromFile', 'InferencerLoader')


class Held:
    """An array, (H, W) or (H, W, C), with the name it is spoken of by."""

    def __init__(self, array: np.ndarray, name: str = 'array') -> None:
        self.array, self.name = array, name

    def __str__(self) -> str:
        return self.name

    def picture(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB."""
        bands = self.array if self.array.ndim == 3 else self.array[..., None]
        return files.as_picture(bands[..., ::-1] if bands.shape[2] == 3 else bands)


def held(image: np.ndarray | Image.Image | object, loader: Mapping, channels: int | None = None,
         channel_order: str = 'bgr') -> Held:
    """An image of a caller, in memory of its own, so that the caller may use theirs again.

    Args:
        image: (H, W) or (H, W, C) numbers, or a picture of Pillow of any mode.
        loader: The first step of the test pipeline, whose ``color_type`` it follows: for 'color',
            gray is repeated and alpha left out, as it does with files.
        channels: C that the network takes, if that is known.
        channel_order: Of an array with three channels, 'bgr' or 'rgb'.

    Raises:
        ConfigError: There is no such ``channel_order``.
        DataError: It is no image, or of other channels.
    """
    if channel_order not in ('bgr', 'rgb'):
        raise ConfigError('There is no such channel_order.', got=repr(channel_order),
                          expected="'bgr' or 'rgb'")
    if isinstance(image, Image.Image):
        return Held(_of_picture(image, *loader_flags(loader)), 'picture')
    if not isinstance(image, np.ndarray) or image.ndim not in (2, 3) or 0 in image.shape \
            or image.dtype.kind not in 'biuf':
        raise DataError('This is no image.', got=f'{image.shape} {image.dtype}' if isinstance(
            image, np.ndarray) else type(image).__name__,
            expected='a file name, an array of numbers (H, W) or (H, W, C), or a picture of '
                     'Pillow')
    return Held(_in_order(_fitted(image, loader, channels), channel_order))


def loader_flags(loader: Mapping) -> tuple[str | None, str]:
    """``color_type`` and ``imdecode_backend`` of a loader of pictures; None and cv2 of another."""
    if loader['type'].rpartition('.')[2] not in _PICTURES:
        return None, 'cv2'
    return loader.get('color_type', 'color'), loader.get('imdecode_backend', 'cv2')


def _in_order(array: np.ndarray, channel_order: str) -> np.ndarray:
    swap = channel_order == 'rgb' and array.ndim == 3 and array.shape[2] == 3
    return np.array(array[..., ::-1] if swap else array)


def _fitted(array: np.ndarray, loader: Mapping, channels: int | None) -> np.ndarray:
    count = array.shape[2] if array.ndim == 3 else 1
    if channels is None or count == channels:
        return array
    flag, backend = loader_flags(loader)
    if channels == 3 and flag is not None and flag.startswith('color') and backend != 'tifffile':
        if count == 1:
            return array.reshape(*array.shape[:2], 1).repeat(3, axis=2)
        if count == 4:
            return array[..., :3]
    turned = array.ndim == 3 and array.shape[0] == channels
    raise DataError('The array does not fit the model.', got=f'{array.shape} {array.dtype}',
                    expected=f'(H, W, {channels})', fix='array.transpose(1, 2, 0), if it is '
                    '(C, H, W)' if turned else 'give the channels the model was trained with')


def _of_picture(image: Image.Image, flag: str | None, backend: str) -> np.ndarray:
    """What the loader reads from a file of this picture."""
    image = ImageOps.exif_transpose(image) if flag is None or files.turns(flag, backend) else image
    if flag == 'unchanged':
        image = image if image.mode in ('L', 'RGB', 'RGBA', 'I', 'F') or image.mode.startswith(
            'I;16') else image.convert('L' if image.mode == '1' else
                                       'RGBA' if image.has_transparency_data else 'RGB')
        array = np.asarray(image)
        return array if array.ndim == 2 else array[..., [2, 1, 0, *range(3, array.shape[2])]]
    image = _of_8_bits(image)
    if flag is not None and flag.startswith('grayscale'):
        return np.array(image.convert('L'))
    return np.asarray(image.convert('RGB'))[..., ::-1]


def _of_8_bits(image: Image.Image) -> Image.Image:
    """Pillow clips what is deeper; a loader scales it."""
    if image.mode.startswith('I;16'):
        return Image.fromarray(np.rint(np.asarray(image) / 257).astype(np.uint8))
    if image.mode in ('I', 'F'):
        values = np.asarray(image)
        if not (values.min() >= 0 and values.max() <= 255):
            raise DataError(f'The picture of mode {image.mode!r} has values beyond 8 bits.',
                            got=f'{values.min():g} to {values.max():g}', expected='0 to 255',
                            fix='give its file, or an array with values as the model knows them')
    return image


def tell_of_scale(image: Held, mean: Sequence[float]) -> bool:
    """Warn of values that are far from those of the training; True if there were such.

    Args:
        image: An array.
        mean: What the preprocessor subtracts.
    """
    usual, highest = max(mean, default=0), float(image.array.max())
    if usual > 2 and 0 < highest <= 1:
        fix = 'multiply by 255, if they were divided by it'
    elif 2 < usual <= 255 and highest > 2 * 255:
        fix = 'divide by 257, if 65535 is white'
    else:
        return False
    print_log(f'The values of the {image} go up to {highest:g}, and the model subtracts a mean of '
              f'{usual:g}: {fix}.', 'current', logging.WARNING)
    return True
