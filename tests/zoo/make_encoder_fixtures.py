"""Make fixtures/encoders.json.gz again: names, shapes and numbers of the encoders that torchvision,
timm and d-li14/octconv.pytorch define, by running theirs.

It needs an environment of its own; tests never import this file, and nothing here imports segplug:

    pip install torch==2.13.0 torchvision==0.29.2 timm==1.0.31
    git clone https://github.com/d-li14/octconv.pytorch octconv
    python tests/zoo/make_encoder_fixtures.py --octconv octconv

With a torchvision whose compiled part does not load beside the torch that is there, the two
operators whose names it asks for are declared: no encoder uses them.
"""

import argparse
import sys
from pathlib import Path

import observe
import torch
from torch import nn
from weights import image

SHAPE = (1, 3, 64, 96)
HEADS = ('classifier', 'last_linear', 'classif', 'fc')


def declare_operators() -> None:
    library = torch.library.Library('torchvision', 'DEF')
    library.define('nms(Tensor a, Tensor b, float c) -> Tensor')
    library.define('qnms(Tensor a, Tensor b, float c) -> Tensor')
    declare_operators.kept = library


# --- what their networks hand out: the stem and four stages ----------------------------------

def densenet_levels(net: nn.Module, x):
    """Stem, and each block's output after the norm and ReLU that follow it."""
    for name, part in net.features.named_children():
        if name.startswith('transition'):
            yield part.relu(part.norm(x)).clone()
        x = part(x)
        if name == 'relu0':
            yield x.clone()
    yield x.relu()


def vgg_levels(net: nn.Module, x):
    """What each pooling takes, but the first, and what the last gives."""
    pools = 0
    for part in net.features:
        if isinstance(part, nn.MaxPool2d):
            pools += 1
            if pools > 1:
                yield x.clone()
        x = part(x)
    yield x


def senet_levels(net: nn.Module, x):
    x = net.layer0(x)
    yield x.clone()
    x = net.pool0(x)
    for i in range(1, 5):
        x = getattr(net, f'layer{i}')(x)
        yield x.clone()


def dpn_levels(net: nn.Module, x):
    names = [name for name, _ in net.features.named_children()]
    for i, part in enumerate(net.features):
        x = part(x)
        following = names[i + 1] if i + 1 < len(names) else ''
        if following in ('conv1_pool', 'conv3_1', 'conv4_1', 'conv5_1', ''):
            yield x.clone()


def inception_levels(net: nn.Module, x):
    """Of the network padded as segmentation_models.pytorch 0.6.0 does."""
    for module in net.modules():
        if isinstance(module, nn.MaxPool2d) or getattr(module, 'kernel_size', 0) == (3, 3):
            module.padding = (1, 1)
    for name in net.layer_names:
        x = getattr(net, name)(x)
        if name in ('conv2d_2b', 'conv2d_4a', 'repeat', 'repeat_1', 'conv2d_7b'):
            yield x.clone()


def octave_levels(net: nn.Module, x):
    """The coarse half repeated to the size of the fine one."""
    x = net.relu(net.bn1(net.conv1(x)))
    yield x.clone()
    octaves = net.maxpool(x)
    for i in range(1, 5):
        octaves = getattr(net, f'layer{i}')(octaves)
        fine, coarse = octaves
        yield fine.clone() if coarse is None else torch.cat(
            [fine, coarse.repeat_interleave(2, 2).repeat_interleave(2, 3)], dim=1)


# --- all of it -------------------------------------------------------------------------------

def networks():
    """(name, how theirs is built, what it hands out, whether its numbers are written down)."""
    import timm
    import torchvision.models as tv
    from oct import oct_resnet
    for depth in (121, 161, 169, 201):
        yield f'densenet{depth}', getattr(tv, f'densenet{depth}'), densenet_levels, depth == 121
    for depth in (11, 13, 16, 19):
        for norm in ('', '_bn'):
            name = f'vgg{depth}{norm}'
            yield name, getattr(tv, name), vgg_levels, name in ('vgg11', 'vgg16_bn')
    for name in ('senet154', 'se_resnet50', 'se_resnet101', 'se_resnet152', 'se_resnext50_32x4d',
                 'se_resnext101_32x4d'):
        theirs = 'legacy_' + name.replace('se_', 'se')
        yield (name, lambda theirs=theirs: timm.create_model(theirs), senet_levels,
               not name.endswith(('101', '152', '101_32x4d')))
    for depth in (68, 92, 98, 107, 131):
        name = f'dpn{depth}'
        yield name, lambda name=name: timm.create_model(name), dpn_levels, depth == 68
    yield ('inception_resnet_v2', lambda: timm.create_model('inception_resnet_v2'),
           inception_levels, True)
    for depth in (26, 50, 101, 152, 200):
        yield (f'oct_resnet{depth}', getattr(oct_resnet, f'oct_resnet{depth}'), octave_levels,
               depth == 26)


@torch.no_grad()
def facts(build, levels_of, with_numbers: bool) -> dict:
    with torch.device('cpu' if with_numbers else 'meta'):
        net = build().eval()
    found = dict(keys={key: list(shape) for key, shape in observe.shapes(net).items()
                       if key.split('.')[0] not in HEADS})
    if with_numbers:
        observe.set_weights(net, 'float64')
        x = torch.from_numpy(image(SHAPE)).double()
        found['levels'] = [observe.summary(level) for level in levels_of(net, x)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--octconv', type=Path, required=True, help='a checkout of it')
    parser.add_argument('--out', type=Path, default=observe.FIXTURES)
    args = parser.parse_args()
    # Its modules import each other relatively, and its folder may have any name.
    package = type(sys)('oct')
    package.__path__ = [str(args.octconv)]
    sys.modules['oct'] = package
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in [name for name in sys.modules if name.split('.')[0] == 'torchvision']:
            del sys.modules[name]
        declare_operators()
    torch.set_num_threads(1)
    made = {}
    for name, *how in networks():
        print(name, file=sys.stderr, flush=True)
        made[name] = facts(*how)
    observe.write('encoders', made, args.out)


if __name__ == '__main__':
    main()
