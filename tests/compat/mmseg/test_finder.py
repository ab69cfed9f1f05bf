"""Modules and names as code imports them."""

import importlib
import importlib.util

import pytest

from segplug import __version__


def test_every_name_of_every_module_is_there(lent):
    from segplug.compat.mmseg.names import MODULES
    assert len(MODULES) > 100
    for module, names in MODULES.items():
        imported = importlib.import_module(f'mmseg.{module}'.rstrip('.'))
        assert imported.__all__ == names
        for name in names:
            assert getattr(imported, name) is not None
        assert set(names) <= set(dir(imported))


def test_the_package_says_whose_it_is(lent):
    import mmseg
    assert (mmseg.__version__, mmseg.version_info) == ('1.2.2', (1, 2, 2))
    assert mmseg.__segplug__ == __version__


def test_a_name_is_one_object_wherever_it_is_imported_from(lent):
    import mmseg.models
    from mmseg.models import BaseDecodeHead
    from mmseg.models.decode_heads import BaseDecodeHead as second
    from mmseg.models.decode_heads.decode_head import BaseDecodeHead as third

    from segplug.models.decode_heads import BaseDecodeHead as ours
    assert BaseDecodeHead is second is third is ours is mmseg.models.BaseDecodeHead


def test_names_that_their_modules_import_are_there_too(lent):
    from mmseg.models.decode_heads.decode_head import SegDataSample, resize
    from mmseg.models.utils.wrappers import resize as second

    from segplug.structures import SegDataSample as ours
    assert SegDataSample is ours
    assert resize is second


def test_blocks_of_one_name_are_not_mixed_up(lent):
    from mmseg.models.backbones.resnest import Bottleneck as of_resnest
    from mmseg.models.backbones.resnet import Bottleneck as of_resnet
    from mmseg.models.utils import Bottleneck as of_branches
    assert (of_resnet.expansion, of_branches.expansion) == (4, 2)
    assert hasattr(of_resnest(64, 16).conv2, 'fc1')  # split attention
    assert not hasattr(of_resnet(64, 16).conv2, 'fc1')


def test_star_import(lent):
    names = {}
    exec('from mmseg.models.necks import *', names)  # noqa: S102
    assert {'FPN', 'JPU', 'Feature2Pyramid'} <= set(names)


def test_what_mmsegmentation_has_not_is_not_there(lent):
    import mmseg.models
    assert importlib.util.find_spec('mmseg.core') is None
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'mmseg\.core'"):
        importlib.import_module('mmseg.core')
    with pytest.raises(AttributeError, match="'mmseg.models' has no attribute 'FCNHed'"):
        mmseg.models.FCNHed  # noqa: B018


def test_a_folder_of_that_name_is_no_package(lent, tmp_path, monkeypatch):
    lent.remove()
    (tmp_path / 'mmseg').mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    lent.install()
