"""Files that run code where they are trusted: here each ends in one of our errors, and runs none.

Every payload would create the file HACKED in the working directory.
"""

import functools
import io
import json
import os
import pickle
import struct
import tarfile
import warnings
import zipfile

import numpy as np
import pytest
import scipy.io
import torch
from engine_toy import toy_cfg
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from segplug.apis.config import load_config
from segplug.apis.saved_config import config_of_checkpoint
from segplug.compat.mmseg.apis import init_model
from segplug.datasets.files import decode
from segplug.engine.checkpoint import load_checkpoint, save_checkpoint
from segplug.engine.runner import Runner
from segplug.engine.weight_init import PretrainedInit
from segplug.errors import CheckpointError, ConfigError, DataError
from segplug.models.losses.utils import get_class_weight

CODE = 'open("HACKED", "w").close()'


class Call:
    """Pickles as a call of ``function``."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


EVIL = Call(exec, CODE)


@pytest.fixture(autouse=True)
def no_canary(tmp_path, monkeypatch):
    """Each test runs in an empty folder, where no HACKED may appear."""
    monkeypatch.chdir(tmp_path)
    yield
    assert not (tmp_path / 'HACKED').exists()


def test_the_canary_sings():
    """The negative control: trusted, the payloads run."""
    for run in (lambda: pickle.loads(pickle.dumps(EVIL)),
                lambda: torch.load(torch_zip(), weights_only=False)):
        run()
        assert os.path.exists('HACKED')
        os.remove('HACKED')


# --- checkpoints ---------------------------------------------------------------------------


def torch_zip(value=EVIL, **options) -> io.BytesIO:
    file = io.BytesIO()
    torch.save(dict(state_dict=dict(a=torch.ones(1)), x=value), file, **options)
    file.seek(0)
    return file


def tar_file() -> bytes:
    """torch's format before 0.1.10: a tar of pickles."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode='w') as tar:
        for name in ('sys_info', 'storages', 'tensors', 'pickle'):
            data = pickle.dumps(EVIL, protocol=2)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return file.getvalue()


