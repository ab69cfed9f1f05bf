import pytest
import torch
from encoders import assert_dilation_keeps_the_pixels, assert_names_and_shapes, assert_numbers

from segplug.engine.weight_init import PretrainedInit
from segplug.errors import ConfigError
from segplug.models.backbones import DenseNet

SMALL = dict(depth=121, growth_rate=4, stem_channels=8, out_stem=True)


@pytest.mark.parametrize('depth', [121, 161, 169, 201])
def test_names_and_shapes_are_torchvisions(depth):
    with torch.device('meta'):
        assert_names_and_shapes(DenseNet(depth), f'densenet{depth}')


def test_numbers_are_torchvisions():
    assert_numbers(DenseNet(121, out_stem=True), 'densenet121')


@pytest.mark.parametrize('output_stride', [8, 16])
@pytest.mark.parametrize('size', [(64, 96), (45, 70)])
def test_dilated_equals_plain_at_its_pixels(output_stride, size):
    assert_dilation_keeps_the_pixels(
        DenseNet(**SMALL), DenseNet(**SMALL, output_stride=output_stride), size)


def test_output_stride_8():
    with torch.device('meta'):
        net = DenseNet(121, output_stride=8, out_stem=True)
    assert (net.out_channels, net.out_strides) == ((64, 256, 512, 1024, 1024), (2, 4, 8, 8, 8))
    layer = [getattr(net.features, f'denseblock{i}').denselayer1.conv2 for i in (1, 2, 3, 4)]
    assert [conv.dilation[0] for conv in layer] == [1, 1, 2, 4]
    # The second average strides no more, and the third has its taps two pixels apart.
    pools = [getattr(net.features, f'transition{i}').pool for i in (1, 2, 3)]
    assert [(pool.stride, pool.dilation) for pool in pools] == [(2, 1), (1, 1), (1, 2)]


def test_published_files_with_dots_in_names_are_read(tmp_path):
    source, net = DenseNet(**SMALL), DenseNet(**SMALL)
    torch.nn.init.normal_(source.features.denseblock2.denselayer3.norm1.weight)
    old = {name.replace('norm1.', 'norm.1.').replace('norm2.', 'norm.2.')
           .replace('conv1.', 'conv.1.').replace('conv2.', 'conv.2.')
           if 'denselayer' in name else name: value for name, value in source.state_dict().items()}
    assert 'features.denseblock1.denselayer1.norm.1.weight' in old
    torch.save(old, tmp_path / 'densenet.pth')
    PretrainedInit(checkpoint=str(tmp_path / 'densenet.pth'))(net)
    for name, value in source.state_dict().items():
        assert torch.equal(net.state_dict()[name], value)


def test_checkpointing_changes_no_gradient():
    net, saving = DenseNet(**SMALL), DenseNet(**SMALL, with_cp=True)
    saving.load_state_dict(net.state_dict())
    x = torch.rand(2, 3, 33, 40, generator=torch.Generator().manual_seed(1))
    for each in (net, saving):
        each(x)[-1].square().sum().backward()
    for a, b in zip(net.parameters(), saving.parameters(), strict=True):
        assert torch.allclose(a.grad, b.grad, atol=1e-6)
    for a, b in zip(net.buffers(), saving.buffers(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize('stages', [-1, 0, 1, 4])
def test_frozen_stages_do_not_learn(stages):
    net = DenseNet(**SMALL, frozen_stages=stages).train()
    net(torch.rand(2, 3, 32, 32))
    ends = ['features.norm0', 'features.transition1.norm', 'features.transition2.norm',
            'features.transition3.norm', 'features.norm5']
    names = [name for name, _ in net.named_parameters()]
    last = max((i for i, name in enumerate(names) for end in ends[:stages + 1]
                if name.startswith(end + '.')), default=-1)
    for i, (_, p) in enumerate(net.named_parameters()):
        assert p.requires_grad is (i > last)


@pytest.mark.parametrize('wrong', [
    dict(depth=120), dict(output_stride=4), dict(out_indices=(4,)), dict(frozen_stages=5)])
def test_wrong_arguments_are_named(wrong):
    with pytest.raises(ConfigError) as error:
        DenseNet(**dict(SMALL, **wrong))
    assert error.value.culprit == next(iter(wrong))
