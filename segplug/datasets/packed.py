"""A data set as decoded arrays in large files, of which a crop is read without decoding a frame.

A packed form is a folder. ``index.jsonl`` says in its first line what it is, and then has one line
per array: which file it was, its shape and type, where it lies, its checksum, with which settings
it was loaded, and size and time of the file it came from. The arrays stand one after another, each
from a multiple of 64 bytes on, in ``00000.bin``, ``00001.bin`` ...: C order, little endian, images
(H, W, C), labels (H, W) with the file's values, before any label map, text files as (1, bytes). A
line is written after its
array, so what an interrupted run leaves behind is good as far as the index goes.
"""

import hashlib
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..ops.frames import Source

VERSION = 1
INDEX = 'index.jsonl'
_HEADER = dict(format='segplug packed', version=VERSION)
_ALIGNMENT = 64
_SHARD = 1 << 30  # bytes after which a new file is begun
_TYPES = ('|u1', '<u2', '<i2', '<f4')
_ENTRY = np.dtype([('key', 'u8'), ('file', 'u4'), ('offset', 'u8'), ('shape', 'u4', 3),
                   ('type', 'u1'), ('settings', 'u2'), ('size', 'u8'), ('time', 'u8')])


class Mapped(Source):
    """An array of a packed form; it lies in a file, and only copies are handed out."""

    def array(self) -> np.ndarray:
        return np.array(self._pixels)


def relative(path: str, root: str | None) -> str:
    """The name of a file in a packed form: relative to the data root, with forward slashes."""
    return os.path.relpath(path, root or '.').replace(os.sep, '/')


def key_of(kind: str, name: str) -> int:
    """64 bits that stand for an array."""
    return int.from_bytes(hashlib.blake2b(f'{kind}\0{name}'.encode(), digest_size=8).digest(),
                          'little')


def stamp(path: str) -> tuple[int, int]:
    """(bytes, time of the last change in ns) of a file."""
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


def read_index(folder: str | Path) -> Iterator[dict]:
    """The lines of an index; a last one that was not finished is left out.

    Raises:
        DataError: There is no index, of this version, or a line in its middle is broken.
    """
    path = Path(folder) / INDEX
    if not path.is_file():
        raise DataError(f'{folder} holds no packed data set.', expected=f'a file {INDEX} in it',
                        fix='write one with `segplug pack CONFIG --out DIR`')
    with open(path, encoding='utf-8', errors='replace') as file:
        for number, line in enumerate(file, 1):
            if not line.endswith('\n'):
                return
            try:
                entry = json.loads(line)
                if number > 1:
                    _check_entry(entry)
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f'Line {number} of {path} is broken: {error}.',
                                fix='delete the folder and pack again') from error
            if number == 1:
                if entry != _HEADER:
                    raise DataError(f'{path} is of another format.', got=line.strip()[:80],
                                    expected=json.dumps(_HEADER),
                                    fix='delete the folder and pack again')
            else:
                yield entry


def _check_entry(entry: Mapping) -> None:
    """Refuse what could not have been written here."""
    shape = entry['shape']
    if entry['type'] not in _TYPES or len(shape) not in (2, 3) \
            or not all(isinstance(s, int) and 0 < s < 1 << 32 for s in shape) \
            or not all(isinstance(entry[k], int) and entry[k] >= 0
                       for k in ('file', 'offset', 'crc32', 'size', 'time')) \
            or not all(isinstance(entry[k], str) for k in ('name', 'kind', 'settings')):
        raise ValueError(f'no entry: {dict(entry)}')


def num_bytes(entry: Mapping) -> int:
    """Of the array of an entry."""
    return int(np.prod(entry['shape'], dtype=object)) * np.dtype(entry['type']).itemsize


class Store:
    """A packed form that is read; small enough to be handed to every worker.

    Args:
        folder: Where it lies.
        root: Data root that its names are relative to.

    Raises:
        DataError: It is none, or its files are shorter than its index says.
    """

    def __init__(self, folder: str | Path, root: str | None = None) -> None:
        self.folder, self._root = Path(folder), root
        rows, self._settings, ends = [], [], {}
        for entry in read_index(folder):
            if entry['settings'] not in self._settings:
                self._settings.append(entry['settings'])
            rows.append((key_of(entry['kind'], entry['name']), entry['file'], entry['offset'],
                         (*entry['shape'], 0)[:3], _TYPES.index(entry['type']),
                         self._settings.index(entry['settings']), entry['size'], entry['time']))
            ends[entry['file']] = max(ends.get(entry['file'], 0),
                                      entry['offset'] + num_bytes(entry))
        # Of two entries of one name the later is right: the file was packed again.
        entries = np.array(rows, _ENTRY)[::-1]
        _, first = np.unique(entries['key'], return_index=True)
        self._entries = entries[first]
        self._files: dict[int, np.memmap] = {}
        for number, end in ends.items():
            path = shard(self.folder, number)
            if not path.is_file() or path.stat().st_size < end:
                raise DataError(f'{path} is missing or too short.', expected=f'{end} bytes',
                                fix='copy it again, or pack again')

    def __len__(self) -> int:
        return len(self._entries)

    def __getstate__(self) -> dict:
        return {**self.__dict__, '_files': {}}

    def __deepcopy__(self, memo: dict) -> 'Store':
        return self  # samples are copied by those who mix them

    def _find(self, kind: str, path: str) -> np.void:
        name = relative(path, self._root)
        key = np.uint64(key_of(kind, name))
        place = int(np.searchsorted(self._entries['key'], key))
        if place == len(self._entries) or self._entries['key'][place] != key:
            raise DataError(f'The {kind} {name} is not in the packed data set {self.folder}.',
                            fix='pack it again with this config: what is there already stays')
        return self._entries[place]

    def read(self, kind: str, path: str, settings: str) -> Mapped:
        """The array of a file, of which nothing is read yet.

        Args:
            kind: 'image' or 'label'.
            path: Of the file that was packed; it need not be there any more.
            settings: With which it must have been loaded.

        Raises:
            DataError: It is not there, or was loaded with other settings.
        """
        entry = self._find(kind, path)
        packed_with = self._settings[entry['settings']]
        if packed_with != settings:
            raise DataError(f'The {kind}s in {self.folder} were packed with other settings.',
                            got=packed_with, expected=settings,
                            fix='pack again into another folder with this config')
        shape = tuple(int(s) for s in entry['shape'] if s)
        dtype = np.dtype(_TYPES[entry['type']])
        start, count = int(entry['offset']), int(np.prod(shape)) * dtype.itemsize
        return Mapped(self._file(int(entry['file']))[start:start + count].view(dtype)
                      .reshape(shape))

    def check_current(self, kind: str, path: str) -> None:
        """Nothing, if the file at ``path`` is as it was when packed, or is not there at all.

        Raises:
            DataError: It has another size, or was changed later.
        """
        entry = self._find(kind, path)
        if os.path.exists(path):
            size, time = stamp(path)
            if size != entry['size'] or time > entry['time']:
                raise DataError(f'{path} has changed since it was packed into {self.folder}.',
                                fix='run `segplug pack` again, or leave out --packed')

    def _file(self, number: int) -> np.ndarray:
        if number not in self._files:
            self._files[number] = np.memmap(shard(self.folder, number), np.uint8, mode='r')
        return np.asarray(self._files[number])


