"""Read remote-sensing images of any number of bands, one or two a sample, and join two.

mmsegmentation's names and arguments. It reads by GDAL, here it is `..files`: TIFF by tifffile
(GeoTIFF too; the map's coordinates are not looked at), and whatever else is an image. Bands keep
the order of the file, so that the preprocessor must not swap them.
"""

import os
from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform

from ...errors import ConfigError, DataError
from ...registry import TRANSFORMS
from .. import files
from .loading import as_pixels, settle


@TRANSFORMS.register_module()
class LoadSingleRSImageFromFile(BaseTransform):
    """Read ``img_path``; sets img (H, W, C), img_shape and ori_shape.

    Args:
        to_float32: Convert to float32, rather than leave the file's type as far as transforms
            take it (`loading.as_pixels`).

    Raises:
        DataError: The file is missing, broken or no image.
    """

    def __init__(self, to_float32: bool = True) -> None:
        self.to_float32 = to_float32

    def _read(self, path: str) -> np.ndarray:
        path = os.fspath(path)
        return as_pixels(files.read_bands(path), path, self.to_float32)

    def transform(self, results: dict) -> dict:
        return settle(results, self._read(results['img_path']))

    def __repr__(self) -> str:
        return f'{type(self).__name__}(to_float32={self.to_float32})'


@TRANSFORMS.register_module()
class LoadMultipleRSImageFromFile(LoadSingleRSImageFromFile):
    """Read ``img_path`` and ``img_path2``, of one shape; sets img and img2.

    Args:
        to_float32: As LoadSingleRSImageFromFile's.

    Raises:
        DataError: A file is missing or broken, or the two differ in shape.
    """

    def transform(self, results: dict) -> dict:
        first, second = self._read(results['img_path']), self._read(results['img_path2'])
        if first.shape != second.shape:
            raise DataError(f'The images {results["img_path"]} and {results["img_path2"]} differ '
                            'in shape.', got=f'{first.shape} and {second.shape}')
        results['img2'] = second
        return settle(results, first)


@TRANSFORMS.register_module()
class ConcatCDInput(BaseTransform):
    """Join the images of a change-detection sample along the channels, as ``img``.

    Args:
        input_keys: Their keys, in order; all but ``img`` are taken out.

    Raises:
        ConfigError: The sample has none of a key.
        DataError: The images differ in size.
    """

    def __init__(self, input_keys: Sequence[str] = ('img', 'img2')) -> None:
        self.input_keys = tuple(input_keys)

    def transform(self, results: dict) -> dict:
        lost = [key for key in self.input_keys if key not in results]
        if lost:
            raise ConfigError(f'ConcatCDInput finds no {lost[0]!r} in the sample.',
                              fix='put LoadMultipleRSImageFromFile first in the pipeline',
                              culprit='ConcatCDInput')
        images = [results.pop(key) for key in self.input_keys]
        if len({img.shape[:2] for img in images}) > 1:
            raise DataError(f'The images of {results.get("img_path")} differ in size.',
                            got=' and '.join(str(img.shape) for img in images),
                            fix='a transform between loading and ConcatCDInput moved one of them')
        results['img'] = np.concatenate([img if img.ndim == 3 else img[..., None]
                                         for img in images], axis=2)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(input_keys={self.input_keys})'
