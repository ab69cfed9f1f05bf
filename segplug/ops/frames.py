"""Images and labels that are resized, rotated, cut and mirrored later, for the pixels that survive.

A training pipeline resizes a frame, rotates it, and keeps a crop of it. A `Frame` writes down what
is to be done and does it for the crop alone: `read` asks what it is made of for the pixels it needs
and no more. Resizing gives the very bytes of ``cv2.resize`` on the whole frame, so a pipeline
gives the same sample with frames as without.
Rows and columns are slices with known, non-negative ends. H W pixels, C channels.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import cv2
import mmcv
import numpy as np

from .kernels import nearest_window, resize_window

DIRECTIONS = {'horizontal': 1, 'vertical': 0, 'diagonal': -1}  # with cv2.flip's codes
_INTERPOLATIONS = {'nearest': cv2.INTER_NEAREST, 'bilinear': cv2.INTER_LINEAR}


class Frame:
    """An array (H, W) or (H, W, C) by what it will be; `array` makes it one.

    Attributes:
        shape, dtype, ndim: Of the array.
    """

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def read(self, rows: slice, cols: slice) -> np.ndarray:
        """The pixels of a window, perhaps as a view of something that must not be written to."""
        raise NotImplementedError

    def __getitem__(self, window: tuple[slice, slice]) -> np.ndarray:
        rows, cols = (slice(*part.indices(length)[:2])
                      for part, length in zip(window, self.shape[:2], strict=True))
        return self.read(rows, cols)

    def array(self) -> np.ndarray:
        """All of it: contiguous, and the caller's own."""
        pixels = self.read(slice(0, self.shape[0]), slice(0, self.shape[1]))
        return pixels.copy() if pixels.base is not None else np.ascontiguousarray(pixels)

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        pixels = self.array()
        return pixels if dtype is None else pixels.astype(dtype, copy=False)


class Source(Frame):
    """An array as it is; in memory, or mapped from a file."""

    def __init__(self, pixels: np.ndarray) -> None:
        self._pixels, self.shape, self.dtype = pixels, pixels.shape, pixels.dtype

    def read(self, rows: slice, cols: slice) -> np.ndarray:
        return self._pixels[rows, cols]

    def array(self) -> np.ndarray:
        return self._pixels


class LookedUp(Frame):
    """Every pixel of a uint8 ``parent`` by a (256,) uint8 ``table``."""

    def __init__(self, parent: Frame, table: np.ndarray) -> None:
        self._parent, self._table = parent, table
        self.shape, self.dtype = parent.shape, parent.dtype

    def read(self, rows: slice, cols: slice) -> np.ndarray:
        return cv2.LUT(self._parent.read(rows, cols), self._table)


class Resized(Frame):
    """``parent`` at ``size`` (H, W), as ``cv2.resize`` does it.

    Args:
        parent: Any dtype for 'nearest', uint8 for 'bilinear'.
        size: (H, W).
        interpolation: 'bilinear' or 'nearest'.
    """

    def __init__(self, parent: Frame, size: tuple[int, int], interpolation: str) -> None:
        self._parent, self._interpolation = parent, interpolation
        self.shape, self.dtype = (*size, *parent.shape[2:]), parent.dtype
        self._whole: np.ndarray | None = None

    def read(self, rows: slice, cols: slice) -> np.ndarray:
        if self.shape == self._parent.shape:
            return self._parent.read(rows, cols)
        if self._interpolation == 'nearest':
            return self._nearest(rows, cols)
        window = resize_window()
        if window is not None and _is_cheaper(self._parent.shape, self.shape, rows, cols) \
                and _halves_as_usual(self._parent.shape, self.shape) and _as_cv2(window):
            return _bilinear(self._parent, self.shape[:2], rows, cols, window)
        if self._whole is None:
            self._whole = _cv2_resize(self._parent.array(), self.shape[:2], 'bilinear')
        return self._whole[rows, cols]

    def _nearest(self, rows: slice, cols: slice) -> np.ndarray:
        ys = nearest_cells(self.shape[0], self._parent.shape[0], rows)
        xs = nearest_cells(self.shape[1], self._parent.shape[1], cols)
        part = self._parent.read(slice(ys[0], ys[-1] + 1), slice(xs[0], xs[-1] + 1))
        nearest = nearest_window()
        if nearest is None or part.ndim > 2 or part.dtype not in (np.uint8, np.uint16):
            return part.take(ys - ys[0], axis=0).take(xs - xs[0], axis=1)
        return nearest(_row_wise(part), ys - ys[0], xs - xs[0])


