# Perspective and shapes, with the arithmetic beside: CAMERA = 1600 mm, FOCAL = 4500 units.

from types import SimpleNamespace

import numpy as np
import pytest

from segplug.datasets.minicity.canvas import Canvas, Face, depth


@pytest.fixture
def canvas():
    scene = SimpleNamespace(
        horizon=1600, vanish=4096, fog_colour=(200, 200, 200), haze=0, lights=(256, 256)
    )
    return Canvas(256, 128, scene)  # a pixel is 32 x 32 units


def plane(size=9):
    a = np.arange(size, dtype=np.int32)
    return Face(None, None, None, a[None, :], a[:, None], 0)


def test_depth_is_its_own_inverse():
    # 4500 * 1600 / 800 = 9000
    assert depth(800) == 9000
    assert depth(9000) == 800


def test_frontal_face_measures_millimetres(canvas):
    # g = 1600: a millimetre is a unit. 1000 mm from the axis to 1640: units 5096..5736, pixel
    # centres 5104 = 32 * 159 + 16 on
    face = canvas.frontal(1000, 1640, 1600, 960)
    assert (face.cols.start, face.cols.stop) == (159, 179)
    assert face.a[0, 0] == 5104 - 5096
    # its foot is at 1600 + 1600 = 3200, the centre of the lowest row 99 at 3184: 16 mm above the
    # ground
    assert face.rows.stop == 100
    assert face.h[-1, 0] == 16
    assert face.rows.stop - face.rows.start == 960 // 32


def test_flipped_face_counts_from_the_right(canvas):
    face, flipped = (canvas.frontal(1000, 1640, 1600, 960, flip=flip) for flip in (False, True))
    np.testing.assert_array_equal(face.a + flipped.a, 640)


def test_side_face_meets_the_ground_and_the_vanishing_point(canvas):
    face = canvas.side(4000, 9000, 36000, 3000)
    # near edge: g = 800, x = 4096 + 4000 * 800 / 1600 = 6096; far edge: g = 200, x = 4596
    # pixel centres are 16 + 32 n: the first from 4596 on is 4624, the last before 6096 is 6064
    assert canvas.ux[face.cols][[0, -1]].tolist() == [4624, 6064]
    assert 0 <= face.a[0, -1] < 200
    # at 4624: g = 528 * 1600 / 4000 = 211.2, Z = 7200000 / 211.2 = 34091, less 9000: 25091
    assert abs(face.a[0, 0] - 25091) < 20
    # the column at 6064: g = 1968 * 1600 / 4000 = 787.2, ground at 2387.2; the lowest row, 74, is
    # at 2384: 3.2 units above it, 3.2 * 1600 / 787.2 = 6.5 mm
    assert face.rows.stop == 75
    assert face.h[-1, -1] == 6


def test_ground_is_symmetric_about_the_axis(canvas):
    face = canvas.ground()
    np.testing.assert_allclose(face.a[:, 127], -face.a[:, 128] - 1, atol=1)
    assert (np.diff(face.h[:, 0]) <= 0).all()


def test_shapes():
    face = plane()
    assert face.box(2, 4, 1, 3).sum() == 4
    assert face.ellipse(4, 4, 2, 2).sum() == 9  # |(da, dh)| < 2: the 3 x 3 around the centre
    assert face.bar((2, 4), (6, 4), 1)[3:6].sum() == 3 * 7  # from 2 - 1 to 6 + 1, rows 3..5
    assert face.above((0, 0), (8, 8)).sum() == 36  # the strict upper triangle of 9 x 9


def test_tag_writes_official_instances(canvas):
    face = canvas.screen(0, 64)
    face.tag(True, 'road')
    face.tag(face.a < 64, 'car', 3)
    assert np.unique(canvas.instance[:2]).tolist() == [7, 26003]
    assert (canvas.label[:2, :2] == 26).all()
    assert canvas.label[2:].max() == 0


def test_paint_veils_what_is_far(canvas):
    face = canvas.screen(0, 4096)
    face.fog, face.light = 128, 128
    face.paint(True, (100, 0, 0))
    # 100 at half light is 50; half way to the fog's 200: 125; and 0 -> 100
    assert canvas.rgb[:, 5, 5].tolist() == [125, 100, 100]
