"""Data sets and their transforms; importing this package fills DATASETS and TRANSFORMS."""

from . import transforms
from .ade import ADE20KDataset
from .base import BaseSegDataset
from .camvid import CamVidDataset
from .cityscapes import CityscapesDataset
from .voc import PascalVOCDataset

__all__ = ['ADE20KDataset', 'BaseSegDataset', 'CamVidDataset', 'CityscapesDataset',
           'PascalVOCDataset', 'transforms']
