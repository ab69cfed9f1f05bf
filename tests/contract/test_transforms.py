"""Every transform that a config can name: image and label move together, and a seed repeats.

A registered transform, ours or mmcv's, without a row in ROWS fails, unless it is in OTHERS. Two
samples: blocks of flat colour, whose middles keep their colour under any resampling, and a
picture whose pixels say where they came from, as its labels do.
"""

import copy
import random
import types
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from mmengine.registry import DefaultScope

from segplug.errors import ShapeError
from segplug.registry import TRANSFORMS

ALL_CHANNELS, ALL_TYPES = (0, 1, 3, 4, 7), (np.uint8, np.uint16, np.float32)


class Row(NamedTuple):
    """kwargs: of the constructor; moves: whether pixels change place; values: 'kept', 'mapped'
    (by the value alone) or 'changed'; kind: 'array' in and out, 'load' reads files, 'pack' ends
    the pipeline, 'volume' takes (N, Z, Y, X); shift: pixels between the places that image and
    label are taken from (cv2's nearest rounds down); channels and dtypes: what images it takes
    (0: no channel axis), a ShapeError else; same_type: whether the image's type stays;
    label_only: the image stays behind."""

    kwargs: dict
    moves: bool = False
    values: str = 'kept'
    kind: str = 'array'
    shift: float = 0
    channels: tuple = ALL_CHANNELS
    dtypes: tuple = ALL_TYPES
    same_type: bool = True
    label_only: bool = False


def mirrored_by_chance(image, mask):
    """What `Albu` calls: an augmentation without a library."""
    return dict(image=image[:, ::-1], mask=mask[:, ::-1]) if np.random.rand() < 0.5 else \
        dict(image=image, mask=mask)


FLIP = dict(type='RandomFlip', prob=0.5)
INTEGERS = (np.uint8, np.uint16)
ROWS = {
    'AdjustGamma': Row(dict(gamma=1.5), values='mapped', dtypes=INTEGERS),
    'Albu': Row(dict(transforms=[mirrored_by_chance]), moves=True),
    'BioMedical3DPad': Row(dict(pad_shape=(12, 8, 16), seg_pad_val=255), moves=True,
                           kind='volume'),
    'BioMedical3DRandomCrop': Row(dict(crop_shape=(4, 6, 7)), moves=True, kind='volume'),
    'BioMedical3DRandomFlip': Row(dict(prob=0.5, axes=(0, 1, 2)), moves=True, kind='volume'),
    'BioMedicalGaussianBlur': Row(dict(prob=1.), values='changed', kind='volume'),
    'BioMedicalGaussianNoise': Row(dict(prob=1.), values='changed', kind='volume'),
    'BioMedicalRandomGamma': Row(dict(prob=1.), values='changed', kind='volume'),
    'CLAHE': Row({}, values='changed', dtypes=INTEGERS),
    'CenterCrop': Row(dict(crop_size=(18, 45)), moves=True),
    'ClassMix': Row(dict(prob=1.), moves=True),
    'CutMix': Row(dict(prob=1.), moves=True),
    'GaussianBlur': Row(dict(prob=1., sigma=(0.5, 1.)), shift=1),
    'GenerateEdge': Row(dict(edge_width=4)),
    'InferencerLoader': Row({}, kind='load'),
    'LoadAnnotations': Row({}, kind='load'),
    'LoadImageFromFile': Row({}, kind='load'),
    'LoadImageFromNDArray': Row({}),
    'LoadSingleRSImageFromFile': Row({}, kind='load', same_type=False),
    'Normalize': Row(dict(mean=[1, 2, 3], std=[4, 5, 6]), values='mapped', channels=(3,),
                     same_type=False),
    'PackSegInputs': Row({}, kind='pack'),
    'Pad': Row(dict(size=(120, 70), pad_val=dict(img=250, seg=255)), moves=True),
    'PhotoMetricDistortion': Row({}, values='mapped', channels=(3,), dtypes=(np.uint8,)),
    'RGB2Gray': Row({}, values='mapped', channels=(3,)),
    'RandomApply': Row(dict(transforms=[FLIP], prob=0.5), moves=True),
    'RandomChoice': Row(dict(transforms=[[FLIP], []]), moves=True),
    'RandomChoiceResize': Row(dict(scales=[(96, 64), (41, 80)]), moves=True, shift=1.5),
    'RandomCrop': Row(dict(crop_size=(40, 56)), moves=True),
    'RandomCutOut': Row(dict(prob=1., n_holes=(1, 4), cutout_ratio=[(0.1, 0.2), (0.2, 0.1)],
                             fill_in=250, seg_fill_in=255), moves=True),
    'RandomDepthMix': Row(dict(prob=1.), values='changed'),
    'RandomFlip': Row(dict(prob=[0.4, 0.3, 0.3],
                           direction=['horizontal', 'vertical', 'diagonal']), moves=True),
    'RandomGrayscale': Row(dict(prob=0.5), values='mapped', channels=(3,), dtypes=(np.uint8,)),
    'RandomMosaic': Row(dict(prob=1., img_scale=(64, 80), pad_val=250), moves=True, shift=1.5),
    'RandomResize': Row(dict(scale=(96, 64), ratio_range=(0.7, 2.)), moves=True, shift=1.5),
    'RandomRotFlip': Row(dict(pad_val=250), moves=True, shift=1.5),
    'RandomRotate': Row(dict(prob=1., degree=180, pad_val=250), moves=True, shift=1.5),
    'Rerange': Row(dict(max_value=1.), values='mapped', same_type=False),
    'Resize': Row(dict(scale_factor=(1.5, 0.75)), moves=True, shift=1.5),
    'ResizeShortestEdge': Row(dict(scale=50, max_size=90), moves=True, shift=1.5),
    'ResizeToMultiple': Row(dict(size_divisor=20), moves=True, shift=1.5),
    'SegRescale': Row(dict(scale_factor=0.5), label_only=True),
}
OTHERS = {
    'Compose': 'a pipeline', 'ImageToTensor': 'makes tensors', 'ToTensor': 'makes tensors',
    'KeyMapper': 'renames entries', 'TransformBroadcaster': 'takes lists of entries',
    'MultiScaleFlipAug': 'makes several samples',
    'TestTimeAug': 'makes several samples',
    'ConcatCDInput': 'joins two images', 'LoadMultipleRSImageFromFile': 'reads two images',
    'LoadDepthAnnotation': 'reads depth', 'LoadBiomedicalImageFromFile': 'reads volumes',
    'LoadBiomedicalAnnotation': 'reads volumes', 'LoadBiomedicalData': 'reads volumes'}
