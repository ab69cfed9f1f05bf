"""Which files a person means, and frames of videos."""

import cv2
import numpy as np
import pytest

from segplug.apis.sources import Video, is_video, source_files
from segplug.errors import DataError


@pytest.fixture
def tree(tmp_path):
    for name in ('b.png', 'a.JPG', 'sub/c.tif', 'sub/d.mp4', 'sub/notes.txt', 'empty/notes.txt'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b'x')
    return tmp_path


def test_files_folders_and_patterns(tree):
    def names(*sources):
        return [p.relative_to(tree).as_posix() for p in source_files(tree / s for s in sources)]
    assert names('.') == ['a.JPG', 'b.png', 'sub/c.tif', 'sub/d.mp4']
    assert names('b.png', 'sub', 'b.png') == ['b.png', 'sub/c.tif', 'sub/d.mp4']
    assert names('sub/**/*.t*') == ['sub/c.tif', 'sub/notes.txt']  # a pattern is taken at its word


def test_a_folder_s_links_are_followed_and_its_hidden_files_left_out(tree):
    """As a data set lists its folder; .ipynb_checkpoints holds copies of what was looked at."""
    for name in ('elsewhere/e.png', 'sub/._c.tif', 'sub/.ipynb_checkpoints/c.tif'):
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_bytes(b'x')
    (tree / 'sub' / 'day').symlink_to(tree / 'elsewhere')
    (tree / 'sub' / 'round').symlink_to(tree)
    assert source_files([tree / 'sub']) == [tree / 'sub' / name
                                            for name in ('c.tif', 'd.mp4', 'day/e.png')]
    (tree / 'gone.png').symlink_to('nowhere.png')
    with pytest.raises(DataError, match='gone.png is a link to what is not there.*nowhere.png'):
        source_files([tree / 'gone.png'])


def test_a_file_whose_name_looks_like_a_pattern(tmp_path):
    (tmp_path / 'a[1].png').write_bytes(b'x')
    assert source_files([tmp_path / 'a[1].png']) == [tmp_path / 'a[1].png']


@pytest.mark.parametrize(('source', 'said'), [
    ('none.png', 'There is no image .*none.png'), ('empty', 'empty holds no image'),
    ('*.bmp', r'No file is called .*\*\.bmp')])
def test_what_is_not_there_is_named(tree, source, said):
    with pytest.raises(DataError, match=said):
        source_files([tree / source])


def test_frames_in_order(tmp_path):
    path = tmp_path / 'v.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 12, (64, 48))
    for grey in (0, 80, 160, 240):
        writer.write(np.full((48, 64, 3), grey, np.uint8))
    writer.release()
    video = Video(path)
    assert (video.size, video.rate, video.count, is_video(path)) == ((48, 64), 12, 4, True)
    assert [round(float(frame.mean()) / 80) for frame in video] == [0, 1, 2, 3]


def test_a_video_without_frames(tmp_path):
    (tmp_path / 'v.mp4').write_text('text')
    for name, got in (('v.mp4', '4 bytes'), ('none.mp4', 'no such file')):
        with pytest.raises(DataError, match=f'{name} has no frames.*Got: {got}'):
            Video(tmp_path / name)
