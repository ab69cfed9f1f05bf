"""CamVid with the 11 classes of the SegNet authors' version, 480x360.

Tree: images/<split>/*.jpg and annotations/<split>/*.png, label values 0..10, 255 ignored.
Class names and colours are that version's own.
"""

from ..registry import DATASETS
from .base import BaseSegDataset


@DATASETS.register_module()
class CamVidDataset(BaseSegDataset):
    """CamVid, 11 classes. Arguments are `BaseSegDataset`'s."""

    METAINFO = dict(
        classes=('sky', 'building', 'pole', 'road', 'pavement', 'tree', 'sign symbol', 'fence',
                 'car', 'pedestrian', 'bicyclist'),
        palette=[[128, 128, 128], [128, 0, 0], [192, 192, 128], [128, 64, 128], [60, 40, 222],
                 [128, 128, 0], [192, 128, 128], [64, 64, 128], [64, 0, 128], [64, 64, 0],
                 [0, 128, 192]])
