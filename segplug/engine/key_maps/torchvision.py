"""Names of torchvision's networks, and of timm's ResNets with a deep stem, as ours.

Their sources: https://github.com/pytorch/vision (BSD-3-Clause) and
https://github.com/huggingface/pytorch-image-models (Apache-2.0); read for names alone.
"""

import re
from collections.abc import Collection
from itertools import accumulate

from torch import Tensor

# Blocks in each layer of a MobileNetV2, table 2 of https://arxiv.org/abs/1801.04381.
_V2_BLOCKS = (1, 2, 3, 4, 3, 3, 1)
_CONV_NORM = {'0': 'conv', '1': 'bn'}


def is_fcn(names: Collection[str]) -> bool:
    return {'backbone.conv1.weight', 'classifier.0.weight', 'classifier.4.weight'} <= set(names)


def fcn(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """torchvision's FCN: a 3x3, its norm and the classifier, as an FCNHead of one convolution."""
    heads = {'classifier': 'decode_head', 'aux_classifier': 'auxiliary_head'}
    layers = {'0': 'convs.0.conv', '1': 'convs.0.bn', '4': 'conv_seg'}
    return {_head(name, heads, layers): value for name, value in weights.items()}


def _head(name: str, heads: dict[str, str], layers: dict[str, str]) -> str:
    first, _, rest = name.partition('.')
    layer, _, leaf = rest.partition('.')
    return f'{heads[first]}.{layers[layer]}.{leaf}' if first in heads and layer in layers else name


def is_deeplabv3(names: Collection[str]) -> bool:
    return {'backbone.conv1.weight', 'classifier.0.convs.0.0.weight'} <= set(names)


def deeplabv3(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """torchvision's DeepLabV3: backbone and auxiliary head; the head itself has no equal here.

    It projects the branches by a 1x1 and convolves them after; an ASPPHead joins them by one 3x3.
    """
    layers = {'0': 'convs.0.conv', '1': 'convs.0.bn', '4': 'conv_seg'}
    return {_head(name, {'aux_classifier': 'auxiliary_head'}, layers): value
            for name, value in weights.items()}


def is_mobilenet_v2(names: Collection[str]) -> bool:
    return {'features.0.0.weight', 'features.1.conv.0.0.weight'} <= set(names)


def mobilenet_v2(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """torchvision's MobileNetV2 as ours; its last 1x1 and its classifier have no place."""
    starts = [0, *accumulate(_V2_BLOCKS)]
    # In a block the last convolution and its norm stand by themselves.
    bare = {}
    for name in weights:
        if match := re.fullmatch(r'features\.(\d+)\.conv\.(\d+)\.running_mean', name):
            bare[match[1]] = int(match[2])  # of the norm

    def renamed(name: str) -> str:
        parts = name.split('.')
        if parts[0] != 'features' or len(parts) < 4:
            return name
        block = int(parts[1])
        if block == 0:
            return f'conv1.{_CONV_NORM[parts[2]]}.{parts[3]}'
        if block > starts[-1] or parts[2] != 'conv':
            return name
        layer = next(i for i, start in enumerate(starts[1:]) if block <= start)
        norm = bare.get(parts[1])
        index, leaf = int(parts[3]), parts[-1]
        if len(parts) == 6:
            place = f'{index}.{_CONV_NORM[parts[4]]}'
        else:
            place = f'{norm - 1}.bn' if index == norm else f'{index}.conv'
        return f'layer{layer + 1}.{block - starts[layer] - 1}.conv.{place}.{leaf}'

    return {renamed(name): value for name, value in weights.items()}


def is_mobilenet_v3(names: Collection[str]) -> bool:
    return {'features.0.0.weight', 'features.1.block.0.0.weight'} <= set(names)


def mobilenet_v3(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """torchvision's MobileNetV3 as ours."""
    steps = {}  # of each block: index -> our name
    for name in weights:
        if match := re.match(r'features\.(\d+)\.block\.(\d+)\.(fc1|0)\.', name):
            steps.setdefault(match[1], {})[int(match[2])] = match[3] == 'fc1'
    places = {}
    for block, kinds in steps.items():
        convs = [index for index in sorted(kinds) if not kinds[index]]
        ours = ('expand_conv', 'depthwise_conv', 'linear_conv')[-len(convs):]
        places[block] = {**dict(zip(convs, ours, strict=True)),
                         **{index: 'se' for index, squeezes in kinds.items() if squeezes}}

    def renamed(name: str) -> str:
        parts = name.split('.')
        if parts[0] != 'features':
            return name
        if parts[2] != 'block':
            return f'layer{parts[1]}.{_CONV_NORM[parts[2]]}.{parts[3]}'
        place = places[parts[1]][int(parts[3])]
        inner = {'fc1': 'conv1.conv', 'fc2': 'conv2.conv', **_CONV_NORM}[parts[4]]
        return f'layer{parts[1]}.{place}.{inner}.{parts[5]}'

    return {renamed(name): value for name, value in weights.items()}


def is_old_densenet(names: Collection[str]) -> bool:
    return 'features.denseblock1.denselayer1.norm.1.weight' in names


# The published files were written before module names could hold no dot.
_OLD_NAME = re.compile(r'(.*denselayer\d+\.(?:norm|conv))\.([12]\..*)')


def old_densenet(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The published DenseNets, whose layers are called 'norm.1' where the network says 'norm1'."""
    return {_OLD_NAME.sub(r'\1\2', name): value for name, value in weights.items()}


_STEM = {'conv1.0', 'conv1.1', 'conv1.3', 'conv1.4', 'conv1.6'}


def is_deep_stem(names: Collection[str]) -> bool:
    return {*(f'{layer}.weight' for layer in _STEM), 'bn1.weight', 'layer1.0.conv1.weight'} <= set(
        names)


def deep_stem(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """timm's ResNets of kinds C and D: their stem is 'conv1.0' to 'conv1.6' and 'bn1'.

    Their shortcuts ('downsample.1' after an average) are called as ours.
    """
    def renamed(name: str) -> str:
        layer, _, leaf = name.rpartition('.')
        if layer in _STEM:
            return f'stem.{layer.removeprefix("conv1.")}.{leaf}'
        return f'stem.7.{leaf}' if layer == 'bn1' else name

    return {renamed(name): value for name, value in weights.items()}
