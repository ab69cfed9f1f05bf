"""Classes and colours by alias and by function."""

import pytest

from segplug.datasets import ADE20KDataset
from segplug.errors import ConfigError


def test_by_alias_and_by_function(lent):
    from mmseg.utils import ade_classes, ade_palette, dataset_aliases, get_classes, get_palette
    assert get_classes('ade20k') == ade_classes() == list(ADE20KDataset.METAINFO['classes'])
    assert get_palette('ade')[0] == ade_palette()[0] == [120, 120, 120]
    assert dataset_aliases['voc'] == ['voc', 'pascal_voc', 'voc12', 'voc12aug']
    for name, aliases in dataset_aliases.items():
        for alias in aliases:
            assert len(get_classes(alias)) == len(get_palette(alias)) == len(get_classes(
                aliases[0])), name


def test_a_copy_comes_back(lent):
    from mmseg.utils import get_palette, synapse_palette
    get_palette('stare')[0][0] = 7
    synapse_palette()[0][0] = 7
    assert get_palette('stare')[0] == [120, 120, 120]
    assert synapse_palette()[0] == [0, 0, 0]


def test_unknown_ones(lent):
    from mmseg.utils import get_classes
    with pytest.raises(ConfigError, match=r"'citscapes'.*did you mean 'cityscapes'"):
        get_classes('citscapes')
    with pytest.raises(TypeError, match='by a str'):
        get_classes(3)
    import segplug.compat.mmseg.class_names as names
    with pytest.raises(AttributeError, match='xyz_classes'):
        names.xyz_classes  # noqa: B018
