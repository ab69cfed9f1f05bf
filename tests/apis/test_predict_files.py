"""Names of the files of a prediction, films of what is not all of one size, and bands of rows."""

import os
import weakref
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest

from segplug.apis.predict_files import Writer, check_out, column_names, file_names
from segplug.apis.prediction import Prediction
from segplug.errors import ConfigError, DataError


def test_no_class_is_written_over_another():
    assert file_names(['road', 'traffic light', 'a/b', '?']) == ['road', 'traffic_light', 'a_b',
                                                                 '_']
    assert file_names(['a b', 'a/b', 'Car', 'car', 'c']) == ['a_b_0', 'a_b_1', 'Car_2', 'car_3',
                                                             'c']
    assert column_names(['road', 'height', 'x', 'x']) == ['road', 'height 1', 'x 2', 'x 3']
    assert column_names(['x', 'x', 'x 1']) == ['x 0', 'x 1', 'x 1 2']
    assert file_names(['x', 'x', 'X_0']) == ['x_0', 'x_1', 'X_0_2']


class FakeVideo:
    """Three frames, of which the last is larger."""

    path, size, rate = 'fake.mp4', (16, 32), 5.0

    def predictions(self):
        for number, scale in enumerate((1, 1, 2)):
            labels = np.full((16 * scale, 32 * scale), number, np.uint8)
            yield Prediction(labels, ('a', 'b', 'c'), [[9, 9, 9]] * 3)


def test_a_video_that_changes_its_size(tmp_path):
    writer = Writer(tmp_path, ('a', 'b', 'c'), [[9, 9, 9]] * 3)
    video = FakeVideo()
    rows = [row for _, row in writer.write_video(video, video.predictions(), 'v')]
    assert rows[2] == dict(image='v/000002', height=32, width=64, a=0, b=0, c=2048)
    film = cv2.VideoCapture(str(tmp_path / 'overlays' / 'v.mp4'))
    assert [film.read()[0] for _ in range(4)] == [True] * 3 + [False]
    writer.write_areas(rows)
    assert pd.read_csv(tmp_path / 'areas.csv').columns.tolist() == writer.columns


def test_a_film_that_cannot_be_written_is_told_before_the_first_frame(tmp_path):
    video = FakeVideo()
    video.size = (1, 1)
    with pytest.raises(ConfigError, match='no video of the overlays of fake.mp4.*Got: 1x1 pixels'):
        list(Writer(tmp_path, ('a',), [[9, 9, 9]]).write_video(video, iter(()), 'v'))
    assert not [p for p in tmp_path.rglob('*') if p.is_file()]


def test_of_a_band_only_what_the_overlay_shows_is_kept(tmp_path):
    bands, gone = [], []

    def labelled():
        for number in range(4):
            gone.append([band() is None for band in bands])
            band = np.full((1, 8), number, np.uint8)
            bands.append(weakref.ref(band))
            yield band

    image = SimpleNamespace(path=Path('large.png'), size=(4, 8), step=2,
                            picture=lambda: np.zeros((2, 4, 3), np.uint8))
    _, row = Writer(tmp_path, ('a', 'b', 'c', 'd'), [[9, 9, 9]] * 4).write_rows(
        image, labelled(), 'large')
    assert row == dict(image='large', height=4, width=8, a=8, b=8, c=8, d=8)
    assert gone[3][:2] == [True, True]  # the third may be in the hands of who writes it
    assert cv2.imread(str(tmp_path / 'overlays' / 'large.png')).shape == (2, 4, 3)


@pytest.mark.parametrize('table', [b'', b'image,height,width,a\n"v'])
def test_areas_that_are_damaged_are_named(tmp_path, table):
    (tmp_path / 'areas.csv').write_bytes(table)
    with pytest.raises(DataError, match=r'areas\.csv cannot be read'):
        Writer(tmp_path, ('a',), [[9, 9, 9]]).written([])


def test_areas_of_names_that_are_no_utf8(tmp_path):
    writer, name = Writer(tmp_path, ('a',), [[9, 9, 9]]), os.fsdecode(b'v\xff')
    assert b'v\xff,2,2,4' in writer.write_areas([dict(image=name, height=2, width=2, a=4)]
                                                ).read_bytes()
    assert writer.written([]) == {}  # it reads them again


def test_two_ways_to_go_on_exclude_each_other(tmp_path):
    check_out(tmp_path, overwrite=True)
    check_out(tmp_path, overwrite=False, skip_existing=True)
    with pytest.raises(ConfigError, match='--overwrite replaces what --skip-existing keeps'):
        check_out(tmp_path, overwrite=True, skip_existing=True)