TRANSFORMS.import_from_location()
OURS = sorted(name for name, cls in TRANSFORMS.module_dict.items()
              if cls.__module__.startswith('segplug.'))
MMCVS = sorted(name for name, cls in TRANSFORMS.parent.module_dict.items()
               if cls.__module__.startswith('mmcv.') and name not in OURS)
ARRAYS = sorted(n for n, row in ROWS.items() if row.kind == 'array')
VOLUMES = sorted(n for n, row in ROWS.items() if row.kind == 'volume')
COLOURS = np.array([[0, 0, 0], [60, 120, 200], [220, 30, 90], [120, 200, 10]], np.uint8)
PADDED = np.array([250, 250, 250], np.uint8)


def picture():
    """(64, 96) label of 4 classes in blocks of 16, and the image that colours it."""
    blocks = np.random.default_rng(5).integers(0, 4, (4, 6))
    label = np.kron(blocks, np.ones((16, 16))).astype(np.uint8)
    return COLOURS[label], label


def places(height=41, width=57, number=0):
    """Image (row * 4, column * 4, 60 * number) and uint16 label 256 + the pixel's own number."""
    rows, cols = np.mgrid[:height, :width]
    img = np.stack([rows * 4, cols * 4, np.full_like(rows, 60 * number)], -1).astype(np.uint8)
    return img, (256 + (number * height + rows) * width + cols).astype(np.uint16)


def sample(img, label, **more):
    """A loaded sample with two label maps."""
    results = dict(img=img, gt_seg_map=label, gt_other=label.copy(), sample_idx=0,
                   seg_fields=['gt_seg_map', 'gt_other'], img_path='x.png', **more)
    results['img_shape'] = results['ori_shape'] = img.shape[:2]
    return results


def build(name):
    """As a data set builds it: names inside wrappers are ours too."""
    with DefaultScope.overwrite_default_scope('segplug'):
        return TRANSFORMS.build(dict(type=name, **copy.deepcopy(ROWS[name].kwargs)))


def run(transform, results, seed, others=None):
    """The sample after ``transform``, with the draws of ``seed``; ``others`` are mixed in."""
    np.random.seed(seed)
    random.seed(seed)
    if type(transform).__name__ == 'RandomDepthMix':
        results['gt_depth_map'] = np.full(results['img'].shape[:2], 7., np.float32)
    if hasattr(transform, 'get_indices'):
        others = others or [results] * 3
        results['mix_results'] = [copy.deepcopy(others[i])
                                  for i in transform.get_indices(others)]
    return transform(results)


