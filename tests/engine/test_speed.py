import functools

import pytest
import torch
from torch import nn

from segplug.engine import speed as speed_module
from segplug.engine.speed import Speed, speed_up
from segplug.errors import ConfigError, ShapeError

SIZES = ((1, 3, 16, 16), (2, 3, 16, 20), (1, 3, 13, 30), (2, 3, 24, 11))


class Net(nn.Module):
    """Two convolutions; keeps what it saw."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 4, 1)
        self.seen = None

    def encode_decode(self, inputs, batch_img_metas):
        x = self.first(inputs).relu()
        if not torch.compiler.is_compiling():
            self.seen = x
        return self.last(x) * (batch_img_metas[0]['pad_shape'][0] / inputs.shape[2])


def _run(net, size=SIZES[0]):
    x = torch.randn(size, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        return net.encode_decode(x, [dict(pad_shape=tuple(x.shape[2:]))] * len(x))


def _fast(**settings) -> Net:
    net = Net()
    speed_up(net, Speed(**settings))
    return net


@pytest.fixture
def without_code_generation(monkeypatch):
    """torch.compile that stops at the graph: no C++ compiler, no waiting."""
    torch._dynamo.reset()
    monkeypatch.setattr(torch, 'compile', functools.partial(torch.compile, backend='eager'))
    monkeypatch.setattr(speed_module, '_check_compiler', lambda: None)
    yield
    torch._dynamo.reset()


def test_nothing_is_touched_unless_asked_for():
    net = _fast()
    assert 'encode_decode' not in vars(net)


@pytest.mark.parametrize(('amp', 'dtype'), [('bf16', torch.bfloat16), (True, torch.bfloat16),
                                            ('fp16', torch.bfloat16)])
def test_amp_computes_in_half_and_returns_float(amp, dtype):
    """A CPU has bfloat16 only; fp16 becomes that, and the log says so."""
    net = _fast(amp=amp)
    logits = _run(net)
    assert net.seen.dtype is dtype
    assert logits.dtype is torch.float32
    # bfloat16 keeps 8 bits of each number.
    assert torch.allclose(logits, _run(Net()), atol=2 ** -6)
    assert not torch.equal(logits, _run(Net()))


def test_channels_last_reaches_the_layers_and_changes_no_number():
    net = _fast(channels_last=True)
    logits = _run(net)
    assert net.seen.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(logits, _run(Net()), atol=1e-6)


def test_compiled_sizes_share_graphs(without_code_generation):
    """A graph for the first size, for the first size of an image and its mirror, and for each of
    the two at any size; 8 are the most before torch gives up."""
    torch._dynamo.utils.counters.clear()
    net = _fast(compile=True)
    for size in [*SIZES, *((1 + i % 2, 3, 20 + i, 31 - i) for i in range(8))]:
        assert torch.allclose(_run(net, size), _run(Net(), size), atol=1e-6)
    assert torch._dynamo.utils.counters['stats']['unique_graphs'] <= 5


def test_all_three_at_once(without_code_generation):
    logits = _run(_fast(amp='bf16', channels_last=True, compile=True))
    assert torch.allclose(logits, _run(Net()), atol=2 ** -6)


def test_a_network_that_does_not_compile_computes_as_it_is(monkeypatch, without_code_generation):
    said = []
    monkeypatch.setattr(speed_module, 'print_log', lambda text, *args: said.append((text, *args)))

    def broken(graph, inputs):
        raise RuntimeError('no such instruction')

    monkeypatch.setattr(torch, 'compile', functools.partial(torch.compile.func, backend=broken))
    net = _fast(compile=True)
    for _ in range(2):
        assert torch.equal(_run(net), _run(Net()))
    warnings = [text for text, *_ in said if 'computes without it' in text]
    assert len(warnings) == 1
    assert 'no such instruction' in warnings[0]


def test_an_error_of_the_network_stays_what_it_is(without_code_generation):
    net = Net()

    def wrong(inputs, batch_img_metas):
        raise ShapeError('wrong shape')

    net.encode_decode = wrong
    speed_up(net, Speed(compile=True))
    with pytest.raises(ShapeError, match='wrong shape'):
        _run(net)


def test_without_a_compiler_the_error_says_so(monkeypatch):
    from torch._inductor import cpp_builder, exc

    def none():
        raise exc.InvalidCxxCompiler
    for name in ('get_cpp_compiler', '_get_cpp_compiler'):  # the second in torch 2.4
        monkeypatch.setattr(cpp_builder, name, none, raising=False)
    with pytest.raises(ConfigError, match=r'needs a C\+\+ compiler.*--compile'):
        _fast(compile=True)


@pytest.mark.parametrize(('cfg', 'said'), [
    (dict(ampp='bf16'), "no key 'ampp'.*'amp'"), (dict(amp='int8'), "'int8'.*bf16"),
    (dict(compile='yes'), "compile.*'yes'"), (dict(channels_last=1), 'channels_last.*1'),
])
def test_wrong_settings(cfg, said):
    with pytest.raises(ConfigError, match=said):
        Speed.from_dict(cfg)


def test_a_model_without_a_network_call_is_refused():
    with pytest.raises(ConfigError, match='Conv2d has no encode_decode'):
        speed_up(nn.Conv2d(1, 1, 1), Speed(amp=True))


@pytest.mark.slow
def test_compiled_machine_code_gives_the_same_numbers():
    net = _fast(compile=True)
    for size in SIZES:
        assert torch.allclose(_run(net, size), _run(Net(), size), atol=1e-5)
