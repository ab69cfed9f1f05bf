"""What every transform keeps: image and label move together, and a seed repeats.

Of a third party's transform it is not known what it does to values and places, unless a row says
so; then only what holds for any of them is asked. H W pixels.
"""

import copy
import pickle
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from ..errors import ConfigError, ShapeError
from ..registry import TRANSFORMS
from .case import Case, Check, adds_to, hold, own_scope
from .pictures import COLOURS, away_from, blocks, interior, places, run, sample, volume

ALL_CHANNELS, ALL_TYPES = (0, 1, 3, 4, 7), (np.uint8, np.uint16, np.float32)
PADDED = np.array([250, 250, 250], np.uint8)
CHECKS: list[Check] = []
_KINDS = ('array', 'load', 'pack', 'volume')
_VALUES = (None, 'kept', 'mapped', 'changed')


@dataclass
class TransformCase(Case):
    """A transform.

    Attributes:
        moves: Whether pixels change place by chance, so that another seed gives another sample.
        values: Of the image: 'kept', 'mapped' (by the value alone) or 'changed'; None if unknown.
        kind: 'array' in and out, 'load' reads files, 'pack' ends the pipeline, 'volume' takes
            (N, Z, Y, X).
        shift: Pixels between the places that image and label are taken from (cv2's nearest rounds
            down).
        channels, dtypes: What images it takes, a ShapeError else (0: no channel axis).
        same_type: Whether the image's type stays.
        label_only: Whether the image stays behind.
        leaves_arrays: Whether what was loaded is never written into.
        sample: What a sample holds besides, by key.
    """

    registry: object = field(default=TRANSFORMS)
    moves: bool = False
    values: str | None = None
    kind: str = 'array'
    shift: float = 0
    channels: tuple = (3,)
    dtypes: tuple = (np.uint8,)
    same_type: bool = True
    label_only: bool = False
    leaves_arrays: bool = False
    sample: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, known in (('kind', _KINDS), ('values', _VALUES)):
            value = getattr(self, name)
            if value not in known:
                raise ConfigError(f'The contract of {self.name} has an unknown {name}.',
                                  got=repr(value), culprit=name,
                                  expected=', '.join(map(repr, known)))

    def applied(self, results: dict, seed: int, others=(), transform=None) -> dict:
        """The sample after it, with the draws of ``seed``."""
        results.update({key: np.full(results['img'].shape[:2], value, np.float32)
                        if isinstance(value, float) else copy.deepcopy(value)
                        for key, value in self.sample.items()})
        with own_scope():
            found = run(transform or self.build(), results, seed, others)
        hold(isinstance(found, dict), f'{self.name} hands on no sample.',
             got=type(found).__name__, fix='return results')
        for key in ('img', 'gt_seg_map') if self.kind in ('array', 'volume') else ():
            hold(key in found, f'{self.name} hands on a sample without {key}.',
                 got=', '.join(map(str, found)))
        return found

    def loaded(self) -> dict:
        """What it is tried on."""
        return volume() if self.kind == 'volume' else sample(*places())

    def on_blocks(self, seed: int) -> dict:
        """The sample of blocks after it, read from files or unpacked where it does that."""
        with self._blocks() as results:
            results = self.applied(results, seed)
        if self.kind == 'pack':
            packed = results['data_samples']
            results = dict(img=results['inputs'].numpy().transpose(1, 2, 0),
                           gt_seg_map=packed.gt_sem_seg.data[0].numpy(),
                           img_shape=packed.img_shape)
        return results

    @contextmanager
    def _blocks(self) -> Iterator[dict]:
        if self.kind != 'load':
            yield sample(*blocks())
            return
        with tempfile.TemporaryDirectory() as folder:
            files = [str(Path(folder) / name) for name in ('img.png', 'label.png')]
            for name, pixels in zip(files, blocks(), strict=True):
                cv2.imwrite(name, pixels)
            yield dict(img_path=files[0], seg_map_path=files[1], sample_idx=0, seg_fields=[],
                       reduce_zero_label=False, label_map=None)


