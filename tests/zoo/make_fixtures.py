"""Make the fixtures of the zoo test again, by running mmsegmentation's own models.

It needs an environment of its own, in which mmsegmentation 1.2.2 can be imported on a CPU; tests
never import this file, and nothing here imports segplug:

    pip install torch 'numpy<2' 'setuptools<81' mmengine==0.10.7 mmcv-lite==2.1.0 \\
        mmsegmentation==1.2.2 ftfy regex
    python tests/zoo/make_fixtures.py                          # all
    python tests/zoo/make_fixtures.py --only ann --out DIR     # the entries of some methods

It writes models, keys, numbers and slim (fixtures/README.md says what they hold) to ``--out``,
by default over the committed ones, and prints how far what it found lies from these. mmcv's
compiled module is stood in for by compiled_stand_in.py. One process, on one core.
"""

import argparse
import hashlib
import json
import logging
import sys
import warnings
from pathlib import Path

import compiled_stand_in

compiled_stand_in.install()
warnings.filterwarnings('ignore')
logging.disable(logging.WARNING)

# Only after the stand-in is in its place.
import mmseg  # noqa: E402
import mmseg.models  # noqa: E402
import observe  # noqa: E402
import torch  # noqa: E402
from mmengine.config import Config, ConfigDict  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmseg.registry import MODELS  # noqa: E402

FIXTURES = ('models', 'keys', 'numbers', 'slim')
SEGMENTORS = {'EncoderDecoder', 'CascadeEncoderDecoder'}
# The parts of the convolutional methods: a config is of these methods when all its parts are.
BACKBONES = {
    'ResNet', 'ResNetV1c', 'ResNetV1d', 'ResNeXt', 'ResNeSt', 'HRNet', 'MobileNetV2',
    'MobileNetV3', 'UNet', 'BiSeNetV1', 'BiSeNetV2', 'STDCNet', 'STDCContextPathNet', 'ICNet',
    'FastSCNN', 'ERFNet', 'CGNet', 'DDRNet', 'PIDNet'}
NECKS = {'FPN', 'Feature2Pyramid', 'JPU', 'ICNeck', 'MultiLevelNeck'}
HEADS = {
    'FCNHead', 'PSPHead', 'ASPPHead', 'DepthwiseSeparableASPPHead', 'UPerHead', 'OCRHead',
    'FPNHead', 'PointHead', 'NLHead', 'DNLHead', 'GCHead', 'CCHead', 'DAHead', 'EMAHead',
    'EncHead', 'ISAHead', 'PSAHead', 'ANNHead', 'APCHead', 'DMHead', 'LRASPPHead',
    'DepthwiseSeparableFCNHead', 'STDCHead', 'DDRHead', 'PIDHead'}


# --- which models ----------------------------------------------------------------------------

def heads_of(model: dict) -> list[dict]:
    found = []
    for value in (model.get('decode_head'), model.get('auxiliary_head')):
        found += value if isinstance(value, list | tuple) else [value] if value else []
    return found


def is_of_these_methods(model: dict) -> bool:
    neck = model.get('neck')
    return (model['type'] in SEGMENTORS and model.get('backbone', {}).get('type') in BACKBONES
            and (not neck or neck['type'] in NECKS)
            and all(head['type'] in HEADS for head in heads_of(model)))


def collect(root: Path) -> list[dict]:
    """Each distinct model dict with the names of its configs, in the order of the names.

    ``keys`` names its structure: what decides on the state dict. ``numbers`` names its wiring:
    the structure without the number of classes.
    """
    found = {}
    for path in sorted(root.rglob('*.py')):
        name = path.relative_to(root)
        if '_base_' in name.parts or name.parts[0] == 'dsdl':
            continue
        try:
            model = Config.fromfile(path).model.to_dict()
        except ImportError:  # of mmpretrain or mmdet, which no convolutional method needs
            continue
        if is_of_these_methods(model):
            model = observe.cleaned(model)
            text = json.dumps(observe.pack(model), sort_keys=True)
            found.setdefault(text, (model, []))[1].append(name.as_posix())
    wiring = (*observe.NOT_STRUCTURE, 'num_classes')
    return [dict(model=model, configs=configs, keys=short_hash(observe.structure(model)),
                 numbers=short_hash(observe.structure(model, wiring)))
            for model, configs in found.values()]


