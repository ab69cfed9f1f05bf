"""Labels as pictures: pure functions from arrays to arrays, and to PNG.

Letters: K classes, H W pixels. Images are (H, W, 3) uint8 in the channel order of the palette,
RGB; labels are (H, W) integer, and a value without a colour (ignore) stays as the image is, or
black where there is no image.
"""

import io
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from ..errors import ShapeError

Palette = Sequence[Sequence[int]] | None


def default_palette(num_classes: int) -> list[list[int]]:
    """Colours for a data set without its own: the PASCAL VOC colour map from entry 1 on.

    The bits of a number, three at a time from the lowest, become the highest bits of red, green
    and blue (VOC devkit, ``VOClabelcolormap``); no two of the first 255 are alike.
    """
    palette = []
    for number in range(1, num_classes + 1):
        colour = [0, 0, 0]
        for bit in range(8):
            for channel in range(3):
                colour[channel] |= (number >> (3 * bit + channel) & 1) << (7 - bit)
        palette.append(colour)
    return palette


def colour_map(labels: np.ndarray, palette: Palette = None) -> np.ndarray:
    """(H, W) integer -> (H, W, 3) uint8 in the palette's colours; black without a colour."""
    return _table(palette)[_clipped(labels, palette)]


def overlay(image: np.ndarray, labels: np.ndarray, palette: Palette = None,
            alpha: float = 0.5) -> np.ndarray:
    """Lay the colours of the labels over an image.

    Args:
        image: (H, W, 3) uint8.
        labels: (H, W) integer.
        palette: K colours in [0, 255]; None is `default_palette`.
        alpha: Share of the colour, in [0, 1].

    Raises:
        ShapeError: Image and labels differ in size.
    """
    if image.shape[:2] != labels.shape:
        raise ShapeError('Image and labels differ in size.', got=f'{image.shape[:2]} and '
                         f'{labels.shape}', expected='the same (H, W)')
    mixed = np.rint(image * (1 - alpha) + colour_map(labels, palette) * alpha).astype(np.uint8)
    known = _clipped(labels, palette) < len(_colours(palette))
    return np.where(known[..., None], mixed, image)


def heat_map(values: np.ndarray) -> np.ndarray:
    """(H, W) float -> (H, W, 3) uint8, dark where the least value is; black where it is no number.

    For depths and other maps that have no classes.
    """
    known = np.isfinite(values)
    low, high = (values[known].min(), values[known].max()) if known.any() else (0.0, 0.0)
    unit = (np.where(known, values, low) - low) / max(high - low, 1e-12)
    picture = cv2.applyColorMap((unit * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)[..., ::-1]
    return np.where(known[..., None], picture, 0).astype(np.uint8)


def heat_overlay(image: np.ndarray, values: np.ndarray, alpha: float = 0.7) -> np.ndarray:
    """Lay heat over a gray copy of an image: the more, the more it covers.

    Args:
        image: (H, W, 3) uint8 RGB.
        values: (H, W) float in [0, 1]; where it is 0 the image is seen alone.
        alpha: Share of the colour where ``values`` is 1.

    Raises:
        ShapeError: Image and values differ in size.
    """
    if image.shape[:2] != values.shape:
        raise ShapeError('Image and heat differ in size.', got=f'{image.shape[:2]} and '
                         f'{values.shape}', expected='the same (H, W)')
    unit = np.clip(values, 0, 1)
    colours = cv2.applyColorMap(np.rint(unit * 255).astype(np.uint8),
                                cv2.COLORMAP_INFERNO)[..., ::-1]
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float64)
    share = alpha * np.sqrt(unit)[..., None]
    return np.rint(gray * (1 - share) + colours * share).astype(np.uint8)


def captioned(picture: np.ndarray, text: str) -> np.ndarray:
    """A picture (H, W, 3) uint8 under a white line of text, with white at its right where the text
    is longer."""
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.4
    (length, _), _ = cv2.getTextSize(text, font, scale, 1)
    width = max(picture.shape[1], length + 4)
    strip = np.full((18, width, 3), 255, np.uint8)
    cv2.putText(strip, text, (2, 13), font, scale, (0, 0, 0), 1, cv2.LINE_AA)
    missing = ((0, 0), (0, width - picture.shape[1]), (0, 0))
    return np.concatenate([strip, np.pad(picture, missing, constant_values=255)])


