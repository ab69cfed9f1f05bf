"""``--classes``: a number, a data set, a file, names."""

import pytest

from segplug.apis.class_names import class_table
from segplug.errors import ConfigError


def test_what_a_flag_may_say(tmp_path):
    assert class_table('cityscapes')['classes'][:2] == ('road', 'sidewalk')
    assert class_table('CityscapesDataset') == class_table('Cityscapes')
    (tmp_path / 'names.txt').write_text('road\nsky\n')
    assert class_table(str(tmp_path / 'names.txt'))['classes'] == ('road', 'sky')
    assert class_table('road, sky')['classes'] == ('road', 'sky')
    assert class_table(['road', 'sky'])['classes'] == ('road', 'sky')
    with pytest.raises(ConfigError, match="'cityscape' does not say.*did you mean 'cityscapes'"):
        class_table('cityscape')
    assert class_table('yes,')['classes'] == ('yes',)
    assert class_table('3')['classes'] == class_table(3)['classes'] == ('0', '1', '2')


@pytest.mark.parametrize('given', ['a,a', ',', 'a,,b', '0', 0, [], ['a', '']])
def test_what_names_no_classes(given):
    with pytest.raises(ConfigError, match='does not name one class or more'):
        class_table(given)


def test_more_classes_than_files_hold():
    with pytest.raises(ConfigError, match='more than files can hold'):
        class_table('99999999999')
