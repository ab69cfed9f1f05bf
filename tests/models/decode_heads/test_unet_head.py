import pytest
import torch
from mmengine.structures import PixelData

from segplug.errors import ConfigError
from segplug.models.decode_heads import UNetHead
from segplug.structures import SegDataSample


def _head(**kwargs) -> UNetHead:
    return UNetHead(**{**dict(in_channels=(4, 5, 6), decoder_channels=(8, 7, 3), num_classes=2,
                              norm_cfg=dict(type='BN'), dropout_ratio=0), **kwargs}).eval()


def _levels(*sizes: tuple[int, int]) -> list[torch.Tensor]:
    return [torch.rand(1, c, *size) for c, size in zip((4, 5, 6), sizes, strict=True)]


def test_blocks_of_the_recipe():
    """REFERENCE: widths 256..16; each block takes the width before it and its skip's."""
    head = UNetHead(in_channels=(64, 256, 512, 1024, 2048), num_classes=19,
                    norm_cfg=dict(type='BN'))
    shapes = {k: tuple(v.shape) for k, v in head.state_dict().items() if k.endswith('conv.weight')
              or k.startswith('conv_seg')}
    wanted = {}
    for i, (cin, cout) in enumerate(((2048 + 1024, 256), (256 + 512, 128), (128 + 256, 64),
                                     (64 + 64, 32), (32, 16))):
        wanted[f'blocks.{i}.0.conv.weight'] = (cout, cin, 3, 3)
        wanted[f'blocks.{i}.1.conv.weight'] = (cout, cout, 3, 3)
    assert shapes == {**wanted, 'conv_seg.weight': (19, 16, 1, 1), 'conv_seg.bias': (19,)}
    assert head.channels == 16


@pytest.mark.parametrize('sizes', [
    ((8, 6), (4, 3), (2, 2)),       # a plain encoder
    ((8, 6), (4, 3), (4, 3)),       # a dilated one: two levels of one size
    ((9, 7), (5, 4), (3, 2)),       # odd sizes
])
def test_every_block_works_at_the_size_of_its_skip(sizes):
    head, seen = _head(), []
    for block in head.blocks:
        block.register_forward_hook(lambda _, x, __: seen.append(tuple(x[0].shape[1:])))
    image = (2 * sizes[0][0] - 1, 2 * sizes[0][1])
    assert head(_levels(*sizes), image).shape == (1, 2, *image)
    assert seen == [(6 + 5, *sizes[1]), (8 + 4, *sizes[0]), (7, *image)]


def test_upsampling_is_nearest_and_skips_come_second():
    head = _head()
    levels = _levels((4, 4), (2, 2), (1, 2))
    seen = []
    head.blocks[0].register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    head(levels)
    # one row of the deepest level becomes two equal rows
    assert torch.equal(seen[0][:, :6], levels[2].expand(1, 6, 2, 2))
    assert torch.equal(seen[0][:, 6:], levels[1])


def test_size_without_being_told_is_twice_the_finest_level():
    assert _head()(_levels((5, 4), (3, 2), (2, 1))).shape == (1, 2, 10, 8)


def test_loss_and_predict_know_the_size():
    head = _head()
    levels = _levels((5, 4), (3, 2), (2, 1))
    sample = SegDataSample()
    sample.gt_sem_seg = PixelData(data=torch.zeros(1, 9, 7, dtype=torch.uint8))
    direct = torch.nn.functional.cross_entropy(
        head(levels, (9, 7)), torch.zeros(1, 9, 7, dtype=torch.long))
    assert torch.allclose(head.loss(levels, [sample])['loss_ce'], direct)
    metas = [dict(img_shape=(9, 7), pad_shape=(9, 7))]
    assert torch.equal(head.predict(levels, metas), head(levels, (9, 7)))


def test_chosen_levels():
    head = UNetHead(in_channels=(4, 6), decoder_channels=(3, 2), in_index=(0, 2), num_classes=2)
    assert head(_levels((4, 4), (2, 2), (1, 1))).shape == (1, 2, 8, 8)


def test_one_block_per_level():
    with pytest.raises(ConfigError, match='3 in_channels and 2 decoder_channels'):
        _head(decoder_channels=(8, 7))
