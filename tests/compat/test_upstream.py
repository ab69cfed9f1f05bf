"""Each mend, and that plain upstream still has the fault: a failing second test ends the mend."""

import inspect
import io
import re
import subprocess
import sys
from pathlib import Path

import mmengine
import numpy as np
import pytest
import torch
import yaml
from mmengine import Config
from mmengine.runner import checkpoint as upstream_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader, _load_checkpoint

import segplug.engine  # noqa: F401  (applies the mends)
from segplug.compat import upstream
from segplug.compat.distributions import installed
from segplug.errors import CheckpointError


def python(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True)


TORCH = tuple(int(number) for number in torch.__version__.split('.')[:2])


@pytest.mark.skipif(not (TORCH == (2, 4) or (2, 9) <= TORCH <= (2, 13)),
                    reason='torch 2.4 and 2.9 to 2.13 have the fault')
def test_torch_distributed_optim_warns():
    """The fault that `import_quietly` mends."""
    plain = python('-W', 'error', '-c', 'import torch.distributed.optim')
    assert re.search('DeprecationWarning: `(torch.jit.|TorchScript)', plain.stderr)


@pytest.mark.skipif(sys.version_info < (3, 13), reason='Python 3.13 is the first to say so')
def test_mmengine_runner_warns():
    """The fault that `import_quietly` mends."""
    plain = python('-W', 'error', '-W', 'ignore:`torch.jit', '-c', 'import mmengine.runner')
    assert "DeprecationWarning: 'maxsplit' is passed as positional argument" in plain.stderr


def test_the_engine_imports_under_warnings_as_errors():
    done = python('-W', 'error', '-c', 'import segplug.engine')
    assert done.returncode == 0, done.stderr
    # torch 2.4 leaves a temporary folder to the end of the program, which is a ResourceWarning.
    assert 'DeprecationWarning' not in done.stderr


def test_only_deprecations_are_dropped(tmp_path, monkeypatch):
    (tmp_path / 'a_module_that_warns.py').write_text(
        'import warnings\n'
        'with warnings.catch_warnings():\n'
        '    warnings.simplefilter("always")\n'
        '    warnings.warn("old", DeprecationWarning)\n'
        '    warnings.warn("odd", UserWarning)\n')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.warns(UserWarning, match='odd') as met:
        upstream.import_quietly('a_module_that_warns')
    assert [str(warning.message) for warning in met] == ['odd']


@pytest.mark.skipif(bool(installed(('onedl-mmengine',))),
                    reason='the fork loads in its own way; the mend replaces that too')
def test_mmengine_loads_by_torch_load():
    """The fault that `load_everything_with` mends."""
    source = inspect.getsource(upstream_checkpoint.load_from_local)
    assert 'torch.load(filename, map_location=map_location)' in source
    assert 'import torchvision' in inspect.getsource(upstream_checkpoint.get_torchvision_models)


@pytest.mark.parametrize('name', ['a.pth', 'torchvision://x', 'http://x/a.pth', 's3://a', 'pavi://a',
                                  'open-mmlab://x', 'modelzoo://x', 'mmcls://x'])
def test_every_scheme_comes_to_our_loader(name):
    assert CheckpointLoader._get_checkpoint_loader(name).__name__ == 'load_from_segplug'


def test_mmengine_loads_safely(tmp_path):
    good = str(tmp_path / 'a.pth')
    torch.save(dict(state_dict=dict(a=torch.ones(1))), good)
    assert _load_checkpoint(good)['state_dict']['a'] == 1
    with pytest.raises(CheckpointError, match='no such file'):
        _load_checkpoint(str(tmp_path / 'b.pth'))


def test_names_of_mmcls_keep_the_backbone():
    loaded = {}
    upstream.load_everything_with(
        lambda name, device: dict(state_dict={'backbone.a': 1, 'head.b': 2}), ())
    try:
        loaded = _load_checkpoint('mmcls://x')
    finally:
        upstream.load_everything_with(segplug.engine.load_checkpoint, ())
    assert loaded == dict(state_dict=dict(a=1))


