"""Reading a training sample as mmsegmentation 1.2.2 does, on mmcv's pipeline.

Image and label are decoded whole, resized whole, then cut; contrast, saturation and hue each make
arrays of float or turn the crop to HSV and back; labels leave as int64. Draws come in the published
order, so the same seed gives the same crop as ours. Nothing is slower than there: no result dict,
no data elements.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from .mmseg_procedure import IGNORED, load_image, load_label

STAGES = ('decode image', 'decode label', 'resize', 'crop', 'flip', 'distort', 'pack')


class MmsegTraining:
    """A sample: load, resize, crop with a bound on one class, flip, distort, pack.

    Args:
        scale: (W, H) that the drawn ratio multiplies.
        ratio_range: (low, high).
        crop_size: (H, W).
        cat_max_ratio: Share of the crop that one class may take.
        distorts: Whether colours are changed.
    """

    def __init__(self, scale: Sequence[int], ratio_range: Sequence[float] = (0.5, 2.0),
                 crop_size: Sequence[int] = (512, 1024), cat_max_ratio: float = 0.75,
                 distorts: bool = True) -> None:
        self.scale, self.ratio_range = scale, ratio_range
        self.crop_size, self.cat_max_ratio = crop_size, cat_max_ratio
        self.distorts = distorts

    def stages(self, image_path: str, label_path: str):
        """Generates the name of each stage as it ends, and last the sample."""
        img = load_image(image_path)
        yield 'decode image'
        label = load_label(label_path)
        yield 'decode label'
        img, label = self.resize(img, label)
        yield 'resize'
        img, label = self.crop(img, label)
        yield 'crop'
        if np.random.choice([True, False], p=[0.5, 0.5]):
            img, label = np.flip(img, axis=1), np.flip(label, axis=1)
        yield 'flip'
        if self.distorts:
            img = distorted(img)
        yield 'distort'
        sample = packed(img, label)
        yield 'pack'
        yield sample

    def __call__(self, image_path: str, label_path: str) -> tuple[Tensor, Tensor]:
        """(3, h, w) uint8 BGR, (1, h, w) int64."""
        *_, sample = self.stages(image_path, label_path)
        return sample

    def resize(self, img: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = self.ratio_range
        ratio = np.random.random_sample() * (high - low) + low
        box = [int(side * ratio) for side in self.scale]
        height, width = img.shape[:2]
        factor = min(max(box) / max(height, width), min(box) / min(height, width))
        size = int(width * factor + 0.5), int(height * factor + 0.5)
        return (cv2.resize(img, size, interpolation=cv2.INTER_LINEAR),
                cv2.resize(label, size, interpolation=cv2.INTER_NEAREST))

    def crop(self, img: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        window = self._window(img)
        for _ in range(10):
            values, counts = np.unique(label[window], return_counts=True)
            counts = counts[values != IGNORED]
            if len(counts) > 1 and counts.max() / counts.sum() < self.cat_max_ratio:
                break
            window = self._window(img)
        return img[window], label[window]

    def _window(self, img: np.ndarray) -> tuple[slice, slice]:
        spans = []
        for have, want in zip(img.shape, self.crop_size, strict=False):
            first = np.random.randint(0, max(have - want, 0) + 1)
            spans.append(slice(first, first + want))
        return tuple(spans)


def _scaled(values: np.ndarray, factor: float = 1, shift: float = 0) -> np.ndarray:
    return np.clip(values.astype(np.float32) * factor + shift, 0, 255).astype(np.uint8)


def _half() -> bool:
    return bool(np.random.randint(2))


def distorted(img: np.ndarray) -> np.ndarray:
    """Brightness, contrast, saturation and hue, each with probability one half."""
    if _half():
        img = _scaled(img, shift=np.random.uniform(-32, 32))
    contrast_first = _half()
    if contrast_first and _half():
        img = _scaled(img, np.random.uniform(0.5, 1.5))
    if _half():
        hsv = cv2.cvtColor(img, cv2.COLOR_BGR2HSV)
        hsv[..., 1] = _scaled(hsv[..., 1], np.random.uniform(0.5, 1.5))
        img = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    if _half():
        hsv = cv2.cvtColor(img, cv2.COLOR_BGR2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(int) + np.random.randint(-18, 18)) % 180
        img = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    if not contrast_first and _half():
        img = _scaled(img, np.random.uniform(0.5, 1.5))
    return img


def packed(img: np.ndarray, label: np.ndarray) -> tuple[Tensor, Tensor]:
    """Channels first; the label as int64."""
    if img.flags.c_contiguous:
        planes = torch.from_numpy(img).permute(2, 0, 1).contiguous()
    else:
        planes = torch.from_numpy(np.ascontiguousarray(img.transpose(2, 0, 1)))
    return planes, torch.from_numpy(label[None].astype(np.int64))
