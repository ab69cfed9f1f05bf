import pytest
import torch

from segplug.errors import ConfigError
from segplug.models.backbones import ResNet, ResNeXt


def test_32x4d_has_the_widths_of_the_paper():
    """Table 1: the 3x3s of ResNeXt-50 (32x4d) have 128, 256, 512, 1024 channels in 32 groups."""
    with torch.device('meta'):
        net = ResNeXt(groups=32, base_width=4, depth=50)
    convs = [getattr(net, f'layer{i}')[0].conv2 for i in (1, 2, 3, 4)]
    assert [(c.in_channels, c.out_channels, c.groups) for c in convs] == [
        (w, w, 32) for w in (128, 256, 512, 1024)]
    assert net.out_channels == (256, 512, 1024, 2048)
    # 25.03 M as torchvision counts, less the 2048 x 1000 + 1000 of the classifier
    assert sum(p.numel() for p in net.parameters()) == 25_028_904 - 2_049_000


def test_one_group_is_a_resnet():
    shapes = [{k: v.shape for k, v in net.state_dict().items()} for net in (
        ResNeXt(depth=50, base_channels=4, stem_channels=4),
        ResNet(depth=50, base_channels=4, stem_channels=4))]
    assert shapes[0] == shapes[1]


def test_basic_blocks_have_no_groups():
    with pytest.raises(ConfigError, match='no such depth. Got: 18'):
        ResNeXt(depth=18)
