import pytest
import torch

from segplug.models.decode_heads import ISAHead


def test_names_of_published_weights():
    head = ISAHead(isa_channels=256, in_channels=2048, in_index=3, channels=512, num_classes=19,
                   norm_cfg=dict(type='SyncBN'))
    shapes = {k: tuple(v.shape) for k, v in head.state_dict().items()}
    convs = {k: shape for k, shape in shapes.items() if '.bn.' not in k}
    relation = {
        **{f'{name}_project.{i}.conv.weight': (256, 256 if i else 512, 1, 1)
           for name in ('key', 'query') for i in (0, 1)},
        'value_project.weight': (512, 512, 1, 1), 'value_project.bias': (512,),
        'output_project.conv.weight': (512, 512, 1, 1)}
    assert convs == {
        'in_conv.conv.weight': (512, 2048, 3, 3), 'out_conv.conv.weight': (512, 1024, 1, 1),
        'conv_seg.weight': (19, 512, 1, 1), 'conv_seg.bias': (19,),
        **{f'{which}_relation.{k}': shape for k, shape in relation.items()
           for which in ('global', 'local')}}


def _attended(block, pixels: torch.Tensor) -> torch.Tensor:
    """Pixels (S, C) -> (S, C): the block on a list of pixels, one softmax at a time."""
    as_map = pixels.T[None, :, :, None]
    query, key, value = (project(as_map)[0, :, :, 0].T for project in (
        block.query_project, block.key_project, block.value_project))
    out = []
    for q in query:
        weights = torch.stack([(q * k).sum() for k in key]) / key.shape[1] ** 0.5
        out.append(weights.softmax(0) @ value)
    return block.output_project(torch.stack(out).T[None, :, :, None])[0, :, :, 0].T


@pytest.mark.parametrize('size', [(4, 6), (5, 4)])
def test_far_pixels_then_near_ones(size):
    """Blocks of 2 x 3: first pixels of equal (i mod 2, j mod 3), then those of one block."""
    torch.manual_seed(0)
    head = ISAHead(isa_channels=4, down_factor=(2, 3), in_channels=3, channels=6,
                   num_classes=2).eval()
    feat = head.in_conv(torch.rand(1, 3, *size))
    height, width = -(-size[0] // 2) * 2, -(-size[1] // 3) * 3
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    padded = torch.zeros(6, height, width)
    padded[:, top:top + size[0], left:left + size[1]] = feat[0]

    places = [(i, j) for i in range(height) for j in range(width)]
    for block, group in ((head.global_relation, lambda i, j: (i % 2, j % 3)),
                         (head.local_relation, lambda i, j: (i // 2, j // 3))):
        before, padded = padded, torch.empty_like(padded)
        for key in {group(*p) for p in places}:
            rows, cols = zip(*(p for p in places if group(*p) == key), strict=True)
            padded[:, rows, cols] = _attended(block, before[:, rows, cols].T).T
    related = padded[None, :, top:top + size[0], left:left + size[1]]
    expected = head.conv_seg(head.out_conv(torch.cat([related, feat], 1)))

    head.in_conv = torch.nn.Identity()
    torch.testing.assert_close(head([feat]), expected)
