"""DecathlonDataset: classes, images and labels are what the task's JSON says."""

import json

import pytest

from segplug.datasets.decathlon import DecathlonDataset
from segplug.errors import DataError

TASK = dict(
    name='BRATS', modality={'0': 'FLAIR'},
    labels={'10': 'ten', '0': 'background', '2': 'edema'},
    training=[dict(image='./imagesTr/a.nii.gz', label='./labelsTr/a.nii.gz'),
              dict(image='imagesTr/b.nii.gz', label='labelsTr/b.nii.gz')],
    test=['./imagesTs/c.nii.gz'])


@pytest.fixture
def root(tmp_path):
    """Empty volumes; nothing reads them here."""
    for name in ('imagesTr/a', 'imagesTr/b', 'labelsTr/a', 'labelsTr/b', 'imagesTs/c'):
        file = tmp_path / f'{name}.nii.gz'
        file.parent.mkdir(exist_ok=True)
        file.touch()
    (tmp_path / 'dataset.json').write_text(json.dumps(TASK))
    return tmp_path


def make(root, **kwargs):
    return DecathlonDataset(ann_file='dataset.json', data_root=str(root), **kwargs)


def test_training_has_images_and_labels(root):
    dataset = make(root)
    assert len(dataset) == 2
    assert dataset.get_data_info(0)['img_path'] == str(root / 'imagesTr/a.nii.gz')
    assert dataset.get_data_info(1)['seg_map_path'] == str(root / 'labelsTr/b.nii.gz')


def test_a_test_has_images_only(root):
    dataset = make(root, test_mode=True)
    assert len(dataset) == 1
    assert dataset.get_data_info(0)['img_path'] == str(root / 'imagesTs/c.nii.gz')
    assert dataset.get_data_info(0)['seg_map_path'] is None


def test_classes_are_in_the_order_of_their_numbers_and_facts_in_the_metainfo(root):
    metainfo = make(root, lazy_init=True).metainfo
    assert metainfo['classes'] == ('background', 'edema', 'ten')
    assert metainfo['name'] == 'BRATS'
    assert metainfo['modality'] == {'0': 'FLAIR'}
    assert len(metainfo['palette']) == 3
    assert 'training' not in metainfo


def test_classes_that_are_given_win(root):
    assert make(root, metainfo=dict(classes=('a', 'b', 'c'))).metainfo['classes'] == (
        'a', 'b', 'c')


@pytest.mark.parametrize(('change', 'said'), [
    (dict(labels=['background']), 'no labels'), (dict(training=None), 'no training'),
    (dict(labels={'one': 'a'}), 'labels one'), (dict(training=[{}]), 'a sample without image')])
def test_a_malformed_description_is_named(root, change, said):
    (root / 'dataset.json').write_text(json.dumps({**TASK, **change}))
    with pytest.raises(DataError, match=f'dataset.json is malformed. Got: {said}'):
        make(root)


def test_no_json_no_description_no_volume(root):
    (root / 'imagesTr/b.nii.gz').unlink()
    with pytest.raises(DataError, match='1 of the 4 files .* are missing: imagesTr/b.nii.gz'):
        make(root)
    (root / 'dataset.json').write_text('labels')
    with pytest.raises(DataError, match='it is no JSON'):
        make(root)
    (root / 'dataset.json').unlink()
    with pytest.raises(DataError, match='dataset.json does not exist'):
        make(root)
