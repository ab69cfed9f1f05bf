"""Augmentations of other libraries, called as albumentations calls them.

``albumentations`` is not needed for any other callable that takes the keywords ``image`` and
``mask`` and returns a dict of them.
"""

import inspect
import random
import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from mmcv.transforms import BaseTransform

from ...errors import ConfigError, ShapeError, did_you_mean
from ...registry import TRANSFORMS
from .fields import as_list, label_keys


def build(cfg: Mapping | Callable) -> Callable:
    """The augmentation that a config names: ``type`` a class or a name in albumentations.

    ``transforms`` inside it are built as well. A callable is itself.

    Raises:
        ConfigError: albumentations is not installed, has no such name, or refuses an argument.
    """
    if not isinstance(cfg, Mapping):
        if not callable(cfg):
            raise ConfigError('Albu: a transform is no config and cannot be called.', got=repr(cfg))
        return cfg
    if 'type' not in cfg:
        raise ConfigError('Albu: a transform has no type.', got=f'{dict(cfg)}',
                          expected="a key 'type'", culprit=next(iter(cfg), None))
    args = {k: v for k, v in cfg.items() if k != 'type'}
    make = _named(cfg['type']) if isinstance(cfg['type'], str) else cfg['type']
    if 'transforms' in args:
        args['transforms'] = [build(t) for t in args['transforms']]
    try:
        with warnings.catch_warnings():
            # albumentations only warns of an argument that it does not know.
            warnings.filterwarnings('error', message=r'Argument\(s\)')
            return make(**args)
    except (TypeError, ValueError, UserWarning) as error:
        raise ConfigError(f'Albu: {make.__name__} cannot be made.', got=str(error),
                          expected=str(inspect.signature(make)), culprit=make.__name__) from error


def _named(name: str) -> Callable:
    try:
        import albumentations
    except ImportError as error:
        raise ConfigError(f'Albu: {name!r} is of albumentations, which is not installed.',
                          fix='pip install albumentations, or give a class as type',
                          culprit=name) from error
    made = getattr(albumentations, name, None)
    if made is None:
        raise ConfigError(f'albumentations {albumentations.__version__} has no {name!r}.',
                          fix=did_you_mean(name, dir(albumentations)), culprit=name)
    return made


def seed(augmentation: Callable, number: int) -> None:
    """Start the generators that ``augmentation`` keeps, as albumentations 1.4.21 and later do.

    All parts of it share them; `set_random_seed` would start each part alike, so that two flips
    always agree.
    """
    if hasattr(augmentation, 'set_random_state'):
        augmentation.set_random_state(np.random.default_rng(number), random.Random(number))


@TRANSFORMS.register_module()
class Albu(BaseTransform):
    """Call augmentations with ``image`` (RGB if there are three channels) and ``mask``.

    Their generators are started with a number drawn from ``numpy.random`` for each sample; older
    versions, and callables without ``set_random_state``, must draw from ``numpy.random`` or
    ``random``. Several label maps are one mask (H, W, n). Sets img_shape.

    mmsegmentation's hands every entry of the sample on, which albumentations refuses, draws from
    generators that no seed reaches, and leaves other label maps and img_shape as they were.

    Args:
        transforms: Configs, see `build`, or callables.
        keymap: Name here -> keyword there; None is img -> image and all label maps -> mask.
        update_pad_shape: Whether to set pad_shape too.

    Raises:
        ConfigError: ``keymap`` leaves out a label map of the sample.
        ShapeError: An augmentation returns image and label of different size.
    """

    def __init__(self, transforms: Sequence[Mapping | Callable], keymap: Mapping | None = None,
                 update_pad_shape: bool = False) -> None:
        self.transforms = as_list(transforms, 'Albu', 'transforms')
        self.keymap = None if keymap is None else dict(keymap)
        self.update_pad_shape = update_pad_shape
        self.augmentations = [build(t) for t in self.transforms]

    def transform(self, results: dict) -> dict:
        number = int(np.random.randint(2 ** 31))
        labels = label_keys(results)
        data = self._keywords(results, labels)
        for i, augmentation in enumerate(self.augmentations):
            seed(augmentation, number + i)
            data = augmentation(**data)
        self._take_back(results, labels, data)
        results['img_shape'] = results['img'].shape[:2]
        for key in labels:
            if results[key].shape[:2] != results['img_shape']:
                raise ShapeError(f'Albu: image and {key} came back in different sizes.',
                                 got=f'{results["img"].shape} and {results[key].shape}')
        if self.update_pad_shape:
            results['pad_shape'] = results['img_shape']
        return results

    def _keywords(self, results: dict, labels: list[str]) -> dict:
        """The arguments of the augmentations."""
        img = _reversed(results['img'])
        if self.keymap is not None:
            left_out = [k for k in labels if k not in self.keymap]
            if left_out:
                raise ConfigError('Albu: keymap leaves a label map out.', got=f'{left_out}',
                                  fix='add it to keymap', culprit='keymap')
            return {theirs: img if ours == 'img' else results[ours]
                    for ours, theirs in self.keymap.items() if ours in results}
        if not labels:
            return dict(image=img)
        mask = results[labels[0]] if len(labels) == 1 else \
            np.stack([results[k] for k in labels], axis=-1)
        return dict(image=img, mask=mask)

    def _take_back(self, results: dict, labels: list[str], data: Mapping) -> None:
        if self.keymap is not None:
            taken = {ours: data[theirs] for ours, theirs in self.keymap.items() if theirs in data}
        elif len(labels) == 1:
            taken = {'img': data['image'], labels[0]: data['mask']}
        else:
            taken = {'img': data['image'],
                     **{k: data['mask'][..., i] for i, k in enumerate(labels)}}
        for key, value in taken.items():
            value = _reversed(value) if key == 'img' else \
                value.astype(results[key].dtype, copy=False)
            results[key] = np.ascontiguousarray(value)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(transforms={self.transforms}, keymap={self.keymap}, '
                f'update_pad_shape={self.update_pad_shape})')


def _reversed(img: np.ndarray) -> np.ndarray:
    """BGR as RGB, and the other way round; images of other channels as they are."""
    return np.ascontiguousarray(img[..., ::-1]) if img.ndim == 3 and img.shape[2] == 3 else img
