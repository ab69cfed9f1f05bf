import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError
from segplug.models.necks import FPN

SIZES = ((8, 6), (4, 3), (2, 2))


def _fpn(**options) -> FPN:
    torch.manual_seed(0)
    return FPN(**{**dict(in_channels=[3, 4, 5], out_channels=2, num_outs=3), **options}).eval()


def _levels() -> list[torch.Tensor]:
    return [torch.rand(1, c, *size) for c, size in zip((3, 4, 5), SIZES, strict=True)]


def _one_channel(**options) -> FPN:
    """Every convolution hands its input through."""
    fpn = FPN([1, 1, 1], 1, **{**dict(num_outs=3), **options}).eval()
    for conv in [*fpn.lateral_convs, *fpn.fpn_convs]:
        weight = torch.zeros_like(conv.conv.weight)
        weight[..., weight.shape[2] // 2, weight.shape[3] // 2] = 1
        conv.conv.weight.data, conv.conv.bias.data = weight, torch.zeros(1)
    return fpn


def test_sums_by_hand():
    """Coarsest 100; the next 10 + 100; the finest 1, 2, 3, 4 + 110 everywhere."""
    levels = [torch.tensor([[1., 2.], [3., 4.]]), torch.tensor([[10.]]), torch.tensor([[100.]])]
    outs = _one_channel()([level[None, None] for level in levels])
    assert [out.flatten().tolist() for out in outs] == [[111, 112, 113, 114], [110], [100]]


def test_names_of_published_weights():
    fpn = FPN([256, 512, 1024, 2048], 256, 4)
    shapes = {k: tuple(v.shape) for k, v in fpn.state_dict().items() if k.endswith('weight')}
    assert shapes == {
        **{f'lateral_convs.{i}.conv.weight': (256, 256 * 2**i, 1, 1) for i in range(4)},
        **{f'fpn_convs.{i}.conv.weight': (256, 256, 3, 3) for i in range(4)}}


def test_further_outputs_take_every_other_pixel():
    outs = _fpn(num_outs=5)(_levels())
    assert torch.equal(outs[3], outs[2][..., ::2, ::2])
    assert torch.equal(outs[4], outs[3][..., ::2, ::2])


@pytest.mark.parametrize(('source', 'made_from'), [
    ('on_input', lambda fpn, levels, outs: levels[2]),
    ('on_lateral', lambda fpn, levels, outs: fpn.lateral_convs[2](levels[2])),
    ('on_output', lambda fpn, levels, outs: outs[2])])
@pytest.mark.parametrize('relu', [False, True])
def test_further_outputs_by_convolutions(source, made_from, relu):
    fpn, levels = _fpn(num_outs=5, add_extra_convs=source, relu_before_extra_convs=relu), _levels()
    outs = fpn(levels)
    for i, x in ((3, made_from(fpn, levels, outs)), (4, outs[3].relu() if relu else outs[3])):
        conv = fpn.fpn_convs[i].conv
        assert torch.equal(outs[i], F.conv2d(x, conv.weight, conv.bias, stride=2, padding=1))


@pytest.mark.parametrize(('on_inputs', 'source'), [(True, 'on_input'), (False, 'on_output')])
def test_true_names_its_source(on_inputs, source):
    assert _fpn(num_outs=4, add_extra_convs=True,
                extra_convs_on_inputs=on_inputs).add_extra_convs == source


def test_part_of_the_levels_and_a_fixed_factor():
    fpn = _one_channel(num_outs=2, start_level=0, end_level=2,
                       upsample_cfg=dict(scale_factor=2, mode='nearest'))
    levels = [torch.ones(1, 1, 4, 4), torch.ones(1, 1, 2, 2), torch.full((1, 1, 1, 1), torch.nan)]
    assert [out.unique().tolist() for out in fpn(levels)] == [[2], [1]]


def test_no_norm_on_lateral():
    fpn = _fpn(norm_cfg=dict(type='BN'), no_norm_on_lateral=True)
    assert not any('lateral' in key and 'bn' in key for key in fpn.state_dict())
    assert 'fpn_convs.0.bn.weight' in fpn.state_dict()


@pytest.mark.parametrize('options', [
    dict(num_outs=2), dict(num_outs=3, end_level=2), dict(num_outs=1, end_level=2)])
def test_numbers_of_outputs_that_do_not_fit(options):
    with pytest.raises(ConfigError, match=f"num_outs={options['num_outs']}"):
        _fpn(**options)


def test_unknown_source():
    with pytest.raises(ConfigError, match="'on_outputs'.*'on_output'"):
        _fpn(num_outs=4, add_extra_convs='on_outputs')
