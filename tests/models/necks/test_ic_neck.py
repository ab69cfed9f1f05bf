import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError
from segplug.models.necks import ICNeck


@pytest.mark.parametrize('align_corners', [False, True])
def test_cascade_feature_fusion(align_corners):
    """Figure 3 of the paper: relu(dilated(up(low)) + projected(high)), twice."""
    neck = ICNeck((3, 4, 5), 6, align_corners=align_corners).eval()
    full, half, quarter = (torch.randn(1, c, n, n + 1) for c, n in ((3, 16), (4, 9), (5, 4)))

    def fuse(cff, low, high):
        low = F.interpolate(low, high.shape[2:], mode='bilinear', align_corners=align_corners)
        low = F.conv2d(low, cff.conv_low.conv.weight, padding=2, dilation=2)
        low = cff.conv_low.bn(low).relu()
        return (low + cff.conv_high(high)).relu(), low

    fused, aux24 = fuse(neck.cff_24, quarter, half)
    fused, aux12 = fuse(neck.cff_12, fused, full)
    for ours, expected in zip(neck([full, half, quarter]), (aux24, aux12, fused), strict=True):
        assert torch.allclose(ours, expected, atol=1e-6)


def test_it_takes_three_levels():
    with pytest.raises(ConfigError, match='three levels'):
        ICNeck((64, 256))
