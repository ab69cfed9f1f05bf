import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError
from segplug.models.backbones import FastSCNN

SMALL = dict(downsample_dw_channels=(4, 5), global_in_channels=6, higher_in_channels=6,
             global_block_channels=(6, 7, 8), global_out_channels=10, lower_in_channels=10,
             fusion_out_channels=5)


def test_published_layout():
    """Table 1 of the paper: 8 x finer at 64 channels, 32 x at 128, fused at 128."""
    with torch.device('meta'):
        net = FastSCNN()
        levels = net(torch.empty(2, 3, 96, 128))
    assert [tuple(x.shape[1:]) for x in levels] == [(64, 12, 16), (128, 3, 4), (128, 12, 16)]
    assert net.out_channels == (64, 128, 128)
    assert net.out_strides == (8, 32, 8)
    groups = [getattr(net.global_feature_extractor, f'bottleneck{i}') for i in (1, 2, 3)]
    assert [len(group) for group in groups] == [3, 3, 3]
    # each block widens to six times what comes in
    assert [[block.conv[0].conv.out_channels for block in group] for group in groups] == [
        [384, 384, 384], [384, 576, 576], [576, 768, 768]]


def test_the_pyramid_is_that_of_pspnet():
    """Grids of 1, 2, 3 and 6 cells a side, each a quarter of the channels, beside the input."""
    with torch.device('meta'):
        part = FastSCNN().global_feature_extractor
    assert part.ppm.pool_scales == (1, 2, 3, 6)
    assert part.ppm.channels == 32
    assert part.out.conv.in_channels == 128 + 4 * 32


def test_fusion_by_hand():
    torch.manual_seed(0)
    net = FastSCNN(**SMALL, align_corners=True).eval()
    fine, coarse, fused = net(torch.randn(1, 3, 64, 96))
    part = net.feature_fusion
    grown = F.interpolate(coarse, (8, 12), mode='bilinear', align_corners=True)
    low = part.dwconv.conv(grown)
    for conv, x in ((part.conv_lower_res, part.dwconv.bn(low).relu()),
                    (part.conv_higher_res, fine)):
        weight = conv.conv.weight[:, :, 0, 0]
        low = conv.bn(torch.einsum('oi,nihw->nohw', weight, x)) + (low if x is fine else 0)
    torch.testing.assert_close(fused, low.relu())


def test_levels_come_in_the_order_that_is_asked_for():
    net = FastSCNN(**SMALL, out_indices=(2, 0)).eval()
    x = torch.rand(1, 3, 33, 40)
    levels = net(x)
    assert net.out_channels == (5, 6)
    assert torch.equal(levels[1], net.learning_to_downsample(x))


def test_one_activation_for_every_part():
    with torch.device('meta'):
        net = FastSCNN(act_cfg=dict(type='ReLU6'), dw_act_cfg=dict(type='Tanh'))
    kinds = {type(m).__name__ for m in net.modules()} & {'ReLU', 'ReLU6', 'Tanh'}
    assert kinds == {'ReLU6', 'Tanh'}
    assert net.learning_to_downsample.dsconv1.pointwise_conv.activate.__class__.__name__ == 'ReLU6'


@pytest.mark.parametrize('wrong', ['higher_in_channels', 'lower_in_channels'])
def test_one_width_has_one_value(wrong):
    with pytest.raises(ConfigError, match=wrong):
        FastSCNN(**{wrong: 12})


def test_a_level_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match='three levels'):
        FastSCNN(out_indices=(0, 3))
