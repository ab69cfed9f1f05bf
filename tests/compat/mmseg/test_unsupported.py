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


@pytest.mark.parametrize(('name', 'settings'), [
    ('IoUMetric', {}), ('DepthMetric', {}),
    ('CityscapesMetric', dict(output_dir='out', format_only=True, keep_results=True))])
def test_an_argument_without_effect_is_told(lent, monkeypatch, name, settings):
    from mmseg import evaluation

    from segplug.compat.mmseg import unsupported
    said = []
    monkeypatch.setattr(unsupported, 'print_log', lambda text, *args: said.append(text))
    getattr(evaluation, name)(**settings)
    assert said == []
    getattr(evaluation, name)(**settings, iou_metric='mIoU')
    assert said == [f"{name}: the argument 'iou_metric' has no effect."]
