import torch
import torch.nn.functional as F

from segplug.models.decode_heads import GCHead


def _head(**kwargs) -> GCHead:
    head = GCHead(**{**dict(in_channels=3, channels=8, num_classes=2), **kwargs}).eval()
    for name, conv in head.gc_block.named_children():
        if name.endswith('conv'):
            torch.nn.init.normal_(conv[-1].weight)  # starts at zero
    return head


@torch.no_grad()
def test_context_is_the_attended_mean_added_to_every_pixel():
    """z_i = x_i + W2 ReLU(LN(W1 sum_j a_j x_j)), a = softmax over pixels; figure 4 (d)."""
    block, x = _head().gc_block, torch.randn(1, 8, 2, 3)
    weights = block.conv_mask(x)[0, 0].exp()
    context = sum(weights[i, j] * x[0, :, i, j] for i in range(2) for j in range(3)) \
        / weights.sum()
    w1, norm, _, w2 = block.channel_add_conv
    hidden = w1.weight[..., 0, 0] @ context + w1.bias
    hidden = F.relu((hidden - hidden.mean()) / (hidden.var(unbiased=False) + norm.eps).sqrt())
    added = w2.weight[..., 0, 0] @ hidden + w2.bias
    assert len(hidden) == 2
    assert torch.allclose(block(x), x + added[:, None, None], atol=1e-5)


@torch.no_grad()
def test_plain_mean_and_product():
    block = _head(pooling_type='avg', fusion_types=['channel_mul']).gc_block
    x = torch.randn(2, 8, 2, 3)
    factor = block.channel_mul_conv(x.mean((2, 3), keepdim=True)).sigmoid()
    assert torch.allclose(block(x), x * factor, atol=1e-6)


def test_block_stands_between_the_two_convolutions():
    head, seen = _head(), []
    chain = [head.convs[0], head.gc_block, head.convs[1]]
    for module in chain:
        module.register_forward_hook(lambda *call: seen.append(call))
    head([torch.randn(1, 3, 4, 5)])
    assert [call[0] for call in seen] == chain
    assert seen[1][1][0] is seen[0][2]
    assert seen[2][1][0] is seen[1][2]


def test_published_names():
    keys = {key for key in _head().state_dict() if key.startswith('gc_block')}
    assert keys == {f'gc_block.{name}.{kind}' for kind in ('weight', 'bias')
                    for name in ('conv_mask', 'channel_add_conv.0', 'channel_add_conv.1',
                                 'channel_add_conv.3')}
