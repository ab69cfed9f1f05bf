import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError
from segplug.models.backbones import ICNet

ENCODER = dict(type='ResNetV1c', depth=18, stem_channels=4, base_channels=4,
               strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4))
OPTIONS = dict(layer_channels=(8, 32), light_branch_middle_channels=4, psp_out_channels=6,
               out_channels=(4, 5, 6))


@pytest.mark.parametrize('align_corners', [False, True])
def test_three_sizes_through_ever_more_layers(align_corners):
    """The map of the half-size image has 9 x 13 pixels and is halved to 4 x 6."""
    net = ICNet(ENCODER, **OPTIONS, align_corners=align_corners).eval()
    x, encoder = torch.randn(1, 3, 130, 200), net.backbone

    def halved(y):
        return F.interpolate(y, scale_factor=0.5, mode='bilinear', align_corners=align_corners)

    with torch.no_grad():
        full, half, quarter = net(x)
        pooled = F.max_pool2d(encoder.stem(halved(x)), 3, 2, 1, ceil_mode=True)
        middle = encoder.layer2(encoder.layer1(pooled))
        deep = encoder.layer4(encoder.layer3(halved(middle)))
        deep = net.psp_bottleneck(torch.cat([*net.psp_modules(deep), deep], 1))
        assert torch.equal(full, net.conv_sub1(x))
        assert torch.equal(half, net.conv_sub2(middle))
        assert torch.equal(quarter, net.conv_sub4(deep))
    assert middle.shape[2:] == (9, 13)
    assert quarter.shape[2:] == (4, 6)


def test_it_needs_a_deep_stem():
    with pytest.raises(ConfigError, match='ResNetV1c'):
        ICNet(dict(ENCODER, type='ResNet'), **OPTIONS)
