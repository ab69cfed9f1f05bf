"""CamVidDataset reads the 11-class CamVid."""

import os
from pathlib import Path

import numpy as np
import pytest

from segplug.datasets.camvid import CamVidDataset


def test_one_colour_per_class():
    assert len(CamVidDataset.METAINFO['classes']) == len(CamVidDataset.METAINFO['palette']) == 11


def test_the_real_val_split():
    data = os.environ.get('SEGPLUG_TEST_DATA')
    if not data or not (Path(data) / 'camvid').is_dir():
        pytest.skip('SEGPLUG_TEST_DATA names no folder with camvid')
    dataset = CamVidDataset(
        data_root=str(Path(data) / 'camvid'),
        data_prefix=dict(img_path='images/val', seg_map_path='annotations/val'),
        pipeline=[dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')])
    assert len(dataset) == 101
    sample = dataset[0]
    assert sample['img'].shape == (360, 480, 3)
    assert sample['gt_seg_map'].shape == (360, 480)
    # Sky is class 0 and lies above the road, class 3.
    rows = {c: np.nonzero(sample['gt_seg_map'] == c)[0].mean() for c in (0, 3)}
    assert rows[0] < rows[3]
