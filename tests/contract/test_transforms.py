"""Every transform of ours: image and label move together, and the same seed gives the same sample.

A registered transform without a row in ROWS fails. The sample is a picture whose pixels say
which class they are of: blocks of flat colour, so that any resampling leaves the middle of each
block its colour.
"""

import random
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from segplug.registry import TRANSFORMS


class Row(NamedTuple):
    """kwargs: of the constructor; moves: whether pixels change place; tints: whether colours
    change; kind: 'array' in and out, 'load' reads files, 'pack' ends the pipeline."""

    kwargs: dict
    moves: bool = False
    tints: bool = False
    kind: str = 'array'


ROWS = {
    'GaussianBlur': Row(dict(prob=1., sigma=(0.5, 1.))),
    'GenerateEdge': Row(dict(edge_width=4)),
    'LoadAnnotations': Row({}, kind='load'),
    'LoadImageFromFile': Row({}, kind='load'),
    'LoadImageFromNDArray': Row({}),
    'PackSegInputs': Row({}, kind='pack'),
    'PhotoMetricDistortion': Row({}, tints=True),
    'RandomCrop': Row(dict(crop_size=(40, 56)), moves=True),
    'RandomFlip': Row(dict(prob=[0.4, 0.3, 0.3],
                           direction=['horizontal', 'vertical', 'diagonal']), moves=True),
    'RandomResize': Row(dict(scale=(96, 64), ratio_range=(0.7, 2.)), moves=True),
    'RandomRotate': Row(dict(prob=1., degree=180, pad_val=250), moves=True),
    'Resize': Row(dict(scale_factor=(1.5, 0.75)), moves=True),
}
TRANSFORMS.import_from_location()
OURS = sorted(name for name, cls in TRANSFORMS.module_dict.items()
              if cls.__module__.startswith('segplug.'))
COLOURS = np.array([[0, 0, 0], [60, 120, 200], [220, 30, 90], [120, 200, 10]], np.uint8)
PADDED = np.array([250, 250, 250], np.uint8)


def picture():
    """(64, 96) label of 4 classes in blocks of 16, and the image that colours it."""
    blocks = np.random.default_rng(5).integers(0, 4, (4, 6))
    label = np.kron(blocks, np.ones((16, 16))).astype(np.uint8)
    return COLOURS[label], label


def run(name, seed, files):
    img, label = picture()
    row = ROWS[name]
    results = dict(img_path=files[0], seg_map_path=files[1], sample_idx=0)
    if row.kind != 'load':
        results.update(img=img.copy(), gt_seg_map=label.copy(), seg_fields=['gt_seg_map'],
                       img_shape=img.shape[:2], ori_shape=img.shape[:2])
    transform = TRANSFORMS.build(dict(type=name, **row.kwargs))
    np.random.seed(seed)
    random.seed(seed)
    results = transform(results)
    if row.kind == 'pack':
        sample = results['data_samples']
        results = dict(img=results['inputs'].numpy().transpose(1, 2, 0),
                       gt_seg_map=sample.gt_sem_seg.data[0].numpy(), img_shape=sample.img_shape)
    return results


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp('contract')
    names = [str(folder / 'img.png'), str(folder / 'label.png')]
    for name, pixels in zip(names, picture(), strict=True):
        cv2.imwrite(name, pixels)
    return names


def interior(label):
    """Pixels whose whole neighbourhood is of one class: resampling does not mix them."""
    kernel = np.ones((9, 9), np.uint8)
    return cv2.erode(label, kernel) == cv2.dilate(label, kernel)


def test_every_transform_has_a_row():
    assert sorted(ROWS) == OURS


# A loader reads one of the two; test_loading.py compares its pixels.
@pytest.mark.parametrize('name', [n for n in OURS if n not in ROWS or ROWS[n].kind != 'load'])
def test_image_and_label_move_together(name, files):
    for seed in range(6):
        results = run(name, seed, files)
        img, label = results['img'], results['gt_seg_map']
        assert img.shape[:2] == label.shape == tuple(results['img_shape'])
        inside = interior(label)
        assert inside.any()
        if ROWS[name].tints:  # each class keeps one colour
            for c in range(4):
                assert len(np.unique(img[inside & (label == c)], axis=0)) == 1
            continue
        expected = np.concatenate([COLOURS, np.repeat(PADDED[None], 252, 0)])[label]
        assert np.abs(img.astype(int) - expected)[inside].max() <= 1


@pytest.mark.parametrize('name', OURS)
def test_types_stay(name, files):
    results = run(name, 0, files)
    for key in ('img', 'gt_seg_map'):
        if key in results:
            assert results[key].dtype == np.uint8
            assert results[key].flags.c_contiguous or ROWS[name].kind == 'pack'
    if 'gt_seg_map' in results:
        assert set(np.unique(results['gt_seg_map'])) <= {0, 1, 2, 3, 255}


@pytest.mark.parametrize('name', OURS)
def test_the_same_seed_gives_the_same_sample(name, files):
    one, two = run(name, 7, files), run(name, 7, files)
    for key in ('img', 'gt_seg_map'):
        assert (key in one) == (key in two)
        if key in one:
            np.testing.assert_array_equal(one[key], two[key])


@pytest.mark.parametrize('name', [n for n in OURS if ROWS[n].moves and n != 'Resize'])
def test_another_seed_gives_another_sample(name, files):
    labels = [run(name, seed, files)['gt_seg_map'] for seed in range(8)]
    assert len({(x.shape, x.tobytes()) for x in labels}) > 1


@pytest.mark.parametrize('name', OURS)
def test_its_text_names_it(name):
    assert repr(TRANSFORMS.build(dict(type=name, **ROWS[name].kwargs))).lstrip('<').split('(')[0] \
        .split(' ')[0].endswith(name)


@pytest.mark.parametrize('name', ['Pad', 'Normalize', 'RandomChoice', 'TestTimeAug'])
def test_mmcvs_other_names_resolve(name):
    assert TRANSFORMS.get(name).__module__.startswith('mmcv.')
