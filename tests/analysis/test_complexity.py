"""What is counted, by hand, and against other counters: autograd's own graph, torch's profiler, and
the counter of mmengine, which traces the network."""

import copy
import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segplug.analysis.complexity import forward_cost, kept_bytes, multiply_adds, rows


class Attention(nn.Module):
    def __init__(self, products):
        super().__init__()
        self.products = products

    def forward(self, x):
        if self.products:
            return (x @ x.transpose(1, 2)).softmax(-1) @ x
        return F.scaled_dot_product_attention(x, x, x)


@pytest.mark.parametrize(('module', 'shape', 'expected'), [
    # 4 x 4 places, 6 channels, each a sum over 2 x 9 weights
    (nn.Conv2d(2, 6, 3, padding=1), (1, 2, 4, 4), 4 * 4 * 6 * 2 * 9),
    # stride 2: 2 x 2 places; a batch of 3
    (nn.Conv2d(2, 6, 3, stride=2, padding=1), (3, 2, 4, 4), 3 * 2 * 2 * 6 * 2 * 9),
    # two groups: each of the 6 channels sees 2 of the 4
    (nn.Conv2d(4, 6, 3, padding=1, groups=2), (1, 4, 5, 5), 5 * 5 * 6 * 2 * 9),
    # depthwise: each channel sees itself
    (nn.Conv2d(8, 8, 3, padding=1, groups=8), (1, 8, 5, 5), 5 * 5 * 8 * 9),
    # dilation moves the taps
    (nn.Conv2d(2, 6, 3, padding=2, dilation=2), (1, 2, 4, 4), 4 * 4 * 6 * 2 * 9),
    # transposed: each of the 4 x 4 cells that come in is spread by 2 x 2 weights to 6 channels
    (nn.ConvTranspose2d(2, 6, 2, stride=2), (1, 2, 4, 4), 4 * 4 * 2 * 6 * 2 * 2),
    (nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), (1, 4, 4, 4), 4 * 4 * 4 * 3 * 9),
    (nn.Linear(5, 7), (2, 3, 5), 2 * 3 * 5 * 7),
    # 10 queries times 10 keys of 4 numbers, and as much for the values
    (Attention(True), (1, 10, 4), 2 * 10 * 10 * 4),
    (Attention(False), (1, 10, 4), 2 * 10 * 10 * 4),
    (nn.MultiheadAttention(4, 2, batch_first=True), None, 4 * 10 * 4 * 4 + 2 * 10 * 10 * 4),
    (nn.BatchNorm2d(2), (1, 2, 4, 4), 0),
    (nn.AdaptiveAvgPool2d(2), (1, 2, 4, 4), 0),
    (nn.Upsample(scale_factor=2, mode='bilinear'), (1, 2, 4, 4), 0),
])
@pytest.mark.parametrize('device', ['meta', 'cpu'])
def test_multiply_adds_by_hand(module, shape, expected, device):
    module = copy.deepcopy(module).to(device).eval()
    if shape is None:  # self-attention: in, q, k, v and out are 4 to 4 for each of 10 tokens
        x = torch.zeros(1, 10, 4, device=device)
        assert multiply_adds(lambda: module(x, x, x)) == expected
    else:
        assert multiply_adds(lambda: module(torch.zeros(*shape, device=device))) == expected


