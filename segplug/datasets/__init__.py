"""Data sets and their transforms; importing this package fills DATASETS and TRANSFORMS."""

from . import transforms
from .base import BaseSegDataset
from .change import BaseCDDataset, LEVIRCDDataset
from .cityscapes import CityscapesDataset
from .decathlon import DecathlonDataset
from .lists import ListDataset
from .nyu import NYUDataset
from .published import (
    ADE20KDataset,
    BDD100KDataset,
    CamVidDataset,
    ChaseDB1Dataset,
    COCOStuffDataset,
    DarkZurichDataset,
    DRIVEDataset,
    HRFDataset,
    HSIDrive20Dataset,
    ISPRSDataset,
    LIPDataset,
    LoveDADataset,
    MapillaryDataset_v1,
    MapillaryDataset_v2,
    NightDrivingDataset,
    PascalContextDataset,
    PascalContextDataset59,
    PotsdamDataset,
    REFUGEDataset,
    STAREDataset,
    SynapseDataset,
    iSAIDDataset,
)
from .voc import PascalVOCDataset
from .wrappers import ClassBalancedDataset, ConcatDataset, MultiImageMixDataset, RepeatDataset

__all__ = [
    'ADE20KDataset', 'BDD100KDataset', 'BaseCDDataset', 'BaseSegDataset', 'COCOStuffDataset',
    'CamVidDataset', 'ChaseDB1Dataset', 'CityscapesDataset', 'ClassBalancedDataset',
    'ConcatDataset', 'DRIVEDataset', 'DarkZurichDataset', 'DecathlonDataset', 'HRFDataset',
    'HSIDrive20Dataset', 'ISPRSDataset', 'LEVIRCDDataset', 'LIPDataset', 'ListDataset',
    'LoveDADataset', 'MapillaryDataset_v1', 'MapillaryDataset_v2', 'MultiImageMixDataset',
    'NYUDataset', 'NightDrivingDataset', 'PascalContextDataset', 'PascalContextDataset59',
    'PascalVOCDataset', 'PotsdamDataset', 'REFUGEDataset', 'RepeatDataset', 'STAREDataset',
    'SynapseDataset', 'iSAIDDataset', 'transforms',
]
