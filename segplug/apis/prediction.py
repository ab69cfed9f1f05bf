"""What a model says of one image: labels, probabilities, areas, and pictures of them."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ..visualization.draw import colour_map, legend, overlay

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 1024  # pixels of the longer side of the picture in a notebook


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """The labels of an image.

    Attributes:
        labels: (H, W) uint8 class ids (int32 above 256 classes), at the image's own size.
        classes: K names.
        palette: K (r, g, b) in [0, 255].
        name: Of the image: its file, or 'frame 12' of a video, or 'array'.
        probs: (K, H, W) float32 that sum to 1 at each pixel, if they were asked for.
    """

    labels: np.ndarray
    classes: tuple[str, ...]
    palette: Sequence[Sequence[int]]
    name: str = 'array'
    probs: np.ndarray | None = None
    _read: Callable[[], np.ndarray] | None = field(default=None, repr=False)

    @cached_property
    def image(self) -> np.ndarray | None:
        """The picture that was labelled, (H, W, 3) uint8 RGB; read when it is asked for."""
        return None if self._read is None else self._read()

    def colours(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB: each pixel in the colour of its class."""
        return colour_map(self.labels, self.palette)

    def overlay(self, alpha: float = 0.5) -> np.ndarray:
        """(H, W, 3) uint8 RGB: the colours over the image, with ``alpha`` as their share."""
        if self.image is None:
            return self.colours()
        return overlay(self.image, self.labels, self.palette, alpha)

    def areas(self) -> 'pd.DataFrame':
        """Pixels and share of each class, in percent: columns class, pixels, percent."""
        import pandas as pd
        pixels = np.bincount(self.labels.ravel(), minlength=len(self.classes))
        return pd.DataFrame({'class': self.classes, 'pixels': pixels,
                             'percent': 100 * pixels / max(self.labels.size, 1)})

    def __str__(self) -> str:
        found = self.areas().query('pixels > 0').sort_values('percent', ascending=False)
        most = [f'{row["class"]} {row.percent:.1f} %' for _, row in found.head(5).iterrows()]
        more = f' and {len(found) - 5} more' if len(found) > 5 else ''
        height, width = self.labels.shape
        return f'{self.name}, {width}x{height}: {", ".join(most)}{more}'

    def __repr__(self) -> str:
        return f'Prediction({self})'

    def _repr_png_(self) -> bytes:
        """The overlay and a legend of the classes that are there, as a notebook shows it."""
        step = -(-max(self.labels.shape) // _SHOWN)
        picture = self.overlay()[::step, ::step]
        there = [k for k in np.unique(self.labels) if k < len(self.classes)]
        names = legend([self.classes[k] for k in there], [self.palette[k] for k in there],
                       picture.shape[1])
        file = io.BytesIO()
        Image.fromarray(np.concatenate([picture, names])).save(file, format='PNG')
        return file.getvalue()
