"""Albu with callables of our own; what albumentations does is a stand-in here."""

import random
import sys
import types
import warnings

import numpy as np
import pytest

from segplug.datasets.transforms import albu
from segplug.datasets.transforms.albu import Albu
from segplug.errors import ConfigError, ShapeError

IMG = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)


def sample():
    return dict(img=IMG.copy(), gt_seg_map=IMG[..., 0].copy(), gt_other=IMG[..., 1].copy(),
                seg_fields=['gt_seg_map', 'gt_other'], img_path='x.png', junk=object())


class Shift:
    """Rolls by a number of its own generator, which `set_random_state` replaces."""

    def __init__(self, most: int = 5) -> None:
        self.most, self.generator = most, np.random.default_rng()

    def set_random_state(self, generator, py_random) -> None:
        assert isinstance(py_random, random.Random)
        self.generator = generator

    def __call__(self, image, mask):
        by = self.generator.integers(self.most)
        return dict(image=np.roll(image, by, 1), mask=np.roll(mask, by, 1))


def test_generators_of_others_follow_the_seed():
    one, other = Albu([Shift(), dict(type=Shift, most=8)]), Albu([Shift(), Shift(8)])
    seen = set()
    for number in range(8):
        results = []
        for transform in (one, other):
            np.random.seed(number)
            results.append(transform(sample()))
        np.testing.assert_array_equal(results[0]['img'], results[1]['img'])
        np.testing.assert_array_equal(results[0]['img'][..., 0], results[0]['gt_seg_map'])
        np.testing.assert_array_equal(results[0]['img'][..., 1], results[0]['gt_other'])
        seen.add(results[0]['img'].tobytes())
    assert len(seen) > 3


def test_they_get_rgb_and_one_mask():
    got = {}

    def look(image, mask):
        got.update(image=image, mask=mask)
        return dict(image=image[:4], mask=mask[:4].astype(np.int64))

    results = Albu([look], update_pad_shape=True)(sample())
    np.testing.assert_array_equal(got['image'], IMG[..., ::-1])
    np.testing.assert_array_equal(got['mask'], IMG[..., :2])
    np.testing.assert_array_equal(results['img'], IMG[:4])
    assert results['gt_other'].dtype == np.uint8
    assert results['img_shape'] == results['pad_shape'] == (4, 8)
    assert 'junk' in results
    one = dict(img=IMG[..., :2], gt_seg_map=IMG[..., 0])
    Albu([look])(one)
    np.testing.assert_array_equal(got['image'], IMG[..., :2])  # not three channels: as they are
    assert got['mask'].ndim == 2


def test_without_labels_there_is_no_mask():
    results = Albu([lambda image: dict(image=image)])(dict(img=IMG))
    np.testing.assert_array_equal(results['img'], IMG)


def test_keymap_names_what_goes_in():
    def look(picture, first, second):
        return dict(picture=picture, first=second, second=first)

    keymap = dict(img='picture', gt_seg_map='first', gt_other='second')
    results = Albu([look], keymap)(sample())
    np.testing.assert_array_equal(results['gt_seg_map'], IMG[..., 1])
    del keymap['gt_other']
    with pytest.raises(ConfigError, match='keymap leaves a label map out'):
        Albu([look], keymap)(sample())


def test_image_and_label_of_different_size():
    with pytest.raises(ShapeError, match='image and gt_seg_map came back'):
        Albu([lambda image, mask: dict(image=image[:2], mask=mask)])(sample())


@pytest.fixture
def library(monkeypatch):
    """As much of albumentations as `build` sees: classes by name, a warning for a wrong argument.
    """
    def flip(**args):
        if set(args) - {'p'}:
            warnings.warn(f'Argument(s) {sorted(args)} are not valid', stacklevel=2)
        return lambda **data: data

    class OneOf:
        def __init__(self, transforms):
            self.transforms = transforms

        def __call__(self, **data):
            return self.transforms[0](**data)

    module = types.ModuleType('albumentations')
    module.HorizontalFlip, module.OneOf, module.__version__ = flip, OneOf, '9'
    monkeypatch.setitem(sys.modules, 'albumentations', module)


@pytest.mark.usefixtures('library')
def test_names_are_looked_up_in_albumentations():
    built = albu.build(dict(type='OneOf', transforms=[dict(type='HorizontalFlip', p=1)]))
    assert built(image=3) == dict(image=3)
    assert len(built.transforms) == 1
    with pytest.raises(ConfigError, match="did you mean 'HorizontalFlip'"):
        Albu([dict(type='HorizontalFilp')])
    with pytest.raises(ConfigError, match='flip cannot be made.*are not valid'):
        Albu([dict(type='HorizontalFlip', q=1)])


def test_a_name_without_albumentations(monkeypatch):
    monkeypatch.setitem(sys.modules, 'albumentations', None)
    with pytest.raises(ConfigError, match='pip install albumentations'):
        Albu([dict(type='HorizontalFlip')])


@pytest.mark.parametrize(('transforms', 'said'), [
    ([], 'transforms is no list'), ([3], 'cannot be called'), ([dict(p=1)], 'has no type'),
    ([dict(type=Shift, least=1)], 'Shift cannot be made')])
def test_wrong_arguments(transforms, said):
    with pytest.raises(ConfigError, match=said):
        Albu(transforms)
