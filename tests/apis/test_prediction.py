"""What a prediction says of itself."""

import io

import numpy as np
from PIL import Image

from segplug.apis.prediction import Prediction

PALETTE = [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
LABELS = np.array([[0, 0, 0, 1], [0, 0, 0, 1]], np.uint8)


def prediction(**options):
    return Prediction(LABELS, ('sky', 'road', 'car'), PALETTE, **options)


def test_areas_are_counts_and_percent():
    areas = prediction().areas()
    assert areas.to_dict('list') == {'class': ['sky', 'road', 'car'], 'pixels': [6, 2, 0],
                                     'percent': [75., 25., 0.]}


def test_it_prints_what_there_is():
    assert str(prediction(name='a.png')) == 'a.png, 4x2: sky 75.0 %, road 25.0 %'
    many = Prediction(np.arange(8, dtype=np.uint8)[None], tuple('abcdefgh'), [[0] * 3] * 8)
    assert str(many).endswith(' and 3 more')
    assert repr([prediction(name='a.png')]) == \
        '[Prediction(a.png, 4x2: sky 75.0 %, road 25.0 %)]'


def test_the_overlay_mixes_the_image_which_is_read_once():
    reads = []

    def read():
        reads.append(1)
        return np.full((2, 4, 3), 100, np.uint8)
    found = prediction(_read=read)
    assert found.overlay(0.5)[0, 0].tolist() == [178, 50, 50]  # rint(177.5) to even
    assert found.overlay(0)[0, 0].tolist() == [100, 100, 100]
    assert len(reads) == 1
    assert prediction().overlay()[0, 3].tolist() == [0, 255, 0]  # without an image: the colours


def test_a_notebook_shows_picture_and_legend():
    labels = np.zeros((3000, 2000), np.uint8)
    with Image.open(io.BytesIO(Prediction(labels, ('sky',), PALETTE)._repr_png_())) as shown:
        assert shown.width == 667
        assert shown.height > 1000
        assert shown.getpixel((5, 5)) == (255, 0, 0)
