"""Every data set of ours on a made-up tree of three files: a pair becomes a packed sample, class
facts fit each other, and a tree that is not there is one error. Without a row it fails."""

from pathlib import Path

import pytest
from contracts import every

from segplug.contract.datasets import CHECKS, DatasetCase
from segplug.registry import DATASETS


def row(img, label, kwargs={}, values=(0, 1, 2), twins=0):
    """Folder and end of the names of images and labels; kwargs the data set needs besides; what
    label values 0, 1, 2 become; how many colours fall short of the classes."""
    return dict(img=img, label=label, values=values, twins=twins), kwargs


def folders(img_suffix='.jpg', label_suffix='.png', **facts):
    return row(('img_dir/train', img_suffix), ('ann_dir/train', label_suffix), **facts)


MOVED = (255, 0, 1)  # label 0 is no class
ROWS = {
    'ADE20KDataset': folders(values=MOVED, twins=1),  # road and skyscraper
    'BDD100KDataset': folders(),
    'BaseSegDataset': folders(kwargs=dict(metainfo=dict(classes=('a', 'b', 'c')))),
    'COCOStuffDataset': folders('.jpg', '_labelTrainIds.png', twins=9),
    'CamVidDataset': folders(),
    'ChaseDB1Dataset': folders('.png', '_1stHO.png'),
    'CityscapesDataset': row(('leftImg8bit/train/ulm', '_leftImg8bit.png'),
                             ('gtFine/train/ulm', '_gtFine_labelTrainIds.png')),
    'DRIVEDataset': folders('.png', '_manual1.png'),
    'DarkZurichDataset': folders('_rgb_anon.png', '_gt_labelTrainIds.png'),
    'HRFDataset': row(('images/training', '.png'), ('annotations/training', '.png')),
    'HSIDrive20Dataset': folders('.npy'),
    'ISPRSDataset': folders('.png', values=MOVED),
    'LIPDataset': folders(),
    'LoveDADataset': folders('.png', values=MOVED),
    'MapillaryDataset_v1': folders(),
    'MapillaryDataset_v2': folders(twins=25),
    'NightDrivingDataset': folders('_leftImg8bit.png', '_gtCoarse_labelTrainIds.png'),
    'PascalContextDataset': folders(twins=1),  # bicycle and snow
    'PascalContextDataset59': folders(values=MOVED, twins=1),
    'PascalVOCDataset': row(('JPEGImages', '.jpg'), ('SegmentationClass', '.png')),
    'PotsdamDataset': folders('.png', values=MOVED),
    'REFUGEDataset': folders('.png'),
    'STAREDataset': folders('.png', '.ah.png'),
    'SynapseDataset': folders(),
    'iSAIDDataset': folders('.png', '_instance_color_RGB.png'),
}
# Data sets of another form, and those made of data sets: their own tests build them.
ELSEWHERE = {
    'BaseCDDataset': 'test_change.py', 'LEVIRCDDataset': 'test_change.py',
    'DecathlonDataset': 'test_decathlon.py', 'ListDataset': 'test_lists.py',
    'NYUDataset': 'test_nyu.py', 'ClassBalancedDataset': 'test_wrappers.py',
    'ConcatDataset': 'test_wrappers.py', 'MultiImageMixDataset': 'test_wrappers.py',
    'RepeatDataset': 'test_wrappers.py',
}
DATASETS.import_from_location()
OURS = sorted(name for name, cls in DATASETS.module_dict.items()
              if cls.__module__.startswith('segplug.') and name not in ELSEWHERE)

CASES = [DatasetCase(dict(type=name, **ROWS[name][1]), **ROWS[name][0], strict=True)
         for name in OURS if name in ROWS]


def test_every_data_set_has_a_row():
    assert sorted(ROWS) == OURS


@pytest.mark.parametrize('name', ELSEWHERE)
def test_data_sets_of_another_form_have_tests(name):
    tests = Path(__file__).parents[1] / 'datasets' / ELSEWHERE[name]
    assert name in DATASETS.module_dict
    assert name in tests.read_text()


@every(CASES, CHECKS)
def test_it_keeps_its_contract(case, check):
    check(case)


def test_the_page_about_data_names_every_data_set():
    page = (Path(__file__).parents[2] / 'docs' / 'how-to' / 'data.md').read_text()
    assert [name for name in [*OURS, *ELSEWHERE] if name not in page] == ['BaseCDDataset']