class Rotated(Frame):
    """``parent`` turned about a point; it keeps its size, or gets the one given.

    A pixel is looked up at a place rounded to 1/1024 pixel, whichever window it is read in; so a
    window has the bytes of the whole. They differ from ``cv2.warpAffine``'s by one level at most,
    in a few pixels of a thousand.

    Args:
        parent: What is turned.
        matrix: (2, 3), from its pixels (x, y) to the result's, as ``cv2.getRotationMatrix2D``.
        size: (H, W) of the result.
        interpolation: 'bilinear' or 'nearest'.
        border: Value, or one per channel, of what comes from outside.
    """

    _STEP = 1024

    def __init__(self, parent: Frame, matrix: np.ndarray, size: tuple[int, int],
                 interpolation: str, border: float | Sequence[float]) -> None:
        self._parent, self._interpolation, self._border = parent, interpolation, border
        self._inverse = cv2.invertAffineTransform(np.asarray(matrix, np.float64))
        self.shape, self.dtype = (*size, *parent.shape[2:]), parent.dtype

    def read(self, rows: slice, cols: slice) -> np.ndarray:
        places = [self._places(axis, rows, cols) for axis in (1, 0)]
        window = [_touched(of_rows, of_cols, length)
                  for (of_rows, of_cols), length in zip(places, self._parent.shape, strict=False)]
        maps = [_outer_sum(of_rows - part.start, of_cols, self._interpolation == 'nearest')
                for (of_rows, of_cols), part in zip(places, window, strict=True)]
        pixels = np.ascontiguousarray(self._parent.read(*window))
        turned = [cv2.remap(part, maps[1], maps[0], _INTERPOLATIONS[self._interpolation],
                            borderMode=cv2.BORDER_CONSTANT, borderValue=value)
                  for part, value in _in_fours(pixels, self._border)]
        pixels = turned[0] if len(turned) == 1 else np.dstack(turned)
        return pixels.reshape(len(maps[0]), -1, *self.shape[2:])

    def _places(self, axis: int, rows: slice, cols: slice) -> tuple[np.ndarray, np.ndarray]:
        """What a row and what a column of the result add to the x (0) or y (1) in the parent."""
        by_x, by_y, offset = self._inverse[axis] * self._STEP
        of_rows = np.rint(by_y * np.arange(rows.start, rows.stop) + offset) / self._STEP
        return of_rows, np.rint(by_x * np.arange(cols.start, cols.stop)) / self._STEP


class Cropped(Frame):
    """A window of ``parent``."""

    def __init__(self, parent: Frame, rows: slice, cols: slice) -> None:
        ends = [slice(*part.indices(length)[:2])
                for part, length in zip((rows, cols), parent.shape[:2], strict=True)]
        self._parent, (self._rows, self._cols) = parent, ends
        self.shape = (*(part.stop - part.start for part in ends), *parent.shape[2:])
        self.dtype = parent.dtype

    def read(self, rows: slice, cols: slice) -> np.ndarray:
        return self._parent.read(*(slice(own.start + part.start, own.start + part.stop) for
                                   own, part in zip((self._rows, self._cols), (rows, cols),
                                                    strict=True)))


class Flipped(Frame):
    """``parent`` mirrored: 'horizontal', 'vertical' or 'diagonal' (both)."""

    def __init__(self, parent: Frame, direction: str) -> None:
        self._parent, self._direction = parent, direction
        self.shape, self.dtype = parent.shape, parent.dtype

    def read(self, rows: slice, cols: slice) -> np.ndarray:
        if self._direction != 'horizontal':
            rows = slice(self.shape[0] - rows.stop, self.shape[0] - rows.start)
        if self._direction != 'vertical':
            cols = slice(self.shape[1] - cols.stop, self.shape[1] - cols.start)
        return _cv2_flip(self._parent.read(rows, cols), self._direction)


def resize(img: np.ndarray | Frame, size: tuple[int, int], interpolation: str):
    """``img`` at ``size`` (H, W): a Frame stays one where that gives the same bytes."""
    if not isinstance(img, Frame):
        return _cv2_resize(img, size, interpolation)
    if interpolation == 'nearest' or (interpolation == 'bilinear' and img.dtype == np.uint8):
        return Resized(img, size, interpolation)
    return Source(_cv2_resize(img.array(), size, interpolation))


def rotate(img: np.ndarray | Frame, matrix: np.ndarray, size: tuple[int, int],
           interpolation: str, border: float | Sequence[float]):
    """``img`` turned, see `Rotated`; an array stays an array, with the same pixels."""
    if isinstance(img, Frame):
        return Rotated(img, matrix, size, interpolation, border)
    return Rotated(Source(img), matrix, size, interpolation, border).array()


def crop(img: np.ndarray | Frame, rows: slice, cols: slice):
    """A window of ``img``. Of an array a copy, so that the whole is not kept alive by a view."""
    if isinstance(img, Frame):
        return Cropped(img, rows, cols)
    return np.ascontiguousarray(img[rows, cols])


def flip(img: np.ndarray | Frame, direction: str):
    """``img`` mirrored: 'horizontal', 'vertical' or 'diagonal'."""
    return Flipped(img, direction) if isinstance(img, Frame) else _cv2_flip(img, direction)


def nearest_cells(pixels: int, cells: int, part: slice) -> np.ndarray:
    """Which of ``cells`` each of ``pixels`` in ``part`` takes its value from; (n,) int64."""
    places = np.arange(part.start, part.stop) * (1 / (pixels / cells))
    return np.minimum(np.floor(places).astype(np.int64), cells - 1)