def test_apply_twice_changes_nothing():
    before = list(CheckpointLoader._schemes)
    upstream.apply(segplug.engine.load_checkpoint, segplug.engine.SCHEMES)
    assert list(CheckpointLoader._schemes) == before


def test_mmengine_runs_what_yaml_names():
    """The fault that `yaml_is_data` mends."""
    code = ('import io, mmengine; print(mmengine.load(io.StringIO('
            '"!!python/object/apply:builtins.len [[1, 2, 3]]"), file_format="yaml"))')
    assert python('-c', code).stdout == '3\n'


def test_yaml_is_data_and_has_tuples():
    text = io.StringIO()
    mmengine.dump(dict(a=(1, (2, 'b')), c=[None, 1.5]), text, file_format='yaml')
    assert '!!python/tuple' in text.getvalue()
    assert mmengine.load(io.StringIO(text.getvalue()), file_format='yaml') == dict(
        a=(1, (2, 'b')), c=[None, 1.5])
    with pytest.raises(yaml.YAMLError, match='could not determine a constructor'):
        mmengine.load(io.StringIO('!!python/name:os.system'), file_format='yaml')


@pytest.mark.parametrize('text', [
    'a0: &a0 [x, x, x, x, x, x, x, x, x]\n' + ''.join(
        f'a{i}: &a{i} [{", ".join([f"*a{i - 1}"] * 9)}]\n' for i in range(1, 9)),
    'a0: &a0 {x: 1}\n' + ''.join(
        f'a{i}: &a{i} {{<<: [{", ".join([f"*a{i - 1}"] * 9)}]}}\n' for i in range(1, 9)),
    'a: &a [*a]', 'a: &a {b: [1, *a]}'])
def test_yaml_that_stands_for_too_much(text):
    with pytest.raises(yaml.YAMLError, match='too much, or for themselves'):
        mmengine.load(io.StringIO(text), file_format='yaml')


def test_yaml_may_refer():
    text = 'a: &a {x: 1}\nb: [*a, *a]\nc: {<<: *a, y: 2}'
    assert mmengine.load(io.StringIO(text), file_format='yaml') == dict(
        a=dict(x=1), b=[dict(x=1)] * 2, c=dict(x=1, y=2))


# A quote ends the key, and the next one opens another.
CODE_IN_A_KEY = """a': print('run'), 'b"""


def test_mmengine_writes_keys_as_code():
    """The fault that `config_text_is_python` mends."""
    code = (f'from mmengine import Config; key = {CODE_IN_A_KEY!r}; '
            'exec(Config(dict(mine={key: 1})).pretty_text)')
    assert python('-c', code).stdout == 'run\n'


@pytest.mark.parametrize('config', [
    dict(mine={CODE_IN_A_KEY: 1, 'c\\': dict(x='\n'), 'lambda': [], 3: None, None: True}),
    dict(mine=dict(global_=1, lr=float('inf'), low=-float('inf')), one=(1,), none=(), b=b'x'),
    dict(deep=dict(a=[{'.': ({'class': 2},)}, [], {}])), {}])
def test_a_config_is_written_as_what_it_is(config, tmp_path):
    path = tmp_path / 'written.py'
    Config(config).dump(path)
    assert Config.fromfile(path).to_dict() == config


def test_what_is_no_plain_data_is_written_as_text():
    text = Config(dict(a=np.float32(0.5), b=np.arange(3), c=torch.nn.ReLU, d=Path('x'),
                       e=dict(f=len))).pretty_text
    assert text == ("a = 0.5\nb = [0, 1, 2]\nc = 'torch.nn.modules.activation.ReLU'\nd = 'x'\n"
                    "e = dict(f='builtins.len')\n")
