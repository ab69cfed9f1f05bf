import pytest
import torch

from segplug.errors import DataError
from segplug.ops.masks import check_label, valid_mask


def test_valid_mask():
    label = torch.tensor([0, 255, 3])
    assert valid_mask(label, 255).tolist() == [True, False, True]
    assert valid_mask(label, None).tolist() == [True, True, True]


@pytest.mark.parametrize('dtype', [torch.uint8, torch.int64])
def test_check_label_takes_classes_and_ignored(dtype):
    check_label(torch.tensor([[0, 18], [255, 3]], dtype=dtype), 19, 255, ['a', 'b'])


def test_check_label_names_file_values_and_range():
    label = torch.zeros(3, 1, 2, 2, dtype=torch.uint8)
    label[1, 0, 0] = torch.tensor([19, 33])
    label[2] = 255
    with pytest.raises(DataError) as error:
        check_label(label, 19, 255, ['a.png', 'b.png', 'c.png'])
    text = str(error.value)
    assert 'b.png' in text
    assert 'a.png' not in text
    assert '19, 33 in 2 pixels' in text
    assert '0 to 18, or 255' in text


@pytest.mark.parametrize(('value', 'ignore_index'), [(-1, 255), (255, None), (2, 255)])
def test_check_label_refuses(value, ignore_index):
    with pytest.raises(DataError):
        check_label(torch.full((1, 2, 2), value), 2, ignore_index, ['a'])


def test_check_label_shows_only_the_first_values():
    with pytest.raises(DataError, match=r'1, 2, 3, 4, 5, 6, 7, 8, \.\.\.'):
        check_label(torch.arange(20).view(1, 20), 1, 255, ['a'])


def test_bytes_are_compared_as_numbers():
    """In a uint8 comparison -1 would be 255, and 256 would be 0."""
    label = torch.tensor([[0, 255]], dtype=torch.uint8)
    assert valid_mask(label, -1).all()
    with pytest.raises(DataError, match='255 in 1 pixels'):
        check_label(label, 19, -1, ['a'])
    check_label(label, 256, None, ['a'])
