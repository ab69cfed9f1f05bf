import pytest
import torch
import torch.nn.functional as F

from segplug.models.backbones import PIDNet
from segplug.models.backbones.pidnet import _Bag, _LightBag, _PixelAttention
from segplug.models.layers import DAPPM, PAPPM

BN, RELU = dict(type='BN'), dict(type='ReLU')
SMALL = dict(channels=4, ppm_channels=4)


def test_pixel_attention_is_a_mean_weighed_by_likeness():
    """The formula of Pag, pixel by pixel: s = sigmoid(f_p(p) . f_i(i)), s i + (1 - s) p."""
    pag = _PixelAttention(4, 2, BN).eval()
    p, i = torch.randn(1, 4, 3, 5), torch.randn(1, 4, 2, 2)
    up = F.interpolate(i, (3, 5), mode='bilinear', align_corners=False)
    key = F.interpolate(pag.f_i(i), (3, 5), mode='bilinear', align_corners=False)
    query, out = pag.f_p(p), pag(p, i)
    for y in range(3):
        for x in range(5):
            s = 1 / (1 + torch.exp(-query[0, :, y, x] @ key[0, :, y, x]))
            expected = s * up[0, :, y, x] + (1 - s) * p[0, :, y, x]
            assert torch.allclose(out[0, :, y, x], expected, atol=1e-6)


def test_the_bags_take_detail_at_boundaries_and_context_elsewhere():
    p, i = torch.randn(2, 4, 3, 5), torch.randn(2, 4, 3, 5)
    far, near = torch.full_like(p, -100.0), torch.full_like(p, 100.0)
    bag, light = _Bag(4, BN, RELU).eval(), _LightBag(4, BN).eval()
    assert torch.allclose(bag(p, i, near), bag.conv(p))
    assert torch.allclose(bag(p, i, far), bag.conv(i))
    assert torch.allclose(light(p, i, near), light.f_p(p) + light.f_i(i + p))
    assert torch.allclose(light(p, i, far), light.f_p(i + p) + light.f_i(i))


def test_number_of_stem_blocks_chooses_between_light_and_large():
    small, large = PIDNet(**SMALL), PIDNet(**SMALL, num_stem_blocks=3, num_branch_blocks=4)
    assert type(small.spp) is PAPPM
    assert type(large.spp) is DAPPM
    assert isinstance(small.dfm, _LightBag)
    assert isinstance(large.dfm, _Bag)
    assert [len(stage) for stage in large.i_branch_layers] == [4, 4, 2]
    assert [len(stage) for stage in large.p_branch_layers] == [3, 3, 1]


@pytest.mark.parametrize(('options', 'published'), [
    (dict(channels=32), 7.6),
    (dict(channels=64, ppm_channels=112, num_stem_blocks=3, num_branch_blocks=4), 36.9)])
def test_number_of_parameters_is_that_of_the_paper(options, published):
    """S and L, in million, with the head of the result (128 and 256 channels, K = 19)."""
    with torch.device('meta'):
        net = PIDNet(**options)
    width, c4 = (256 if 'num_stem_blocks' in options else 128), 4 * options['channels']
    total = sum(p.numel() for p in net.parameters()) + c4 * 9 * width + width * 19
    assert total / 1e6 == pytest.approx(published, rel=0.015)


def test_published_weights_that_lack_the_third_branch(tmp_path):
    """What the file does not hold is initialised as without a file: no default of torch."""
    source = PIDNet(**SMALL)
    source.init_weights()
    kept = {k: v + 1 if v.is_floating_point() else v for k, v in source.state_dict().items()
            if not k.startswith(('d_branch', 'diff', 'dfm'))}
    torch.save(dict(state_dict=kept), tmp_path / 'weights.pth')
    net = PIDNet(**SMALL, init_cfg=dict(type='Pretrained',
                                        checkpoint=str(tmp_path / 'weights.pth')))
    net.init_weights()
    state = net.state_dict()
    assert all(torch.equal(state[k], v) for k, v in kept.items())
    # Kaiming, fan out: the standard deviation is sqrt(2 / (C * 9)).
    weight = net.diff_2.conv.weight
    assert weight.std().item() == pytest.approx((2 / (weight.shape[0] * 9)) ** 0.5, rel=0.1)
