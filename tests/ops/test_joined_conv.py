import pytest
import torch
import torch.nn.functional as F

from segplug.ops.joined_conv import joined_conv

PARTS = [  # channels and sizes; the first sets the size
    [(3, 9, 7), (2, 1, 1), (2, 2, 3), (2, 6, 6)],   # one cell, few, and nearly all
    [(3, 8, 12), (4, 4, 6), (2, 2, 3)],             # halves, as in a feature pyramid
    [(2, 5, 5), (2, 5, 5)],                         # nothing to resize
    [(2, 3, 3), (2, 6, 6)],                         # one to be made smaller
    [(2, 4, 1), (3, 1, 1)],                         # a map one pixel wide
    [(2, 1, 1), (3, 1, 1)],
]


def _long_way(parts, like, weight, bias, align_corners):
    """As the heads' papers draw it: every map resized, all joined, one convolution."""
    size = parts[like].shape[2:]
    joined = torch.cat([F.interpolate(part, size, mode='bilinear', align_corners=align_corners)
                        for part in parts], 1)
    return F.conv2d(joined, weight, bias, padding=1)


def _case(sizes, num=2, out=5, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)

    def rand(*shape):
        return torch.randn(*shape, generator=generator, dtype=dtype).requires_grad_()

    parts = [rand(num, *size) for size in sizes]
    return parts, rand(out, sum(c for c, _, _ in sizes), 3, 3), rand(out)


@pytest.mark.parametrize('sizes', PARTS, ids=str)
@pytest.mark.parametrize('align_corners', [False, True])
def test_the_long_way_and_its_gradients(sizes, align_corners):
    """In float64, where another order of the sums shows from the fifteenth digit on."""
    parts, weight, bias = _case(sizes)
    short, long = (f(parts, 0, weight, bias, align_corners) for f in (joined_conv, _long_way))
    assert torch.allclose(short, long, rtol=0, atol=1e-12)
    leaves = [*parts, weight, bias]
    back = torch.randn(short.shape, dtype=short.dtype, generator=torch.Generator().manual_seed(1))
    for a, b in zip(torch.autograd.grad(short, leaves, back),
                    torch.autograd.grad(long, leaves, back), strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-11)


def test_a_row_by_hand():
    """One row of four pixels from one cell of 10, taps 1, 2, 4: within, 10 * 7 = 70; at the left
    border the first tap falls on nothing, 10 * 6; at the right the last, 10 * 3."""
    parts = [torch.zeros(1, 1, 1, 4), torch.full((1, 1, 1, 1), 10.)]
    weight = torch.zeros(1, 2, 3, 3)
    weight[0, 1, 1] = torch.tensor([1., 2., 4.])
    assert joined_conv(parts, 0, weight, None, False).flatten().tolist() == [60, 70, 70, 30]


def test_the_map_that_sets_the_size_may_stand_anywhere():
    parts, weight, bias = _case([(2, 1, 1), (3, 8, 6)])
    assert torch.allclose(joined_conv(parts, -1, weight, bias, False),
                          _long_way(parts, -1, weight, bias, False))


def test_reduced_precision_is_as_near_as_the_long_way():
    """In bf16 a value keeps 8 bits: an error of 2**-9 for each rounding, several on the way."""
    parts, weight, bias = _case([(16, 16, 16), (8, 6, 6), (8, 1, 1)], dtype=torch.float32)
    exact = _long_way(parts, 0, weight, bias, False)
    with torch.autocast('cpu', torch.bfloat16):
        errors = [(f(parts, 0, weight, bias, False) - exact).norm() / exact.norm()
                  for f in (joined_conv, _long_way)]
    assert errors[0] < 2 * errors[1] < 0.01


def test_it_costs_less():
    """Multiply-adds of 64x64 and 6x6 of 8 channels each, to 4. Long: 4 * 16 * 9 * 64 * 64 =
    2,359,296. Short: half of that; the taps of 6x6, 4 * 8 * 9 * 36 = 10,368; the three products to
    the width, 3 * (12 * 6) * 6 * 64 = 82,944; the one to the height, 4 * 64 * 18 * 64 = 294,912."""
    from torch.utils.flop_counter import FlopCounterMode
    parts, weight, bias = _case([(8, 64, 64), (8, 6, 6)], num=1, out=4)
    for f, wanted in ((_long_way, 2_359_296),
                      (joined_conv, 1_179_648 + 10_368 + 82_944 + 294_912)):
        with FlopCounterMode(display=False) as counter:
            f(parts, 0, weight, bias, False)
        assert counter.get_total_flops() == 2 * wanted
