"""What tests of encoders share: facts of the published networks, and that dilation changes nothing.

make_encoder_fixtures.py wrote the facts down, running torchvision's, timm's and d-li14's networks.
"""

import functools

import torch
from observe import difference, read, set_weights, shapes, summary
from torch import nn
from weights import image

SHAPE = (1, 3, 64, 96)


@functools.cache
def fixture() -> dict:
    return read('encoders')


def assert_names_and_shapes(net: nn.Module, name: str) -> None:
    """That the state dict is that of the published network ``name``, without its classifier."""
    expected = {key: tuple(shape) for key, shape in fixture()[name]['keys'].items()}
    found = shapes(net)
    assert found == expected, sorted(set(found.items()) ^ set(expected.items()))[:6]


def assert_numbers(net: nn.Module, name: str) -> None:
    """That stem and stages give what the published network does, with equal weights."""
    set_weights(net)
    with torch.no_grad():
        levels = net.eval()(torch.from_numpy(image(SHAPE)).double())
    expected = fixture()[name]['levels']
    assert len(levels) == len(expected) == 5
    for level, wanted in zip(levels, expected, strict=True):
        assert wanted['numbers'][1] > 1e-3  # the network is alive at this depth
        assert difference(summary(level), wanted) < 1e-6 * max(1, wanted['numbers'][2])


@torch.no_grad()
def assert_dilation_keeps_the_pixels(plain: nn.Module, dilated: nn.Module,
                                     size: tuple[int, int], levels: int = 5) -> None:
    """That the dilated network, with equal weights, gives the plain one's values where it has any.

    Args:
        plain, dilated: With ``out_stem``.
        size: (H, W) of the image.
        levels: How many are looked at; the first ones.
    """
    set_weights(plain)
    dilated.double().load_state_dict(plain.state_dict())
    x = torch.from_numpy(image((2, 3, *size))).double()
    coarse, dense = plain.eval()(x), dilated.eval()(x)
    for i in range(levels):
        step = plain.out_strides[i] // dilated.out_strides[i]
        assert dense[i].shape[2:] == tuple(-(-side // dilated.out_strides[i]) for side in size)
        seen = dense[i][:, :, ::step, ::step]
        assert seen.shape == coarse[i].shape
        scale = coarse[i].abs().max()
        assert (seen - coarse[i]).abs().max() <= 1e-9 * scale
    assert dilated.out_strides[levels - 1] < plain.out_strides[levels - 1]


def close_gates(net: nn.Module) -> None:
    """Gates that see no mean: one over a dense map is another than over every other pixel."""
    for module in net.modules():
        if type(module).__name__ == 'SEModule':
            module.forward = functools.partial(_by_bias, module)


def _by_bias(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return x * module.fc2.bias.sigmoid()[:, None, None]
