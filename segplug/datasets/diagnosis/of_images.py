"""Findings about pixels: channels that do not fit the model, a normalisation of other images.

C channels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .finding import ERROR, WARNING, Finding, Mending, named
from .tally import Part

_CV_CHANNELS = 4  # that OpenCV takes the mean of
_FAR = 2.0  # standard deviations by which a mean may be off; night scenes are 1.5 from ImageNet
_RATIO = 3.0  # by which a standard deviation may be off


@dataclass(frozen=True)
class Pixels:
    """Of one image: (C,) float64 each; the means of its values and of their squares."""

    path: str
    mean: np.ndarray
    square: np.ndarray


def pixels_of(path: str, img: np.ndarray) -> Pixels:
    """Of an image (H, W) or (H, W, C), as it is loaded."""
    if img.dtype == np.uint8 and (img.ndim == 2 or img.shape[2] <= _CV_CHANNELS):
        mean, deviation = (values.reshape(-1) for values in cv2.meanStdDev(img))
        return Pixels(path, mean, deviation ** 2 + mean ** 2)
    pixels = img.reshape(-1, img.shape[2] if img.ndim == 3 else 1).astype(np.float64)
    return Pixels(path, pixels.mean(axis=0), (pixels ** 2).mean(axis=0))


def moments(images: Sequence[Pixels]) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel over images of one channel count."""
    mean = np.mean([one.mean for one in images], axis=0)
    square = np.mean([one.square for one in images], axis=0)
    deviation = np.sqrt(np.maximum(square - mean ** 2, 0))
    return mean.tolist(), deviation.tolist()


def channel_findings(part: Part, images: Sequence[Pixels], mean: Sequence[float] | None,
                     in_channels: int | None, place_of_mean: str) -> Iterator[Finding]:
    """Channel counts that differ between files, or from what the model takes."""
    counts = {}
    for one in images:
        counts.setdefault(len(one.mean), []).append(one.path)
    if len(counts) > 1:
        rare = min(counts, key=lambda c: len(counts[c]))
        yield Finding('channels_vary', ERROR, part.name,
                      'Images have different numbers of channels: ' + ', '.join(
                          f'{c} in {len(files)}' for c, files in sorted(counts.items())) + '.',
                      'They cannot be one batch, and the network takes one number.',
                      mending=_color_type(part, "color_type='color'"), **named(counts[rare]))
        return
    for place, name, wanted in ((place_of_mean, 'mean', mean and len(mean)),
                                ('model.backbone', 'in_channels', in_channels)):
        found = next(iter(counts), None)
        if None in (found, wanted) or found == wanted or (name == 'mean' and wanted == 1):
            continue
        line = f'in_channels={found}' if name == 'in_channels' else \
            f'mean={_rounded(moments(images)[0])}'
        extra = () if name == 'in_channels' else (
            Mending(place, f'std={_rounded(moments(images)[1])}'),)
        yield Finding('channels_do_not_fit', ERROR, part.name,
                      f'Images have {found} channels; {name} of {place} is for {wanted}.',
                      'The first batch fails.',
                      advice='or load the images as colour: LoadImageFromFile(color_type='
                             "'color')" if wanted == 3 else '',
                      mending=(Mending(place, line), *extra))


def _color_type(part: Part, line: str) -> tuple[Mending, ...]:
    """``line`` in the loader of images, which comes first in a pipeline."""
    return tuple(Mending(f'{place.dataset}.pipeline.0', line)
                 for place in (part.place, *part.place.others))


def normalisation_findings(part: Part, images: Sequence[Pixels], mean: Sequence[float] | None,
                           std: Sequence[float] | None, swaps: bool, place: str
                           ) -> Iterator[Finding]:
    """A ``mean`` and ``std`` that are far from the images'.

    Args:
        part: For its name.
        images: As loaded, of one channel count.
        mean, std: The preprocessor's, in the order after the swap; None for none, which is
            right as it is. A ``std`` of 1 says that values are not to be scaled.
        swaps: Whether it reverses three channels.
        place: Where it stands in the config.
    """
    if not images or len({len(one.mean) for one in images}) > 1:
        return
    found_mean, found_std = moments(images)
    if swaps and len(found_mean) == 3:
        found_mean, found_std = found_mean[::-1], found_std[::-1]
    if mean is None or len(mean) not in (1, len(found_mean)):
        return
    count = len(found_mean)
    old, width = np.broadcast_to(mean, count), np.broadcast_to(std, count)
    if (width == 1).all() and max(found_std) > 1:  # the mean alone is taken off, on purpose
        width = np.array(found_std)
    away = np.abs(np.array(found_mean) - old) / np.maximum(width, 1e-9)
    ratio = np.maximum(np.array(found_std), 1e-9) / np.maximum(width, 1e-9)
    if not (away > _FAR).any() and not ((ratio > _RATIO) | (ratio < 1 / _RATIO)).any():
        return
    yield Finding('normalisation_far_off', WARNING, part.name,
                  f'The mean of {len(images)} images is {_rounded(found_mean)}, their standard '
                  f'deviation {_rounded(found_std)}; the preprocessor has {_rounded(old)} and '
                  f'{_rounded(width)}.', 'The network gets values far from those that it expects '
                  'to start from.',
                  advice='with pretrained weights, first see why the images differ so much: a '
                         'range of 0 to 1, or of 16 bits, wants to be brought to 0 to 255',
                  mending=(Mending(place, f'mean={_rounded(found_mean)}'),
                           Mending(place, f'std={_rounded(found_std)}')))


def _rounded(values) -> list[float]:
    return [float(f'{value:.5g}') for value in values]