def panel(image: np.ndarray, label: np.ndarray | None, prediction: np.ndarray,
          palette: Palette = None, classes: Sequence[str] | None = None) -> np.ndarray:
    """Image, label and prediction side by side, with a legend below if there are names.

    Returns:
        (H', 3 W, 3) uint8, or (H', 2 W, 3) without a label.
    """
    pictures = [image, *(colour_map(m, palette) for m in (label, prediction) if m is not None)]
    row = np.concatenate(pictures, axis=1)
    if classes is None:
        return row
    return np.concatenate([row, legend(classes, palette, row.shape[1])])


def legend(classes: Sequence[str], palette: Palette = None, width: int = 640) -> np.ndarray:
    """(H, width, 3) uint8: colour squares with the names of the classes, in lines."""
    palette = palette or default_palette(len(classes))
    font, scale, line = cv2.FONT_HERSHEY_SIMPLEX, 0.4, 20
    places, x, y = [], 4, 0
    for name in classes:
        (text, _), _ = cv2.getTextSize(name, font, scale, 1)
        if x + 18 + text > width and x > 4:
            x, y = 4, y + line
        places.append((x, y))
        x += 18 + text + 10
    strip = np.full((y + line, width, 3), 255, np.uint8)
    for (x, y), name, colour in zip(places, classes, palette, strict=True):
        cv2.rectangle(strip, (x, y + 4), (x + 12, y + 16), [int(c) for c in colour], -1)
        cv2.putText(strip, name, (x + 16, y + 14), font, scale, (0, 0, 0), 1, cv2.LINE_AA)
    return strip


def name_regions(picture: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Write each class's name at the middle of its widest row; returns a new picture."""
    named = picture.copy()
    scale = max(min(labels.shape) / 600, 0.3)
    for k in np.unique(labels):
        if not 0 <= k < len(classes):
            continue
        widths = (labels == k).sum(axis=1)
        widest = np.flatnonzero(widths == widths.max())
        row = int(widest[len(widest) // 2])
        columns = np.flatnonzero(labels[row] == k)
        (width, height), _ = cv2.getTextSize(classes[k], cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
        left = int(columns[len(columns) // 2]) - width // 2
        place = (max(min(left, labels.shape[1] - width), 0), max(row, height))
        for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            cv2.putText(named, classes[k], place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour,
                        thickness, cv2.LINE_AA)
    return named


def encode_labels(labels: np.ndarray, palette: Palette = None) -> bytes:
    """A PNG whose pixels are class ids and which shows in the palette's colours.

    Args:
        labels: (H, W) integer in 0..65535; above 255 the PNG is gray of 16 bits.
        palette: K colours in [0, 255].

    Raises:
        ShapeError: A value needs more than 16 bits, or is negative.
    """
    highest = labels.max(initial=0)
    if not 0 <= labels.min(initial=0) <= highest < 1 << 16:
        raise ShapeError('A label PNG holds 16 bits.', expected='0 to 65535',
                         got=f'{labels.min()} to {highest}')
    if highest > 255:
        return cv2.imencode('.png', labels.astype(np.uint16))[1].tobytes()
    picture = Image.fromarray(labels.astype(np.uint8, copy=False))
    picture.putpalette(_table(palette)[:256].flatten().tolist())
    file = io.BytesIO()
    picture.save(file, format='PNG')
    return file.getvalue()


def encode_picture(picture: np.ndarray) -> bytes:
    """(H, W, 3) uint8 RGB as PNG."""
    return cv2.imencode('.png', picture[..., ::-1])[1].tobytes()


def _colours(palette: Palette) -> Sequence[Sequence[int]]:
    return default_palette(255) if palette is None else palette


def _table(palette: Palette) -> np.ndarray:
    """(max(K, 256) + 1, 3) uint8: the palette, then black."""
    colours = np.asarray(_colours(palette), np.uint8).reshape(-1, 3)
    table = np.zeros((max(len(colours), 256) + 1, 3), np.uint8)
    table[:len(colours)] = colours
    return table


def _clipped(labels: np.ndarray, palette: Palette) -> np.ndarray:
    """Indices into `_table`; what has no colour points at its last row."""
    last = len(_table(palette)) - 1
    wide = labels.astype(np.int64)
    return np.where((wide >= 0) & (wide < len(_colours(palette))), wide, last)