class Net(nn.Module):
    """Parts that are called, called by their forward, called twice, and never."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.blocks = nn.ModuleList([nn.Conv2d(8, 8, 1, bias=False) for _ in range(2)])
        self.unused = nn.Linear(2, 2)
        self.head = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(8, 4, 1))

    def forward(self, x):
        x = self.norm(self.stem(x))
        x = self.blocks[1](self.blocks[0](self.blocks[0](x)))
        return self.head.forward(x) @ torch.zeros(10, 10, device=x.device)


@pytest.fixture(params=['meta', 'cpu'])
def net(request):
    return Net().to(request.param).eval()


def images(net, batch=2):
    return torch.zeros(batch, 3, 10, 10, device=next(net.parameters()).device)


def test_each_module_has_what_it_does_and_its_parts_do(net):
    x = images(net)
    cost = forward_cost(net, lambda: net(x))
    places = 2 * 10 * 10
    stem, block, last = places * 8 * 3 * 9, places * 8 * 8, places * 8 * 4
    found = {row.name: row for row in rows(net, cost)}
    assert {name: row.multiply_adds for name, row in found.items()} == {
        # 2 images, 4 channels, 10 rows of 10, times 10 x 10
        '': stem + 3 * block + last + 2 * 4 * 10 * 10 * 10,
        'stem': stem, 'norm': 0, 'blocks': 3 * block, 'blocks.0': 2 * block, 'blocks.1': block,
        'unused': 0, 'head': last, 'head.1': last}
    assert found['stem'].output == '2x8x10x10'
    assert found['unused'].output == ''
    assert found['unused'].parameters == 6
    assert found[''].parameters == 8 * 27 + 16 + 2 * 64 + 6 + 36
    assert (found[''].depth, found['head'].depth, found['head.1'].depth) == (0, 1, 2)
    assert 'forward' not in vars(net.stem)


def test_lists_in_lists_cost_what_their_parts_do():
    """A convolution of 2 x 3 weights at 4 places, run twice."""
    net = nn.ModuleList([nn.ModuleList([nn.Conv2d(3, 2, 1, bias=False)])])
    x = torch.zeros(1, 3, 2, 2)
    cost = forward_cost(net, lambda: (net[0][0](x), net[0][0](x)))
    assert {row.name: row.multiply_adds for row in rows(net, cost)} == dict.fromkeys(
        ('', '0', '0.0'), 2 * 4 * 6)


@pytest.mark.parametrize(('count', 'said'), [(4, '3, 3, 3, 3'), (5, '3, 3, 3, 3, ...')])
def test_of_many_outputs_four_are_named(count, said):
    class Many(nn.Module):
        def forward(self, x):
            return [x + 1 for _ in range(count)]

    net = Many()
    assert forward_cost(net, lambda: net(torch.zeros(3))).outputs[''] == said


def test_what_training_keeps_by_hand():
    """Each map is 2 * 8 * 100 * 4 = 6400 bytes. The norm keeps what comes in and 2 * 8 numbers of
    4 bytes; the ReLU what goes out, which the convolution keeps too; the result is not kept."""
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8),
                        nn.ReLU(inplace=True), nn.Conv2d(8, 4, 1)).to('meta')
    x = torch.empty(2, 3, 10, 10, device='meta')
    assert kept_bytes(net, lambda: net(x), x) == {
        '': 12864, '0': 0, '1': 6464, '2': 6400, '3': 0}


def in_graph(result, known):
    """Bytes that the nodes of autograd's graph hold, read from their own attributes."""
    seen, found, todo = set(), {}, [result.grad_fn]
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        todo += [following for following, _ in node.next_functions]
        for name in dir(node):
            if name.startswith('_saved_'):
                value = getattr(node, name)
                for tensor in value if isinstance(value, tuple | list) else [value]:
                    if isinstance(tensor, torch.Tensor):
                        storage = tensor.untyped_storage()
                        found[storage.data_ptr()] = storage.nbytes()
    return sum(size for key, size in found.items()
               if key not in {t.untyped_storage().data_ptr() for t in known})


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)])
        self.norms = nn.ModuleList([nn.GroupNorm(2, 8), nn.BatchNorm2d(8)])

    def forward(self, x):
        y = F.gelu(self.norms[0](self.convs[0](x)))
        y = F.dropout(y + F.relu(self.norms[1](self.convs[1](y))), 0.5)
        y = F.interpolate(F.adaptive_avg_pool2d(y, 3), (6, 6), mode='bilinear') * y.mean()
        tokens = y.flatten(2).transpose(1, 2)
        return (tokens @ tokens.transpose(1, 2)).softmax(-1).sum()


