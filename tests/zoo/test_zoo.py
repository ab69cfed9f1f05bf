"""Models of mmsegmentation 1.2.2, as its configs describe them: ours have the same keys and give
the same numbers. fixtures/README.md says where those come from.

Each run of the tests builds every distinct component, and checks the numbers of one slim model a
method. Marked slow: every distinct model is built whole, and the numbers of every structure.
"""

import os
from pathlib import Path

import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope
from observe import (
    cleaned,
    difference,
    outputs,
    read,
    set_weights,
    shapes,
    structure,
    summary,
)

from segplug.apis.config import load_config
from segplug.errors import ConfigError
from segplug.registry import MODELS, SCOPE, TASK_UTILS

ENTRIES, KEYS = read('models'), read('keys')
NUMBERS, SLIM = read('numbers'), read('slim')
METHODS = sorted({config.split('/')[0] for entry in ENTRIES for config in entry['configs']})
TOLERANCE = 1e-4  # of logits scaled to at most 10

# Published with a misspelt key, which mmsegmentation passes over and ours does not.
MISSPELT = {'bisenetv2/bisenetv2_fcn_4xb4-ohem-160k_cityscapes-1024x1024.py': 'models'}


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope(SCOPE):
        yield


def entries_of(method: str) -> list[dict]:
    return [entry for entry in ENTRIES
            if any(config.startswith(f'{method}/') for config in entry['configs'])]


def types_in(value) -> set[str]:
    """Every registered name in a model dict."""
    if isinstance(value, dict):
        own = {value['type']} if isinstance(value.get('type'), str) else set()
        return own.union(*map(types_in, value.values()))
    return set().union(*map(types_in, value)) if isinstance(value, list | tuple) else set()


def parts_of(model: dict):
    """('backbone', its dict), ('auxiliary_head.0', its dict) ... of a model dict."""
    for name, value in model.items():
        if isinstance(value, list | tuple):
            yield from ((f'{name}.{i}', each) for i, each in enumerate(value))
        elif isinstance(value, dict) and 'type' in value:
            yield name, value


def components() -> dict[str, dict[str, tuple[dict, dict]]]:
    """Method -> structure -> (a dict that has it, its keys and shapes); each structure once."""
    found, seen = {method: {} for method in METHODS}, set()
    for entry in ENTRIES:
        keys = KEYS['models'][entry['keys']]
        for name, part in parts_of(entry['model']):
            text = structure(part, drop=())
            if text not in seen:
                seen.add(text)
                found[entry['configs'][0].split('/')[0]][text] = (
                    part, KEYS['parts'].get(keys.get(name), {}))
    return found


COMPONENTS = components()


def on_meta(model: dict) -> torch.nn.Module:
    with torch.device('meta'):
        return MODELS.build(ConfigDict(model))


def keys_of(entry: dict) -> dict[str, tuple]:
    """Names and shapes of the state dict of the whole model."""
    return {f'{part}.{name}': tuple(shape)
            for part, group in KEYS['models'][entry['keys']].items()
            for name, shape in KEYS['parts'][group].items()}


def same_keys(found: dict[str, tuple], expected: dict) -> None:
    expected = {name: tuple(shape) for name, shape in expected.items()}
    assert {n: s for n, s in found.items() if expected.get(n) != s} == {}, 'ours alone, or unlike'
    assert [n for n in expected if n not in found] == [], "mmsegmentation's alone"


def same_numbers(model: dict, expected: dict) -> None:
    net = MODELS.build(ConfigDict(model))
    set_weights(net, expected['dtype'])
    found = {name: summary(value) for name, value in outputs(net, expected['shape']).items()}
    # A head that gives more than mmsegmentation's does is not at fault.
    assert set(expected['outputs']) <= set(found)
    worst = {name: difference(found[name], value) for name, value in expected['outputs'].items()}
    assert max(worst.values()) <= TOLERANCE, worst


def test_the_fixtures_hold_every_config_once():
    configs = [config for entry in ENTRIES for config in entry['configs']]
    assert len(configs) == len(set(configs)) == 568
    assert set(SLIM) == set(METHODS)
    assert {entry['numbers'] for entry in ENTRIES} == set(NUMBERS)


def test_every_name_is_registered():
    names = types_in([entry['model'] for entry in ENTRIES])
    assert [name for name in sorted(names)
            if MODELS.get(name) is None and TASK_UTILS.get(name) is None] == []


@pytest.mark.parametrize('method', METHODS)
def test_components_build_with_the_published_keys(method):
    for part, expected in COMPONENTS[method].values():
        same_keys(shapes(on_meta(part)), expected)


@pytest.mark.parametrize('method', METHODS)
def test_a_slim_model_gives_the_same_numbers(method):
    same_numbers(SLIM[method]['model'], SLIM[method])


@pytest.mark.slow
@pytest.mark.parametrize('method', METHODS)
def test_whole_models_build_with_the_published_keys(method):
    for entry in entries_of(method):
        same_keys(shapes(on_meta(entry['model'])), keys_of(entry))


@pytest.mark.slow
@pytest.mark.parametrize('key', sorted(NUMBERS, key=lambda key: NUMBERS[key]['config']),
                         ids=lambda key: NUMBERS[key]['config'])
def test_every_structure_gives_the_same_numbers(key):
    config = NUMBERS[key]['config']
    model, = [entry['model'] for entry in ENTRIES if config in entry['configs']]
    same_numbers(model, NUMBERS[key])


def load_published(root: Path, config: str) -> Config:
    if config not in MISSPELT:
        return load_config(root / config)
    with pytest.raises(ConfigError, match=f"sets '{MISSPELT[config]}', which nothing reads"):
        load_config(root / config)
    cfg = Config.fromfile(root / config)
    cfg.default_scope = SCOPE
    return cfg


@pytest.mark.parametrize('method', METHODS)
def test_published_configs_load_and_their_models_build(method):
    """As published, with SyncBN, preprocessor and all; SEGPLUG_MMSEG_CONFIGS names their folder."""
    root = os.environ.get('SEGPLUG_MMSEG_CONFIGS')
    if not root:
        pytest.skip("set SEGPLUG_MMSEG_CONFIGS to the folder of mmsegmentation 1.2.2's configs")
    built = set()
    for entry in entries_of(method):
        for config in entry['configs']:
            cfg = load_published(Path(root), config)
            assert cfg.default_scope == SCOPE
            assert cleaned(cfg.model.to_dict()) == entry['model']
            text = structure(cfg.model.to_dict(), drop=())
            if text not in built:
                built.add(text)
                same_keys(shapes(on_meta(cfg.model)), keys_of(entry))
