"""Patches: sizes by hand, values against the convolution."""

import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError, ShapeError


def test_adaptive_padding_covers_the_map(lent):
    from mmseg.models.utils.embed import AdaptivePadding
    x = torch.ones(1, 1, 11, 7)
    # Windows of 16 every 16: one window, 5 rows and 9 columns are missing.
    corner = AdaptivePadding(kernel_size=16, stride=16, padding='corner')(x)
    assert corner.shape == (1, 1, 16, 16)
    assert corner[0, 0, :11, :7].sum() == corner.sum() == 77
    same = AdaptivePadding(kernel_size=16, stride=16, padding='same')(x)
    assert same[0, 0, 2:13, 4:11].sum() == same.sum() == 77
    # 11 pixels, kernel 3 dilated by 2 is 5, stride 10: two windows end at 15.
    assert AdaptivePadding(3, 10, 2).get_pad_shape((11, 15)) == (4, 0)
    assert AdaptivePadding(2, 2)(x[..., :10, :6]).shape == (1, 1, 10, 6)
    with pytest.raises(ConfigError, match="'c'"):
        AdaptivePadding(1, 1, 1, 'c')


def test_patch_embed_is_the_convolution_as_a_sequence(lent):
    from mmseg.models.utils import PatchEmbed
    embed = PatchEmbed(3, 4, kernel_size=3, stride=2, padding=1, norm_cfg=dict(type='LN'),
                       input_size=(9, 7))
    x = torch.randn(2, 3, 9, 7)
    out, size = embed(x)
    assert (size, embed.init_out_size, embed.init_input_size) == ((5, 4), (5, 4), (9, 7))
    plain = F.conv2d(x, embed.projection.weight, embed.projection.bias, 2, 1)
    assert torch.equal(out, F.layer_norm(plain.flatten(2).transpose(1, 2), (4,)))


def test_patch_embed_pads_to_whole_patches(lent):
    from mmseg.models.utils import PatchEmbed
    embed = PatchEmbed(3, 4, kernel_size=4, input_size=(9, 7), bias=False)
    out, size = embed(torch.randn(1, 3, 9, 7))
    assert (size, embed.init_out_size, tuple(out.shape)) == ((3, 2), (3, 2), (1, 6, 4))
    assert embed.projection.bias is None


def test_patch_merging_joins_two_by_two(lent):
    from mmseg.models.utils.embed import PatchMerging
    merge = PatchMerging(2, 3, norm_cfg=None)
    x = torch.randn(1, 3 * 4, 2)  # a map of 3 by 4, padded to 4 by 4
    out, size = merge(x, (3, 4))
    assert (size, tuple(out.shape)) == ((2, 2), (1, 4, 3))
    grid = F.pad(x.transpose(1, 2).reshape(1, 2, 3, 4), (0, 0, 0, 1))
    first = grid[0, :, :2, :2].flatten()  # channel by channel, row by row
    assert torch.allclose(out[0, 0], merge.reduction(first))
    with pytest.raises(ShapeError, match='does not fit'):
        merge(x, (3, 5))
