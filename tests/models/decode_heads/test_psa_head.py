import pytest
import torch
import torch.nn.functional as F

from segplug.errors import ConfigError, ShapeError
from segplug.models.decode_heads import PSAHead
from segplug.models.decode_heads.psa_head import psa_mask


def _small(**options) -> PSAHead:
    torch.manual_seed(0)
    return PSAHead(**{**dict(mask_size=(5, 3), in_channels=3, channels=4, num_classes=2),
                      **options}).eval()


def _said(attention: torch.Tensor, mask_size: tuple[int, int], pixel, other) -> torch.Tensor:
    """(N,): what ``pixel`` says of ``other``, read off its mask, centred on itself; or zero."""
    row, col = (o - p + (m - 1) // 2 for o, p, m in zip(other, pixel, mask_size, strict=True))
    if not (0 <= row < mask_size[0] and 0 <= col < mask_size[1]):
        return torch.zeros(len(attention))
    return attention[:, row * mask_size[1] + col, pixel[0], pixel[1]]


def _pixels(size):
    return [(i, j) for i in range(size[0]) for j in range(size[1])]


@pytest.mark.parametrize(('mask_size', 'size'), [
    ((3, 5), (4, 3)), ((7, 5), (4, 3)), ((9, 9), (3, 4)), ((4, 2), (5, 6)), ((1, 1), (2, 2)),
    ((97, 97), (2, 3))])
def test_masks_speak_of_pixels(mask_size, size):
    """A loop over all pairs; small, exact (twice the size less one), too large and even masks."""
    attention = torch.rand(2, mask_size[0] * mask_size[1], *size)
    expected = torch.stack([torch.stack([_said(attention, mask_size, pixel, other)
                                         for pixel in _pixels(size)], 1)
                            for other in _pixels(size)], 1)
    assert torch.equal(psa_mask(attention, mask_size), expected)


def test_gradients_go_back_to_the_masks():
    attention = torch.rand(1, 9, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a: psa_mask(a, (3, 3)), attention)


@pytest.mark.parametrize('psa_type', ['collect', 'distribute', 'bi-direction'])
@pytest.mark.parametrize('softmax', [True, False])
def test_the_formula_of_the_paper(psa_type, softmax):
    """Equations 8 to 10, pixel by pixel: z_i = (sum_j a_ij x_j) / normalisation.

    To collect, a_ij is what i says of j; to distribute, what j says of i.
    """
    head = _small(psa_type=psa_type, psa_softmax=softmax, shrink_factor=1,
                  normalization_factor=None)
    x = torch.rand(2, 3, 3, 2)

    def way(feat, attention, distribute):
        masks, out = attention(feat), torch.zeros_like(feat)
        for i in _pixels((3, 2)):
            weights = torch.stack([_said(masks, (5, 3), *((j, i) if distribute else (i, j)))
                                   for j in _pixels((3, 2))], 1)
            weights = weights.softmax(1) if softmax else weights
            out[:, :, i[0], i[1]] = sum(
                weights[:, n, None] * feat[:, :, j[0], j[1]]
                for n, j in enumerate(_pixels((3, 2)))) / 15
        return out

    parts = [way(head.reduce(x), head.attention, psa_type == 'distribute')]
    if psa_type == 'bi-direction':
        parts.append(way(head.reduce_p(x), head.attention_p, True))
    out = F.interpolate(head.proj(torch.cat(parts, 1)), (3, 2), mode='bilinear')
    expected = head.conv_seg(head.bottleneck(torch.cat([x, out], 1)))
    torch.testing.assert_close(head([x]), expected)


@pytest.mark.parametrize('psa_type', ['collect', 'distribute', 'bi-direction'])
def test_compact_masks_are_relative_ones_with_other_numbers(psa_type):
    """A mask entry per pixel of the map: the same head as one whose psa_mask changes nothing."""
    head = _small(psa_type=psa_type, compact=True, mask_size=(3, 2), shrink_factor=1)
    feat = torch.rand(2, 4, 3, 2)
    spoken = head.attention(feat).flatten(2)  # [n, p, q]: q says it of p
    collected = feat.flatten(2) @ spoken.softmax(1)
    given = feat.flatten(2) @ spoken.transpose(1, 2).softmax(1)
    for distribute, expected in ((False, collected), (True, given)):
        torch.testing.assert_close(head._attended(feat, head.attention, distribute).flatten(2),
                                   expected)
    with pytest.raises(ShapeError, match=r'\(3, 2\)'):
        head([torch.rand(1, 3, 2, 3)])


@pytest.mark.parametrize(('size', 'expected'), [
    ((97, 97), ((49, 49), True)), ((64, 128), ((32, 64), False)), ((97, 128), ((48, 64), False)),
    ((1, 2), ((1, 1), False)), ((1, 1), ((1, 1), True))])
def test_the_size_of_the_map_that_attends(size, expected):
    assert _small()._shrunk(size) == expected
    assert _small(shrink_factor=1, align_corners=True)._shrunk(size) == (size, True)


def test_names_of_published_weights():
    head = PSAHead(mask_size=(97, 97), in_channels=2048, in_index=3, channels=512,
                   num_classes=19, norm_cfg=dict(type='SyncBN'))
    shapes = {k: tuple(v.shape) for k, v in head.state_dict().items() if '.bn.' not in k}
    assert shapes == {
        'reduce.conv.weight': (512, 2048, 1, 1), 'reduce_p.conv.weight': (512, 2048, 1, 1),
        'attention.0.conv.weight': (512, 512, 1, 1), 'attention.1.weight': (9409, 512, 1, 1),
        'attention_p.0.conv.weight': (512, 512, 1, 1), 'attention_p.1.weight': (9409, 512, 1, 1),
        'proj.conv.weight': (2048, 1024, 1, 1), 'bottleneck.conv.weight': (512, 4096, 3, 3),
        'conv_seg.weight': (19, 512, 1, 1), 'conv_seg.bias': (19,)}
    assert head.proj.conv.padding == (1, 1)


def test_unknown_type():
    with pytest.raises(ConfigError, match="'both'"):
        _small(psa_type='both')
