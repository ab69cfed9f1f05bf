import pytest
import torch
import torch.nn.functional as F

from segplug.models.backbones import DDRNet


@pytest.mark.parametrize('size', [(64, 128), (70, 75)])
@pytest.mark.parametrize('align_corners', [False, True])
def test_it_is_figure_4_of_the_paper(size, align_corners):
    """Two exchanges, in each of which both branches see the other as it was before."""
    net = DDRNet(channels=4, ppm_channels=4, align_corners=align_corners).eval()
    torch.manual_seed(0)
    x = torch.randn(1, 3, *size)
    relu = torch.relu
    with torch.no_grad():
        stem = net.stem(x)

        def up(y):
            return F.interpolate(y, stem.shape[2:], mode='bilinear', align_corners=align_corners)

        low, high = net.context_branch_layers[0](stem), net.spatial_branch_layers[0](stem)
        high1 = high + up(net.compression_1(relu(low)))
        low1 = low + net.down_1(relu(high))
        low, high = (net.context_branch_layers[1](relu(low1)),
                     net.spatial_branch_layers[1](relu(high1)))
        high2 = high + up(net.compression_2(relu(low)))
        low2 = low + net.down_2(relu(high))
        result = net.spatial_branch_layers[2](relu(high2)) + up(
            net.spp(net.context_branch_layers[2](relu(low2))))
        levels = net(x)
    assert torch.allclose(levels[0], high1, atol=1e-6)
    assert torch.allclose(levels[1], result, atol=1e-6)


def test_training_and_test_give_the_same_levels():
    net = DDRNet(channels=4, ppm_channels=4)
    x = torch.randn(2, 3, 64, 64)
    assert [y.shape for y in net.train()(x)] == [y.shape for y in net.eval()(x)]


def test_the_slim_one_has_the_published_number_of_parameters():
    """The paper's 5.7 million, with a head of a 3x3 convolution 128 -> 64 and a classifier."""
    with torch.device('meta'):
        net = DDRNet(channels=32, ppm_channels=128)
    head = 128 * 9 * 64 + 64 * 19
    assert (sum(p.numel() for p in net.parameters()) + head) / 1e6 == pytest.approx(5.7, abs=0.05)


def test_the_norm_reaches_every_layer():
    net = DDRNet(channels=4, ppm_channels=4, norm_cfg=dict(type='GN', num_groups=1))
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())
