import pytest
import torch

from segplug.errors import DataError
from segplug.ops.masks import _has_bad, begin_check, check_label, valid_mask


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


def plainly(values, num_classes, ignore_index):
    return all(0 <= v < num_classes or v == ignore_index for v in values)


@pytest.mark.parametrize('dtype', [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_extremes_answer_as_looking_at_every_value_does(dtype):
    """Each pair of values a type can hold near the edges, against plain Python."""
    info = torch.iinfo(dtype)
    edges = {v for v in (-129, -128, -2, -1, 0, 1, 18, 19, 20, 100, 127, 128, 254, 255, 256, 300,
                         65535) if info.min <= v <= info.max}
    for num_classes in (1, 2, 19, 128, 255, 256, 300):
        for ignore_index in (None, -1, 0, 19, 100, 255, 300):
            for a in edges:
                for b in edges:
                    label = torch.tensor([[0, a, b]], dtype=dtype)
                    good = plainly((a, b), num_classes, ignore_index)
                    assert bool(_has_bad(label, num_classes, ignore_index)) is not good, (
                        a, b, num_classes, ignore_index)


def test_a_cpu_is_asked_at_once_and_the_label_stays_as_it_was():
    label = torch.tensor([[0, 100, 18]], dtype=torch.uint8)
    assert begin_check(label, 19, 100, ['a'])() is None
    assert label.tolist() == [[0, 100, 18]]
    with pytest.raises(DataError):
        begin_check(label, 18, 100, ['a'])
