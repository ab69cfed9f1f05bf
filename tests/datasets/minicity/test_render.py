# Frames: pinned pixels, every class, the ignored regions, instances, and any size.

import hashlib

import numpy as np
import pytest

from segplug.datasets.minicity.labels import LABELS, train_id_table
from segplug.datasets.minicity.render import render_frame

PINS = {
    (0, 'train', 0, (96, 48)): 'b8f36937fa463fe5f1252b8415c3163785985498b8b3b05cb74cbcb104169a40',
    (7, 'val', 4, (150, 70)): '8d325f600448e45d3b90125b6cb9fbbc6631ab5b0ada0d34c3278b15b7f20559',
}


def digest(frame):
    image, label, instance = frame
    data = image.tobytes() + label.tobytes() + instance.astype('<u2').tobytes()
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope='module')
def frames():
    return [render_frame(0, 'val', index, (128, 64)) for index in range(16)]


@pytest.mark.parametrize('key', PINS)
def test_pixels_are_pinned(key):
    # another digest is another city: raise VERSION in writer.py when the pixels change on purpose
    assert digest(render_frame(*key)) == PINS[key]


def test_types_and_shapes(frames):
    image, label, instance = frames[0]
    assert (image.shape, image.dtype) == ((64, 128, 3), np.uint8)
    assert (label.shape, label.dtype) == ((64, 128), np.uint8)
    assert (instance.shape, instance.dtype) == ((64, 128), np.uint16)


def test_every_class_occurs_in_sixteen_frames(frames):
    found = np.unique(np.concatenate([label.ravel() for _, label, _ in frames]))
    assert set(train_id_table()[found]) == {*range(19), 255}


def test_ignored_regions(frames):
    ids = {name: row[0] for name, row in LABELS.items()}
    for _, label, _ in frames:
        assert (label[[0, 0, -1], [0, -1, 0]] == ids['out of roi']).all()
        assert (label == ids['ego vehicle']).any()
    found = np.unique(np.concatenate([label.ravel() for _, label, _ in frames]))
    assert {ids['static'], ids['dynamic']} <= set(found.tolist())
    ignored = np.mean([(train_id_table()[label] == 255).mean() for _, label, _ in frames])
    assert 0.02 < ignored < 0.3


def test_instances_follow_the_labels(frames):
    with_instances = [row[0] for row in LABELS.values() if row[2]]
    for _, label, instance in frames:
        single = ~np.isin(label, with_instances)
        np.testing.assert_array_equal(instance[single], label[single])
        np.testing.assert_array_equal(instance[~single] // 1000, label[~single])


def test_a_frame_has_the_same_scene_at_any_size():
    # pixel (i, j) of the small label lies in the middle of a 2 x 2 block of the large one
    small, large = (render_frame(0, 'val', 1, size)[1] for size in ((192, 96), (384, 192)))
    agree = [(small == large[dy::2, dx::2]) for dy in (0, 1) for dx in (0, 1)]
    assert np.any(agree, axis=0).mean() > 0.97


@pytest.mark.parametrize('size', [(64, 32), (65, 33), (64, 64), (200, 40)])
def test_any_size_draws(size):
    for index in range(3):
        image, label, _ = render_frame(2, 'train', index, size)
        assert label.shape == (size[1], size[0])
        assert image.std() > 10
