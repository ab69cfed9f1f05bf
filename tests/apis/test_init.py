"""Names of `segplug.apis`: functions, imported when they are used."""

import subprocess
import sys

import pytest

import segplug.apis


def test_every_name_is_a_function_or_class():
    for name in segplug.apis.__all__:
        found = getattr(segplug.apis, name)
        assert callable(found), name
        assert found.__doc__
    assert segplug.apis.train is segplug.apis.training.train
    assert set(segplug.apis.__all__) <= set(dir(segplug.apis))
    with pytest.raises(AttributeError, match='no attribute'):
        _ = segplug.apis.tran


def test_importing_it_imports_nothing():
    code = "import sys, segplug.apis; print('torch' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ['False', 'False']
