import math

import torch
import torch.nn.functional as F
from torch import nn

from segplug.models.decode_heads import APCHead
from segplug.models.decode_heads.apc_head import ACM


def test_names_of_published_weights():
    head = APCHead(in_channels=2048, in_index=3, channels=512, num_classes=19,
                   norm_cfg=dict(type='SyncBN'))
    state = head.state_dict()
    parts = ('pooled_redu_conv', 'input_redu_conv', 'global_info', 'residual_conv', 'fusion_conv')
    assert {k for k in state if k.endswith('conv.weight')} == {'bottleneck.conv.weight'} | {
        f'acm_modules.{i}.{part}.conv.weight' for i in range(4) for part in parts}
    assert state['acm_modules.3.gla.weight'].shape == (36, 512, 1, 1)
    assert state['bottleneck.conv.weight'].shape == (512, 2048 + 4 * 512, 3, 3)


def test_each_pixel_weighs_the_regions_by_its_affinity():
    """Section 3.2 of the paper, pixel by pixel, for 2 x 2 regions of a 4 x 4 map."""
    torch.manual_seed(0)
    acm = ACM(2, False, 3, 5, lambda cin, cout, k: nn.Conv2d(cin, cout, k))
    x = torch.rand(1, 3, 4, 4)

    def project(layer, feat):
        return layer.weight[:, :, 0, 0] @ feat + layer.bias

    narrow = [[project(acm.input_redu_conv, x[0, :, i, j]) for j in range(4)] for i in range(4)]
    mean = project(acm.global_info, sum(f for row in narrow for f in row) / 16)
    regions = [project(acm.pooled_redu_conv, x[0, :, r:r + 2, c:c + 2].sum((1, 2)) / 4)
               for r in (0, 2) for c in (0, 2)]
    out = acm(x)
    for i in range(4):
        for j in range(4):
            affinity = project(acm.gla, narrow[i][j] + mean)
            context = sum(region / (1 + math.exp(-a)) for region, a in
                          zip(regions, affinity.tolist(), strict=True))
            expected = (project(acm.residual_conv, context) + narrow[i][j]).clamp(min=0)
            torch.testing.assert_close(out[0, :, i, j], expected)


def test_input_and_modules_are_joined_in_order():
    torch.manual_seed(0)
    head = APCHead(pool_scales=(1, 3), fusion=False, in_channels=4, channels=3,
                   num_classes=2).eval()
    x = torch.rand(2, 4, 7, 6)
    joined = torch.cat([x, head.acm_modules[0](x), head.acm_modules[1](x)], 1)
    conv = head.bottleneck.conv
    feat = F.conv2d(joined, conv.weight, conv.bias, padding=1).relu()
    assert torch.equal(head([x]), head.conv_seg(feat))
    assert [m.pool_scale for m in head.acm_modules] == [1, 3]
    assert not any('fusion_conv' in name for name in head.state_dict())
