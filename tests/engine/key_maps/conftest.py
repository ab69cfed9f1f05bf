"""Names in configs are segplug's."""

import pytest
from mmengine.registry import DefaultScope


@pytest.fixture(autouse=True)
def _scope():
    with DefaultScope.overwrite_default_scope('segplug'):
        yield
