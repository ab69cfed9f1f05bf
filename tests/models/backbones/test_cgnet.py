import copy

import pytest
import torch
from torch import nn

from segplug.errors import ConfigError
from segplug.models.backbones import CGNet
from segplug.models.backbones.cgnet import ContextGuidedBlock, GlobalContextExtractor

SMALL = dict(num_channels=(4, 4, 8), num_blocks=(2, 3), reductions=(2, 4))


def test_published_layout():
    """Table 1 of the paper, M3N21; 0.5 M parameters as the paper has them, with its classifier."""
    with torch.device('meta'):
        net = CGNet()
        levels = net(torch.empty(2, 3, 64, 96))
    assert [tuple(x.shape[1:]) for x in levels] == [(35, 32, 48), (131, 16, 24), (256, 8, 12)]
    assert (net.out_channels, net.out_strides) == ((35, 131, 256), (2, 4, 8))
    assert (len(net.level1), len(net.level2)) == (3, 21)
    assert round(sum(p.numel() for p in net.parameters()) / 1e6, 1) == 0.5


def test_the_gate_by_hand():
    torch.manual_seed(0)
    gate = GlobalContextExtractor(6, reduction=3)
    x = torch.randn(2, 6, 3, 5)
    first, _, second, _ = gate.fc
    for n in range(2):
        means = torch.stack([x[n, c].sum() / 15 for c in range(6)])
        hidden = (first.weight @ means + first.bias).clamp(min=0)
        weight = 1 / (1 + torch.exp(-(second.weight @ hidden + second.bias)))
        torch.testing.assert_close(gate(x)[n], x[n] * weight.view(6, 1, 1))


@pytest.mark.parametrize('downsample', [False, True])
def test_the_block_joins_local_and_surround(downsample):
    torch.manual_seed(0)
    block = ContextGuidedBlock(6, 6, dilation=2, reduction=2, downsample=downsample).eval()
    x = torch.randn(1, 6, 9, 8)
    local = block.conv1x1(x)
    assert local.shape == ((1, 6, 5, 4) if downsample else (1, 3, 9, 8))
    parts = []
    for conv, reach in ((block.f_loc, 1), (block.f_sur, 2)):
        height, width = local.shape[2:]
        padded = nn.functional.pad(local, [reach] * 4)
        parts.append(sum(
            conv.weight[:, 0, i, j].view(1, -1, 1, 1)
            * padded[:, :, i * reach:i * reach + height, j * reach:j * reach + width]
            for i in range(3) for j in range(3)))
    joined = block.activate(block.bn(torch.cat(parts, dim=1)))
    expected = block.f_glo(block.bottleneck(joined)) if downsample else x + block.f_glo(joined)
    torch.testing.assert_close(block(x), expected)


def test_the_image_is_joined_at_half_and_a_quarter():
    """Means over 3x3 every second pixel; the zeros of the border count."""
    net = CGNet(**SMALL).eval()
    image = torch.ones(1, 3, 8, 8)
    half = net.halve(image)
    expected = torch.tensor([[4 / 9, 6 / 9, 6 / 9, 6 / 9], *[[6 / 9, 1, 1, 1]] * 3])
    torch.testing.assert_close(half[0, 0], expected)
    seen = {}
    net.norm_prelu_0.register_forward_pre_hook(lambda _, x: seen.update(first=x[0]))
    net.norm_prelu_1.register_forward_pre_hook(lambda _, x: seen.update(second=x[0]))
    net(image)
    assert torch.equal(seen['first'][:, 4:], half)
    assert torch.equal(seen['second'][:, 8:], net.halve(half))


def test_a_stage_is_joined_by_its_first_block():
    """Stage 1: last block, then first; stage 2: first, then last. So are the published norms."""
    net, seen = CGNet(**SMALL).eval(), {}
    for name in ('level1.0', 'level1.1', 'level2.0', 'level2.2'):
        net.get_submodule(name).register_forward_hook(
            lambda _, __, out, name=name: seen.update({name: out}))
    for i in (1, 2):
        net.get_submodule(f'norm_prelu_{i}').register_forward_pre_hook(
            lambda _, x, i=i: seen.update({i: x[0]}))
    net(torch.rand(1, 3, 16, 16))
    assert torch.equal(seen[1][:, :8], torch.cat([seen['level1.1'], seen['level1.0']], dim=1))
    assert torch.equal(seen[2], torch.cat([seen['level2.0'], seen['level2.2']], dim=1))


def test_two_models_share_an_act_cfg():
    act_cfg = dict(type='PReLU')
    nets = [CGNet(**SMALL, act_cfg=act_cfg) for _ in range(2)]
    assert act_cfg == dict(type='PReLU')
    assert nets[0].stem[0].activate.num_parameters == 4
    assert nets[1].level2[1].conv1x1.activate.num_parameters == 4


def test_prelu_starts_as_relu():
    net = CGNet(**SMALL)
    net.init_weights()
    slopes = [m.weight for m in net.modules() if isinstance(m, nn.PReLU)]
    assert slopes
    assert all((slope == 0).all() for slope in slopes)


def test_checkpointing_changes_no_number():
    torch.manual_seed(0)
    plain = CGNet(**SMALL)
    saving = copy.deepcopy(plain)
    for module in saving.modules():
        if hasattr(module, 'with_cp'):
            module.with_cp = True
    x = torch.rand(2, 3, 16, 16)
    results = []
    for net in (plain, saving):
        out = net(x)[-1]
        out.square().sum().backward()
        results.append([out, *(p.grad for p in net.parameters()), *net.buffers()])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize('wrong', [
    dict(num_channels=(4, 4)), dict(num_blocks=(1,)), dict(dilations=(2, 4, 8)),
    dict(reductions=(8, 999))])
def test_wrong_arguments_are_named(wrong):
    with pytest.raises(ConfigError) as error:
        CGNet(**wrong)
    assert error.value.culprit == next(iter(wrong))
