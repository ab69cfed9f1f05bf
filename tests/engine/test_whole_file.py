"""A file has its name only when it is whole, whatever step of writing fails."""

import errno
import os
from pathlib import Path

import pytest

from segplug.engine.whole_file import whole_file
from segplug.errors import OutputError


def write(path):
    with whole_file(path) as file:
        file.write('new')


def refuse(number):
    def call(*args, **kwargs):
        raise OSError(number, os.strerror(number))
    return call


def test_the_folder_is_made_and_nothing_else_left(tmp_path):
    write(tmp_path / 'deep' / 'a')
    assert (tmp_path / 'deep' / 'a').read_text() == 'new'
    assert os.listdir(tmp_path / 'deep') == ['a']


def test_text_is_utf8_whatever_the_locale(tmp_path):
    with whole_file(tmp_path / 'a') as file:
        assert file.encoding == 'utf-8'  # the locale's is spelt 'UTF-8'


@pytest.mark.parametrize('step', ['os.fsync', 'os.replace', 'builtins.open', 'pathlib.Path.mkdir'])
@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_each_step_may_fail(step, number, tmp_path, monkeypatch):
    path = tmp_path / 'a'
    path.write_text('old')
    monkeypatch.setattr(step, refuse(number))
    with pytest.raises(OutputError, match=os.strerror(number)) as caught:
        write(path)
    monkeypatch.undo()
    assert str(path) in str(caught.value)
    assert path.read_text() == 'old'
    assert os.listdir(tmp_path) == ['a']


def test_a_refusal_below_another_error_is_found(tmp_path):
    """torch.save ends in a RuntimeError of its own, raised while the refusal was on its way."""
    def save():
        with whole_file(tmp_path / 'a'):
            try:
                refuse(errno.ENOSPC)()
            except OSError:
                raise RuntimeError('unexpected pos')  # noqa: B904  (as torch does)

    with pytest.raises(OutputError, match='No space left'):
        save()
    assert not os.listdir(tmp_path)


def test_other_errors_are_left_as_they_are(tmp_path):
    def save(error):
        with whole_file(tmp_path / 'a'):
            raise error

    for error in (RuntimeError('unexpected pos'), KeyError('a'), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            save(error)
    assert not os.listdir(tmp_path)


def test_a_file_in_the_place_of_the_folder(tmp_path):
    Path(tmp_path / 'a').write_text('')
    with pytest.raises(OutputError, match=r'a/b could not be written: (File exists|Not a dir)'):
        write(tmp_path / 'a' / 'b')
