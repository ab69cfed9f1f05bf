"""Two distributions of one import name are named, with the command that mends it."""

from importlib import metadata

import pytest

from segplug.compat import distributions


@pytest.fixture
def installed(monkeypatch):
    names = set()

    def version(name):
        if name not in names:
            raise metadata.PackageNotFoundError(name)
        return '1.0'

    monkeypatch.setattr(metadata, 'version', version)
    return names


def test_one_distribution_of_each_name_is_fine(installed):
    installed |= {'onedl-mmengine', 'mmcv-lite', 'opencv-python-headless'}
    assert distributions.clashing_distributions() == []


def test_two_of_one_name_are_named_with_the_command(installed):
    installed |= {'mmengine', 'onedl-mmengine', 'mmcv-lite'}
    (sentence,) = distributions.clashing_distributions()
    assert "mmengine and onedl-mmengine both install the module 'mmengine'" in sentence
    assert 'pip uninstall -y mmengine onedl-mmengine && pip install mmengine' in sentence
