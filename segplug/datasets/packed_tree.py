"""The tree of files that a packed form stands for, so that a data set can be listed without it.

A backend of mmengine's ``fileio``: folders and names come from the index, and the text files that
were packed (split files, tables) can be read.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from mmengine.fileio import BaseStorageBackend, register_backend

from .packed import INDEX, read_array, read_index, relative, stamp

TEXT = 'text'
BACKEND = 'segplug_packed'


def tree_args(folder: str | Path, root: str | None) -> dict:
    """The ``backend_args`` of a packed form; another one once its index has changed."""
    return dict(backend=BACKEND, folder=str(folder), root=root,
                version=stamp(str(Path(folder) / INDEX)))


@register_backend(BACKEND, force=True)
class PackedTree(BaseStorageBackend):
    """What lay below ``root`` when it was packed into ``folder``.

    Args:
        folder: Of the packed form.
        root: Data root, which need not exist.
        version: Of the index; mmengine keeps one backend for equal arguments.
    """

    def __init__(self, folder: str, root: str | None, version) -> None:
        self._folder, self._root = folder, root
        self._entries = {entry['name']: entry for entry in read_index(folder)}
        self._folders = {'.'}
        for name in self._entries:
            self._folders.update(map(str, Path(name).parents))

    def _name(self, path: str | os.PathLike) -> str:
        return relative(os.fspath(path), self._root)

    def isdir(self, path: str | os.PathLike) -> bool:
        return self._name(path) in self._folders

    def isfile(self, path: str | os.PathLike) -> bool:
        return self._name(path) in self._entries

    def exists(self, path: str | os.PathLike) -> bool:
        return self.isfile(path) or self.isdir(path)

    def join_path(self, path: str, *paths: str) -> str:
        return os.path.join(path, *paths)

    def list_dir_or_file(self, dir_path: str, list_dir: bool = True, list_file: bool = True,
                         suffix: str | tuple[str, ...] | None = None,
                         recursive: bool = False) -> Iterator[str]:
        """Names relative to ``dir_path``, as mmengine's local backend gives them."""
        above = '' if (name := self._name(dir_path)) == '.' else name + '/'
        for found, wanted in ((self._entries, list_file), (self._folders - {'.'}, list_dir)):
            for name in found if wanted else ():
                inside = name.startswith(above) and name != above
                rest = name[len(above):] if inside else ''
                if rest and (recursive or '/' not in rest) \
                        and (found is not self._entries or rest.endswith(suffix or '')):
                    yield rest

    def get(self, path: str | os.PathLike) -> bytes:
        """A packed text file.

        Raises:
            FileNotFoundError: It is not there, or is an array.
        """
        entry = self._entries.get(self._name(path))
        if entry is None or entry['kind'] != TEXT:
            raise FileNotFoundError(f'{path} is no text file of the packed data set '
                                    f'{self._folder}')
        return read_array(self._folder, entry).tobytes()

    def get_text(self, path: str | os.PathLike, encoding: str = 'utf-8') -> str:
        return self.get(path).decode(encoding)
