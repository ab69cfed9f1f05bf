import pytest
import torch

from segplug.models.layers import PPM


def _cell(i: int, cells: int, size: int) -> slice:
    """Cell i of `cells` over `size` pixels: from floor(i * size / cells) to the ceiling of the
    next; where they do not divide, neighbouring cells share a pixel."""
    return slice(i * size // cells, -(-(i + 1) * size // cells))


def _with_identity(pool_scales, channels, align_corners=False) -> PPM:
    """1x1 convolutions that change nothing: only pooling and resizing are left."""
    ppm = PPM(pool_scales, channels, channels, None, None, None, align_corners)
    for branch in ppm:
        branch[1].conv.weight.data.copy_(torch.eye(channels)[:, :, None, None])
        branch[1].conv.bias.data.zero_()
    return ppm


def test_one_cell_is_the_mean_of_the_map_everywhere():
    x = torch.rand(2, 3, 5, 7)
    out, = _with_identity([1], 3)(x)
    assert torch.allclose(out, x.mean((2, 3), keepdim=True).expand_as(x), atol=1e-6)


@pytest.mark.parametrize('size', [(6, 12), (5, 7), (3, 2)])
def test_cells_are_means_of_what_they_cover(size):
    """3 x 3 cells, each written out. With align_corners the corner pixels are the corner cells."""
    x = torch.rand(1, 2, *size, dtype=torch.float64)
    out, = _with_identity([3], 2, align_corners=True).double()(x)
    for i in (0, 2):
        for j in (0, 2):
            mean = x[..., _cell(i, 3, size[0]), _cell(j, 3, size[1])].mean((2, 3))
            assert torch.allclose(out[..., i // 2 * -1, j // 2 * -1], mean)


def test_a_column_by_hand():
    """4 pixels 0 4 8 8 in 2 cells are 2 and 8. Their centres lie at 0.5 and 2.5 of the pixels 0
    to 3; half way between centres 0.5 and 2.5 is 1.5. Pixel 1 is a quarter of the way from the
    first centre to the second: 2 + 6 / 4 = 3.5; pixel 2 three quarters: 6.5."""
    x = torch.tensor([0., 4., 8., 8.]).reshape(1, 1, 4, 1)
    out, = _with_identity([2], 1)(x)
    assert out.flatten().tolist() == [2.0, 3.5, 6.5, 8.0]


def test_names_of_published_weights():
    keys = set(PPM((1, 6), 4, 2, None, dict(type='BN'), dict(type='ReLU'), False).state_dict())
    assert keys == {f'{i}.1.{k}' for i in range(2) for k in (
        'conv.weight', 'bn.weight', 'bn.bias', 'bn.running_mean', 'bn.running_var',
        'bn.num_batches_tracked')}
