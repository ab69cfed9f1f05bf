import torch
import torch.nn.functional as F

from segplug.models.decode_heads import PSPHead

BN = ('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked')


def _keys(*names: str) -> set[str]:
    return {f'{name}.{key}' for name in names
            for key in ('conv.weight', *(f'bn.{key}' for key in BN))}


def test_names_of_published_weights():
    head = PSPHead(in_channels=2048, in_index=3, channels=512, num_classes=19,
                   norm_cfg=dict(type='SyncBN'))
    state = head.state_dict()
    assert set(state) == _keys('bottleneck', *(f'psp_modules.{i}.1' for i in range(4))) | {
        'conv_seg.weight', 'conv_seg.bias'}
    assert state['bottleneck.conv.weight'].shape == (512, 2048 + 4 * 512, 3, 3)
    assert state['psp_modules.3.1.conv.weight'].shape == (512, 2048, 1, 1)


def test_the_figure_of_the_paper():
    """Figure 3 written out: pool, 1x1, upsample, concatenate after the input, convolve."""
    torch.manual_seed(0)
    head = PSPHead(pool_scales=(1, 3), in_channels=4, channels=3, num_classes=2).eval()
    x = torch.rand(2, 4, 7, 6)
    parts = [x]
    for scale, branch in zip((1, 3), head.psp_modules, strict=True):
        weight, bias = branch[1].conv.weight[:, :, 0, 0], branch[1].conv.bias
        cells = torch.einsum('kc,nchw->nkhw', weight, F.adaptive_avg_pool2d(x, scale))
        cells = (cells + bias[:, None, None]).relu()
        parts.append(F.interpolate(cells, (7, 6), mode='bilinear', align_corners=False))
    conv = head.bottleneck.conv
    feat = F.conv2d(torch.cat(parts, 1), conv.weight, conv.bias, padding=1).relu()
    assert torch.allclose(head([x]), head.conv_seg(feat), atol=1e-6)


def test_the_first_level_of_the_pyramid_sees_the_whole_map():
    head = PSPHead(in_channels=2, channels=2, num_classes=2).eval()
    x = torch.rand(1, 2, 40, 40)
    moved = x.clone()
    moved[..., -1, -1] += 100
    assert (head([x]) != head([moved])).any(1)[0, 0, 0]
