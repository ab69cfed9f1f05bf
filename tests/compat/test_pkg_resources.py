"""setuptools, and `pkg_resources` with it, need not be installed."""

import subprocess
import sys

CODE = '''
import importlib.abc, sys

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('pkg_resources', 'setuptools'):
            raise ModuleNotFoundError(f'{name} is blocked', name=name)

sys.meta_path.insert(0, Blocked())
for name in [n for n in sys.modules if n.split('.')[0] in ('pkg_resources', 'setuptools')]:
    del sys.modules[name]
from mmengine.registry import DefaultScope
from segplug.apis.config import load_config
from segplug.engine.runner import Runner
from segplug.registry import MODELS
cfg = load_config('unet/unet_r18_minicity.py')
with DefaultScope.overwrite_default_scope('segplug'):
    print(type(MODELS.build(cfg.model)).__name__)
'''


def test_a_model_is_made_without_pkg_resources():
    done = subprocess.run([sys.executable, '-c', CODE], capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == 'EncoderDecoder'
