"""One augmentation's input: resized, normalised, with its mirror image, padded, in one step.

The images of a test travel as they were read, uint8, and become float on the device once per
scale. Letters: C channels, H W pixels of the image, N 1 or 2 with the mirror image.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from . import kernels
from .resize import resize


@dataclass(frozen=True, eq=False)
class Normalisation:
    """(value - mean) / std per channel, after the channels' order was reversed or not.

    Attributes:
        mean: (C,) or (1,) float32, or None for none.
        std: Alike.
        reverse: Whether to reverse the channels first, as from BGR to RGB.
        pad_val: Value of the padding, in normalised units.
    """

    mean: Tensor | None = None
    std: Tensor | None = None
    reverse: bool = False
    pad_val: float = 0.

    def __call__(self, img: Tensor) -> Tensor:
        """(..., C, H, W) uint8 or float -> float, normalised."""
        if self.reverse:
            img = img.flip(-3)
        img = img.float()
        if self.mean is None:
            return img
        return (img - self.mean.view(-1, 1, 1)).div_(self.std.view(-1, 1, 1))


def pad(img: Tensor, target: tuple[int, int], value: float) -> Tensor:
    """Pad (..., H, W) to ``target`` (H, W) at the right and the bottom."""
    right, bottom = target[1] - img.shape[-1], target[0] - img.shape[-2]
    return F.pad(img, (0, right, 0, bottom), value=value) if right or bottom else img


def view(img: Tensor, size: tuple[int, int], target: tuple[int, int], flip: bool,
         normalisation: Normalisation) -> Tensor:
    """The network's input for one scale.

    Args:
        img: (C, H, W) uint8 or float in 0..255.
        size: (H, W) to resize to, bilinearly, without antialiasing.
        target: (H, W) to pad to, at the right and the bottom.
        flip: Whether the mirror image follows as a second image.
        normalisation: Of the values.

    Returns:
        (N, C, *target) float32.
    """
    compiled = kernels.view_for(img.device) if img.dtype == torch.uint8 else None
    function = view_plain if compiled is None else compiled
    return function(img, size, target, flip, normalisation)


def view_plain(img: Tensor, size: tuple[int, int], target: tuple[int, int], flip: bool,
               normalisation: Normalisation) -> Tensor:
    """`view` in plain torch."""
    resized = resize(img[None].float(), size=size, mode='bilinear', align_corners=False)
    normal = normalisation(resized)
    both = torch.cat([normal, normal.flip(-1)]) if flip else normal
    return pad(both, target, normalisation.pad_val)
