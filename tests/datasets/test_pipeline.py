"""The planned pipeline gives the samples of the plain list of transforms, to the byte."""

import copy

import numpy as np
import pytest
from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

from segplug.datasets.pipeline import Pipeline
from segplug.datasets.transforms import RandomCrop, RandomFlip
from segplug.ops.frames import Frame
from segplug.registry import TRANSFORMS

RESIZE = dict(type='RandomResize', scale=(96, 64), ratio_range=(0.4, 2.5), keep_ratio=True)
CROP = dict(type='RandomCrop', crop_size=(32, 48), cat_max_ratio=0.75)
FLIP = dict(type='RandomFlip', prob=[0.3, 0.3, 0.3], direction=['horizontal', 'vertical',
                                                               'diagonal'])
ROTATE = dict(type='RandomRotate', prob=0.7, degree=30, pad_val=(1, 2, 3))
PIPELINES = {
    'cityscapes': [RESIZE, CROP, FLIP, dict(type='PhotoMetricDistortion')],
    'recipe': [RESIZE, ROTATE, CROP, FLIP, dict(type='GaussianBlur')],
    'flip first': [FLIP, RESIZE, CROP],
    'several resizes': [dict(type='Resize', scale=(77, 50)), RESIZE, CROP,
                        dict(type='Resize', scale_factor=1.5), ROTATE],
    'two crops': [CROP, RESIZE, dict(CROP, crop_size=(200, 20)), FLIP],
    'bicubic': [dict(RESIZE, interpolation='bicubic'), CROP],
    'pillow': [dict(RESIZE, backend='pillow'), CROP],
    'a choice in between': [RESIZE, dict(type='RandomChoice', transforms=[[CROP], [FLIP]]), CROP],
}


def sample(seed):
    rng = np.random.default_rng(seed)
    label = np.kron(rng.integers(0, 5, (8, 12)), np.ones((8, 8))).astype(np.uint8)
    return dict(img=rng.integers(0, 256, (64, 96, 3), dtype=np.uint8), gt_seg_map=label,
                gt_edge_map=(label == 2).astype(np.uint8), seg_fields=['gt_seg_map', 'gt_edge_map'])


@pytest.mark.parametrize('name', PIPELINES)
def test_the_same_bytes_as_the_plain_list(name):
    with DefaultScope.overwrite_default_scope('segplug'):
        transforms = [TRANSFORMS.build(copy.deepcopy(cfg)) for cfg in PIPELINES[name]]
    for seed in range(12):
        results = []
        for run in (Compose(transforms), Pipeline(transforms)):
            np.random.seed(seed)
            results.append(run(sample(seed)))
        plain, planned = results
        assert plain.keys() == planned.keys()
        for key, value in plain.items():
            if isinstance(value, np.ndarray):
                assert type(planned[key]) is np.ndarray
                assert planned[key].dtype == value.dtype
                assert planned[key].flags.c_contiguous
            np.testing.assert_array_equal(planned[key], value, err_msg=key)


def test_a_plain_crop_and_flip_would_differ_if_the_order_were_lost():
    np.random.seed(0)
    data = sample(0)
    flip, crop = RandomFlip(prob=1.), RandomCrop((10, 10))
    np.random.seed(1)
    one = Pipeline([flip, crop])(copy.deepcopy(data))['img']
    np.random.seed(1)
    other = Pipeline([crop, flip])(copy.deepcopy(data))['img']
    assert not np.array_equal(one, other)


class Seen(BaseTransform):
    """A third party's transform that writes down what it got."""

    def transform(self, results):
        self.type = type(results['img'])
        return results


class Theirs(RandomCrop):
    """A subclass, which may expect arrays."""

    def crop_window(self, results):
        assert isinstance(results['img'], np.ndarray)
        return super().crop_window(results)


def test_other_peoples_transforms_get_arrays():
    resize = TRANSFORMS.build(dict(RESIZE))
    seen = Seen()
    Pipeline([resize, seen])(sample(0))
    assert seen.type is np.ndarray
    Pipeline([resize, Theirs((10, 10))])(sample(0))


def test_ours_get_frames():
    class Spy(RandomCrop):
        takes_frames = True

        def crop_window(self, results):
            self.type = type(results['img'])
            return super().crop_window(results)

    spy = Spy((10, 10))
    result = Pipeline([TRANSFORMS.build(dict(RESIZE)), spy])(sample(0))
    assert issubclass(spy.type, Frame)
    assert type(result['img']) is np.ndarray


def test_none_ends_it_and_samples_without_image_pass():
    assert Pipeline([lambda results: None, RandomFlip(prob=1.)])({}) is None
    assert Pipeline([lambda results: dict(results, a=1)])(dict(sample_idx=3)) == dict(sample_idx=3,
                                                                                     a=1)
