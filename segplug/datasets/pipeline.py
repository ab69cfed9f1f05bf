"""A list of transforms, run so that only the pixels that survive are touched.

Transforms that move pixels take images and labels as `ops.frames.Frame`, which puts the work off;
before any other transform, a third party's for example, the frames become arrays. Draws and results
are those of the plain list, to the byte.
"""

from mmengine.dataset import Compose

from ..ops.frames import Frame, Source
from .transforms.fields import label_keys, takes_frames


class Pipeline(Compose):
    """mmengine's Compose, with frames between the transforms that take them."""

    def __call__(self, data: dict) -> dict | None:
        for transform in self.transforms:
            _convert(data, takes_frames(transform))
            data = transform(data)
            if data is None:
                return None
        _convert(data, False)
        return data


def _convert(data: dict, to_frames: bool) -> None:
    """Make the image and the labels of ``data`` frames, or arrays; other things stay."""
    for key in ['img', *label_keys(data)]:
        value = data.get(key)
        if to_frames and getattr(value, 'ndim', 0) in (2, 3) and not isinstance(value, Frame):
            data[key] = Source(value)
        elif not to_frames and isinstance(value, Frame):
            data[key] = value.array()