def _of(*kinds: str) -> Callable[[TransformCase], str | None]:
    def need(case: TransformCase) -> str | None:
        return None if case.kind in kinds else ''
    return need


images, pictures, arrays = _of('array'), _of('array', 'pack'), _of('array', 'volume')
of_volumes, no_volumes = _of('volume'), _of('array', 'load', 'pack')


def image_moves(case: TransformCase) -> str | None:
    return 'it leaves the image as it is' if case.label_only else None


def values_are_known(case: TransformCase) -> str | None:
    return None if case.values else "its row says no values: 'kept', 'mapped' or 'changed'"


def moves_by_chance(case: TransformCase) -> str | None:
    return None if case.moves else 'its row does not say moves=True'


def leaves_arrays(case: TransformCase) -> str | None:
    return None if case.leaves_arrays else 'its row does not say leaves_arrays=True'


@adds_to(CHECKS, 'same size', pictures, image_moves)
def image_and_label_keep_one_size(case: TransformCase) -> None:
    """Every label map, and ``img_shape``, have the size of the image."""
    for seed in range(6):
        results = case.on_blocks(seed)
        size = results['img'].shape[:2]
        for key in [k for k in ('gt_seg_map', 'gt_other') if k in results]:
            hold(results[key].shape == size, f'{case.name} leaves image and {key} of differing '
                 'sizes.', got=f'{size} and {results[key].shape}',
                 fix="change every map that results['seg_fields'] names")
        hold(tuple(results['img_shape'][:2]) == size, f'{case.name} leaves img_shape as it was.',
             got=tuple(results['img_shape']), expected=size)


@adds_to(CHECKS, 'moves together', pictures, image_moves, values_are_known)
def image_and_label_move_together(case: TransformCase) -> None:
    """The middle of a block keeps the colour of its class."""
    for seed in range(6):
        results = case.on_blocks(seed)
        img, label = results['img'], results['gt_seg_map']
        inside = interior(label)
        hold(bool(inside.any()), f'{case.name} leaves no block whole.')
        if case.values == 'kept':
            expected = np.concatenate([COLOURS, np.repeat(PADDED[None], 252, 0)])[label]
            apart = np.abs(img.astype(int) - expected)[inside].max()
            hold(apart <= 1, f'{case.name} moves image and label apart.',
                 got=f'colours that differ by {apart} (seed {seed})')
        elif case.values == 'mapped':
            for c in range(4):
                colours = len(np.unique(img[inside & (label == c)], axis=0))
                hold(colours <= 1, f'{case.name} gives one class several colours.',
                     got=f'{colours} (seed {seed})')