class Writer:
    """Adds arrays to a packed form, which may be new, whole, or left behind half-way.

    Args:
        folder: Made if it is not there.

    Raises:
        DataError: What lies there is no packed form.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        path, self.present = self.folder / INDEX, {}
        self._number, self._end = 0, 0
        if path.is_file() and path.stat().st_size:
            for entry in read_index(folder):
                self.present[entry['kind'], entry['name']] = entry
                self._number, self._end = entry['file'], entry['offset'] + num_bytes(entry)
        elif any(self.folder.iterdir()):
            raise DataError(f'{folder} is neither empty nor a packed data set.',
                            fix='give --out another folder')
        self._index = _opened_after_last_line(path)
        self._shard = _opened_at(shard(self.folder, self._number), self._end)

    def __enter__(self) -> 'Writer':
        return self

    def __exit__(self, *error) -> None:
        for file in (self._shard, self._index):
            file.flush()
            os.fsync(file.fileno())
            file.close()

    def has(self, kind: str, name: str, path: str, settings: str) -> bool:
        """Whether the file is there as it is now."""
        entry = self.present.get((kind, name))
        return entry is not None and entry['settings'] == settings \
            and (entry['size'], entry['time']) == stamp(path)

    def add(self, kind: str, name: str, path: str, settings: str, pixels: np.ndarray) -> dict:
        """Append the array of the file at ``path``; returns its entry."""
        pixels = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder('<'))
        if pixels.dtype.str not in _TYPES:
            raise DataError(f'{path} gives an array that cannot be packed.', got=pixels.dtype,
                            expected=f'one of {", ".join(_TYPES)}')
        if self._end >= _SHARD:
            self._shard.close()
            self._number, self._end = self._number + 1, 0
            self._shard = _opened_at(shard(self.folder, self._number), 0)
        padding = -self._end % _ALIGNMENT
        size, time = stamp(path)
        entry = dict(name=name, kind=kind, file=self._number, offset=self._end + padding,
                     shape=list(pixels.shape), type=pixels.dtype.str, crc32=zlib.crc32(pixels),
                     settings=settings, size=size, time=time)
        self._shard.write(bytes(padding))
        self._shard.write(pixels.data)
        self._shard.flush()
        self._end += padding + pixels.nbytes
        self._index.write(json.dumps(entry).encode() + b'\n')
        self._index.flush()
        self.present[kind, name] = entry
        return entry


def verify(folder: str | Path) -> Iterator[tuple[dict, bool]]:
    """Each entry of a packed form, and whether its bytes have the checksum they had."""
    for entry in read_index(folder):
        found = _bytes_of(folder, entry)
        yield entry, len(found) == num_bytes(entry) and zlib.crc32(found) == entry['crc32']


def read_array(folder: str | Path, entry: Mapping) -> np.ndarray:
    """The array of an entry, in memory."""
    return np.frombuffer(_bytes_of(folder, entry), entry['type']).reshape(entry['shape'])


def _bytes_of(folder: str | Path, entry: Mapping) -> bytes:
    with open(shard(Path(folder), entry['file']), 'rb') as file:
        file.seek(entry['offset'])
        return file.read(num_bytes(entry))


def shard(folder: Path, number: int) -> Path:
    """The file with that number."""
    return folder / f'{number:05d}.bin'


def _opened_after_last_line(path: Path):
    """An index to append to, without a last line that was not finished."""
    if not path.is_file() or not path.stat().st_size:
        path.write_bytes(json.dumps(_HEADER).encode() + b'\n')
    whole = path.read_bytes().rfind(b'\n') + 1
    return _opened_at(path, whole)


def _opened_at(path: Path, end: int):
    """A file to write to from ``end`` on; what stood there is cut off."""
    file = open(path, 'r+b' if path.exists() else 'w+b')  # noqa: SIM115 (kept open)
    file.truncate(end)
    file.seek(end)
    return file
