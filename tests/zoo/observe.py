"""What is compared of a model: its keys, and a few numbers of what it gives for a seeded image.

The same functions look at mmsegmentation's model, when the fixtures are made, and at ours, when
they are checked. Model dicts travel as JSON, in which a tuple is ``{'()': [...]}``.
"""

import copy
import gzip
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from weights import fill, image

FIXTURES = Path(__file__).with_name('fixtures')
NUM_PLACES = 64
# What has no say in keys or in the logits of a test.
NOT_STRUCTURE = ('loss_decode', 'loss_se_decode', 'sampler', 'train_cfg', 'test_cfg', 'norm_eval',
                 'with_cp', 'dropout_ratio')


def pack(value):
    """Lists, tuples, dicts and numbers -> what JSON holds."""
    if isinstance(value, dict):
        return {key: pack(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return {'()': [pack(each) for each in value]}
    return [pack(each) for each in value] if isinstance(value, list) else value


def unpack(value):
    """The inverse of `pack`."""
    if isinstance(value, dict):
        if set(value) == {'()'}:
            return tuple(unpack(each) for each in value['()'])
        return {key: unpack(each) for key, each in value.items()}
    return [unpack(each) for each in value] if isinstance(value, list) else value


def read(name: str):
    """The fixture ``name``, unpacked."""
    return unpack(json.loads(gzip.decompress((FIXTURES / f'{name}.json.gz').read_bytes())))


def write(name: str, value, folder: Path = FIXTURES) -> None:
    """Write the fixture ``name``; equal values give equal bytes."""
    text = json.dumps(pack(value), separators=(',', ':'), sort_keys=True)
    (folder / f'{name}.json.gz').write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def cleaned(value):
    """A model dict without pretrained weights and preprocessor, and with plain batch norm."""
    if isinstance(value, dict):
        value = {key: cleaned(each) for key, each in value.items()
                 if key not in ('pretrained', 'init_cfg', 'data_preprocessor')}
        if value.get('type') == 'SyncBN':
            value['type'] = 'BN'
        return value
    if isinstance(value, list | tuple):
        return type(value)(cleaned(each) for each in value)
    return value


def structure(model, drop: tuple = NOT_STRUCTURE) -> str:
    """One text for all model dicts that differ in losses and the like alone."""
    def kept(value):
        if isinstance(value, dict):
            return {key: kept(each) for key, each in value.items() if key not in drop}
        return [kept(each) for each in value] if isinstance(value, list | tuple) else value
    return json.dumps(kept(model), sort_keys=True)


def slim(model: dict) -> dict:
    """The same method at a quarter of its width, for backbones that have a width to set."""
    model = copy.deepcopy(model)
    backbone = model['backbone'].get('backbone_cfg', model['backbone'])
    if backbone['type'] in ('ResNet', 'ResNetV1c', 'ResNeSt'):
        backbone.update(base_channels=16, stem_channels=16)
    elif backbone['type'] == 'UNet':
        backbone.update(base_channels=16)
    else:
        return model
    return {part: _quarter(value) for part, value in model.items()}


def _quarter(value, name: str = ''):
    """Every number of channels, of an attention or of a pyramid, by 4."""
    if isinstance(value, dict):
        return {key: each if key in ('base_channels', 'stem_channels', 'test_cfg')
                or (key == 'in_channels' and each == 3) else _quarter(each, key)
                for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_quarter(each, name) for each in value)
    if (name.endswith('channels') or name == 'num_classes') and isinstance(value, int):
        return max(value // 4, 2)
    return value


def shapes(model: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    """State-dict names -> shapes."""
    return {key: tuple(value.shape) for key, value in model.state_dict().items()}


def set_weights(model: torch.nn.Module, dtype: str = 'float64') -> None:
    """Fill ``model`` by the rule of `weights`.

    In float64, because random weights let some deep models grow the rounding errors of float32
    beyond any tolerance.
    """
    model.to(getattr(torch, dtype))
    state = model.state_dict()
    values = fill(shapes(model))
    model.load_state_dict({key: torch.from_numpy(np.asarray(value)).to(state[key].dtype)
                           for key, value in values.items()}, strict=True)


@torch.no_grad()
def outputs(model: torch.nn.Module, shape: tuple[int, int, int, int]) -> dict[str, torch.Tensor]:
    """The logits for a seeded batch of ``shape``: 'main' at the image's size, 'aux0_0' ..."""
    x = torch.from_numpy(image(shape)).to(next(model.parameters()).dtype)
    meta = dict(img_shape=shape[2:], pad_shape=shape[2:], ori_shape=shape[2:])
    model.eval()
    main = model.encode_decode(x, [meta] * shape[0])
    if main.shape[2:] != x.shape[2:]:  # ours leaves that to the test path
        main = F.interpolate(main, shape[2:], mode='bilinear', align_corners=model.align_corners)
    found = {'main': main}
    heads = getattr(model, 'auxiliary_head', None)
    if heads is not None:
        levels = model.extract_feat(x)
        heads = heads if isinstance(heads, torch.nn.ModuleList) else [heads]
        for i, head in enumerate(heads):
            for j, value in enumerate(_flat(head.forward(levels))):
                found[f'aux{i}_{j}'] = value
    return found


def _flat(value) -> list[torch.Tensor]:
    if isinstance(value, list | tuple):
        return [each for part in value for each in _flat(part)]
    return [value]


def summary(value: torch.Tensor) -> dict:
    """Shape, mean, deviation and largest size of a tensor, and its values at fixed places."""
    flat = value.double().flatten()
    places = np.arange(NUM_PLACES, dtype=np.uint64) * np.uint64(2654435761) % np.uint64(2 ** 32)
    places = (places * np.uint64(len(flat)) >> np.uint64(32)).astype(np.int64)
    numbers = [flat.mean(), flat.std(), flat.abs().max(), *flat[torch.from_numpy(places)]]
    return dict(shape=list(value.shape), numbers=[float(f'{float(n):.8g}') for n in numbers])


def difference(found: dict, expected: dict) -> float:
    """The largest difference of two summaries, of logits scaled to at most 10; inf by shape."""
    if found['shape'] != expected['shape']:
        return float('inf')
    scale = max(1.0, expected['numbers'][2] / 10)
    return float(np.abs(np.subtract(found['numbers'], expected['numbers'])).max() / scale)