def test_what_training_keeps_is_what_the_graph_holds():
    net, x = Residual(), torch.zeros(2, 3, 12, 12)
    found = kept_bytes(net, lambda: net(x), x)
    result = net(x)
    assert found[''] == in_graph(result, [*net.parameters(), *net.buffers(), x])
    assert found[''] > 5 * 2 * 8 * 144 * 4  # maps of the 12 x 12 image
    x = x.to('meta')
    assert found[''] == kept_bytes(net.to('meta'), lambda: net(x), x)['']


@pytest.mark.parametrize('device', ['meta', 'cpu'])
def test_attention_keeps_its_matrix_on_every_device(device):
    """Of 2 heads: 20 x 20 weights of 4 bytes, and query and key, 20 x 8 numbers each, that are
    scaled first. The values are the input itself. A CPU's own kernel keeps no weights."""
    x = torch.ones(1, 2, 20, 8, device=device, requires_grad=True)
    found = kept_bytes(nn.Module(), lambda: F.scaled_dot_product_attention(x, x, x), x)
    assert found[''] == 2 * (20 * 20 * 4 + 2 * 20 * 8 * 4)


@pytest.mark.parametrize('device', ['meta', 'cpu'])
def test_the_peak_by_hand(device):
    """A map is 1 * 4 * 100 * 4 = 1600 bytes. The second convolution makes one of 3200 while the
    first one's is there; then the first is let go, and the third makes 1600 beside the 3200."""
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 8, 1), nn.ReLU(inplace=True),
                        nn.Conv2d(8, 4, 1)).to(device).eval()
    x = torch.empty(1, 3, 10, 10, device=device)
    cost = forward_cost(net, lambda: net(x))
    assert (cost.peak_bytes, cost.peak_in) == (1600 + 3200, '1')
    cost = forward_cost(net, lambda: [layer(x) for layer in net[:1] for _ in range(4)])
    assert (cost.peak_bytes, cost.peak_in) == (4 * 1600, '0')


def test_views_of_what_is_there_take_nothing():
    """Neither of the image nor of a weight; x + 1 takes 48 bytes, and its view none."""
    net, x = nn.Linear(4, 4), torch.zeros(1, 3, 2, 2)
    cost = forward_cost(net, lambda: (x.flatten(2), net.weight.T, (x + 1).flatten()[2:]))
    assert cost.peak_bytes == 48


def test_the_peak_is_the_profilers():
    """These operators take nothing for themselves, so the allocator sees the same: exp, ReLU and
    their sum y are 3 maps of 120 000 bytes; y and twice y joined are 3 again, and so are the joined
    ones and exp of one, with the number that is their sum."""

    def run(x):
        y = x.exp() + x.relu()
        z = torch.cat([y, y], 1)
        del y
        return z[:, :3].exp().sum()

    x = torch.zeros(1, 3, 100, 100)
    found = forward_cost(nn.Module(), lambda: run(x)).peak_bytes
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU],
                                profile_memory=True) as profile:
        run(x)
    total = peak = 0
    for event in profile.profiler.kineto_results.events():
        if event.name() == '[memory]':
            total += event.nbytes()
            peak = max(peak, total)
    assert found == 3 * 120_000 + 4
    assert found == peak


def test_operators_that_torch_does_not_know_are_told():
    @torch.library.custom_op('segplug_test::twice', mutates_args=())
    def twice(x: torch.Tensor) -> torch.Tensor:
        return 2 * x

    cost = forward_cost(nn.Module(), lambda: twice(twice(torch.zeros(3))))
    assert cost.uncounted == {'segplug_test.twice': 2}


def test_convolutions_are_those_of_another_counter():
    from mmengine.analysis import FlopAnalyzer
    net = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, groups=1), nn.BatchNorm2d(8),
                        nn.Conv2d(8, 8, 3, groups=8), nn.ConvTranspose2d(8, 4, 2, stride=2),
                        nn.Flatten(2), nn.Linear(14 * 14, 5)).eval()
    x = torch.zeros(1, 3, 19, 19)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        theirs = FlopAnalyzer(net, x).unsupported_ops_warnings(False).by_operator()
    cost = forward_cost(net, lambda: net(x))
    assert cost.multiply_adds[''] == theirs['conv'] + theirs['linear']