def run_on_blocks(name, seed, files=None):
    results = sample(*picture())
    if ROWS[name].kind == 'load':
        results = dict(img_path=files[0], seg_map_path=files[1], sample_idx=0)
    results = run(build(name), results, seed)
    if ROWS[name].kind == 'pack':
        packed = results['data_samples']
        results = dict(img=results['inputs'].numpy().transpose(1, 2, 0),
                       gt_seg_map=packed.gt_sem_seg.data[0].numpy(), img_shape=packed.img_shape)
    return results


def interior(label):
    """Pixels whose whole neighbourhood is of one class: resampling does not mix them."""
    kernel = np.ones((9, 9), np.uint8)
    return cv2.erode(label, kernel) == cv2.dilate(label, kernel)


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp('contract')
    names = [str(folder / 'img.png'), str(folder / 'label.png')]
    for name, pixels in zip(names, picture(), strict=True):
        cv2.imwrite(name, pixels)
    return names


def test_every_transform_has_a_row():
    assert sorted(ROWS) == sorted({*OURS, *MMCVS} - set(OTHERS))


@pytest.mark.parametrize('name', sorted(n for n, row in ROWS.items()
                                        if row.kind in ('array', 'pack') and not row.label_only))
def test_image_and_label_move_together(name):
    for seed in range(6):
        results = run_on_blocks(name, seed)
        img, label = results['img'], results['gt_seg_map']
        assert img.shape[:2] == label.shape == tuple(results['img_shape'])
        inside = interior(label)
        assert inside.any()
        if ROWS[name].values == 'kept':
            expected = np.concatenate([COLOURS, np.repeat(PADDED[None], 252, 0)])[label]
            assert np.abs(img.astype(int) - expected)[inside].max() <= 1
        elif ROWS[name].values == 'mapped':  # each class keeps one colour
            for c in range(4):
                assert len(np.unique(img[inside & (label == c)], axis=0)) == 1


