"""Data sets and their transforms; importing this package fills DATASETS and TRANSFORMS."""

from . import transforms
from .base import BaseSegDataset
from .camvid import CamVidDataset
from .cityscapes import CityscapesDataset

__all__ = ['BaseSegDataset', 'CamVidDataset', 'CityscapesDataset', 'transforms']