@adds_to(CHECKS, 'same place', images, image_moves, values_are_known)
def pixels_and_16_bit_labels_come_from_the_same_place(case: TransformCase) -> None:
    """A uint16 label keeps its values, and each pixel's says where its colour came from."""
    for seed in range(6):
        others = [sample(*places(number=i)) for i in range(1, 4)]
        results = case.applied(sample(*places()), seed, others)
        label = results['gt_seg_map']
        hold(label.dtype == np.uint16, f'{case.name} changes the type of labels.',
             got=label.dtype, expected=np.uint16)
        hold(np.array_equal(results['gt_other'], label), f'{case.name} treats two label maps '
             'unlike.', fix="change every map that results['seg_fields'] names alike")
        hold(results['img'].shape[:2] == label.shape == tuple(results['img_shape']),
             f'{case.name} leaves image and label of differing sizes.')
        if case.values != 'kept':
            hold(np.array_equal(label, places()[1]), f'{case.name} changes labels.')
            continue
        # An image pixel near what was filled mixes with it; so may one near another picture.
        known = away_from(label, 255)
        number, row = np.divmod((label.astype(int) - 256) // 57, 41)
        came = np.stack([row * 4, (label.astype(int) - 256) % 57 * 4, number * 60], -1)
        hold(bool(known.any()), f'{case.name} fills everything.')
        apart = np.abs(results['img'].astype(int) - came)[known].max()
        hold(apart <= 4 * case.shift, f'{case.name} takes image and label from places that are '
             'apart.', got=f'{apart / 4:g} pixels', expected=f'at most {case.shift}')


@adds_to(CHECKS, 'label values', no_volumes)
def labels_keep_type_and_values(case: TransformCase) -> None:
    """No class is made up; what is filled is 255. The image keeps its type."""
    results = case.on_blocks(0)
    if 'gt_seg_map' in results:
        label = results['gt_seg_map']
        hold(label.dtype == np.uint8, f'{case.name} changes the type of labels.', got=label.dtype,
             expected='uint8, as it came')
        made = set(np.unique(label).tolist()) - {0, 1, 2, 3, 255}
        hold(not made, f'{case.name} makes label values up.', got=sorted(made)[:5],
             fix='resize labels by nearest neighbours, and fill with 255')
    if 'img' in results and case.same_type and case.strict:
        hold(results['img'].dtype == np.uint8, f'{case.name} changes the type of images.',
             got=results['img'].dtype)


@adds_to(CHECKS, 'tiny images', images)
def tiny_images(case: TransformCase) -> None:
    """A side of one pixel is no reason to fail."""
    for shape in ((1, 1), (1, 9), (23, 2)):
        rng = np.random.default_rng(0)
        results = case.applied(sample(rng.integers(0, 256, (*shape, 3), dtype=np.uint8),
                                      rng.integers(0, 4, shape, dtype=np.uint8)), 0)
        hold(min(results['gt_seg_map'].shape) >= 1 and (
            case.label_only or results['img'].shape[:2] == results['gt_seg_map'].shape),
            f'{case.name} makes nothing of an image of {shape[0]} x {shape[1]}.',
            got=results['gt_seg_map'].shape)


@adds_to(CHECKS, 'channels and types', images)
def channels_and_types(case: TransformCase) -> None:
    """Those that it takes stay; of segplug's own, all others are a `ShapeError`."""
    rng = np.random.default_rng(0)
    for dtype in ALL_TYPES:
        for channels in ALL_CHANNELS:
            takes = channels in case.channels and dtype in case.dtypes
            if not (takes or case.strict):
                continue
            img = (rng.random((33, 29, channels) if channels else (33, 29)) * 255).astype(dtype)
            results = sample(img, rng.integers(0, 4, (33, 29), dtype=np.uint8))
            if takes:
                _check_layout(case, img, case.applied(results, 1))
            else:
                _check_refused(case, results)


def _check_layout(case: TransformCase, img: np.ndarray, results: dict) -> None:
    of = f'{case.name} of an image {img.shape} of {img.dtype}'
    hold(results['img'].shape[2:] == img.shape[2:], f'{of} changes its channels.',
         got=results['img'].shape)
    hold(results['gt_seg_map'].dtype == results['gt_other'].dtype == np.uint8,
         f'{of} changes the type of labels.', got=results['gt_seg_map'].dtype)
    if not case.strict:
        return
    hold(results['img'].dtype == (img.dtype if case.same_type else np.float32),
         f'{of} changes its type.', got=results['img'].dtype)
    hold(results['img'].flags.c_contiguous and results['gt_seg_map'].flags.c_contiguous,
         f'{of} gives arrays that are not contiguous.')


def _check_refused(case: TransformCase, results: dict) -> None:
    try:
        case.applied(results, 1)
    except ShapeError as error:
        hold(case.name in str(error), f'{case.name} is not named in its error.', got=str(error))
    else:
        hold(False, f'{case.name} takes an image {results["img"].shape} of '
             f'{results["img"].dtype}, which it does not know.')


@adds_to(CHECKS, 'same seed')
def the_same_seed_gives_the_same_sample(case: TransformCase) -> None:
    """Draws come from numpy.random or random: a run that is resumed sees the same samples."""
    load = volume if case.kind == 'volume' else None
    one, two = (case.applied(load(), 7) if load else case.on_blocks(7) for _ in range(2))
    for key in ('img', 'gt_seg_map'):
        hold((key in one) == (key in two) and np.array_equal(one.get(key), two.get(key)),
             f'{case.name} gives another {key} with the same seed.',
             fix='draw from numpy.random, which the engine seeds for each sample, and from no '
                 'generator of its own')


@adds_to(CHECKS, 'no state', arrays)
def what_it_did_before_does_not_matter(case: TransformCase) -> None:
    """The draws of a sample depend on the seed alone."""
    used = case.build()
    for seed in (1, 2):
        case.applied(case.loaded(), seed, transform=used)
    one, two = case.applied(case.loaded(), 3, transform=used), case.applied(case.loaded(), 3)
    for key in ('img', 'gt_seg_map'):
        hold(np.array_equal(one[key], two[key]), f'{case.name} remembers earlier samples.',
             got=f'another {key} after two others',
             fix='keep nothing in self from sample to sample')


@adds_to(CHECKS, 'another seed', images, moves_by_chance)
def another_seed_gives_another_sample(case: TransformCase) -> None:
    """Where it is declared to move pixels by chance."""
    labels = [case.applied(sample(*places()), seed, [
        sample(*places(number=i)) for i in range(1, 4)])['gt_seg_map'] for seed in range(8)]
    hold(len({(x.shape, x.tobytes()) for x in labels}) > 1,
         f'{case.name} gives the same sample with any seed.')


@adds_to(CHECKS, 'loaded arrays', arrays, leaves_arrays)
def loaded_arrays_stay_as_they_are(case: TransformCase) -> None:
    """What was loaded is not written into: it may be shared with other samples."""
    loaded = case.loaded() if case.kind == 'volume' else sample(*blocks())
    before = copy.deepcopy(loaded)
    for seed in range(4):
        case.applied(dict(loaded), seed)
        for key in ('img', 'gt_seg_map', 'gt_other', 'seg_fields'):
            hold(np.array_equal(loaded[key], before[key]), f'{case.name} writes into {key}.',
                 fix='write into a copy of the array')


@adds_to(CHECKS, 'keys', arrays)
def a_sample_keeps_its_keys(case: TransformCase) -> None:
    """What came with a sample is still there for the transforms that follow."""
    loaded = case.loaded()
    before = set(loaded) - {'mix_results'}
    lost = before - set(case.applied(loaded, 0))
    hold(not lost, f'{case.name} takes away what a sample holds.', got=', '.join(sorted(lost)))


@adds_to(CHECKS, 'volumes', of_volumes)
def volumes(case: TransformCase) -> None:
    """A voxel's label still says which voxel it was; an image without depth is a `ShapeError`."""
    for seed in range(6):
        results = case.applied(volume(), seed)
        img, label = results['img'][0], results['gt_seg_map']
        hold(np.array_equal(results['gt_other'], label), f'{case.name} treats two label maps '
             'unlike.')
        hold(img.dtype == np.float32 and img.shape == label.shape,
             f'{case.name} gives another type, or image and label of differing sizes.',
             got=f'{img.dtype}, {img.shape} and {label.shape}')
        if case.moves:
            known = label != 255
            hold(np.array_equal(img[known], label[known].astype(int) - 256),
                 f'{case.name} takes image and label from places that are apart.')
        else:
            hold(np.array_equal(label, volume()['gt_seg_map']), f'{case.name} changes labels.')
    _check_refused(case, sample(*blocks()))


@adds_to(CHECKS, 'pickles')
def it_travels_to_workers(case: TransformCase) -> None:
    """As a data set that is handed to worker processes does."""
    transform = case.build()
    try:
        again = pickle.loads(pickle.dumps(transform))  # noqa: S301  what we have just made
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        hold(False, f'{case.name} does not pickle, which worker processes may need.',
             got=str(error).rstrip('.'), fix='keep no lambda and no open file in it')
    if case.kind in ('array', 'volume'):
        one, two = (case.applied(case.loaded(), 5, transform=t) for t in (transform, again))
        hold(np.array_equal(one['img'], two['img']), f'{case.name} is another after pickling.')
