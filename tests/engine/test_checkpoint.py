"""Checkpoints are data: what is written, what is refused, what fits into a model."""

import argparse
import collections
import io
import os
import pickle
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from torch import nn

from segplug.engine.checkpoint import (
    load_checkpoint,
    restore_types,
    save_checkpoint,
    to_plain,
)
from segplug.errors import CheckpointError


def net(classes=3):
    torch.manual_seed(0)
    return nn.ModuleDict(dict(backbone=nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)),
                              decode_head=nn.ModuleDict(dict(conv_seg=nn.Conv2d(4, classes, 1)))))


def test_round_trip(tmp_path):
    state = net().state_dict()
    saved = dict(state_dict=state, meta=dict(iter=3, lr=0.1, names=['a', ('b', None)], ok=True))
    save_checkpoint(saved, tmp_path / 'deep' / 'a.pth')
    loaded = load_checkpoint(tmp_path / 'deep' / 'a.pth')
    assert loaded['meta'] == saved['meta']
    assert all(torch.equal(loaded['state_dict'][k], v) for k, v in state.items())
    assert loaded['state_dict']._metadata == state._metadata
    assert os.listdir(tmp_path / 'deep') == ['a.pth']


@pytest.mark.parametrize(('value', 'kind'), [
    (np.float64(1.0), 'numpy.float64'), (np.zeros(2), 'numpy.ndarray'), ({1, 2}, 'builtins.set'),
    (Path('a'), 'Path'), (net, 'function'), (collections.Counter('a'), 'Counter'),
    (types.SimpleNamespace(), 'SimpleNamespace')])
def test_what_is_not_data_is_named(value, kind, tmp_path):
    with pytest.raises(CheckpointError, match=kind) as caught:
        save_checkpoint(dict(meta=dict(list=[1, value])), tmp_path / 'a.pth')
    assert "checkpoint['meta']['list'][1]" in str(caught.value)
    assert not os.listdir(tmp_path)


def test_keys_are_data_too(tmp_path):
    with pytest.raises(CheckpointError, match=r"checkpoint\['a'\] \(a key\)"):
        save_checkpoint(dict(a={(1, 2): 3}), tmp_path / 'a.pth')


def test_to_plain():
    class Text(str):
        __slots__ = ()

    plain = to_plain(dict(a=np.float32(0.5), b=np.arange(2), c=Path('x/y'), d=Text('t'),
                          e=collections.Counter('aab'), f=[np.bool_(True), (np.int64(3),)],
                          g=nn.Parameter(torch.ones(1))))
    assert torch.equal(plain.pop('b'), torch.tensor([0, 1]))
    assert plain.pop('g').requires_grad is False
    assert plain == dict(a=0.5, c='x/y', d='t', e=dict(a=2, b=1), f=[True, (3,)])
    assert [type(plain[k]) for k in 'acde'] == [float, str, str, dict]
    restored = restore_types(dict(e=collections.Counter()), dict(e={'a': 2}, x=1))
    assert type(restored['e']) is collections.Counter
    assert restored['x'] == 1


# --- damaged and hostile ------------------------------------------------------------------


@pytest.fixture
def good(tmp_path):
    path = tmp_path / 'good.pth'
    save_checkpoint(dict(state_dict=net().state_dict()), path)
    return path


def test_missing_file_shows_what_is_there(good):
    with pytest.raises(CheckpointError, match=r'no such file.*holds good\.pth'):
        load_checkpoint(good.with_name('bad.pth'))
    with pytest.raises(CheckpointError, match='it is a folder'):
        load_checkpoint(good.parent)


@pytest.mark.parametrize('keep', [0, 1, 100, 0.5, 0.99])
def test_truncated(good, keep):
    data = good.read_bytes()
    good.write_bytes(data[:keep if isinstance(keep, int) else int(keep * len(data))])
    with pytest.raises(CheckpointError, match='damaged'):
        load_checkpoint(good)


def test_one_flipped_bit_in_the_weights(good):
    data = bytearray(good.read_bytes())
    weights = net().state_dict()['backbone.0.weight'].numpy().tobytes()
    data[data.index(weights) + 7] ^= 1
    good.write_bytes(data)
    with pytest.raises(CheckpointError, match='checksum of archive/data'):
        load_checkpoint(good)


def test_other_files_are_not_checkpoints(tmp_path):
    (tmp_path / 'text.pth').write_text('hello, not a checkpoint')
    torch.save([1, 2], tmp_path / 'list.pth')
    with zipfile.ZipFile(tmp_path / 'zip.pth', 'w') as archive:
        archive.writestr('a', 'b')
    for name, part in dict(text='damaged', list='a list', zip='damaged').items():
        with pytest.raises(CheckpointError, match=part):
            load_checkpoint(tmp_path / f'{name}.pth')