def linear_cells(pixels: int, cells: int, part: slice, is_row: bool) -> tuple[np.ndarray, ...]:
    """The two cells of each pixel and their weights, as OpenCV computes them for 8 bits.

    Args:
        pixels, cells: Lengths of the result and the source.
        part: Which pixels, n of them.
        is_row: Beyond the border OpenCV clamps the cells of rows, and of columns the place.

    Returns:
        low, high (n,) int64; their weights (n,) int32, of sum 2048.
    """
    places = (np.arange(part.start, part.stop) + 0.5) * (cells / pixels) - 0.5
    places = places.astype(np.float32)
    low = np.floor(places)
    share = places - low
    low = low.astype(np.int64)
    if not is_row:
        share[(low < 0) | (low >= cells - 1)] = 0
    weights = [np.rint(s * np.float32(2048)).astype(np.int32) for s in (1 - share, share)]
    return low.clip(0, cells - 1), (low + 1).clip(0, cells - 1), *weights


def _bilinear(parent: Frame, size: tuple[int, int], rows: slice, cols: slice,
               window: Callable) -> np.ndarray:
    """A window of ``parent`` resized to ``size``, from the pixels of ``parent`` it needs."""
    ys, xs = (linear_cells(size[i], parent.shape[i], part, is_row=i == 0)
              for i, part in enumerate((rows, cols)))
    needed = [slice(c[0][0], c[1][-1] + 1) for c in (ys, xs)]
    ys, xs = ((c[0] - part.start, c[1] - part.start, *c[2:])
              for c, part in zip((ys, xs), needed, strict=True))
    return window(_row_wise(parent.read(*needed)), ys, xs)


def _row_wise(pixels: np.ndarray) -> np.ndarray:
    """``pixels`` with each row contiguous; rows may lie apart."""
    inner = pixels[0] if len(pixels) else pixels
    return pixels if inner.flags.c_contiguous else np.ascontiguousarray(pixels)


def _is_cheaper(old: tuple[int, ...], new: tuple[int, ...], rows: slice, cols: slice) -> bool:
    """Whether the window alone takes less time than OpenCV, which is vectorised, for the whole.

    In nanoseconds on one core: 0.5 per pixel of a smaller whole, 2 of a larger one, 2.2 per pixel
    of the window, counted in the finer of its two heights.
    """
    whole = new[0] * new[1] * (0.5 if new[0] <= old[0] else 2)
    finer = (rows.stop - rows.start) * max(1., old[0] / new[0])
    return 2.2 * finer * (cols.stop - cols.start) < whole


def _halves_as_usual(old: tuple[int, ...], new: tuple[int, ...]) -> bool:
    """Exactly half, OpenCV averages four pixels; that is the same except for odd channel counts."""
    halved = old[0] == 2 * new[0] and old[1] == 2 * new[1]
    return not halved or old[2:] in ((), (1,), (3,), (4,))


@lru_cache(maxsize=1)
def _as_cv2(window: Callable) -> bool:
    """Whether the compiled ``window`` has the bytes of this ``cv2.resize``; builds may differ."""
    pixels = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    source = Source(pixels)
    for size in ((29, 46), (61, 90), (37, 53), (83, 131), (18, 26)):
        whole = slice(0, size[0]), slice(0, size[1])
        ours = _bilinear(source, size, *whole, window)
        if not np.array_equal(ours, _cv2_resize(pixels, size, 'bilinear')):
            return False
    return True


def _cv2_resize(img: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    resized = mmcv.imresize(img, size[::-1], interpolation=interpolation)
    return resized.reshape(*size, *img.shape[2:])  # OpenCV drops an axis of one channel


def _cv2_flip(img: np.ndarray, direction: str) -> np.ndarray:
    """Contiguous; many times faster than a copy of numpy's mirrored view."""
    return cv2.flip(img, DIRECTIONS[direction]).reshape(img.shape)


def _touched(of_rows: np.ndarray, of_cols: np.ndarray, length: int) -> slice:
    """The cells of ``length`` that the sums of the two lie between, at least one."""
    low = math.floor(of_rows.min() + of_cols.min())
    high = math.floor(of_rows.max() + of_cols.max()) + 2
    low = min(max(low, 0), length - 1)
    return slice(low, max(min(high, length), low + 1))


def _outer_sum(of_rows: np.ndarray, of_cols: np.ndarray, whole: bool) -> np.ndarray:
    """(H,), (W,) -> (H, W) float32, exact below 2 ** 14; ``whole`` rounds halves up."""
    places = np.add.outer(of_rows.astype(np.float32), of_cols.astype(np.float32))
    return np.floor(places + np.float32(0.5)) if whole else places


def _in_fours(pixels: np.ndarray, border: float | Sequence[float]):
    """Channels in groups of four, which is what OpenCV takes, each with its border values."""
    if pixels.ndim == 2:
        return [(pixels, border)]
    count = pixels.shape[2]
    values = list(border) if isinstance(border, Sequence) else [border] * count
    return [(np.ascontiguousarray(pixels[..., i:i + 4]), values[i:i + 4])
            for i in range(0, count, 4)]
