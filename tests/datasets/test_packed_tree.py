"""A packed form listed as the folder it was made from."""

import numpy as np
import pytest
from mmengine import fileio

from segplug.datasets.packed import Writer
from segplug.datasets.packed_tree import TEXT, tree_args

NAMES = ['img/a.png', 'img/sub/b.png', 'img/sub/b.jpg', 'imgs/c.png', 'lists/train.txt']


@pytest.fixture
def root(tmp_path):
    """The tree that was packed, still there to compare with."""
    root = tmp_path / 'root'
    with Writer(tmp_path / 'packed') as writer:
        for name in NAMES:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text('a\nä\n')
            data = np.frombuffer(path.read_bytes(), np.uint8)[None]
            writer.add(TEXT if name.endswith('txt') else 'image', name, str(path), '', data)
    return root


@pytest.mark.parametrize('folder', ['', 'img', 'img/', 'img/sub', 'lists', 'no', 'img/a.png'])
@pytest.mark.parametrize('kwargs', [
    dict(), dict(recursive=True), dict(list_dir=False, recursive=True), dict(list_file=False),
    dict(list_dir=False, suffix='.png', recursive=True), dict(list_dir=False, suffix='.png')])
def test_it_is_listed_like_the_folder(root, folder, kwargs):
    args = tree_args(root.parent / 'packed', str(root))
    path = str(root / folder) if folder else str(root)
    assert fileio.isdir(path, args) == fileio.isdir(path)
    assert fileio.isfile(path, args) == fileio.isfile(path)
    assert fileio.exists(path, args) == fileio.exists(path)
    if fileio.isdir(path):
        found, expected = (sorted(fileio.list_dir_or_file(path, backend_args=a, **kwargs))
                           for a in (args, None))
        assert found == expected


def test_text_is_read_and_pictures_are_not(root):
    args = tree_args(root.parent / 'packed', str(root))
    assert fileio.get_text(str(root / 'lists/train.txt'), backend_args=args) == 'a\nä\n'
    with pytest.raises(FileNotFoundError, match='no text file of the packed'):
        fileio.get(str(root / 'img/a.png'), backend_args=args)


def test_a_tree_that_was_packed_again_is_listed_anew(root):
    folder = root.parent / 'packed'
    before = tree_args(folder, str(root))
    fileio.isfile(str(root / 'd.png'), before)
    with Writer(folder) as writer:
        writer.add('image', 'd.png', str(root / 'img/a.png'), '', np.zeros((1, 1), np.uint8))
    assert fileio.isfile(str(root / 'd.png'), tree_args(folder, str(root)))
