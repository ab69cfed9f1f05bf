"""A small tree for any folder data set of a config: images and labels of the right names.

What a data set expects is read from its class (suffixes, classes, whether label 0 counts) and from
its config (folders, lists of names), so the tree is right for data sets nobody here has named.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from segplug.apis.config_checks import declared_metainfo
from segplug.registry import DATASETS, resolve

SIZE = (72, 96)  # H, W
STEMS = ('one', 'two')


def leaves(node: dict) -> Iterator[dict]:
    """The innermost data sets of a data set's config."""
    inner = node.get('datasets') or ([node['dataset']] if 'dataset' in node else None)
    if inner is None:
        yield node
    else:
        for child in inner:
            yield from leaves(child)


def make(dataset: dict, folder: Path) -> None:
    """Write the tree of one innermost data set below ``folder``, and make that its root.

    Args:
        dataset: Its config, whose ``data_root`` is changed.
    """
    root = folder / str(dataset.get('data_root') or 'data').strip('/')
    dataset['data_root'] = os.fspath(root)
    cls = resolve(dataset['type'], DATASETS)
    suffixes = (dataset.get('img_suffix') or cls.IMG_SUFFIX,
                dataset.get('seg_map_suffix') or cls.SEG_MAP_SUFFIX)
    rng = np.random.default_rng(0)
    count = len(declared_metainfo(dataset)['classes'])
    reduced = dataset.get('reduce_zero_label')
    first = int(cls.REDUCE_ZERO_LABEL if reduced is None else reduced)
    folders = dataset.get('data_prefix') or {}
    for stem in STEMS:
        image = rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
        _write(root / folders['img_path'] / (stem + suffixes[0]), image)
        _write(root / folders['seg_map_path'] / (stem + suffixes[1]),
               labels(rng, first, count))
    if dataset.get('ann_file'):
        names = root / dataset['ann_file']
        names.parent.mkdir(parents=True, exist_ok=True)
        names.write_text('\n'.join(STEMS) + '\n')


def labels(rng: np.random.Generator, first: int, count: int) -> np.ndarray:
    """(H, W) uint8: every class by patches of 8 x 8 pixels, no class where ``first`` is 1, and 255.

    Args:
        first: The label of the first class.
        count: Classes, at most 254.
    """
    cells = (SIZE[0] // 8, SIZE[1] // 8)
    patches = rng.integers(0, first + count, cells, dtype=np.uint8)
    patches[0, 0] = 255
    return np.kron(patches, np.ones((8, 8), np.uint8))


def _write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(os.fspath(path), image)
