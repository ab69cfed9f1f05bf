"""Feature maps as pictures: (C, h, w) floats to one map, or to colours.

Letters: C channels, h w cells.
"""

import numpy as np


def mean_map(features: np.ndarray) -> np.ndarray:
    """(C, h, w) -> (h, w): the mean over the channels."""
    return features.mean(axis=0)


def max_map(features: np.ndarray) -> np.ndarray:
    """(C, h, w) -> (h, w): the greatest channel at each cell."""
    return features.max(axis=0)


def strongest(features: np.ndarray, count: int) -> list[int]:
    """The ``count`` channels that vary most over the cells, first the strongest."""
    spread = features.reshape(len(features), -1).astype(np.float64).std(axis=1)
    return np.argsort(-spread, kind='stable')[:count].tolist()


def principal(features: np.ndarray, count: int = 3) -> np.ndarray:
    """The first principal components of the channels, cell by cell.

    Cells that the network sees alike get alike values. The largest coefficient of a component is
    positive, so that the result does not depend on the solver's choice of sign.

    Args:
        features: (C, h, w) float.
        count: Of components; those that do not exist are 0.

    Returns:
        (count, h, w) float64, by falling variance.
    """
    channels, height, width = features.shape
    centred = features.reshape(channels, -1).astype(np.float64)
    centred = centred - centred.mean(axis=1, keepdims=True)
    if channels > centred.shape[1]:  # then the cells' products are the smaller matrix
        values, cells = np.linalg.eigh(centred.T @ centred)
        axes = centred @ cells[:, ::-1][:, :count]
    else:
        values, axes = np.linalg.eigh(centred @ centred.T)
        axes = axes[:, ::-1][:, :count]
    values = values[::-1][:count]
    axes = np.where(values > 1e-9 * max(values.max(initial=0), 1e-12), axes, 0)
    axes = axes / np.maximum(np.linalg.norm(axes, axis=0), 1e-12)
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    parts = (axes * np.where(largest < 0, -1, 1)).T @ centred
    missing = np.zeros((count - len(parts), parts.shape[1]))
    return np.concatenate([parts, missing]).reshape(count, height, width)


def as_colours(parts: np.ndarray) -> np.ndarray:
    """Three maps (3, h, w) as red, green and blue: (h, w, 3) uint8.

    Each is stretched from its 1st to its 99th percentile; one that does not vary is gray.
    """
    flat = parts.reshape(3, -1)
    low, high = np.percentile(flat, [1, 99], axis=1)
    spans = high - low
    unit = np.where(spans[:, None] > 0, (flat - low[:, None]) / np.where(spans, spans, 1)[:, None],
                    0.5)
    return np.rint(unit.clip(0, 1) * 255).astype(np.uint8).reshape(parts.shape).transpose(1, 2, 0)
