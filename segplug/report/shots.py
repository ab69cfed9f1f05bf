"""Pictures of a test for a page: image, label, prediction and errors, within a budget of bytes.

Letters: K classes, H W pixels.
"""

from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..visualization.draw import Palette
from ..visualization.layers import fitted, label_layer
from .pages import drawing, photo

# Longest side of a picture, in pixels: the first at which all of them fit the budget.
_SIDES = (720, 560, 440, 340, 260, 200, 150, 110, 80, 56, 32)
LAYERS = ('image', 'label', 'prediction', 'errors')
MOST_DIGITS = 40  # bytes that a page takes to tell the size of a picture
_RIGHT, _WRONG = (232, 236, 241), (208, 32, 40)


@dataclass(frozen=True)
class Shot:
    """One image of a test.

    Attributes:
        name: As in per_image.csv.
        score: mIoU, in percent.
        facts: Short lines below it.
        picture: (H, W, 3) uint8 RGB, or None where the sample cannot be shown.
        label, prediction: (H, W) integer.
        error: Why it cannot be shown.
    """

    name: str
    score: float
    facts: tuple[str, ...] = ()
    picture: np.ndarray | None = None
    label: np.ndarray | None = None
    prediction: np.ndarray | None = None
    error: str = ''


@dataclass(frozen=True)
class Shown:
    """A shot as a page has it.

    Attributes:
        shot: A `Shot`, or one of another page.
        size: (W, H) of its pictures.
        layers: Addresses that hold the pictures, by name; None without any.
    """

    shot: Any
    size: tuple[int, int] = (0, 0)
    layers: dict[str, str] | None = None

    def __len__(self) -> int:
        """Bytes of the addresses."""
        return sum(map(len, (self.layers or {}).values()))


def blank(shots: Sequence, layers: Sequence[str]) -> list[Shown]:
    """The shots with empty addresses in place of ``layers``: what a page takes besides these."""
    return [Shown(shot, (1, 1), None if shot.picture is None else dict.fromkeys(layers, ''))
            for shot in shots]


def shown(shots: Sequence[Shot], budget: int, num_classes: int, ignore_index: int,
          palette: Palette) -> list[Shown]:
    """The shots with their pictures encoded, as large as the budget allows, up to 720 pixels.

    Args:
        shots: In order.
        budget: Bytes of all pictures together; where even the smallest size is more, there are
            no pictures.
        num_classes: K.
        ignore_index: Label value that was not scored.
        palette: K colours.
    """
    def encode(shot: Shot, side: int) -> Shown:
        return _encoded(shot, side, num_classes, ignore_index, palette)
    return largest(shots, budget, encode) or [Shown(shot) for shot in shots]


def largest(items: Sequence, budget: int, encode: Callable[[Any, int], Sized]) -> list | None:
    """``encode(item, side)`` of each, at the largest side that fits; None where none does.

    Args:
        items: What is encoded.
        budget: Bytes of all together; the ``len`` of what ``encode`` returns is its share.
        encode: Makes one, given the longest side of its pictures.
    """
    for side in _SIDES:
        made, left = [], budget
        for item in items:
            made.append(encode(item, side))
            left -= len(made[-1])
            if left < 0:
                break
        else:
            return made
    return None


def _encoded(shot: Shot, side: int, num_classes: int, ignore_index: int, palette: Palette) -> Shown:
    if shot.picture is None:
        return Shown(shot)
    picture = fitted(shot.picture, side)
    layers = {
        'label': label_layer(fitted(shot.label, side, nearest=True), num_classes, ignore_index,
                             palette),
        'prediction': label_layer(fitted(shot.prediction, side, nearest=True), num_classes, -1,
                                  palette),
        'errors': error_layer(fitted(shot.label, side, nearest=True),
                              fitted(shot.prediction, side, nearest=True), ignore_index)}
    return Shown(shot, picture.shape[1::-1], {
        'image': photo(picture), **{name: drawing(layer) for name, layer in layers.items()}})


def error_layer(label: np.ndarray, prediction: np.ndarray, ignore_index: int) -> np.ndarray:
    """Where a prediction is wrong: red; pale where it is right; hatched where it is not scored.

    Args:
        label, prediction: (H, W) integer.
        ignore_index: Label value that was not scored.

    Returns:
        (H, W, 3) uint8.
    """
    kind = np.where(label == ignore_index, 2, label.astype(np.int64) != prediction)
    return label_layer(kind, 2, 2, (_RIGHT, _WRONG))
