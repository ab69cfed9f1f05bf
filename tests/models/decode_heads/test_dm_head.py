import warnings

import pytest
import torch
import torch.nn.functional as F

from segplug.models.decode_heads import DMHead
from segplug.models.decode_heads.dm_head import dynamic_conv


def test_names_of_published_weights():
    head = DMHead(in_channels=2048, in_index=3, channels=512, num_classes=19,
                  norm_cfg=dict(type='SyncBN'))
    state = head.state_dict()
    module = {k.removeprefix('dcm_modules.2.') for k in state if k.startswith('dcm_modules.2.')}
    bn = ('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked')
    assert module == {'filter_gen_conv.weight', 'filter_gen_conv.bias',
                      'input_redu_conv.conv.weight', *(f'input_redu_conv.bn.{k}' for k in bn),
                      *(f'norm.{k}' for k in bn)}
    assert state['bottleneck.conv.weight'].shape == (512, 2048 + 4 * 512, 3, 3)
    assert any('fusion_conv' in k for k in DMHead(
        fusion=True, in_channels=4, channels=4, num_classes=2).state_dict())


@pytest.mark.parametrize('side', [1, 2, 3, 5])
def test_each_channel_of_each_image_has_its_filter(side):
    """A loop over images, channels and pixels; an even filter looks further up and left."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(2, 2, 3, 4, generator=generator)
    filters = torch.rand(2, 2, side, side, generator=generator)
    expected = torch.zeros_like(x)
    for n, c, i, j in torch.cartesian_prod(*map(torch.arange, x.shape)).tolist():
        for r in range(side):
            for s in range(side):
                row, col = i + r - side // 2, j + s - side // 2
                if 0 <= row < 3 and 0 <= col < 4:
                    expected[n, c, i, j] += filters[n, c, r, s] * x[n, c, row, col]
    torch.testing.assert_close(dynamic_conv(x, filters), expected)
    torch.testing.assert_close(
        dynamic_conv(x.contiguous(memory_format=torch.channels_last), filters), expected)


def test_a_trace_takes_any_number_of_images():
    generator = torch.Generator().manual_seed(0)
    two = torch.rand(2, 3, 5, 6, generator=generator), torch.rand(2, 3, 3, 3, generator=generator)
    four = torch.rand(4, 3, 8, 5, generator=generator), torch.rand(4, 3, 3, 3, generator=generator)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # torch calls traces deprecated
        trace = torch.jit.trace(dynamic_conv, two)
        assert torch.equal(trace(*four), dynamic_conv(*four))


def test_the_filter_of_size_one_is_a_gate_of_the_projected_mean():
    torch.manual_seed(0)
    head = DMHead(filter_sizes=(1,), in_channels=4, channels=3, num_classes=2).eval()
    x = torch.rand(2, 4, 7, 6)
    module = head.dcm_modules[0]
    gate = module.filter_gen_conv(x.mean((2, 3), keepdim=True))
    part = (module.input_redu_conv(x) * gate).relu()
    conv = head.bottleneck.conv
    feat = F.conv2d(torch.cat([x, part], 1), conv.weight, conv.bias, padding=1).relu()
    torch.testing.assert_close(head([x]), head.conv_seg(feat))
