"""safetensors: what is written is read back, by others too, and one changed byte is seen."""

import hashlib
import json
import random
import struct

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from segplug.engine.checkpoint import load_checkpoint
from segplug.engine.safe_tensors import metadata_of, read, to_bytes
from segplug.errors import CheckpointError

WEIGHTS = {'a.weight': torch.arange(6.).view(2, 3).t(), 'a.count': torch.tensor(7),
           'b': torch.ones(0), 'ä': torch.ones(3).half()}
META = dict(classes='["Straße", "b"]', cfg='model = 1', palette='[[0, 1, 2], [3, 4, 5]]')


@pytest.fixture
def path(tmp_path):
    path = tmp_path / 'a.safetensors'
    path.write_bytes(to_bytes(WEIGHTS, META))
    return path


def test_round_trip(path):
    loaded = load_checkpoint(path)
    assert loaded['meta'] == dict(classes=['Straße', 'b'], cfg='model = 1',
                                  palette=[[0, 1, 2], [3, 4, 5]])
    assert set(loaded['state_dict']) == set(WEIGHTS)
    for name, tensor in WEIGHTS.items():
        assert torch.equal(loaded['state_dict'][name], tensor)
        assert loaded['state_dict'][name].dtype == tensor.dtype
    with safe_open(path, framework='np') as file:  # the library, without us
        assert file.metadata()['classes'] == META['classes']
        assert file.get_tensor('a.weight').tolist() == [[0, 3], [1, 4], [2, 5]]


def test_the_same_weights_are_the_same_bytes(path):
    again = to_bytes(dict(reversed(WEIGHTS.items())), dict(reversed(META.items())))
    assert again == path.read_bytes()
    (size,) = struct.unpack_from('<Q', again)
    assert size % 8 == 0
    assert list(json.loads(again[8:8 + size])['__metadata__']) == [
        'sha256', 'cfg', 'classes', 'palette']


def test_weights_that_share_memory(tmp_path):
    base = torch.arange(4.)
    (tmp_path / 'a.safetensors').write_bytes(to_bytes(dict(a=base, b=base, c=base[1:]), {}))
    loaded = read(tmp_path / 'a.safetensors')['state_dict']
    assert (loaded['b'].tolist(), loaded['c'].tolist()) == ([0, 1, 2, 3], [1, 2, 3])


def test_every_byte_counts(path):
    data, draw = path.read_bytes(), random.Random(0)
    place = data.index(b'"sha256"')
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= draw.randrange(1, 256)
        path.write_bytes(damaged)
        if position in range(place, place + 9):  # the name of the checksum, and no weight
            continue
        with pytest.raises(CheckpointError, match='is damaged'):
            load_checkpoint(path)
    for length in (0, 7, 8, 100, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(CheckpointError, match='is damaged'):
            load_checkpoint(path)


def test_zeros_in_the_metadata_are_not_taken_for_the_checksum(tmp_path):
    path = tmp_path / 'a.safetensors'
    path.write_bytes(to_bytes(WEIGHTS, dict(cfg='0' * 64)))
    assert load_checkpoint(path)['meta'] == dict(cfg='0' * 64)


def test_the_hash_in_the_name_counts(path, tmp_path):
    digits = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    right, wrong = tmp_path / f'a-{digits}.safetensors', tmp_path / 'a-0123abcd.safetensors'
    for named in (right, wrong):
        named.write_bytes(path.read_bytes())
    assert load_checkpoint(right)['meta'] == load_checkpoint(path)['meta']
    with pytest.raises(CheckpointError, match=f'its name says 0123abcd.*begins with {digits}'):
        load_checkpoint(wrong)


def test_what_the_format_has_not():
    with pytest.raises(CheckpointError, match=r"cannot be written.*'a', of type torch\.complex128"):
        to_bytes(dict(a=torch.ones(1, dtype=torch.complex128)), {})
    with pytest.raises(CheckpointError, match='cannot be written'):
        to_bytes({'a\ud800': torch.ones(1)}, {})
    assert b'"cfg":"a?"' in to_bytes(dict(a=torch.ones(1)), dict(cfg='a\ud800'))


def test_a_file_of_others_has_no_checksum(tmp_path):
    """A date at the end of a name is no hash."""
    path = tmp_path / 'model-20251123.safetensors'
    save_file(dict(a=torch.ones(2)), path)
    assert load_checkpoint(path)['state_dict']['a'].tolist() == [1, 1]
    assert load_checkpoint(path)['meta'] == {}


def test_classes_of_mmsegmentation_are_found():
    assert metadata_of({}) == dict(format='pt')
    assert metadata_of(dict(meta=dict(dataset_meta=dict(classes=('a',), palette=None)))) == dict(
        format='pt', classes='["a"]')
    assert metadata_of(dict(meta=dict(CLASSES=['a'], PALETTE=[[1, 2, 3]], cfg='x', epoch=3))) == \
        dict(format='pt', classes='["a"]', palette='[[1, 2, 3]]', cfg='x')
