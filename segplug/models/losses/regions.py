"""What losses of whole regions (Dice, Tversky) share: pixel weights, and classes left out."""

import torch

from .base import per_pixel


def region_weights(weight: torch.Tensor | None,
                   valid: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The factor of each pixel within its region, and that of each image's loss.

    Args:
        weight: (N,) of each image, (N, P) of each pixel, or None.
        valid: (N, 1, P) bool, the pixels that count.

    Returns:
        (N, 1, P) float and (N,) float, 0 for an image in which no pixel counts.

    Raises:
        ShapeError: For a weight of any other shape.
    """
    by_image = weight is not None and weight.ndim == 1
    pixels = per_pixel(None if by_image else weight, valid)
    images = (pixels != 0).flatten(1).any(dim=1).to(pixels.dtype)
    return pixels, images * weight if by_image else images


def without_classes(ignored: tuple[int | None, ...],
                    *maps: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """(N, K, P) maps without the channels of classes that are ignored.

    A single channel stays: its pixels have two labels, and both tell of it.
    """
    num_classes = maps[0].size(1)
    kept = [k for k in range(num_classes) if k not in ignored]
    return maps if num_classes == 1 or len(kept) == num_classes else tuple(x[:, kept] for x in maps)