class Call:
    """Pickles as a call of ``function``."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('payload', [
    Call(os.system, 'touch HACKED'), Call(eval, 'open("HACKED", "w")'),
    Call(exec, 'open("HACKED", "w")'), Call(getattr, Call(__import__, 'os'), 'system'),
    Call(getattr, HistoryBuffer, '__init__'), Call(getattr, HistoryBuffer, '__class__'),
    Call(np.load, 'HACKED', None, True), Call(__import__, 'antigravity'),
    Call(open, 'HACKED', 'w'), Call(pickle.loads, b'')])
@pytest.mark.parametrize('legacy', [False, True])
def test_hostile_pickles_run_nothing(payload, legacy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(dict(state_dict={}, x=payload), 'evil.pth',
               _use_new_zipfile_serialization=not legacy)
    with pytest.raises(CheckpointError, match='refused'):
        load_checkpoint('evil.pth')
    assert os.listdir() == ['evil.pth']


def test_what_is_refused_is_named(tmp_path):
    torch.save(dict(x=Call(os.system, 'true')), tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match=rf'it would call {os.system.__module__}\.system\)'):
        load_checkpoint(tmp_path / 'a.pth')


def test_the_arguments_of_a_program_are_data(tmp_path):
    args = argparse.Namespace(lr=0.1, out=Path('/a/b'), sizes=[1, (2, np.float32(3))])
    torch.save(dict(model=dict(a=torch.ones(1)), args=args), tmp_path / 'a.pth')
    loaded = load_checkpoint(tmp_path / 'a.pth')['args']
    assert loaded == dict(lr=0.1, out=str(Path('/a/b')), sizes=[1, (2, 3.0)])
    args.call = Call(os.system, 'true')
    torch.save(dict(args=args), tmp_path / 'b.pth')
    with pytest.raises(CheckpointError, match='refused'):
        load_checkpoint(tmp_path / 'b.pth')


def test_object_arrays_are_refused(tmp_path):
    torch.save(dict(a=np.array([{}], dtype=object)), tmp_path / 'a.pth')
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path / 'a.pth')


def test_trust_does_not_leak(good):
    before = set(torch.serialization.get_safe_globals())
    load_checkpoint(good)
    assert set(torch.serialization.get_safe_globals()) == before


# --- what mmengine wrote ------------------------------------------------------------------


def test_a_real_mmengine_checkpoint(tmp_path):
    hub = MessageHub.get_instance('test_a_real_mmengine_checkpoint')
    for value in (1.0, 3.0):
        hub.update_scalar('train/loss', value)
    hub.update_info('best_score', np.float64(71.5))
    hub.update_info('counts', np.arange(6, dtype=np.int64).reshape(2, 3))
    hub.update_info('fortran', np.asfortranarray(np.arange(6.0).reshape(2, 3)))
    hub.update_info('big', np.array([1, 2], dtype='>i4'))
    torch.save(dict(meta=dict(epoch=1, cfg='model = dict()'), message_hub=hub.state_dict(),
                    state_dict=net().state_dict()), tmp_path / 'a.pth')
    hub = load_checkpoint(tmp_path / 'a.pth')['message_hub']
    assert hub['runtime_info']['best_score'] == 71.5
    assert type(hub['runtime_info']['best_score']) is float
    assert hub['runtime_info']['counts'].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert hub['runtime_info']['fortran'].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert hub['runtime_info']['big'].tolist() == [1, 2]
    history = hub['log_scalars']['train/loss']
    assert history['log_history'].tolist() == [1.0, 3.0]
    assert history['count_history'].tolist() == [1, 1]
    assert history['max_length'] == 1000000


def test_names_of_older_numpy(tmp_path):
    buffer = io.BytesIO()
    torch.save(dict(a=np.arange(3), b=np.float32(2)), buffer)
    new, old = tmp_path / 'new.pth', tmp_path / 'old.pth'
    new.write_bytes(buffer.getvalue())
    with zipfile.ZipFile(new) as source, zipfile.ZipFile(old, 'w') as target:
        for item in source.namelist():
            target.writestr(item, source.read(item).replace(b'numpy._core.', b'numpy.core.'))
    loaded = load_checkpoint(old)
    assert loaded['a'].tolist() == [0, 1, 2]
    assert loaded['b'] == 2.0
