"""The blocks of networks with parallel branches."""

import torch


def test_blocks(lent):
    from mmseg.models.utils import BasicBlock, Bottleneck
    x = torch.randn(2, 4, 6, 5)
    plain = BasicBlock(4, 4, act_cfg_out=None)
    assert not hasattr(plain, 'act')
    active = BasicBlock(4, 4)
    active.load_state_dict(plain.state_dict())
    assert torch.equal(active.eval()(x), plain.eval()(x).relu())
    conv = torch.nn.Conv2d(4, 6, 1, stride=2)
    assert Bottleneck(4, 3, 2, downsample=conv)(x).shape == (2, 6, 3, 3)
    assert list(dict(plain.named_children())) == ['conv1', 'conv2']
