"""Layers by name, what is kept of them, and tokens as maps."""

import pytest
import torch
from torch import nn

from segplug.analysis.layers import as_map, layer_of, output_shapes, recorded
from segplug.errors import ConfigError


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.ReLU(inplace=True))
        self.stages = nn.ModuleList([Two(), Two()])
        self.unused = nn.Linear(1, 1)

    def forward(self, x):
        x = self.stem(x)
        for stage in self.stages:
            x = sum(stage.forward(x)['levels'])
        return x


class Two(nn.Module):
    def forward(self, x):
        return dict(levels=[x + 1, 2 * x], name='two')


@pytest.fixture
def net():
    net = Net()
    nn.init.constant_(net.stem[0].weight, -1)
    return net


X = torch.ones(1, 1, 2, 3)


@pytest.mark.parametrize(('name', 'path', 'number'), [
    ('stem.0', 'stem.0', None), ('stages[1]', 'stages.1', None), ('stages.1:0', 'stages.1', 0),
    ('stages[0]:-1', 'stages.0', -1), ('stages[0]:-2', 'stages.0', -2)])
def test_names(net, name, path, number):
    found = layer_of(net, name)
    assert (found.name, found.path, found.number) == (name, path, number)


@pytest.mark.parametrize(('name', 'said'), [
    ('stages.7', "no layer 'stages.7'.*'stages.1'"), ('stme', "'stem'"), ('', "'stem'"),
    ('qqq', "'stem' or 'stages' or 'unused'"), ('stem:x', "as in 'stem:0'"),
    ('stem:', "as in 'stem:0'")])
def test_unknown_names_are_answered_with_the_nearest(net, name, said):
    with pytest.raises(ConfigError, match=said):
        layer_of(net, name)


def test_what_is_kept_is_not_changed_in_place(net):
    """The convolution gives -1, which the ReLU behind it makes 0 in place."""
    before = net(X)
    layers = [layer_of(net, name) for name in ('stem.0', 'stem', 'stages.1', 'stages.1:1')]
    with torch.no_grad(), recorded(net, layers) as found:
        assert torch.equal(net(X), before)
    assert found['stem.0'][0].unique().tolist() == [-1]
    assert found['stem'][0].unique().tolist() == [0]
    # The first stage gives 1 + 0; the second is forwarded by hand: 2 and 2.
    assert [t.unique().tolist() for t in found['stages.1']] == [[2], [2]]
    assert len(found['stages.1:1']) == 1
    assert vars(net.stages[1]).get('forward') is None
    assert not net.stem._forward_hooks


def test_gradients_of_leaves_stop_there(net):
    with recorded(net, [layer_of(net, 'stages.0')], leaves=True) as found:
        total = net(X).sum()
    first, second = found['stages.0']
    assert all(t.is_leaf and t.requires_grad for t in (first, second))
    gradients = torch.autograd.grad(total, [first, second])
    assert [g.unique().tolist() for g in gradients] == [[3], [3]]  # x + 1 and 2 x behind it
    with pytest.raises(RuntimeError, match='not have been used'):
        torch.autograd.grad(net(X).sum() + 0 * first.sum(), [second])


def test_numbers_count_from_either_end(net):
    """The first stage gives x + 1 and 2 x of 0."""
    layers = [layer_of(net, f'stages.0:{n}') for n in (0, 1, -1, -2)]
    with torch.no_grad(), recorded(net, layers) as found:
        net(X)
    assert [found[layer.name][0].unique().tolist() for layer in layers] == [[1], [0], [0], [1]]


def test_layers_that_torch_would_pass_by_are_recorded():
    """Of a transformer in eval mode torch takes the weights of all parts into one kernel."""
    net = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True).eval()
    x = torch.rand(1, 3, 4)
    with torch.no_grad(), recorded(net, [layer_of(net, 'linear1')]) as found:
        net(x)
        assert 'linear1' in [path for path, _, _ in output_shapes(net, lambda: net(x))]
    assert found['linear1'][0].shape == (1, 3, 8)


def test_a_number_too_large(net):
    with pytest.raises(ConfigError, match='no tensor 2.*0 to 1'), \
            recorded(net, [layer_of(net, 'stages.0:2')]):
        net(X)


def test_what_runs_is_listed_with_its_shapes(net):
    assert output_shapes(net, lambda: net(X)) == [
        ('stem', 'Sequential', [(1, 2, 2, 3)]), ('stem.0', 'Conv2d', [(1, 2, 2, 3)]),
        ('stem.1', 'ReLU', [(1, 2, 2, 3)]), ('stages.0', 'Two', [(1, 2, 2, 3)] * 2),
        ('stages.1', 'Two', [(1, 2, 2, 3)] * 2)]


def test_tokens_are_cells_in_rows():
    """2 x 4 cells of a 32 x 64 image, each its number; with a class token before them."""
    tokens = torch.arange(8.0)[None, :, None].repeat(1, 1, 3)
    expected = torch.arange(8.0).view(2, 4)
    for values in (tokens, torch.cat([torch.full((1, 1, 3), -1.0), tokens], 1)):
        found = as_map(values, (32, 64))
        assert found.shape == (3, 2, 4)
        assert torch.equal(found[1], expected)
    # 30 x 64 pixels by a stride of 16, rounded up, are 2 x 4 cells too.
    assert as_map(tokens, (30, 64)).shape == (3, 2, 4)
    # Rounded down they are 1 x 4, and no stride rounded up gives four.
    assert as_map(tokens[:, :4], (30, 64)).shape == (3, 1, 4)
    assert as_map(torch.zeros(1, 5, 6, 7), (32, 64)).shape == (5, 6, 7)
    for shape in ((2, 5, 6, 7), (1, 7), (1, 5, 3), (2, 8, 3)):
        assert as_map(torch.zeros(*shape), (32, 64)) is None
