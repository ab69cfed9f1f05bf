"""A data set's files, also where it would stop itself."""

import numpy as np
import pytest
from PIL import Image

from segplug.datasets import BaseSegDataset
from segplug.datasets.diagnosis.listing import listing
from segplug.errors import DataError


@pytest.fixture
def root(tmp_path):
    for folder, names in dict(img='ab', ann='bc').items():
        (tmp_path / folder).mkdir()
        for name in names:
            Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / folder / f'{name}.png')
    return tmp_path


def lazy(root, **options):
    return BaseSegDataset(
        data_root=str(root), data_prefix=dict(img_path='img', seg_map_path='ann'),
        metainfo=dict(classes=('a', 'b')), img_suffix='.png', lazy_init=True, **options)


def test_images_and_labels_without_a_partner(root):
    found = listing(lazy(root))
    assert [info['img_path'] for info in found.infos] == [str(root / 'img/b.png')]
    assert found.without_label == [str(root / 'img/a.png')]
    assert found.spare_labels == [str(root / 'ann/c.png')]


def test_a_list_of_names_leaves_other_labels_to_others(root):
    (root / 'names.txt').write_text('b\n')
    found = listing(lazy(root, ann_file='names.txt'))
    assert (found.without_label, found.spare_labels) == ([], [])


def test_no_label_at_all_is_the_sets_own_error(root):
    with pytest.raises(DataError, match="set img_suffix='.png' and seg_map_suffix='.png'"):
        listing(lazy(root, seg_map_suffix='_mask.png'))