@pytest.mark.parametrize('name', [n for n in ARRAYS if not ROWS[n].label_only])
def test_pixels_and_16_bit_labels_come_from_the_same_place(name):
    for seed in range(6):
        others = [sample(*places(number=i)) for i in range(1, 4)]
        results = run(build(name), sample(*places()), seed, others)
        label = results['gt_seg_map']
        assert label.dtype == np.uint16
        np.testing.assert_array_equal(results['gt_other'], label)
        assert results['img'].shape[:2] == label.shape == results['img_shape']
        if ROWS[name].values != 'kept':
            np.testing.assert_array_equal(label, places()[1])
            continue
        # An image pixel near what was filled mixes with it; so may one near another picture.
        known = cv2.erode((label != 255).astype(np.uint8), np.ones((5, 5), np.uint8),
                          borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
        number, row = np.divmod((label.astype(int) - 256) // 57, 41)
        came = np.stack([row * 4, (label.astype(int) - 256) % 57 * 4, number * 60], -1)
        assert known.any()
        assert np.abs(results['img'].astype(int) - came)[known].max() <= 4 * ROWS[name].shift


@pytest.mark.parametrize('name', ARRAYS)
@pytest.mark.parametrize('shape', [(1, 1), (1, 9), (23, 2)])
def test_tiny_images(name, shape):
    rng = np.random.default_rng(0)
    results = sample(rng.integers(0, 256, (*shape, 3), dtype=np.uint8),
                     rng.integers(0, 4, shape, dtype=np.uint8))
    results = run(build(name), results, 0)
    assert min(results['gt_seg_map'].shape) >= 1
    if not ROWS[name].label_only:
        assert results['img'].shape[:2] == results['gt_seg_map'].shape


@pytest.mark.parametrize('name', [n for n in ARRAYS if n in OURS])
@pytest.mark.parametrize('dtype', ALL_TYPES)
def test_channels_and_types(name, dtype):
    """Every number of channels and every type works, or a ShapeError says that it does not."""
    row, rng = ROWS[name], np.random.default_rng(0)
    for channels in ALL_CHANNELS:
        img = (rng.random((33, 29, channels) if channels else (33, 29)) * 255).astype(dtype)
        results = sample(img, rng.integers(0, 4, (33, 29), dtype=np.uint8))
        if channels not in row.channels or dtype not in row.dtypes:
            with pytest.raises(ShapeError, match=name):
                run(build(name), results, 1)
            continue
        results = run(build(name), results, 1)
        assert results['img'].shape[2:] == img.shape[2:]
        assert results['img'].dtype == (dtype if row.same_type else np.float32)
        assert results['img'].flags.c_contiguous
        assert results['gt_seg_map'].dtype == results['gt_other'].dtype == np.uint8
        assert results['gt_seg_map'].flags.c_contiguous


@pytest.mark.parametrize('name', ARRAYS)
def test_loaded_arrays_stay_as_they_are(name):
    loaded = sample(*picture())
    before = copy.deepcopy(loaded)
    for seed in range(4):
        run(build(name), dict(loaded), seed)
        for key in ('img', 'gt_seg_map', 'gt_other', 'seg_fields'):
            np.testing.assert_array_equal(loaded[key], before[key])


@pytest.mark.parametrize('name', sorted(n for n in ROWS if ROWS[n].kind != 'volume'))
def test_labels_keep_type_and_values(name, files):
    results = run_on_blocks(name, 0, files)
    if 'gt_seg_map' in results:
        assert results['gt_seg_map'].dtype == np.uint8
        assert set(np.unique(results['gt_seg_map'])) <= {0, 1, 2, 3, 255}
    if 'img' in results and ROWS[name].same_type:
        assert results['img'].dtype == np.uint8


@pytest.mark.parametrize('name', sorted(n for n in ROWS if ROWS[n].kind != 'volume'))
def test_the_same_seed_gives_the_same_sample(name, files):
    one, two = run_on_blocks(name, 7, files), run_on_blocks(name, 7, files)
    for key in ('img', 'gt_seg_map'):
        assert (key in one) == (key in two)
        if key in one:
            np.testing.assert_array_equal(one[key], two[key])


@pytest.mark.parametrize('name', ARRAYS + VOLUMES)
def test_what_it_did_before_does_not_matter(name):
    """No state: the draws of a sample depend on the seed alone."""
    load = volume if name in VOLUMES else lambda: sample(*places())
    used = build(name)
    for seed in (1, 2):
        run(used, load(), seed)
    one, two = run(used, load(), 3), run(build(name), load(), 3)
    np.testing.assert_array_equal(one['img'], two['img'])
    np.testing.assert_array_equal(one['gt_seg_map'], two['gt_seg_map'])


@pytest.mark.parametrize('name', sorted(
    n for n, row in ROWS.items() if row.moves and row.kind == 'array'
    and n not in ('CenterCrop', 'Pad', 'Resize', 'ResizeShortestEdge', 'ResizeToMultiple')))
def test_another_seed_gives_another_sample(name):
    labels = [run(build(name), sample(*places()), seed,
                  [sample(*places(number=i)) for i in range(1, 4)])['gt_seg_map']
              for seed in range(8)]
    assert len({(x.shape, x.tobytes()) for x in labels}) > 1


def volume():
    """Image (1, Z, Y, X) that holds each voxel's number, the label 1 + that."""
    shape = 7, 9, 11
    number = np.arange(np.prod(shape)).reshape(shape)
    return dict(img=number[None].astype(np.float32), gt_seg_map=(256 + number).astype(np.uint16),
                gt_other=(256 + number).astype(np.uint16), img_path='x.nii',
                seg_fields=['gt_seg_map', 'gt_other'])


@pytest.mark.parametrize('name', VOLUMES)
def test_volumes(name):
    for seed in range(6):
        loaded = volume()
        results = run(build(name), dict(loaded), seed)
        img, label = results['img'][0], results['gt_seg_map']
        for key, value in volume().items():
            np.testing.assert_array_equal(loaded[key], value)
        np.testing.assert_array_equal(results['gt_other'], label)
        assert results['img'].dtype == np.float32
        assert img.shape == label.shape
        if ROWS[name].moves:
            known = label != 255
            np.testing.assert_array_equal(img[known], label[known].astype(int) - 256)
        else:
            np.testing.assert_array_equal(label, volume()['gt_seg_map'])
    flat = sample(*picture())
    with pytest.raises(ShapeError, match=name):
        build(name)(flat)


@pytest.mark.parametrize('name', [n for n in OURS if n not in OTHERS])
def test_its_text_names_it(name):
    assert repr(build(name)).lstrip('<').split('(')[0].split(' ')[0].endswith(name)


def test_the_rows_are_of_this_registry():
    assert all(isinstance(TRANSFORMS.get(n), type | types.FunctionType) for n in ROWS)
