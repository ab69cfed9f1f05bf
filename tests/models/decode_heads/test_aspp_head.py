import torch
import torch.nn.functional as F

from segplug.models.decode_heads import ASPPHead


def _dilated(x: torch.Tensor, weight: torch.Tensor, dilation: int) -> torch.Tensor:
    """Equation 1 of the paper, y[i] = sum over k of x[i + r k] w[k], with zeros outside."""
    n, _, height, width = x.shape
    y = torch.zeros(n, weight.shape[0], height, width, dtype=x.dtype)
    for i in range(height):
        for j in range(width):
            for a in (-1, 0, 1):
                for b in (-1, 0, 1):
                    p, q = i + dilation * a, j + dilation * b
                    if 0 <= p < height and 0 <= q < width:
                        y[:, :, i, j] += x[:, :, p, q] @ weight[:, :, a + 1, b + 1].T
    return y


def test_the_paper_written_out():
    torch.manual_seed(0)
    head = ASPPHead(dilations=(1, 2, 3), in_channels=4, channels=3, num_classes=2).eval()
    x = torch.rand(2, 4, 6, 5)
    pool = head.image_pool[1].conv
    mean = (x.mean((2, 3)) @ pool.weight[:, :, 0, 0].T + pool.bias)[:, :, None, None]
    parts = [mean.expand(2, 3, 6, 5)]
    for dilation, branch in zip((1, 2, 3), head.aspp_modules, strict=True):
        weight = branch.conv.weight
        if dilation == 1:
            assert weight.shape == (3, 4, 1, 1)
            weight = F.pad(weight, (1, 1, 1, 1))
        parts.append(_dilated(x, weight, dilation) + branch.conv.bias[:, None, None])
    conv = head.bottleneck.conv
    joined = torch.cat([part.relu() for part in parts], 1)
    feat = (_dilated(joined, conv.weight, 1) + conv.bias[:, None, None]).relu()
    assert torch.allclose(head([x]), head.conv_seg(feat), atol=1e-6)


def test_names_of_published_weights():
    head = ASPPHead(in_channels=2048, in_index=3, channels=512, num_classes=19,
                    norm_cfg=dict(type='SyncBN'))
    shapes = {k: tuple(v.shape) for k, v in head.state_dict().items() if k.endswith('conv.weight')
              or k.startswith('conv_seg')}
    assert shapes == {
        'conv_seg.weight': (19, 512, 1, 1), 'conv_seg.bias': (19,),
        'image_pool.1.conv.weight': (512, 2048, 1, 1),
        'aspp_modules.0.conv.weight': (512, 2048, 1, 1),
        **{f'aspp_modules.{i}.conv.weight': (512, 2048, 3, 3) for i in (1, 2, 3)},
        'bottleneck.conv.weight': (512, 5 * 512, 3, 3)}
