"""How a test reaches the scripts of benchmarks/, and a few tiny frames for them."""

import importlib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / 'benchmarks'


@pytest.fixture
def module(monkeypatch):
    """Import a script of benchmarks/, or a part of it, as python would if it ran it."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module
    for name, found in list(sys.modules.items()):
        if str(getattr(found, '__file__', None) or '').startswith(str(FOLDER)):
            del sys.modules[name]


@pytest.fixture
def tiny_tree(module, tmp_path):
    """One frame of 128x96 pixels in Cityscapes' tree."""
    module('evaluation.frames').write_frames(tmp_path, (96, 128), 1)
    return tmp_path


@pytest.fixture
def tiny_dataset(module, tiny_tree):
    """The test set over that tree."""
    return module('evaluation.frames').dataset(tiny_tree)
