"""Frames to test on: mini Cityscapes at full size, as heavy to decode as real frames are.

A drawn scene has edges sharper, and flat parts flatter, than a camera's. So it goes through a
soft lens and gets a sensor's noise; at zlib's usual level a 2048x1024 frame then takes 2.2 MB, a
real one of Cityscapes 2.3 MB. The labels are as drawn.
"""

from pathlib import Path

import cv2
import numpy as np

from segplug.apis.config import load_config
from segplug.datasets.minicity import render_frame
from segplug.datasets.minicity.labels import train_id_table
from segplug.datasets.minicity.writer import frame_paths
from segplug.registry import DATASETS

CONFIG = 'unet/unet_r18_minicity.py'
LENS, NOISE, ZLIB_LEVEL = 1.5, 0.6, 6  # pixels, levels of 255, PNG's usual compression


def write_frames(root: Path, size: tuple[int, int], count: int) -> None:
    """Images and training ids of ``count`` frames of ``size`` (H, W) in Cityscapes' tree."""
    for index in range(count):
        image, label_ids, _ = render_frame(0, 'val', index, size[::-1])
        paths = frame_paths(root, 'val', index)
        _write(paths['image'], np.ascontiguousarray(photographed(image, index)[..., ::-1]))
        _write(paths['labelTrainIds'], train_id_table()[label_ids])


def photographed(image: np.ndarray, seed: int) -> np.ndarray:
    """(H, W, 3) uint8 -> the same, softened, with noise."""
    noise = np.random.default_rng(seed).normal(0, NOISE, image.shape)
    return np.clip(np.rint(cv2.GaussianBlur(image, (0, 0), LENS) + noise), 0, 255).astype(np.uint8)


def dataset(root: Path):
    """The test set of the quickstart's config over such a tree."""
    cfg = load_config(CONFIG).test_dataloader.dataset
    cfg.data_root = str(root)
    return DATASETS.build(cfg)


def _write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels, [cv2.IMWRITE_PNG_COMPRESSION, ZLIB_LEVEL])
