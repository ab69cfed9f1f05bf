"""Label one image that is too large to be held: windows, rows in, rows out, bounded memory.

Letters: C channels, H W pixels.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ..datasets.array_files import SUFFIXES, is_tiff
from ..datasets.files import as_picture, told_of
from ..datasets.rasters import Raster
from ..datasets.transforms.loading import as_pixels
from ..errors import ConfigError, DataError
from ..models.tta_cfg import TestCfg

LARGE = 1 << 26  # pixels, 8192 x 8192, from which an image is read by rows
# Pixels of a side, where neither config nor flag says. 20,000 columns of 19 classes whose logits
# are as large as the input (UNet) take 1.4 GB then; with 1024 2.4 GB.
WINDOW = 512
_SIDE = 4096  # pixels of a side of the overlay, at most
# Steps of a test pipeline that change nothing, or the size, which windows leave as it is.
_IDLE = ('LoadAnnotations', 'PackSegInputs', 'Resize', 'ResizeToMultiple', 'ResizeShortestEdge')


def window_cfg(cfg: TestCfg, window: tuple[int, int] | None = None,
               stride: tuple[int, int] | None = None) -> TestCfg:
    """How an image is tested in windows at its own size.

    Args:
        cfg: The model's own, which says what is not given here, where it has windows.
        window: (H, W) of a window.
        stride: (H, W) from one window to the next; by default three quarters of a window.

    Raises:
        ConfigError: It asks for several scales, or for a stride beyond the window.
    """
    if len(cfg.scales) > 1:
        raise ConfigError('An image that is labelled in windows is tested at one scale.',
                          got=f'scales {list(cfg.scales)}', fix='leave --aug-test away, or add '
                          '--cfg-options aug_test_cfg.scales=[1.0] for mirror images alone')
    if window is None and cfg.mode == 'slide':
        window, stride = cfg.crop_size, stride or cfg.stride
    window = window or (WINDOW, WINDOW)
    if stride is not None and (stride[0] > window[0] or stride[1] > window[1]):
        raise ConfigError('The windows leave pixels out.', expected='a stride of at most a window',
                          got='windows of {}x{}, {}x{} from one to the next'.format(
                              *window, *stride))
    return replace(cfg, mode='slide', crop_size=window, scales=(1.0,), base_size=None,
                   stride=stride or tuple(max(side * 3 // 4, 1) for side in window),
                   save_logits=False)


def size_of(path: str | Path) -> tuple[int, int] | None:
    """(H, W) of a PNG or TIFF, from its header alone; None for other files.

    Raises:
        DataError: It cannot be read, or is a damaged TIFF.
    """
    with told_of(str(path), 'image'), open(path, 'rb') as file:
        start = file.read(24)
        if start.startswith(b'\x89PNG') and len(start) == 24:
            return int.from_bytes(start[20:24], 'big'), int.from_bytes(start[16:20], 'big')
        if is_tiff(start):
            import tifffile
            file.seek(0)
            with tifffile.TiffFile(file) as tiff:
                return tiff.pages[0].imagelength, tiff.pages[0].imagewidth
    return None


def is_large(path: str | Path) -> bool:
    """Whether a file has so many pixels that it is read by rows."""
    size = size_of(path) if Path(path).is_file() else None
    return size is not None and size[0] * size[1] > LARGE


class LargeImage:
    """An open image whose labels come band by band.

    Args:
        path: The file.
        raster: It, opened.
        steps: The test pipeline; of its steps only the loader and `_IDLE` ones are allowed.
        shown: The picture, (H, W, 3) uint8 RGB, of a raster that is as the loader read it.

    Attributes:
        path, size: Of the image.
        channels: C of what the network is given.
        step: One pixel in ``step`` of each axis makes `picture`.

    Raises:
        ConfigError: A step of the pipeline needs the whole image.
        DataError: The pixels are not what the loader would give.
    """

    def __init__(self, path: Path, raster: Raster, steps: list[dict],
                 shown: np.ndarray | None = None) -> None:
        self.path, self._raster, self.size = path, raster, tuple(raster.shape[:2])
        loader, *rest = steps
        for step in rest:
            if step['type'].rpartition('.')[2] not in _IDLE:
                raise ConfigError(f'{step["type"]} of the test pipeline needs the whole image, '
                                  f'and {path} is read by rows.', culprit=step['type'],
                                  fix='take it out of test_pipeline, or cut the image')
        self._shown = shown
        self._fit = _fitting(path, raster, loader) if shown is None else lambda rows: rows
        self.channels = self._fit(np.zeros((1, 1, raster.shape[2]), raster.dtype)).shape[-1]
        self.step = -(-max(self.size) // _SIDE)
        self._seen: list[np.ndarray] = []
        self._next = 0

    def labels(self, net, cfg: TestCfg, device: torch.device) -> Iterator[np.ndarray]:
        """Class ids band by band, (n, W) integer, from the top.

        Raises:
            DataError: The network gave nan.
        """
        def read(top: int, bottom: int) -> torch.Tensor:
            rows = self._fit(self._look(self._raster.rows(top, bottom), top))
            rows = rows if rows.ndim == 3 else rows[..., None]
            return torch.from_numpy(np.ascontiguousarray(rows.transpose(2, 0, 1))).to(device)

        for band in net.predict_rows(read, self.size, cfg):
            if not band.is_finite:
                raise no_number(self.path)
            yield band.labels.cpu().numpy()

    def _look(self, rows: np.ndarray, top: int) -> np.ndarray:
        """Keep one pixel in ``step`` of rows that come for the first time."""
        while self._next < top + len(rows):
            self._seen.append(rows[self._next - top, ::self.step].copy())
            self._next += self.step
        return rows

    def picture(self) -> np.ndarray:
        """(H / step, W / step, 3) uint8 RGB, once the labels were read."""
        if self._shown is not None:
            return self._shown[::self.step, ::self.step]
        return as_picture(np.stack(self._seen))


def no_number(source) -> DataError:
    """The error for an image that the network has no labels for."""
    return DataError(f'The network gave nan for {source}.', fix='check the checkpoint, which may '
                     'be of a training that diverged, and test in float32')


def _fitting(path: Path, raster: Raster, loader: dict) -> Callable[[np.ndarray], np.ndarray]:
    """From rows as the file has them, (n, W, C), to what the loader of the pipeline gives."""
    kind, to_float32 = loader['type'].rpartition('.')[2], loader.get('to_float32', False)
    if kind == 'LoadSingleRSImageFromFile':
        return lambda rows: as_pixels(rows, str(path), loader.get('to_float32', True))
    if kind not in ('LoadImageFromFile', 'InferencerLoader'):
        raise ConfigError(f'{kind} reads whole images, and {path} is read by rows.', culprit=kind,
                          expected='LoadImageFromFile or LoadSingleRSImageFromFile')
    flag = loader.get('color_type', 'color').removesuffix('_ignore_orientation')
    has_pages = path.suffix.lower() in ('.tif', '.tiff')
    in_file_order = has_pages and loader.get('imdecode_backend') == 'tifffile' or \
        path.suffix.lower() in SUFFIXES
    channels = raster.shape[2]
    if flag == 'grayscale' and channels > 1 or \
            flag == 'color' and raster.dtype != np.uint8 and not in_file_order:
        raise DataError(f'The image {path} cannot be read by rows as {flag}.',
                        got=f'{channels} channels of {raster.dtype}',
                        fix="convert it to 8 bits and the channels the model takes, or read it as "
                            "it is: imdecode_backend='tifffile' or color_type='unchanged'")
    if in_file_order or flag == 'grayscale':
        order = list(range(channels))
    elif flag == 'color':
        order = [2, 1, 0] if channels > 2 else [0, 0, 0]
    else:
        order = [2, 1, 0, *range(3, channels)] if channels > 2 else list(range(channels))
    return lambda rows: as_pixels(rows[..., order], str(path), to_float32)
