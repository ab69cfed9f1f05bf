"""The packed form: what is written is read, whatever interrupts it, and nothing else is."""

import copy
import json
import os
import pickle

import numpy as np
import pytest

from segplug.datasets import packed
from segplug.datasets.packed import INDEX, Store, Writer, shard, verify
from segplug.errors import DataError

SETTINGS = "{'color_type': 'color'}"


@pytest.fixture
def source(tmp_path):
    """A file that arrays may be said to come from."""
    path = tmp_path / 'root' / 'a.png'
    path.parent.mkdir()
    path.write_bytes(b'12345')
    return str(path)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / 'packed'


ARRAYS = {
    'a.png': np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3),
    'deep/b.png': np.arange(35, dtype=np.uint16).reshape(5, 7) * 1000,
    'c/ü 1.tif': np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 2, 6),
    'd.npy': np.full((1, 1), -3, np.int16),
}


def write(folder, source, arrays=ARRAYS):
    with Writer(folder) as writer:
        for name, pixels in arrays.items():
            writer.add('image', name, source, SETTINGS, pixels)


def check(folder, source, arrays=ARRAYS):
    root = os.path.dirname(source)
    store = Store(folder, root)
    for name, pixels in arrays.items():
        found = store.read('image', os.path.join(root, name), SETTINGS)
        assert found.shape == pixels.shape
        assert found.dtype == pixels.dtype
        np.testing.assert_array_equal(found.array(), pixels)
    return store


def test_what_is_written_is_read(folder, source):
    write(folder, source)
    store = check(folder, source)
    assert len(store) == 4
    # Sent to a worker it takes nothing of the data along, and reads the same.
    sent = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(
        sent.read('image', source, SETTINGS)[0:1, 1:3], ARRAYS['a.png'][0:1, 1:3])
    assert copy.deepcopy(dict(packed=store))['packed'] is store


def test_arrays_stand_where_the_docs_say(folder, source):
    write(folder, source)
    lines = (folder / INDEX).read_text().splitlines()
    assert json.loads(lines[0]) == dict(format='segplug packed', version=1)
    entry = json.loads(lines[2])
    # 18 bytes of the first array, then the next multiple of 64.
    assert (entry['name'], entry['offset'], entry['shape']) == ('deep/b.png', 64, [5, 7])
    data = (folder / '00000.bin').read_bytes()
    assert data[64:64 + 70] == ARRAYS['deep/b.png'].tobytes()
    assert (entry['type'], entry['size']) == ('<u2', 5)


def test_copies_are_handed_out_and_the_file_never_changes(folder, source):
    write(folder, source)
    frame = Store(folder, os.path.dirname(source)).read('image', source, SETTINGS)
    own = frame.array()
    own[:] = 0
    with pytest.raises(ValueError, match='read-only'):
        frame[0:1, 0:1][:] = 0
    check(folder, source)


def test_a_new_file_begins_after_the_limit(folder, source, monkeypatch):
    monkeypatch.setattr(packed, '_SHARD', 64)
    write(folder, source)
    # 18 bytes and 64 + 70 go into the first, 96 into the second, the rest into the third.
    assert [p.stat().st_size for p in sorted(folder.glob('*.bin'))] == [134, 96, 2]
    check(folder, source)


@pytest.mark.parametrize('cut', [1, 30, 150])
def test_what_an_interrupted_run_left_goes_on(folder, source, cut):
    """The index's end is cut off, as it is when a process dies: whole lines count."""
    write(folder, source)
    whole = {p.name: p.read_bytes() for p in folder.iterdir()}
    index = folder / INDEX
    index.write_bytes(index.read_bytes()[:-cut])
    with Writer(folder) as writer:
        left = [name for name in ARRAYS if not writer.has('image', name, source, SETTINGS)]
        assert left == list(ARRAYS)[-1:]
        for name in left:
            writer.add('image', name, source, SETTINGS, ARRAYS[name])
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == whole


def test_a_file_that_changed_is_packed_again_and_the_new_one_is_read(folder, source):
    write(folder, source)
    store = Store(folder, os.path.dirname(source))
    store.check_current('image', source)
    with open(source, 'ab') as file:
        file.write(b'6')
    with pytest.raises(DataError, match='has changed since it was packed'):
        store.check_current('image', source)
    with Writer(folder) as writer:
        assert not writer.has('image', 'a.png', source, SETTINGS)
        writer.add('image', 'a.png', source, SETTINGS, ARRAYS['d.npy'])
    check(folder, source, {**ARRAYS, 'a.png': ARRAYS['d.npy']}).check_current('image', source)
    os.remove(source)
    store.check_current('image', source)  # the packed form may stand alone


def test_flipped_bytes_are_found(folder, source):
    write(folder, source)
    assert all(good for _, good in verify(folder))
    path = shard(folder, 0)
    data = bytearray(path.read_bytes())
    data[64] ^= 1
    path.write_bytes(data)
    assert [entry['name'] for entry, good in verify(folder) if not good] == ['deep/b.png']


def test_a_file_that_is_too_short_is_named(folder, source):
    write(folder, source)
    path = shard(folder, 0)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r'00000.bin is missing or too short'):
        Store(folder)
    path.unlink()
    with pytest.raises(DataError, match=r'00000.bin is missing or too short'):
        Store(folder)


def test_what_is_not_there_or_was_loaded_otherwise_is_named(folder, source):
    write(folder, source)
    store = Store(folder, os.path.dirname(source))
    with pytest.raises(DataError, match=r'The label a.png is not in the packed data set'):
        store.read('label', source, SETTINGS)
    with pytest.raises(DataError, match='other settings'):
        store.read('image', source, "{'color_type': 'grayscale'}")


@pytest.mark.parametrize('line', [
    'no json', '[]', '{}', '{"name": "a"}',
    json.dumps(dict(name='a', kind='image', file=0, offset=-8, shape=[1, 1], type='|u1', crc32=0,
                    settings='', size=1, time=1)),
    json.dumps(dict(name='a', kind='image', file=0, offset=0, shape=[1, 1], type='|O', crc32=0,
                    settings='', size=1, time=1)),
    json.dumps(dict(name='a', kind='image', file=0, offset=0, shape=[1 << 40, 1], type='|u1',
                    crc32=0, settings='', size=1, time=1))])
def test_a_broken_index_is_named(folder, source, line):
    write(folder, source)
    index = folder / INDEX
    first, *rest = index.read_text().splitlines()
    index.write_text('\n'.join([first, line, *rest]) + '\n')
    with pytest.raises(DataError, match='Line 2 of .* is broken'):
        Store(folder)


def test_other_folders_are_refused(tmp_path, source):
    with pytest.raises(DataError, match='holds no packed data set'):
        Store(tmp_path / 'nowhere')
    with pytest.raises(DataError, match='neither empty nor a packed'):
        Writer(os.path.dirname(source))
    (tmp_path / INDEX).write_text('{"format": "other"}\n')
    with pytest.raises(DataError, match='another format'):
        Store(tmp_path)


def test_types_that_no_loader_gives_are_refused(folder, source):
    with Writer(folder) as writer, pytest.raises(DataError, match='cannot be packed'):
        writer.add('image', 'a', source, SETTINGS, np.zeros((2, 2), np.int64))
