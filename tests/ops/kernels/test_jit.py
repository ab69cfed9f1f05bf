"""Where compiled kernels are kept, and rows shared out to threads."""

from pathlib import Path

import pytest
import torch

numba = pytest.importorskip('numba', reason='numba, which compiles the kernels, is not installed')

from segplug.ops.kernels import jit  # noqa: E402


@pytest.mark.parametrize(('num_threads', 'expected'), [
    (1, [(2, 9)]), (2, [(2, 5), (5, 9)]), (20, [(i, i + 1) for i in range(2, 9)])])
def test_rows_are_shared_out(num_threads, expected):
    before, parts = torch.get_num_threads(), []
    torch.set_num_threads(num_threads)
    try:
        jit.in_parallel(lambda a, b: parts.append((a, b)), 2, 9)
    finally:
        torch.set_num_threads(before)
    assert sorted(parts) == expected


def test_an_error_in_a_thread_is_raised():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(ZeroDivisionError):
            jit.in_parallel(lambda a, b: 1 // a, 0, 2)
    finally:
        torch.set_num_threads(before)


def test_each_state_of_the_sources_has_a_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(numba.config, 'CACHE_DIR', str(tmp_path))
    found = []
    for text in ('a = 1', 'a = 2', 'a = 1'):
        (tmp_path / 'kernel.py').write_text(text)
        monkeypatch.setattr(jit, '__file__', str(tmp_path / 'jit.py'))
        jit.cache_folder.cache_clear()
        found.append(jit.cache_folder())
    jit.cache_folder.cache_clear()
    assert found[0] == found[2] != found[1]
    assert all(Path(folder).parent == tmp_path and Path(folder).is_dir() for folder in found)


def test_nowhere_to_keep_them(monkeypatch, tmp_path):
    (tmp_path / 'file').touch()  # a folder cannot be made below a file
    monkeypatch.setattr(numba.config, 'CACHE_DIR', str(tmp_path / 'file'))
    jit.cache_folder.cache_clear()
    try:
        assert jit.cache_folder() is None
        assert jit.compiled(lambda x: x + 1)(1) == 2
    finally:
        jit.cache_folder.cache_clear()
