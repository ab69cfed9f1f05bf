"""One file, read once: values and counts, kinds of bad labels, sizes from headers."""

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from segplug.datasets.diagnosis.facts import count_colours, image_facts, label_facts
from segplug.datasets.transforms import LoadAnnotations


def facts_of(path, **options):
    return label_facts(dict(seg_map_path=str(path)), LoadAnnotations(**options))


def test_values_are_counted_in_eight_bits_and_in_sixteen(tmp_path):
    label = np.array([[0, 0, 3], [255, 3, 3]], np.uint8)
    cv2.imwrite(str(tmp_path / 'a.png'), label)
    cv2.imwrite(str(tmp_path / 'b.png'), label.astype(np.uint16) * 200)
    for name, factor in (('a', 1), ('b', 200)):
        found = facts_of(tmp_path / f'{name}.png')
        assert found.shape == (2, 3)
        assert found.values.tolist() == [0, 3 * factor, 255 * factor]
        assert found.counts.tolist() == [2, 3, 1]
        assert (found.problem, found.is_lossy) == ('', False)


@pytest.mark.parametrize(('pixels', 'problem'), [
    (np.full((4, 4), 0.5, np.float32), 'label_is_no_ids'),
    (np.full((4, 4), -1, np.int16), 'label_is_no_ids'),
    (np.zeros((0, 4), np.uint8), 'unreadable_label'),
    (np.zeros((4, 4, 5), np.uint8), 'label_is_no_ids')])
def test_an_array_that_is_no_label(tmp_path, pixels, problem):
    np.save(tmp_path / 'a.npy', pixels)
    assert facts_of(tmp_path / 'a.npy').problem == problem


def test_a_missing_file_is_a_fact(tmp_path):
    found = facts_of(tmp_path / 'nothing.png')
    assert (found.problem, found.reason) == ('unreadable_label', 'No such file or directory')


def test_colours_are_counted_over_runs_that_go_around_the_rows():
    mask = np.zeros((2, 3, 3), np.uint8)
    mask[0, 2] = mask[1, 0] = (1, 2, 3)
    mask[1, 2] = (1, 2, 3)
    # Row by row: black black blue | blue black blue.
    assert count_colours(mask) == {0: 3, 0x010203: 3}
    noise = np.random.default_rng(0).integers(0, 3, (40, 50, 3), np.uint8)
    values, counts = np.unique(noise.reshape(-1, 3), axis=0, return_counts=True)
    assert count_colours(noise) == {int(r) << 16 | int(g) << 8 | int(b): n for (r, g, b), n in
                                    zip(values, counts.tolist(), strict=True)}


def test_sizes_come_from_headers(tmp_path):
    img = np.zeros((3, 5, 3), np.uint8)
    for name in ('a.png', 'a.jpg', 'a.bmp', 'a.webp'):
        cv2.imwrite(str(tmp_path / name), img)
        assert image_facts(tmp_path / name).shape == (3, 5)
    tifffile.imwrite(tmp_path / 'a.tif', np.zeros((3, 5, 7), np.uint16), photometric='minisblack')
    np.save(tmp_path / 'a.npy', img)
    assert image_facts(tmp_path / 'a.npy').shape == (3, 5)
    assert image_facts(tmp_path / 'a.tif').reason == ''
    assert image_facts('s3://bucket/a.png').reason == ''


@pytest.mark.parametrize(('name', 'length'), [
    ('a.png', -20), ('a.png', 40), ('a.jpg', -2), ('a.jpg', 100), ('a.png', 0)])
def test_a_file_that_was_cut_is_known_by_its_end(tmp_path, name, length):
    path = tmp_path / name
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8))
    assert image_facts(path).reason == ''
    path.write_bytes(path.read_bytes()[:length])
    assert image_facts(path).reason != ''


def test_bytes_after_the_end_of_a_jpeg_do_no_harm(tmp_path):
    path = tmp_path / 'a.jpg'
    cv2.imwrite(str(path), np.zeros((90, 90, 3), np.uint8))
    path.write_bytes(path.read_bytes() + bytes(6000))
    assert image_facts(path).reason == ''


def test_an_orientation_is_read(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    for name in ('a.jpg', 'a.png'):
        Image.new('RGB', (5, 3)).save(tmp_path / name, exif=exif)
        found = image_facts(tmp_path / name)
        assert (found.shape, found.orientation) == ((3, 5), 6)
