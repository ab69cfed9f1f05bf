"""Groups of toy networks, counted by hand; rates are powers of 2, so that they are exact."""

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import nn

from segplug.engine.layer_decay import (
    LearningRateDecayOptimizerConstructor,
    get_layer_id_for_convnext,
    get_layer_id_for_vit,
    get_stage_id_for_convnext,
    numbering,
)
from segplug.errors import ConfigError


class ConvNeXtToy(nn.Module):
    """Stages of one block, with what downsamples before each."""

    def __init__(self):
        super().__init__()
        self.pos_embed = nn.Parameter(torch.ones(1, 2))
        self.downsample_layers = nn.ModuleList(nn.Conv2d(1, 1, 1, bias=False) for _ in range(4))
        self.stages = nn.ModuleList(nn.Sequential(nn.Conv2d(1, 1, 1)) for _ in range(4))


class BEiTToy(nn.Module):
    def __init__(self):
        super().__init__()
        self.cls_token = nn.Parameter(torch.ones(1))
        self.layers = nn.ModuleList(nn.Linear(1, 1) for _ in range(2))
        self.frozen = nn.Parameter(torch.ones(1), requires_grad=False)


class Segmentor(nn.Module):
    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone
        self.decode_head = nn.Conv2d(1, 1, 1)


def groups(backbone, constructor='LearningRateDecayOptimizerConstructor', **paramwise):
    """Name -> rate and weight decay."""
    cfg = dict(type='OptimWrapper', constructor=constructor, paramwise_cfg=paramwise,
               optimizer=dict(type='AdamW', lr=1.0, weight_decay=0.5))
    with DefaultScope.overwrite_default_scope('segplug'):
        wrapper = build_optim_wrapper(Segmentor(backbone), cfg)
    assert all(g['lr'] == g['lr_scale'] for g in wrapper.optimizer.param_groups)
    return {name: (group['lr'], group['weight_decay'])
            for group in wrapper.optimizer.param_groups for name in group['param_names']}


def test_a_transformer_by_layer():
    """Of two layers there are four steps: what embeds 1/8, layers 1/4 and 1/2, the head 1."""
    found = groups(BEiTToy(), num_layers=2, decay_rate=0.5)
    assert found == {
        'backbone.cls_token': (1 / 8, 0.0),
        'backbone.layers.0.weight': (1 / 4, 0.5), 'backbone.layers.0.bias': (1 / 4, 0.0),
        'backbone.layers.1.weight': (1 / 2, 0.5), 'backbone.layers.1.bias': (1 / 2, 0.0),
        'decode_head.weight': (1.0, 0.5), 'decode_head.bias': (1.0, 0.0)}
    with pytest.warns(DeprecationWarning, match='decay_rate'):
        assert groups(BEiTToy(), 'LayerDecayOptimizerConstructor', num_layers=2,
                      layer_decay_rate=0.5) == found


def test_a_convnext_by_layer_and_by_stage():
    """Of six layers the head is the seventh; by stage the head is the last of eight."""
    by_layer = groups(ConvNeXtToy(), num_layers=6, decay_rate=0.5, decay_type='layer_wise')
    by_stage = groups(ConvNeXtToy(), num_layers=6, decay_rate=0.5, decay_type='stage_wise')
    layers = {'pos_embed': 0, 'downsample_layers.0': 0, 'downsample_layers.1': 2,
              'downsample_layers.2': 3, 'downsample_layers.3': 6, 'stages.0.0': 1,
              'stages.1.0': 2, 'stages.2.0': 3, 'stages.3.0': 6}
    for part, layer in layers.items():
        name = f'backbone.{part}' if part == 'pos_embed' else f'backbone.{part}.weight'
        assert by_layer[name][0] == 2.0 ** (layer - 7)
        stage = int(part[7]) + 1 if part.startswith('stages') else 0
        assert by_stage[name][0] == 2.0 ** (stage - 7)
    assert by_layer['decode_head.weight'] == by_stage['decode_head.weight'] == (1.0, 0.5)


def test_three_blocks_of_the_third_stage_make_a_layer():
    names = [f'backbone.stages.2.{block}.gamma' for block in (0, 2, 3, 26)]
    assert [get_layer_id_for_convnext(name, 12) for name in names] == [3, 3, 4, 11]
    assert get_stage_id_for_convnext(names[0], 14) == 3
    assert get_layer_id_for_vit('backbone.patch_embed.projection.weight', 14) == 0


def test_what_is_not_known_or_missing():
    for backbone, kind in (('ResNet', 'layer_wise'), ('BEiT', 'stage_wise'), ('MAE', 'blocks')):
        with pytest.raises(NotImplementedError, match=f'The layers of {backbone}') as error:
            numbering(backbone, kind, 12)
        assert isinstance(error.value, ConfigError)
    cfg = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=1.0))
    with pytest.raises(ConfigError, match='needs decay_rate'):
        LearningRateDecayOptimizerConstructor(cfg, dict(num_layers=3))(Segmentor(BEiTToy()))
