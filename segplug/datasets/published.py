"""Published data sets that differ in suffixes, classes and colours only: a row each.

Names, suffixes, classes and colours are mmsegmentation's, with their oddities (the comments say
which), so that its configs, checkpoints and pictures fit. Classes stand in ``tables/``.
"""

from ..registry import DATASETS
from .base import BaseSegDataset
from .cityscapes import CityscapesDataset
from .classes import shipped


def _row(name: str, what: str, metainfo: dict, img_suffix: str, seg_map_suffix: str, *,
         reduce_zero_label: bool = False, base: type[BaseSegDataset] = BaseSegDataset
         ) -> type[BaseSegDataset]:
    """A registered data set of this module; assign it to ``name``, by which pickle finds it."""
    doc = f'{what}, {len(metainfo["classes"])} classes. Arguments are `{base.__name__}`\'s.'
    return DATASETS.register_module()(type(name, (base,), dict(
        METAINFO=metainfo, IMG_SUFFIX=img_suffix, SEG_MAP_SUFFIX=seg_map_suffix,
        REDUCE_ZERO_LABEL=reduce_zero_label, __doc__=doc, __module__=__name__)))


# --- scenes ----------------------------------------------------------------------------------

# 'bed ' ends in a blank; road and skyscraper share a colour. Label 0 is no class.
ADE20KDataset = _row(
    'ADE20KDataset', 'ADE20K, the scene parsing benchmark (MIT 2016)', shipped('ade20k'), '.jpg',
    '.png', reduce_zero_label=True)
# 17 classes share 8 colours. Classes of the 10k version begin at label 1: give it
# reduce_zero_label=True; those of the 164k version at 0.
COCOStuffDataset = _row(
    'COCOStuffDataset', 'COCO-Stuff (Caesar et al., CVPR 2018), 10k and 164k',
    shipped('coco_stuff'), '.jpg', '_labelTrainIds.png')
# Colours are those of ADE20K's first classes; bicycle and snow share one.
PascalContextDataset = _row(
    'PascalContextDataset', 'PASCAL Context (Mottaghi et al., CVPR 2014) with background',
    shipped('pascal_context'), '.jpg', '.png')
PascalContextDataset59 = _row(
    'PascalContextDataset59', 'PASCAL Context without background, which is label 0',
    shipped('pascal_context', first=1), '.jpg', '.png', reduce_zero_label=True)
LIPDataset = _row(
    'LIPDataset', 'Look into Person (Gong et al., CVPR 2017), parts of people', shipped('lip'),
    '.jpg', '.png')

# --- streets ---------------------------------------------------------------------------------

_CITY = CityscapesDataset.METAINFO

CamVidDataset = _row(
    'CamVidDataset', "CamVid in the version of SegNet's authors, 480x360", shipped('camvid'),
    '.jpg', '.png')
# Train ids of Cityscapes, but not its server's label ids.
BDD100KDataset = _row(
    'BDD100KDataset', 'BDD100K (Yu et al., CVPR 2020)',
    {key: _CITY[key] for key in ('classes', 'palette')}, '.jpg', '.png')
DarkZurichDataset = _row(
    'DarkZurichDataset', 'Dark Zurich (Sakaridis et al., ICCV 2019)', _CITY, '_rgb_anon.png',
    '_gt_labelTrainIds.png', base=CityscapesDataset)
NightDrivingDataset = _row(
    'NightDrivingDataset', 'Nighttime Driving (Dai et al., ITSC 2018)', _CITY,
    '_leftImg8bit.png', '_gtCoarse_labelTrainIds.png', base=CityscapesDataset)
# 'Unlabeled' counts as a class, the last one. In version 2.0, 36 classes share 11 colours.
MapillaryDataset_v1 = _row(
    'MapillaryDataset_v1', 'Mapillary Vistas 1.2 (Neuhold et al., ICCV 2017)',
    shipped('mapillary_v1'), '.jpg', '.png')
MapillaryDataset_v2 = _row(
    'MapillaryDataset_v2', 'Mapillary Vistas 2.0', shipped('mapillary_v2'), '.jpg', '.png')
# Images are arrays of 25 bands.
HSIDrive20Dataset = _row(
    'HSIDrive20Dataset', 'HSI-Drive 2.0, hyperspectral (Gutierrez-Zaballa et al., 2023)',
    shipped('hsi_drive20'), '.npy', '.png')

# --- from above ------------------------------------------------------------------------------

# Label 0 of LoveDA and of both ISPRS sets is no class.
LoveDADataset = _row(
    'LoveDADataset', 'LoveDA (Wang et al., NeurIPS 2021)', shipped('loveda'), '.png', '.png',
    reduce_zero_label=True)
PotsdamDataset = _row(
    'PotsdamDataset', 'ISPRS Potsdam', shipped('isprs'), '.png', '.png', reduce_zero_label=True)
ISPRSDataset = _row(
    'ISPRSDataset', 'ISPRS Vaihingen', shipped('isprs'), '.png', '.png', reduce_zero_label=True)
iSAIDDataset = _row(
    'iSAIDDataset', 'iSAID (Waqas Zamir et al., CVPR workshops 2019)', shipped('isaid'), '.png',
    '_instance_color_RGB.png')

# --- medicine --------------------------------------------------------------------------------

DRIVEDataset = _row(
    'DRIVEDataset', 'DRIVE, vessels of the retina', shipped('vessels'), '.png', '_manual1.png')
STAREDataset = _row(
    'STAREDataset', 'STARE, vessels of the retina', shipped('vessels'), '.png', '.ah.png')
ChaseDB1Dataset = _row(
    'ChaseDB1Dataset', 'CHASE_DB1, vessels of the retina', shipped('vessels'), '.png',
    '_1stHO.png')
HRFDataset = _row('HRFDataset', 'HRF, vessels of the retina', shipped('vessels'), '.png', '.png')
# ' Optic Cup' begins with a blank.
REFUGEDataset = _row(
    'REFUGEDataset', 'REFUGE (Orlando et al., 2020), optic disc and cup', shipped('refuge'),
    '.png', '.png')
SynapseDataset = _row(
    'SynapseDataset', 'Synapse multi-organ CT, in slices, as TransUNet has it',
    shipped('synapse'), '.jpg', '.png')
