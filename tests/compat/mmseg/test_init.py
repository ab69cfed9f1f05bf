"""Lending and taking back: nothing of it stays."""

import subprocess
import sys

import pytest

from segplug import registry
from segplug.errors import ConfigError
from segplug.models import val_loss
from segplug.models.decode_heads import BaseDecodeHead
from segplug.models.segmentors import EncoderDecoder
from segplug.registry import MODELS


def state():
    from mmengine.runner import Runner
    return [dict(vars(cls)) for cls in (EncoderDecoder, BaseDecodeHead, Runner)] + [
        ConfigError.__mro__, val_loss.metas, dict(MODELS.module_dict), dict(MODELS.parent.children),
        '_search_child' in vars(MODELS), list(sys.meta_path)]


def test_what_is_lent_is_taken_back(lent):
    lent.remove()
    before = state()
    lent.remove()
    lent.install()
    lent.install()
    assert lent.is_lent()
    assert sum(finder is lent._finder for finder in sys.meta_path) == 1
    assert state() != before
    lent.remove()
    assert not lent.is_lent()
    after = state()
    # Where a method was replaced and put back, it stands last.
    assert after == before
    with pytest.raises(ModuleNotFoundError):
        import mmseg  # noqa: F401
    lent.install()


def test_every_registry_is_the_same_object_under_either_name(lent):
    import mmseg.registry
    assert len(mmseg.registry.__all__) == 21
    for name in mmseg.registry.__all__:
        assert getattr(mmseg.registry, name) is getattr(registry, name)


@pytest.mark.parametrize('kind', ['FCNHead', 'mmseg.FCNHead', 'segplug.FCNHead'])
@pytest.mark.parametrize('scope', ['mmseg', 'segplug', None])
def test_a_config_builds_in_either_scope(lent, kind, scope):
    from mmengine.registry import MODELS as root
    from mmengine.registry import DefaultScope
    from mmseg.models import FCNHead
    cfg = dict(type=kind, in_channels=2, channels=2, num_classes=3)
    with DefaultScope.overwrite_default_scope(scope):
        assert type(MODELS.build(cfg)) is FCNHead
        if scope or '.' in kind:
            assert type(root.build(cfg)) is FCNHead


def test_a_misspelt_argument_is_found_in_that_scope_too(lent):
    from mmengine.registry import DefaultScope
    with DefaultScope.overwrite_default_scope('mmseg'), \
            pytest.raises(ConfigError, match='num_classes'):
        MODELS.build(dict(type='FCNHead', in_channels=2, channels=2, num_clases=3))


def test_it_refuses_where_mmsegmentation_is_installed(tmp_path, repo_root):
    (tmp_path / 'mmseg').mkdir()
    (tmp_path / 'mmseg' / '__init__.py').write_text('')
    for code in ('import segplug.compat.mmseg', 'import mmseg, segplug.compat.mmseg'):
        done = subprocess.run([sys.executable, '-W', 'ignore', '-c', code], cwd=tmp_path,
                              capture_output=True, text=True, check=False, timeout=60,
                              env={'PYTHONPATH': str(repo_root), 'PATH': ''})
        assert done.returncode == 1
        for part in ('mmsegmentation itself is installed', str(tmp_path / 'mmseg'),
                     'pip uninstall mmsegmentation'):
            assert part in done.stderr
