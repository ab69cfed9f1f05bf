"""Labels as a layer over a picture: colours of classes, hatching where there is no class.

Letters: K classes, H W pixels. Colours are RGB.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from .draw import Palette, colour_map

_STRIPE = 3  # pixels, of the hatching
_IGNORED = (255, 255, 255), (30, 30, 30)  # the colours of its stripes
_OUTSIDE = (255, 0, 255), (255, 255, 0)  # of the squares of values that are no class at all


def label_layer(labels: np.ndarray, num_classes: int, ignore_index: int = 255,
                palette: Palette = None) -> np.ndarray:
    """A label map as a picture of its own: every pixel has a colour.

    Args:
        labels: (H, W) integer.
        num_classes: K; values from it on are no class, and shown as a chequered pattern.
        ignore_index: Shown hatched.
        palette: K colours in [0, 255]; None is `draw.default_palette`.

    Returns:
        (H, W, 3) uint8.
    """
    rows, columns = np.indices(labels.shape)
    stripes = (rows + columns) // _STRIPE % 2
    squares = (rows // _STRIPE + columns // _STRIPE) % 2
    ignored = labels == ignore_index
    outside = ~ignored & ((labels < 0) | (labels >= num_classes))
    layer = colour_map(labels, palette)
    for places, pattern, colours in ((ignored, stripes, _IGNORED), (outside, squares, _OUTSIDE)):
        layer[places] = np.array(colours, np.uint8)[pattern[places]]
    return layer


def viewable(img: np.ndarray, is_bgr: bool) -> np.ndarray:
    """Any image as (H, W, 3) uint8 RGB.

    Of more than three channels the first three are shown; other types than uint8 are stretched
    from their least to their greatest value.

    Args:
        img: (C, H, W) of any real type, at least one channel.
        is_bgr: Whether three channels come as blue, green, red.
    """
    img = img[:3] if len(img) >= 3 else np.repeat(img[:1], 3, axis=0)
    img = img.transpose(1, 2, 0)[..., ::-1 if is_bgr else 1]
    if img.dtype == np.uint8:
        return np.ascontiguousarray(img)
    low, high = float(img.min()), float(img.max())
    return np.rint((img.astype(np.float64) - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)


def fitted(picture: np.ndarray, side: int, nearest: bool = False) -> np.ndarray:
    """At most ``side`` pixels wide and high, in proportion; what is smaller stays as it is."""
    ratio = side / max(picture.shape[:2])
    if ratio >= 1:
        return picture
    size = [max(1, round(length * ratio)) for length in (picture.shape[1], picture.shape[0])]
    return cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST if nearest
                      else cv2.INTER_AREA)


def mixed(picture: np.ndarray, layer: np.ndarray, alpha: float = 0.5) -> np.ndarray:
    """``layer`` over ``picture``, both (H, W, 3) uint8, with a share of ``alpha``."""
    return cv2.addWeighted(picture, 1 - alpha, layer, alpha, 0)


def grid(pictures: Sequence[np.ndarray], columns: int = 4, cell: int = 320, gap: int = 8
         ) -> np.ndarray:
    """One or more pictures (H, W, 3) uint8 in rows of ``columns``, each within ``cell`` pixels, on
    white."""
    small = [fitted(picture, cell) for picture in pictures]
    columns, cell = max(1, min(columns, len(small))), max(p.shape[1] for p in small)
    rows = [small[i:i + columns] for i in range(0, len(small), columns)]
    heights = [max(p.shape[0] for p in row) for row in rows]
    sheet = np.full((sum(heights) + gap * (len(rows) + 1), columns * (cell + gap) + gap, 3), 255,
                    np.uint8)
    top = gap
    for row, height in zip(rows, heights, strict=True):
        for number, picture in enumerate(row):
            left = gap + number * (cell + gap)
            sheet[top:top + picture.shape[0], left:left + picture.shape[1]] = picture
        top += height + gap
    return sheet
