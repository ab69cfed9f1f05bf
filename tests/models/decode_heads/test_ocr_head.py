import pytest
import torch
import torch.nn.functional as F

from segplug.models.decode_heads import OCRHead
from segplug.models.decode_heads.ocr_head import gather_regions


def _head(**options) -> OCRHead:
    torch.manual_seed(0)
    head = OCRHead(3, in_channels=4, channels=6, num_classes=2, norm_cfg=dict(type='BN'),
                   **options).eval()
    for p in head.parameters():
        p.data.uniform_(-0.5, 0.5)
    return head


def test_a_region_is_a_weighted_mean_of_pixels():
    """Two pixels of features 1 and 5. Class 0 is as sure of both, class 1 has weights 1/4, 3/4."""
    feats = torch.tensor([1., 5.]).view(1, 1, 1, 2)
    logits = torch.tensor([[7., 7.], [0., 3.]]).view(1, 2, 1, 2)
    logits[0, 1, 0, 1] = torch.tensor(3.).log()
    assert gather_regions(feats, logits).flatten().tolist() == pytest.approx([3, 4])
    # Twice the logits: weights 1/10 and 9/10.
    assert gather_regions(feats, logits, 2).flatten().tolist() == pytest.approx([3, 4.6])


@torch.no_grad()
def test_each_pixel_attends_to_the_regions():
    """Equations 3 to 5 of the paper, one pixel and class after the other."""
    head, x, coarse = _head(), torch.randn(1, 4, 3, 2), torch.randn(1, 2, 3, 2)
    block = head.object_context_block
    feats = head.bottleneck(x)
    regions = gather_regions(feats, coarse)
    query, key = block.query_project(feats), block.key_project(regions)
    value = block.value_project(regions)
    context = torch.zeros(1, 3, 3, 2)
    for i in range(3):
        for j in range(2):
            relation = torch.stack([(query[0, :, i, j] * key[0, :, k, 0]).sum()
                                    for k in range(2)]) / 3 ** 0.5
            weights = relation.exp() / relation.exp().sum()
            for k in range(2):
                context[0, :, i, j] += weights[k] * value[0, :, k, 0]
    joined = torch.cat([block.out_project(context), feats], dim=1)
    expected = head.conv_seg(block.bottleneck(joined))
    assert torch.allclose(head([x], coarse), expected, atol=1e-5)


@torch.no_grad()
def test_with_a_scale_pixels_attend_in_groups():
    """2x2 pixels share a query, the largest of theirs, so the same context is joined to each."""
    head, coarse = _head(scale=2), torch.randn(1, 2, 4, 6)
    block, seen = head.object_context_block, []
    block.bottleneck.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    assert head([torch.randn(1, 4, 4, 6)], coarse).shape == (1, 2, 4, 6)
    feats = seen[0][:, 6:]
    regions = gather_regions(feats, coarse, 2)
    query = F.max_pool2d(block.query_project(feats), 2).flatten(2)
    weights = (query.transpose(1, 2) @ block.key_project(regions).flatten(2) / 3 ** 0.5).softmax(2)
    context = (weights @ block.value_project(regions).flatten(2).transpose(1, 2)).transpose(1, 2)
    small = block.out_project(context.unflatten(2, (2, 3)))
    expected = F.interpolate(small, size=(4, 6), mode='bilinear')
    assert torch.allclose(seen[0][:, :6], expected, atol=1e-5)


def test_logits_of_another_size_are_brought_to_the_levels():
    head, x, coarse = _head(), torch.randn(1, 4, 4, 4), torch.randn(1, 2, 2, 2)
    grown = F.interpolate(coarse, scale_factor=2, mode='bilinear')
    assert torch.equal(head([x], coarse), head([x], grown))


def test_published_layout():
    """The convolutions of the published weights, as (out, in) channels."""
    head = OCRHead(256, in_channels=270, channels=512, num_classes=19, norm_cfg=dict(type='BN'))
    shapes = {k: tuple(v.shape[:2]) for k, v in head.state_dict().items() if v.dim() == 4}
    block = 'object_context_block'
    assert shapes == {
        'conv_seg.weight': (19, 512), 'bottleneck.conv.weight': (512, 270),
        f'{block}.bottleneck.conv.weight': (512, 1024),
        f'{block}.key_project.0.conv.weight': (256, 512),
        f'{block}.key_project.1.conv.weight': (256, 256),
        f'{block}.query_project.0.conv.weight': (256, 512),
        f'{block}.query_project.1.conv.weight': (256, 256),
        f'{block}.value_project.conv.weight': (256, 512),
        f'{block}.out_project.conv.weight': (512, 256)}
