"""What every data set keeps: a pair of files becomes a sample, and its class facts fit each other.

It is tried on a tree of three images that are made up, or on its own ``data_root``.
"""

import pickle
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch

from ..datasets.suffixes import as_tuple
from ..errors import DataError
from ..registry import DATASETS
from .case import Case, Check, adds_to, hold, own_scope

CHECKS: list[Check] = []
PIPELINE = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
            dict(type='PackSegInputs')]
SIZE = (4, 6)


@dataclass
class DatasetCase(Case):
    """A data set.

    Attributes:
        img, label: Folder of images and of labels below the root, and the end of their names;
            None for the data set's own end.
        values: What label values 0, 1, 2 become.
        twins: How many colours fall short of the classes.
    """

    registry: object = field(default=DATASETS)
    img: tuple[str, str | None] = ('img_dir/train', None)
    label: tuple[str, str | None] = ('ann_dir/train', None)
    values: tuple[int, int, int] | None = (0, 1, 2)
    twins: int | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def is_real(self) -> bool:
        """Whether it is tried on files that exist."""
        return 'data_root' in self.settings

    def dataset(self, root: str | Path, **more):
        """The data set on the tree below ``root``."""
        made = dict(data_root=str(root), pipeline=PIPELINE,
                    data_prefix=dict(img_path=self.img[0], seg_map_path=self.label[0]))
        with own_scope():
            return self.registry.build({**made, **self.settings, **more})

    @contextmanager
    def on_tree(self, **more) -> Iterator:
        """The data set on three images of `SIZE`, image and label i full of the value i."""
        if self.is_real:
            yield self.dataset(self.settings['data_root'], **more)
            return
        with tempfile.TemporaryDirectory() as root:
            for folder, _ in (self.img, self.label):
                Path(root, folder).mkdir(parents=True, exist_ok=True)
            ends = self._ends(root)
            for (folder, _), end, is_img in zip((self.img, self.label), ends, (True, False),
                                                strict=True):
                for i in range(3):
                    pixels = np.full((*SIZE, 3) if is_img else SIZE, i, np.uint8)
                    _write(Path(root, folder, f'{i}{end}'), pixels)
            yield self.dataset(root, **more)

    def _ends(self, root: str) -> tuple[str, str]:
        if self.img[1] is not None and self.label[1] is not None:
            return self.img[1], self.label[1]
        # Its own ends are known once it is made; no file is looked for until it is read.
        dataset = self.dataset(root, lazy_init=True)
        return (self.img[1] or as_tuple(getattr(dataset, 'img_suffix', '.jpg'))[0],
                self.label[1] or getattr(dataset, 'seg_map_suffix', '.png'))


def _write(file: Path, pixels: np.ndarray) -> None:
    if file.suffix == '.npy':
        np.save(file, pixels)
    else:
        hold(cv2.imwrite(str(file), pixels), f'No image of the kind {file.suffix} can be made up.',
             fix='give data_root, a folder that holds a few files of the data set')


@adds_to(CHECKS, 'samples')
def a_pair_becomes_a_sample(case: DatasetCase) -> None:
    """Image (3, H, W), label (1, H, W) of its values, and the index."""
    with case.on_tree() as dataset:
        hold(len(dataset) == 3 or case.is_real, f'{case.name} finds another number of samples.',
             got=len(dataset), expected=3)
        values = (None,) * min(len(dataset), 3) if case.is_real else case.values
        for i, value in enumerate(values or (None,) * 3):
            sample = dataset[i]
            img, found = sample['inputs'], sample['data_samples']
            label = found.gt_sem_seg.data
            hold(img.ndim == 3 and label.shape == (1, *img.shape[1:]),
                 f'{case.name} gives image and label of differing sizes.',
                 got=f'{tuple(img.shape)} and {tuple(label.shape)}')
            hold(case.is_real or tuple(img.shape) == (3, *SIZE),
                 f'{case.name} reads an image of another size.', got=tuple(img.shape))
            hold(img.dtype == torch.uint8 or not case.strict,
                 f'{case.name} gives an image of another type.', got=img.dtype)
            hold(value is None or bool((label == value).all()),
                 f'{case.name} makes something else of label value {i}.',
                 got=sorted(set(label.flatten().tolist())), expected=value,
                 fix='say values=(...) in its row if that is meant')
            hold(found.metainfo.get('sample_idx') == i, f'{case.name} loses the sample_idx.',
                 got=found.metainfo.get('sample_idx'), expected=i)
            if value is None:
                _check_classes(case, dataset, label)


