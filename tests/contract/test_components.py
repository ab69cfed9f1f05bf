"""Every part of a model that segplug registers has a contract, or a test file of its module."""

from pathlib import Path

import pytest

from segplug.registry import MODELS, TASK_UTILS

TESTS = Path(__file__).parents[1]
# What the files beside this one iterate over, each of which fails for a component without a row.
CONTRACTS = ('backbones', 'necks', 'decode_heads', 'losses')


@pytest.mark.parametrize('registry', [MODELS, TASK_UTILS], ids=lambda registry: registry.name)
def test_every_component_has_a_contract_or_a_test_file(registry):
    modules = {name: getattr(registry.get(name), '__module__', '') for name in registry.names()}
    ours = {name: module.split('.')[1:] for name, module in modules.items()
            if module.startswith('segplug.')}
    assert ours
    for name, (*folders, file) in ours.items():
        has_contract = registry is MODELS and folders[-1] in CONTRACTS
        assert has_contract or TESTS.joinpath(*folders, f'test_{file}.py').exists(), name
