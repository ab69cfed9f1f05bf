"""What every test shares: one thread, one seed, a clean mmengine, and images if asked for.

Threads are set before torch is imported: sums then have one order, and two test runs
beside each other do not fight for cores.
"""

import os
import random
import sys
from pathlib import Path

os.environ['OMP_NUM_THREADS'] = '1'

import numpy as np  # noqa: E402
import pytest  # noqa: E402

# mmengine keeps its loggers, message hubs, visualizers and scopes for the whole process, by name.
GLOBALS = (('mmengine.registry', 'DefaultScope'), ('mmengine.logging', 'MMLogger'),
           ('mmengine.logging', 'MessageHub'), ('mmengine.visualization', 'Visualizer'),
           ('segplug.visualization.visualizer', 'SegLocalVisualizer'))


def _managers() -> list:
    """The process-wide classes of mmengine that have been imported by now."""
    found = (getattr(sys.modules.get(module), name, None) for module, name in GLOBALS)
    return [manager for manager in found if manager is not None]


@pytest.fixture(autouse=True)
def _mmengine_is_left_as_found():
    """Take away the instances that a test made, so that no test sees the scope of another."""
    before = {manager: dict(manager._instance_dict) for manager in _managers()}
    yield
    for manager in _managers():
        for name in set(manager._instance_dict) - set(before.get(manager, ())):
            instance = manager._instance_dict.pop(name)
            for handler in getattr(instance, 'handlers', []):
                handler.close()


def _lends() -> bool:
    """Whether mmsegmentation's names are lent, under which much behaves as it does there."""
    compat = sys.modules.get('segplug.compat.mmseg')
    return compat is not None and compat.is_lent()


def pytest_collection_finish():
    """Importing segplug.compat.mmseg lends the names; tests ask for them by their fixtures."""
    if _lends():
        sys.modules['segplug.compat.mmseg'].remove()


@pytest.fixture(autouse=True)
def _names_are_not_left_lent():
    """Take away mmsegmentation's names where a test has lent them."""
    before = _lends()
    yield
    if _lends() and not before:
        sys.modules['segplug.compat.mmseg'].remove()


@pytest.fixture(autouse=True)
def _draws_are_the_same_in_every_run():
    """Seed the global generators, so that a test that draws passes always or never."""
    random.seed(0)
    np.random.seed(0)
    if 'torch' in sys.modules:
        sys.modules['torch'].manual_seed(0)


def pytest_collection_modifyitems(items):
    """Tests marked ``gpu`` are skipped where torch sees no CUDA device."""
    gpu_items = [item for item in items if item.get_closest_marker('gpu')]
    if not gpu_items:
        return
    import torch
    if not torch.cuda.is_available():
        for item in gpu_items:
            item.add_marker(pytest.mark.skip(reason='needs a CUDA device, and torch sees none'))


@pytest.fixture(scope='session')
def repo_root() -> Path:
    """The checkout that the tests stand in."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope='session')
def test_data() -> Path:
    """The folder of real images that SEGPLUG_TEST_DATA names; the test is skipped without one."""
    folder = os.environ.get('SEGPLUG_TEST_DATA')
    if not folder:
        pytest.skip('needs real images: set SEGPLUG_TEST_DATA to a folder that holds camvid/')
    if not Path(folder).is_dir():
        pytest.skip(f'SEGPLUG_TEST_DATA names {folder}, which is no folder')
    return Path(folder)


@pytest.fixture(scope='session')
def minicity(tmp_path_factory) -> Path:
    """A mini Cityscapes of 4 + 3 + 1 images of 128 x 64; read it, do not write into it."""
    from segplug.datasets.minicity import make_minicity
    root = tmp_path_factory.mktemp('data') / 'minicity'
    make_minicity(root, train=4, val=3, test=1, size=(128, 64), seed=0, progress=False)
    return root