def _check_classes(case: DatasetCase, dataset, label: torch.Tensor) -> None:
    ignore = getattr(dataset, 'ignore_index', 255)
    strange = set(label.unique().tolist()) - {ignore}
    classes = len(dataset.metainfo['classes'])
    hold(all(0 <= value < classes for value in strange), f'{case.name} has a label value that is '
         'no class.', got=sorted(strange), expected=f'0 to {classes - 1}, or {ignore}')


@adds_to(CHECKS, 'classes and palette')
def class_facts_fit_each_other(case: DatasetCase) -> None:
    """One colour per class, of three numbers in [0, 255]; no name twice."""
    # Serializing collects garbage, which takes longer than all of the rest.
    plain = dict(serialize_data=False) if case.strict else {}
    with case.on_tree(**plain) as dataset:
        classes, palette = (dataset.metainfo.get(key) for key in ('classes', 'palette'))
        ignore = getattr(dataset, 'ignore_index', 255)
    hold(bool(classes), f'{case.name} names no classes.',
         fix="write METAINFO = dict(classes=('a', ...), palette=[[r, g, b], ...])")
    hold(len(set(classes)) == len(classes), f'{case.name} has a class name twice.',
         got=sorted({name for name in classes if list(classes).count(name) > 1}))
    hold(palette is not None and len(palette) == len(classes),
         f'{case.name} needs one colour for each class.',
         got=f'{len(classes)} classes and {0 if palette is None else len(palette)} colours')
    hold(all(len(c) == 3 and set(c) <= set(range(256)) for c in palette),
         f'{case.name} has a colour that is none.', expected='[r, g, b] of 0 to 255')
    if case.twins is not None:
        hold(len({tuple(c) for c in palette}) == len(palette) - case.twins,
             f'{case.name} has two classes of one colour.')
    hold(not 0 <= ignore < len(classes), f'{case.name} ignores a class of its own.',
         got=f'ignore_index={ignore} of {len(classes)} classes')


@adds_to(CHECKS, 'wrong root')
def a_wrong_root_is_one_error(case: DatasetCase) -> None:
    """That says what was looked for, and where."""
    with tempfile.TemporaryDirectory() as root:
        try:
            found = case.dataset(Path(root) / 'nowhere')
            length = len(found)
        except DataError as error:
            told = str(error)
        except Exception as error:  # a third party's data set may say it in its own words
            hold(not case.strict, f'{case.name} raises no DataError for a wrong root.',
                 got=repr(error))
            return
        else:
            hold(case.is_real, f'{case.name} takes a root that does not exist.',
                 got=f'{length} samples', fix='raise an error that names the folder')
            return
    if case.strict:
        hold(f'{case.name} finds no image' in told, f'{case.name} does not say what it looks for.',
             got=told)
        for folder, end in case.img, case.label:
            hold(folder.split('/')[0] in told and f'*{end}' in told,
                 f'{case.name} does not say where it looks.', got=told)


@adds_to(CHECKS, 'pickles')
def it_travels_to_workers(case: DatasetCase) -> None:
    """As to the processes that read batches, where those are spawned."""
    with case.on_tree() as dataset:
        try:
            again = pickle.loads(pickle.dumps(dataset))  # noqa: S301  what we have just made
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            hold(False, f'{case.name} does not pickle, which worker processes may need.',
                 got=str(error).rstrip('.'), fix='keep no lambda and no open file in it')
        hold(torch.equal(again[0]['inputs'], dataset[0]['inputs']),
             f'{case.name} reads something else after pickling.')
