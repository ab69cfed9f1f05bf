"""Every data set of ours on a made-up tree of three files: a pair becomes a packed sample, class
facts fit each other, and a tree that is not there is one error. Without a row it fails."""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import torch

from segplug.errors import DataError
from segplug.registry import DATASETS


class Row(NamedTuple):
    """Folder and end of the names of images and labels; kwargs the data set needs besides; what
    label values 0, 1, 2 become; how many colours fall short of the classes."""

    img: tuple[str, str]
    label: tuple[str, str]
    kwargs: dict = {}
    values: tuple = (0, 1, 2)
    twins: int = 0


def folders(img_suffix='.jpg', label_suffix='.png', **facts) -> Row:
    return Row(('img_dir/train', img_suffix), ('ann_dir/train', label_suffix), **facts)


MOVED = (255, 0, 1)  # label 0 is no class
ROWS = {
    'ADE20KDataset': folders(values=MOVED, twins=1),  # road and skyscraper
    'BDD100KDataset': folders(),
    'BaseSegDataset': folders(kwargs=dict(metainfo=dict(classes=('a', 'b', 'c')))),
    'COCOStuffDataset': folders('.jpg', '_labelTrainIds.png', twins=9),
    'CamVidDataset': folders(),
    'ChaseDB1Dataset': folders('.png', '_1stHO.png'),
    'CityscapesDataset': Row(('leftImg8bit/train/ulm', '_leftImg8bit.png'),
                             ('gtFine/train/ulm', '_gtFine_labelTrainIds.png')),
    'DRIVEDataset': folders('.png', '_manual1.png'),
    'DarkZurichDataset': folders('_rgb_anon.png', '_gt_labelTrainIds.png'),
    'HRFDataset': Row(('images/training', '.png'), ('annotations/training', '.png')),
    'HSIDrive20Dataset': folders('.npy'),
    'ISPRSDataset': folders('.png', values=MOVED),
    'LIPDataset': folders(),
    'LoveDADataset': folders('.png', values=MOVED),
    'MapillaryDataset_v1': folders(),
    'MapillaryDataset_v2': folders(twins=25),
    'NightDrivingDataset': folders('_leftImg8bit.png', '_gtCoarse_labelTrainIds.png'),
    'PascalContextDataset': folders(twins=1),  # bicycle and snow
    'PascalContextDataset59': folders(values=MOVED, twins=1),
    'PascalVOCDataset': Row(('JPEGImages', '.jpg'), ('SegmentationClass', '.png')),
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


def build(name, root, **kwargs):
    row = ROWS[name]
    return DATASETS.build(dict(
        type=name, data_root=str(root),
        data_prefix=dict(img_path=row.img[0], seg_map_path=row.label[0]),
        pipeline=[dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
                  dict(type='PackSegInputs')], **{**row.kwargs, **kwargs}))


@pytest.fixture
def tree(tmp_path, request):
    row = ROWS[request.param]
    for folder, end in (row.img, row.label):
        (tmp_path / folder).mkdir(parents=True)
        for i in range(3):
            pixels = np.full((4, 6, 3) if (folder, end) == row.img else (4, 6), i, np.uint8)
            if end == '.npy':
                np.save(tmp_path / folder / f'{i}{end}', pixels)
            else:
                cv2.imwrite(str(tmp_path / folder / f'{i}{end}'), pixels)
    return request.param, tmp_path


def test_every_data_set_has_a_row():
    assert sorted(ROWS) == OURS


@pytest.mark.parametrize('name', ELSEWHERE)
def test_data_sets_of_another_form_have_tests(name):
    tests = Path(__file__).parents[1] / 'datasets' / ELSEWHERE[name]
    assert name in DATASETS.module_dict
    assert name in tests.read_text()


@pytest.mark.parametrize('tree', OURS, indirect=True)
def test_a_pair_becomes_a_sample(tree):
    dataset = build(*tree)
    assert len(dataset) == 3
    for i, value in enumerate(ROWS[tree[0]].values):
        sample = dataset[i]
        assert sample['inputs'].shape == (3, 4, 6)
        assert sample['inputs'].dtype == torch.uint8
        assert (sample['data_samples'].gt_sem_seg.data == value).all()
        assert sample['data_samples'].sample_idx == i


@pytest.mark.parametrize('tree', OURS, indirect=True)
def test_class_facts_fit_each_other(tree):
    metainfo = build(*tree).metainfo
    classes, palette = metainfo['classes'], metainfo['palette']
    colours = {tuple(c) for c in palette}
    assert len(set(classes)) == len(classes) == len(palette)
    assert len(colours) == len(palette) - ROWS[tree[0]].twins
    assert all(len(c) == 3 and set(c) <= set(range(256)) for c in palette)


@pytest.mark.parametrize('tree', OURS, indirect=True)
def test_a_wrong_root_is_one_error(tree):
    name, root = tree
    with pytest.raises(DataError, match=f'{name} finds no image') as error:
        build(name, root / 'nowhere')
    for folder, end in ROWS[name].img, ROWS[name].label:
        assert folder.split('/')[0] in str(error.value)
        assert '*' + end in str(error.value)


def test_the_page_about_data_names_every_data_set():
    page = (Path(__file__).parents[2] / 'docs' / 'how-to' / 'data.md').read_text()
    assert [name for name in [*OURS, *ELSEWHERE] if name not in page] == ['BaseCDDataset']
