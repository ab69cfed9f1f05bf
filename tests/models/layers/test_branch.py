from functools import partial

import pytest
import torch
from mmcv.cnn import ConvModule

from segplug.models.layers import BranchBlock, branch_stage, branch_stem

BN, RELU = dict(type='BN'), dict(type='ReLU', inplace=True)
OPTIONS = dict(norm_cfg=BN, act_cfg=RELU, shortcut=lambda cin, cout, stride: ConvModule(
    cin, cout, 1, stride=stride, norm_cfg=BN, act_cfg=None))


@pytest.mark.parametrize(('bottleneck', 'num_blocks', 'acts'), [
    (False, 1, [True]), (False, 2, [True, False]), (False, 4, [True, True, True, False]),
    (True, 1, [False]), (True, 2, [False, False])])
def test_where_a_stage_has_activations(bottleneck, num_blocks, acts):
    """As in the published networks: the end of a stage is added up before it is activated."""
    stage = branch_stage(4, 6, num_blocks, 2, bottleneck=bottleneck, **OPTIONS)
    assert [block.act is not None for block in stage] == acts
    assert stage(torch.rand(2, 4, 7, 5)).shape == (2, 12 if bottleneck else 6, 4, 3)


@pytest.mark.parametrize('bottleneck', [False, True])
def test_a_block_whose_last_norm_is_zero_gives_its_shortcut(bottleneck):
    block = BranchBlock(4, 6, 2, bottleneck=bottleneck, act_out=False, **OPTIONS).eval()
    last = block.conv3 if bottleneck else block.conv2
    torch.nn.init.zeros_(last.bn.weight)
    x = torch.randn(1, 4, 7, 5)
    assert torch.equal(block(x), block.downsample(x))


def test_without_a_change_of_size_or_width_there_is_no_shortcut():
    block = partial(BranchBlock, act_out=True, **OPTIONS)
    assert block(6, 6, bottleneck=False).downsample is None
    assert block(6, 3, bottleneck=True).downsample is None
    assert block(6, 6, bottleneck=True).downsample is not None


def test_the_stem_leaves_its_input_alone_and_shrinks_by_eight():
    stem = branch_stem(3, 4, 2, **OPTIONS)
    x = torch.randn(2, 3, 33, 40)
    before = x.clone()
    assert stem(x).shape == (2, 8, 5, 5)
    assert torch.equal(x, before)
