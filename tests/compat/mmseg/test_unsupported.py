"""What is not supported imports, and refuses its use."""

import pytest

from segplug.errors import ConfigError


def test_it_imports_and_says_so_when_it_is_used(lent):
    from mmseg.models.decode_heads import SegformerHead
    from mmseg.models.decode_heads.segformer_head import SegformerHead as second
    assert SegformerHead is second
    assert not isinstance(3, SegformerHead)
    with pytest.raises(ConfigError, match=r'mmseg\.models.*SegformerHead is not supported'):
        SegformerHead(in_channels=[3], channels=3)


def test_a_class_that_derives_from_it_refuses_too(lent):
    from mmseg.models import MixVisionTransformer
    from torch import nn

    class Mine(MixVisionTransformer, nn.Module):
        pass

    with pytest.raises(ConfigError, match='MixVisionTransformer is not supported') as caught:
        Mine(depth=3)
    assert 'a call of Mine' in str(caught.value)
