"""Numbers about the labels of a part: how large, how frequent and with what each class is.

Letters: I labels, K classes.
"""

from dataclasses import dataclass

import numpy as np

from .tally import Part, Tally, image_counts

# Bounds of a class's share of an image; the last bin is above the last bound.
SHARES = (0.001, 0.01, 0.1, 0.5)


@dataclass(frozen=True)
class ClassNumbers:
    """One class.

    Attributes:
        id, name: Which.
        pixels: Its pixels in all.
        share: Of the labelled pixels, 0 to 1.
        images: Labels that have it.
        mean_area: Its pixels in a label that has it, on average; 0.0 where none has.
        mean_share: Its share of the labelled pixels of such a label, on average.
        histogram: Labels by its share in them: at most 0.1 %, 1 %, 10 %, 50 %, and above; those
            that have it.
    """

    id: int
    name: str
    pixels: int
    share: float
    images: int
    mean_area: float
    mean_share: float
    histogram: tuple[int, ...]


@dataclass(frozen=True)
class PartNumbers:
    """What `Part` and `Tally` come to.

    Attributes:
        name: 'train', 'val, test' ...
        samples, labels, unreadable: Samples, those with a label, and labels that hold no ids.
        pixels, ignored: Of all labels, and of these without a class.
        sizes: (H, W) -> images, the most frequent first; of labels where an image tells none.
        classes: One for each class; none where nothing says how many there are.
        together: (K, K) int64, labels that have both classes.
    """

    name: str
    samples: int
    labels: int
    unreadable: int
    pixels: int
    ignored: int
    sizes: dict[tuple[int, int], int]
    classes: list[ClassNumbers]
    together: np.ndarray


def part_numbers(part: Part, found: Tally) -> PartNumbers:
    """The statistics of a part that was read."""
    counts = image_counts(part)  # (I, K)
    labelled = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(labelled, 1)
    present = counts > 0
    together = present.astype(np.int64).T @ present.astype(np.int64)
    classes = [_class_numbers(part, found, k, counts[:, k], shares[:, k])
               for k in range(counts.shape[1])]
    return PartNumbers(part.name, len(part.infos), sum(bool(f.path) for f in part.labels),
                       sum(bool(f.problem) for f in part.labels), found.num_pixels, found.ignored,
                       _sizes(part), classes, together)


def _class_numbers(part: Part, found: Tally, k: int, pixels: np.ndarray, shares: np.ndarray
                   ) -> ClassNumbers:
    """Of class ``k``, from its pixels (I,) and shares (I,) in each label."""
    has = pixels > 0
    bins = np.searchsorted(SHARES, shares[has], side='left')
    histogram = np.bincount(bins, minlength=len(SHARES) + 1)
    total = max(found.num_labelled, 1)
    return ClassNumbers(
        k, part.class_name(k), int(found.pixels[k]), float(found.pixels[k] / total),
        int(found.images[k]), float(pixels[has].mean()) if has.any() else 0.0,
        float(shares[has].mean()) if has.any() else 0.0, tuple(histogram.tolist()))


def _sizes(part: Part) -> dict[tuple[int, int], int]:
    sizes: dict[tuple[int, int], int] = {}
    for image, label in zip(part.images, part.labels, strict=True):
        size = image.shape or label.shape
        if size is not None:
            sizes[size] = sizes.get(size, 0) + 1
    return dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))
