"""Names of the authors' own networks as mmsegmentation's, which are ours.

PIDNet, DDRNet, STDC and HRNet. Their sources, read for names alone:
https://github.com/XuJiacong/PIDNet, https://github.com/ydhongHIT/DDRNet,
https://github.com/MichaelFan01/STDC-Seg and https://github.com/HRNet/HRNet-Semantic-Segmentation
(all MIT).
"""

import re
from collections.abc import Collection

from torch import Tensor

_CONV_NORM = {'0': 'conv', '1': 'bn'}
_NORM_FIRST = {'0': 'bn', '2': 'conv'}  # norm, activation, convolution
_POOL_FIRST = {'1': 'bn', '3': 'conv'}


def is_pidnet(names: Collection[str]) -> bool:
    return 'compression3.0.weight' in names and any(n.startswith('layer3_d.') for n in names)


def pidnet(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """A PIDNet of its authors, with heads or without, as backbone and PIDHead."""
    rules = [
        *_stages(('layer3', 'layer4', 'layer5'), 'i_branch_layers'),
        *_stages(('layer3_', 'layer4_', 'layer5_'), 'p_branch_layers'),
        *_stages(('layer3_d', 'layer4_d', 'layer5_d'), 'd_branch_layers'),
        *((f'{name}{i + 2}', f'{ours}{i}', _CONV_NORM) for i in (1, 2)
          for name, ours in (('compression', 'compression_'), ('diff', 'diff_'))),
        *((f'pag{i + 2}.{theirs}', f'pag_{i}.{ours}', _CONV_NORM) for i in (1, 2)
          for theirs, ours in (('f_x', 'f_p'), ('f_y', 'f_i'))),
        ('spp.scale_process', 'spp.processes', _NORM_FIRST),
        *((f'dfm.conv_{branch}', f'dfm.f_{branch}', _CONV_NORM) for branch in 'pi'),
        ('dfm.conv', 'dfm.conv', _NORM_FIRST),
    ]
    heads = {'final_layer': ('i_head.conv', 'i_head.norm', 'conv_seg'),
             'seghead_p': ('p_head.conv', 'p_head.norm', 'p_cls_seg'),
             'seghead_d': ('d_head.conv', 'd_head.norm', 'd_cls_seg')}
    return _branch_net(weights, rules, heads, dict(_CONV_NORM))


def is_ddrnet(names: Collection[str]) -> bool:
    return {'compression3.0.weight', 'down3.0.weight', 'down4.3.weight'} <= set(names)


def ddrnet(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """A DDRNet of its authors, for segmentation or ImageNet, as backbone and DDRHead."""
    rules = [
        *_stages(('layer3', 'layer4', 'layer5'), 'context_branch_layers'),
        *_stages(('layer3_', 'layer4_', 'layer5_'), 'spatial_branch_layers'),
        *((f'compression{i + 2}', f'compression_{i}', _CONV_NORM) for i in (1, 2)),
        ('down3', 'down_1', _CONV_NORM),
        ('down4', 'down_2', {'0': '0.conv', '1': '0.bn', '3': '1.conv', '4': '1.bn'}),
    ]
    heads = {'final_layer': ('head.0', 'head.1', 'conv_seg'),
             'seghead_extra': ('aux_head.0', 'aux_head.1', 'aux_cls_seg')}
    return _branch_net(weights, rules, heads, {'0': '0', '1': '1'})


def _stages(theirs: tuple[str, ...], ours: str) -> list[tuple[str, str, None]]:
    return [(name, f'{ours}.{i}', None) for i, name in enumerate(theirs)]


def _branch_net(weights: dict[str, Tensor], rules: list[tuple], heads: dict[str, tuple],
                shortcut: dict[str, str]) -> dict[str, Tensor]:
    """What both have alike: the stem, residual blocks, pyramid pooling, heads.

    Args:
        rules: (their prefix, ours, what their numbered layers are called), the last None for a
            stage of residual blocks.
        heads: Their head -> our 3x3 (with its norm before), norm, and classifier.
        shortcut: What the numbered layers of a shortcut are called.
    """
    rules = [
        ('conv1', 'stem', {'0': '0.conv', '1': '0.bn', '3': '1.conv', '4': '1.bn'}),
        ('layer1', 'stem.2', None), ('layer2', 'stem.4', None), *rules,
        ('spp.scale0', 'spp.scales.0', _NORM_FIRST),
        *((f'spp.scale{i}', f'spp.scales.{i}.1', _POOL_FIRST) for i in range(1, 5)),
        *((f'spp.process{i}', f'spp.processes.{i - 1}', _NORM_FIRST) for i in range(1, 5)),
        *((f'spp.{part}', f'spp.{part}', _NORM_FIRST) for part in ('compression', 'shortcut'))]
    blocks = {f'{kind}{i}': f'conv{i}.{ours}' for i in (1, 2, 3)
              for kind, ours in (('conv', 'conv'), ('bn', 'bn'))}
    blocks |= {f'downsample.{theirs}': f'downsample.{ours}' for theirs, ours in shortcut.items()}

    def renamed(name: str) -> str:
        first = name.split('.')[0]
        if first in heads:
            conv, norm, classifier = heads[first]
            layers = {'bn1': f'{conv}.bn', 'conv1': f'{conv}.conv', 'bn2': norm,
                      'conv2': classifier}
            _, layer, leaf = name.split('.')
            return f'decode_head.{layers[layer]}.{leaf}'
        for theirs, ours, layers in rules:
            if name.startswith(f'{theirs}.'):
                inside, _, leaf = name.removeprefix(f'{theirs}.').rpartition('.')
                if layers is None:
                    number = re.match(r'(\d+\.)?', inside)[0]
                    layer = blocks.get(inside.removeprefix(number))
                    return f'backbone.{ours}.{number}{layer}.{leaf}' if layer else name
                if inside in layers:
                    return f'backbone.{ours}.{layers[inside]}.{leaf}'
        return name

    return fold_biases({renamed(name): value for name, value in weights.items()},
                       ('backbone.stem.0', 'backbone.stem.1'))


def fold_biases(weights: dict[str, Tensor], convs: Collection[str]) -> dict[str, Tensor]:
    """Take a convolution's bias out of the mean that the norm behind it subtracts.

    norm(Wx + b) with mean m is norm(Wx) with mean m - b. Our convolutions before a norm have no
    bias.
    """
    weights = dict(weights)
    for name in convs:
        bias = weights.pop(f'{name}.conv.bias', None)
        if bias is not None and f'{name}.bn.running_mean' in weights:
            weights[f'{name}.bn.running_mean'] = weights[f'{name}.bn.running_mean'] - bias
    return weights


def is_stdc(names: Collection[str]) -> bool:
    return any(re.match(r'(cp\.backbone\.)?features\.2\.conv_list\.', name) for name in names)


# Blocks of stages 3, 4 and 5, by all layers of 'features': table 2 of the paper.
_STDC = {8: (2, 2, 2), 14: (4, 5, 3)}


def stdc(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """An STDC of its authors as ours; of their segmenter the encoder alone.

    The segmenter's norms are in-place ones, whose weights count by their absolute value.
    """
    inner = {name.removeprefix('cp.backbone.'): value for name, value in weights.items()}
    count = 1 + max(int(name.split('.')[1]) for name in inner if name.startswith('features.'))
    places = ['0', '1', *(f'{stage + 2}.{i}' for stage, blocks in enumerate(_STDC.get(count, ()))
                          for i in range(blocks))]
    renamed = {}
    for name, value in inner.items():
        parts = name.split('.')
        if re.fullmatch(r'x(2|4|8|16|32)', parts[0]):
            continue  # the same layers a second time
        if parts[0] == 'features' and int(parts[1]) < len(places):
            rest = '.'.join(parts[2:]).replace('conv_list.', 'layers.')
            rest = re.sub(r'^avd_layer\.([01])\.',
                          lambda m: f'downsample.{_CONV_NORM[m[1]]}.', rest)
            name = f'stages.{places[int(parts[1])]}.{rest}'
        elif parts[0] == 'conv_last':
            name = f'final_conv.{".".join(parts[1:])}'
        renamed[name] = value
    return renamed


def is_hrnet(names: Collection[str]) -> bool:
    return {'transition3.3.0.0.weight', 'last_layer.0.weight', 'last_layer.3.weight'} <= set(names)


def hrnet(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The segmenter of HRNet's authors as HRNet and an FCNHead of one 1x1; the encoder is alike."""
    head = {'0': 'convs.0.conv', '1': 'convs.0.bn', '3': 'conv_seg'}
    renamed = {}
    for name, value in weights.items():
        first, _, rest = name.partition('.')
        layer, _, leaf = rest.partition('.')
        place = f'decode_head.{head[layer]}.{leaf}' if first == 'last_layer' else f'backbone.{name}'
        renamed[place] = value
    return fold_biases(renamed, ['decode_head.convs.0'])
