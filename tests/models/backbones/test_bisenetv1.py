from functools import partial

import pytest
import torch
from mmcv.cnn import ConvModule

from segplug.errors import ConfigError
from segplug.models.backbones import BiSeNetV1
from segplug.models.backbones.bisenetv1 import AttentionRefinement, _FeatureFusion
from segplug.registry import MODELS

PLAIN = partial(ConvModule, act_cfg=None, norm_cfg=None)
SMALL = dict(backbone_cfg=dict(type='ResNet', depth=18, stem_channels=4, base_channels=4),
             context_channels=(4, 16, 32), spatial_channels=(4, 4, 4, 6))


def test_attention_refinement_by_hand():
    """All weights pass on what comes: the mean of 1, 2, 3 and 6 is 3, so all scale by s(3)."""
    arm = AttentionRefinement(1, 1, PLAIN)
    with torch.no_grad():
        for conv in (arm.conv_layer.conv, arm.atten_conv_layer[1].conv):
            conv.weight.zero_()[0, 0, conv.kernel_size[0] // 2, conv.kernel_size[1] // 2] = 1
        arm.conv_layer.conv.bias.zero_()
        x = torch.tensor([[1.0, 2.0], [3.0, 6.0]])
        expected = x / (1 + torch.exp(torch.tensor(-3.0)))
        assert torch.allclose(arm(x[None, None])[0, 0], expected)


def test_fusion_by_hand():
    """Joined sum 1 + 2 = 3 everywhere, weighed by s(3), added: 3 + 3 s(3)."""
    fusion = _FeatureFusion(2, 1, PLAIN)
    with torch.no_grad():
        fusion.conv1.conv.weight.fill_(1)
        fusion.conv1.conv.bias.zero_()
        fusion.conv_atten[0].conv.weight.fill_(1)
        out = fusion(torch.full((1, 1, 2, 2), 1.0), torch.full((1, 1, 2, 2), 2.0))
    assert torch.allclose(out, 3 + 3 * torch.sigmoid(torch.tensor(3.0)))


def test_names_of_published_weights():
    names = {k.rsplit('.', 1)[0] for k in BiSeNetV1(**SMALL).state_dict() if 'backbone' not in k}
    parts = [f'context_path.{p}' for p in (
        'arm16.conv_layer', 'arm16.atten_conv_layer.1', 'arm32.conv_layer',
        'arm32.atten_conv_layer.1', 'conv_head32', 'conv_head16', 'gap_conv.1')]
    parts += [f'spatial_path.layer{i}' for i in (1, 2, 3, 4)] + ['ffm.conv1', 'ffm.conv_atten.0']
    assert names == {f'{part}.{kind}' for part in parts for kind in ('conv', 'bn')}


def test_the_norm_reaches_every_layer_but_those_of_the_encoder():
    """mmsegmentation leaves plain BN in both paths, whatever norm_cfg says."""
    net = BiSeNetV1(**SMALL, norm_cfg=dict(type='GN', num_groups=1))
    assert all('context_path.backbone' in name for name, module in net.named_modules()
               if isinstance(module, torch.nn.BatchNorm2d))


@pytest.mark.parametrize(('options', 'culprit'), [
    (dict(spatial_channels=(4, 4, 4)), 'spatial_channels'),
    (dict(context_channels=(4, 16)), 'context_channels'), (dict(out_indices=(3,)), 'out_indices')])
def test_arguments_that_do_not_fit(options, culprit):
    with pytest.raises(ConfigError, match='BiSeNetV1') as error:
        MODELS.build(dict(type='BiSeNetV1', **{**SMALL, **options}))
    assert culprit in str(error.value) or error.value.culprit == culprit