def short_hash(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()[:12]


def methods_of(entry: dict) -> set[str]:
    return {config.split('/')[0] for config in entry['configs']}


# --- what is written down of a model ---------------------------------------------------------

def build(model: dict) -> torch.nn.Module:
    return MODELS.build(ConfigDict(model))


def keys_of(model: dict) -> dict[str, list[int]]:
    return {name: list(shape) for name, shape in observe.shapes(build(model)).items()}


def in_parts(keys: dict[str, list[int]]) -> dict[str, dict]:
    """'decode_head.0.conv.weight' -> part 'decode_head.0', name 'conv.weight'."""
    parts = {}
    for key, shape in keys.items():
        part, name = key.split('.', 1)
        if name.split('.')[0].isdigit():
            number, name = name.split('.', 1)
            part = f'{part}.{number}'
        parts.setdefault(part, {})[name] = shape
    return parts


def image_shape(model: dict, is_slim: bool) -> tuple[int, int, int, int]:
    """A small image that reaches every part of the model; two of them where that is cheap."""
    kinds = {head['type'] for head in heads_of(model)}
    backbone = model['backbone'].get('backbone_cfg') or model['backbone']
    if 'LRASPPHead' in kinds:
        return 1, 3, 400, 416  # its pooling window has 49 x 49 cells of stride 8
    if 'PointHead' in kinds:
        return 2, 3, 64, 80  # so few pixels that all are refined: no choice between near-ties
    if 'ASPPHead' in kinds and backbone.get('depth') == 18:
        return 1, 3, 320, 384  # wider than the largest dilation
    widest = (backbone.get('extra') or {}).get('stage4', {}).get('num_channels', (0,))[0]
    if not is_slim and (backbone.get('depth') in (101, 152) or widest == 48):
        return 1, 3, 64, 96  # slow; other backbones show the same heads larger images
    return 2 if is_slim else 1, 3, 128, 160


def numbers_of(model: dict, shape: tuple[int, int, int, int]) -> dict:
    kinds = {head['type'] for head in heads_of(model)}
    dtype = 'float32' if 'PointHead' in kinds else 'float64'  # its points are float32
    net = build(model)
    observe.set_weights(net, dtype)
    return dict(
        shape=list(shape), dtype=dtype, parameters=sum(p.numel() for p in net.parameters()),
        outputs={name: observe.summary(value)
                 for name, value in observe.outputs(net, shape).items()})


def slim_of(method: str, entries: list[dict]) -> dict:
    """The numbers of the smallest Cityscapes model of ``method``, at a quarter of its width."""
    candidates = [e for e in entries if method in methods_of(e)
                  and any('cityscapes' in config for config in e['configs'])]
    entry = min(candidates, key=lambda e: sum(
        torch.Size(shape).numel() for shape in keys_of(e['model']).values()))
    model = observe.slim(entry['model'])
    config = next(config for config in entry['configs']
                  if config.startswith(f'{method}/') and 'cityscapes' in config)
    shape = image_shape(model, is_slim=model != entry['model'])
    return dict(model=model, config=config, **numbers_of(model, shape))


# --- all of it -------------------------------------------------------------------------------

def make(entries: list[dict], methods: list[str]) -> dict[str, object]:
    """The fixtures, of ``methods`` alone."""
    slim = {}
    for method in methods:
        progress('slim', method)
        slim[method] = slim_of(method, entries)
    first = {}
    for entry in entries:
        first.setdefault(entry['numbers'], entry)
    chosen = [entry for entry in entries if methods_of(entry) & set(methods)]
    numbers, keys, parts = {}, {}, {}
    for entry in chosen:
        if entry['numbers'] not in numbers:
            model, config = (first[entry['numbers']][key] for key in ('model', 'configs'))
            progress('numbers', config[0])
            numbers[entry['numbers']] = dict(
                config=config[0], **numbers_of(model, image_shape(model, is_slim=False)))
        if entry['keys'] not in keys:
            progress('keys', entry['configs'][0])
            groups = in_parts(keys_of(entry['model']))
            names = {part: short_hash(json.dumps(group, sort_keys=True))
                     for part, group in groups.items()}
            keys[entry['keys']] = names
            parts.update({names[part]: group for part, group in groups.items()})
    return dict(models=chosen, keys=dict(models=keys, parts=parts), numbers=numbers, slim=slim)


def progress(*words: str) -> None:
    print(*words, file=sys.stderr, flush=True)


def compare(made: dict) -> str:
    """How what was made lies to what is committed: exactly for names, in numbers by difference."""
    lines = []
    committed = {name: observe.read(name) for name in FIXTURES}
    same = sum(entry in committed['models'] for entry in made['models'])
    lines.append(f'models: {same} of {len(made["models"])} as committed')
    for kind in ('models', 'parts'):
        known = committed['keys'][kind]
        same = sum(known.get(name) == value for name, value in made['keys'][kind].items())
        lines.append(f'keys, {kind}: {same} of {len(made["keys"][kind])} as committed')
    for kind in ('numbers', 'slim'):
        same = sum(committed[kind].get(name) == value for name, value in made[kind].items())
        worst = max((observe.difference(summary, committed[kind][name]['outputs'][output])
                     for name, value in made[kind].items() if name in committed[kind]
                     for output, summary in value['outputs'].items()), default=0)
        lines.append(f'{kind}: {same} of {len(made[kind])} as committed to the last digit; '
                     f'largest difference {worst:.1e}')
    return '\n'.join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--configs', type=Path, help='mmsegmentation\'s configs; else those that '
                        'its wheel carries', default=Path(mmseg.__file__).parent / '.mim/configs')
    parser.add_argument('--only', nargs='+', metavar='METHOD', help='folders of configs')
    parser.add_argument('--out', type=Path, default=observe.FIXTURES)
    args = parser.parse_args()
    if args.only and args.out == observe.FIXTURES:
        parser.error('--only makes a part of the fixtures: give it an --out of its own')
    torch.set_num_threads(1)
    init_default_scope('mmseg')
    entries = collect(args.configs)
    known = set().union(*map(methods_of, entries))
    if unknown := set(args.only or ()) - known:
        parser.error(f'{sorted(unknown)} are none of the methods, {sorted(known)}')
    made = make(entries, sorted(args.only or known))
    print(compare(made))
    args.out.mkdir(parents=True, exist_ok=True)
    for name, value in made.items():
        observe.write(name, value, args.out)


if __name__ == '__main__':
    main()