def zip_file(names: dict, compression=zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', compression) as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    return file.getvalue()


def look_alike() -> bytes:
    """A class of HistoryBuffer's name whose state is a call."""
    class Fake(HistoryBuffer):
        def __reduce__(self):
            return exec, (CODE,)
    Fake.__module__, Fake.__qualname__ = HistoryBuffer.__module__, 'HistoryBuffer'
    return torch_zip(Fake()).getvalue()


def array_file(save, **options) -> bytes:
    file = io.BytesIO()
    save(file, np.array([EVIL], dtype=object), **options)
    return file.getvalue()


PROTOCOL_0 = f"cbuiltins\nexec\n(S'{CODE}'\ntR.".encode()
SAFETENSORS = struct.pack('<Q', 1 << 62) + b'{}' + b' ' * 100

CHECKPOINTS = {
    'pickle': pickle.dumps(EVIL),
    'pickle_protocol_0': PROTOCOL_0,
    'pickle_instance': f"(S'{CODE}'\nibuiltins\nexec\n.".encode(),
    'torch_zip': torch_zip().getvalue(),
    'torch_legacy': torch_zip(_use_new_zipfile_serialization=False).getvalue(),
    'torch_os_system': torch_zip(Call(os.system, 'touch HACKED')).getvalue(),
    'torch_getattr': torch_zip(Call(getattr, HistoryBuffer, '__init_subclass__')).getvalue(),
    'torch_partial': torch_zip(Call(__import__('functools').partial, exec, CODE)).getvalue(),
    'tar': tar_file(),
    'whole_model': torch_zip(nn.Conv2d(1, 1, 1)).getvalue(),
    'history_look_alike': look_alike(),
    'object_array': torch_zip(np.array([EVIL], dtype=object)).getvalue(),
    'npy': array_file(np.save),
    'npz': array_file(lambda file, array: np.savez(file, a=array)),
    'path_traversal': zip_file({'../../HACKED': b'', 'a/data.pkl': PROTOCOL_0,
                                'a/version': b'3\n', '/tmp/HACKED': b''}),
    'zip_bomb': zip_file({'a/data.pkl': bytes(1 << 22), 'a/version': b'3\n'},
                         zipfile.ZIP_DEFLATED),
    'torchscript': zip_file({'a/data.pkl': PROTOCOL_0, 'a/constants.pkl': PROTOCOL_0,
                             'a/code/__torch__.py': CODE, 'a/version': b'3\n'}),
    'header_length': SAFETENSORS,
    'text': CODE.encode(),
}


@pytest.fixture(params=CHECKPOINTS)
def payload(request, tmp_path):
    """A hostile file, by the names that checkpoints have."""
    path = tmp_path / f'{request.param}.pth'
    path.write_bytes(CHECKPOINTS[request.param])
    return str(path)


WAYS = {
    'mmengine': CheckpointLoader.load_checkpoint,
    'load_from': lambda path: Runner.from_cfg(toy_cfg('w', load_from=path)).train(),
    'resume': lambda path: Runner.from_cfg(toy_cfg('w', load_from=path, resume=True)).train(),
    'test': lambda path: Runner.from_cfg(toy_cfg('w', load_from=path)).test(),
    'init_cfg': lambda path: PretrainedInit(path)(nn.Conv2d(1, 1, 1)),
    'backbone': lambda path: PretrainedInit(path, prefix='backbone.')(nn.Conv2d(1, 1, 1)),
}


SAID = 'is damaged or not|is refused|is not a '


def test_a_hostile_checkpoint(payload):
    with pytest.raises(CheckpointError, match=SAID):
        load_checkpoint(payload)


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('name', ['torch_zip', 'tar'])
def test_every_way_to_a_checkpoint(way, name, tmp_path):
    (tmp_path / 'a.pth').write_bytes(CHECKPOINTS[name])
    with pytest.raises(CheckpointError, match=SAID):
        WAYS[way]('a.pth')


def test_a_hostile_checkpoint_as_safetensors(payload):
    renamed = payload.replace('.pth', '.safetensors')
    os.rename(payload, renamed)
    with pytest.raises(CheckpointError):
        load_checkpoint(renamed)


def test_auto_resume_passes_over_hostile_files_and_runs_none(tmp_path):
    for name, data in CHECKPOINTS.items():
        (tmp_path / f'{name}.pth').write_bytes(data)
    (tmp_path / 'last_checkpoint').write_text('pickle.pth')
    with pytest.raises(CheckpointError, match='none to resume'):
        Runner.from_cfg(toy_cfg('.', resume='auto')).train()


def test_nothing_in_meta_is_evaluated():
    Runner.from_cfg(toy_cfg('a', **{'train_cfg.max_iters': 2})).train()
    saved = load_checkpoint('a/iter_2.pth')
    types = dict(type='os.system', command='touch HACKED', _scope_='antigravity', _delete_=True)
    saved['meta'] |= dict(
        config=CODE, cfg=json.dumps(dict(model=types, custom_imports=dict(imports=['antigravity']),
                                         lazy=f'<{CODE}>')),
        hook_msgs=dict(last_ckpt=CODE), experiment_name=CODE, dataset_meta=types)
    saved['message_hub']['runtime_info'] |= dict(cfg=CODE, x=types)
    save_checkpoint(saved, 'evil.pth')
    runner = Runner.from_cfg(toy_cfg('b', resume=True, load_from='evil.pth'))
    runner.train()
    assert runner.iter == 8
    Runner.from_cfg(toy_cfg('c', load_from='evil.pth')).test()


# --- arrays as data ------------------------------------------------------------------------

ARRAYS = {'.npy': array_file(np.save), '.npz': CHECKPOINTS['npz'],
          '.mat': array_file(np.save), '.png': array_file(np.save), '.tif': pickle.dumps(EVIL)}


@pytest.mark.parametrize('suffix', ARRAYS)
@pytest.mark.parametrize('kind', ['image', 'label'])
def test_a_hostile_array(suffix, kind):
    with pytest.raises(DataError, match=f'a{suffix}'):
        decode(ARRAYS[suffix], f'a{suffix}', kind, 'unchanged', 'cv2')


def test_a_mat_file_of_objects():
    file = io.BytesIO()
    scipy.io.savemat(file, dict(GTcls=np.array([pickle.dumps(EVIL), 'x'], dtype=object)))
    with pytest.raises(DataError, match=r'a\.mat'):
        decode(file.getvalue(), 'a.mat', 'label', 'unchanged', 'cv2')


# --- configs and class weights -------------------------------------------------------------

YAML = {
    'apply': f'model: !!python/object/apply:builtins.exec ["{CODE.replace(chr(34), chr(39))}"]',
    'new': 'model: !!python/object/new:os.system [touch HACKED]',
    'name': 'model: !!python/name:os.system',
    'module': 'model: !!python/module:antigravity',
    'object': 'model: !!python/object:subprocess.Popen {args: [touch, HACKED]}',
}


@pytest.mark.parametrize('text', YAML.values(), ids=YAML)
def test_a_hostile_yaml(text, tmp_path):
    (tmp_path / 'c.yaml').write_text(text)
    with pytest.raises(ConfigError, match=r'c\.yaml'):
        load_config(tmp_path / 'c.yaml')
    (tmp_path / 'w.yaml').write_text(text)
    with pytest.raises(ConfigError, match='class weights cannot be read'):
        get_class_weight(str(tmp_path / 'w.yaml'))
    (tmp_path / 'd.yaml').write_text('_base_: ./c.yaml')
    with pytest.raises(ConfigError):
        load_config(tmp_path / 'd.yaml')


def test_class_weights_are_no_pickle(tmp_path):
    for name in ('w.npy', 'w.pkl', 'w.json'):
        (tmp_path / name).write_bytes(ARRAYS['.npy'])
        with pytest.raises(ConfigError, match='[Cc]lass weights'):
            get_class_weight(str(tmp_path / name))


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A package that Python would find, whose import is an attack."""
    (tmp_path / 'attack').mkdir()
    for name in ('__init__', 'registry', 'utils'):
        (tmp_path / 'attack' / f'{name}.py').write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)


CONFIGS = {
    'os.system': dict(model=dict(type='os.system', command='touch HACKED')),
    'module': dict(model=dict(type='attack')),
    'module of a scope': dict(model=dict(type='attack.Net')),
    'function of mmengine': dict(model=dict(type='mmengine.load', file='evil.pkl')),
    'deep': dict(model=dict(type='UNet', norm_cfg=[dict(a=(dict(type='subprocess.run'),))])),
    'scope': dict(model=dict(type='FCNHead', _scope_='attack')),
    'default_scope': dict(default_scope='attack'),
    'constructor': dict(optim_wrapper=dict(constructor='os.system')),
    'runner_type': dict(runner_type='os.system'),
    'custom_imports': dict(custom_imports=dict(imports=['attack'])),
    'custom_imports, empty': dict(custom_imports=dict(imports='attack',
                                                      allow_failed_imports=True)),
    'code as base': dict(_base_='./evil.py'),
    'code of a package as base': dict(_base_='attack::evil.py'),
    'data of a package as base': dict(_base_='attack::evil.json'),
    'environment': dict(_base_='{{$NONE:./evil.py}}'),
    'key from the environment': {'model': {'{{$NONE:type}}': 'os.system'}},
    'delete': dict(_base_='segplug::_base_/models/fcn_unet_s5-d16.py',
                   model=dict(_delete_=True, type='os.system')),
    'lazy': dict(model=dict(type='<torch.nn.ReLU>')),
    'import path of a backend': dict(train_dataloader=dict(dataset=dict(backend_args=dict(
        backend='memcached', server_list_cfg='a', client_cfg='b', sys_path='attack')))),
    'scope of a list': dict(default_scope=['attack']),
    'no name': {'model = open("HACKED", "w")': 1},
    'keyword': {'lambda': 1},
    'nested': dict(model=functools.reduce(lambda inner, _: [dict(a=inner)], range(30), 1)),
}


@pytest.mark.parametrize('suffix', ['.json', '.yaml'])
@pytest.mark.parametrize('config', CONFIGS.values(), ids=CONFIGS)
def test_a_hostile_config(config, suffix, module, tmp_path):
    (tmp_path / 'evil.py').write_text(CODE)
    (tmp_path / f'c{suffix}').write_text(json.dumps(config))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for read in (load_config, init_model):
            with pytest.raises(ConfigError, match='import|scope|code|no base|exist|name|nested'):
                read(tmp_path / f'c{suffix}')


def test_a_quote_in_a_key_ends_no_text(tmp_path):
    """mmengine writes a resolved config as Python, which a person then trusts."""
    (tmp_path / 'c.json').write_text(json.dumps(dict(mine={f"a': {CODE}, 'b": 1})))
    load_config(tmp_path / 'c.json').dump(tmp_path / 'copy.py')
    assert load_config(tmp_path / 'copy.py').mine == {f"a': {CODE}, 'b": 1}


@pytest.mark.parametrize('text', [
    json.dumps(dict(model=dict(type='os.system'))), json.dumps(dict(default_scope='attack')),
    json.dumps(dict(custom_imports=dict(imports=['attack']), model=dict(type='attack.Net'))),
    '[' * 100_000, json.dumps(CONFIGS['nested']), '{"model": ' + '{"a":' * 400 + '1' + '}' * 401,
    json.dumps(dict(filename='x')), json.dumps([1]), CODE, '5'])
def test_a_hostile_config_in_a_checkpoint(text, module):
    saved = dict(meta=dict(cfg=text))
    with pytest.raises((ConfigError, CheckpointError), match='import|scope|no JSON|nested|no dict'
                                                             '|cannot be read'):
        config_of_checkpoint(saved, 'a.pth')
