"""What a file is to be labelled as, and what can be said to be wrong before the first image."""

import cv2
import numpy as np
import pytest

from segplug.apis import large
from segplug.apis.predict_tasks import tasks_of
from segplug.errors import ConfigError, DataError


@pytest.fixture
def folder(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((4, 6, 3), np.uint8))
    cv2.imwrite(str(tmp_path / 'wide.png'), np.zeros((4, 60, 3), np.uint8))
    film = cv2.VideoWriter(str(tmp_path / 'v.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 5, (32, 16))
    for _ in range(3):
        film.write(np.zeros((16, 32, 3), np.uint8))
    film.release()
    (tmp_path / 'text.mp4').write_text('text')
    return tmp_path


def kinds(folder, names, **options):
    given = dict(probs=False, window=None, stride=None) | options
    return [(task.name, task.kind, task.size)
            for task in tasks_of([folder / name for name in names], **given)]


def test_each_kind(folder, monkeypatch):
    names = ['a.png', 'v.avi', 'wide.png']
    assert kinds(folder, names) == [('a', 'image', 1), ('v', 'video', 3), ('wide', 'image', 1)]
    monkeypatch.setattr(large, 'LARGE', 100)
    assert [kind for _, kind, _ in kinds(folder, names)] == ['image', 'video', 'rows']
    assert kinds(folder, names[:1], window=(8, 8), stride=(4, 4)) == [('a', 'rows', 1)]


@pytest.mark.parametrize(('names', 'options', 'said'), [
    (['a.png', 'v.avi'], dict(probs=True), 'v.avi is a video'),
    (['a.png', 'v.avi'], dict(window=(8, 8)), 'v.avi is a video'),
    (['a.png'], dict(probs=True, window=(8, 8)), 'by rows, which writes no probabilities'),
    (['a.png'], dict(stride=(4, 4)), '--stride has no effect.*add --window'),
    (['a.png', 'text.mp4'], {}, 'text.mp4 has no frames')])
def test_what_cannot_be_done(folder, names, options, said):
    with pytest.raises((ConfigError, DataError), match=said):
        kinds(folder, names, **options)


def test_frames_of_a_video_beside_a_folder_of_its_name(folder):
    """Frame 0 of v.avi would be v/000000, and so would the picture in the folder v."""
    names = ['v.avi', 'v/000000.png', 'w/000000.png']
    for name in names[1:]:
        (folder / name).parent.mkdir()
        (folder / name).write_bytes((folder / 'a.png').read_bytes())
    assert [name for name, _, _ in kinds(folder, names)] == ['v.avi', 'v/000000', 'w/000000']


def test_what_cannot_be_opened(folder):
    with pytest.raises(DataError, match=f'The image {folder} cannot be read. Got: Is a directory'):
        large.size_of(folder)
