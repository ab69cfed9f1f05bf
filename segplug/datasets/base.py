"""The folder data set: an image and a label per sample, paired by name.

Arguments are mmsegmentation's. Files are listed and paired when the data set is made, so a
wrong root or a missing label is one error before training. No sample is ever replaced by
another one: what cannot be read, raises.
"""

import copy
import logging
import os
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmengine.registry import DefaultScope

from ..errors import ConfigError, DataError, did_you_mean
from ..registry import DATASETS, SCOPE
from . import class_ids, scan
from .classes import find_table
from .packed import Store
from .packed_tree import tree_args
from .pipeline import Pipeline
from .suffixes import Suffix, better, pattern


def class_map(old: Sequence[str], new: Sequence[str], ignore_index: int = 255) -> dict[int, int]:
    """Where each class id of ``old`` goes when only the classes ``new`` are kept.

    Raises:
        ConfigError: ``new`` holds a name that ``old`` has not, or one twice.
    """
    if len(set(new)) < len(new):
        raise ConfigError('A class is named twice.', got=f'{list(new)}', culprit='classes')
    for name in new:
        if name not in old:
            raise ConfigError(f'The data set has no class {name!r}.', expected=f'some of {old}',
                              fix=did_you_mean(name, old), culprit=name)
    position = {name: i for i, name in enumerate(new)}
    return {i: position.get(name, ignore_index) for i, name in enumerate(old)}


def default_palette(num_classes: int) -> list[list[int]]:
    """``num_classes`` distinct RGB colours, black left out.

    The bit-interleaved map of the PASCAL VOC development kit: bits 0, 1, 2 of the index become
    the top bits of red, green, blue, bits 3, 4, 5 the next, and so on.
    """
    ids = np.arange(1, num_classes + 1)
    colours = np.zeros((num_classes, 3), np.int64)
    for channel in range(3):
        for level in range(3):
            colours[:, channel] |= (ids >> (3 * level + channel) & 1) << (7 - level)
    return colours.tolist()


def own_scope():
    """A context in which names of transforms mean ours, inside wrappers such as RandomChoice too.

    Where no default scope is set, mmengine would take mmcv's class of the same name.
    """
    scope = SCOPE if DefaultScope.get_current_instance() is None else None
    return DefaultScope.overwrite_default_scope(scope)


@DATASETS.register_module()
class BaseSegDataset(BaseDataset):
    """Images and labels of the same name in two folders.

    Args:
        ann_file: Text file with one image name a line, with or without its suffix; '' lists the
            folder.
        img_suffix: End of an image's name, extension included, or several where a folder mixes
            them: ``('.jpg', '.png')``; None for the class's own.
        seg_map_suffix: End of a label's name, extension included; None for the class's own.
        metainfo: Overrides of METAINFO. ``classes`` may be a subset, in any order: the label
            values follow, what is left out becomes ``ignore_index``. It may also name a file,
            relative to ``data_root`` or to the working directory, with names and perhaps
            colours (see `segplug.datasets.classes`).
        data_root: Folder that ``ann_file`` and ``data_prefix`` are relative to.
        data_prefix: ``img_path`` and ``seg_map_path``. Without ``seg_map_path`` the set has no
            labels, which is right for prediction only.
        filter_cfg: For ``filter_data`` of subclasses.
        indices: Keep the first n samples (int, from the end if negative) or these ones.
        serialize_data: Keep the list as one array that worker processes share.
        pipeline: Transforms (config dicts or callables).
        test_mode: Classes must be known, and a set without labels is allowed.
        lazy_init: Do not list files until they are needed.
        max_refetch: mmsegmentation's, without effect: no sample is replaced by another one.
        ignore_index: Label value that counts as no class.
        reduce_zero_label: Label 0 is no class, and the others move down by one; None for the
            class's own.
        backend_args: mmengine's file backend.
        packed: Folder that `segplug pack` has written this data set into: images and labels are
            read from there, and listed there too where ``data_root`` does not exist.

    Raises:
        DataError: A folder or label is missing, or there is no image.
        ConfigError: Classes or palette do not fit.
    """

    METAINFO: dict = {}
    # Class attributes, so that a data set that differs in them needs no constructor.
    IMG_SUFFIX = '.jpg'
    SEG_MAP_SUFFIX = '.png'
    REDUCE_ZERO_LABEL = False
    # Whether labels are compared with the classes as they are read, so that a loader that skips
    # bad samples finds those too. Otherwise the model does it, for the pixels that it sees.
    check_values = False

    def __init__(self, ann_file: str = '', img_suffix: Suffix | None = None,
                 seg_map_suffix: str | None = None,
                 metainfo: Mapping | None = None, data_root: str | None = None,
                 data_prefix: dict = dict(img_path='', seg_map_path=''),
                 filter_cfg: dict | None = None, indices: int | Sequence[int] | None = None,
                 serialize_data: bool = True, pipeline: Sequence[dict | Callable] = (),
                 test_mode: bool = False, lazy_init: bool = False,
                 max_refetch: int | None = None, ignore_index: int = 255,
                 reduce_zero_label: bool | None = None, backend_args: dict | None = None,
                 packed: str | None = None) -> None:
        if max_refetch is not None:
            print_log('max_refetch has no effect: a sample that cannot be read is an error here.',
                      'current', logging.WARNING)
        self.img_suffix = self.IMG_SUFFIX if img_suffix is None else img_suffix
        self.seg_map_suffix = self.SEG_MAP_SUFFIX if seg_map_suffix is None else seg_map_suffix
        self.ignore_index = ignore_index
        self.reduce_zero_label = self.REDUCE_ZERO_LABEL if reduce_zero_label is None \
            else reduce_zero_label
        self.backend_args = copy.copy(backend_args)
        self.packed, self._store = packed, None
        if packed is not None and not os.path.isdir(data_root or '.'):
            self.backend_args = tree_args(packed, data_root)
        if isinstance(metainfo, Mapping) and isinstance(metainfo.get('classes'), str):
            table = find_table(metainfo['classes'], (data_root or '', ''), self.backend_args)
            metainfo = {**table, **metainfo, 'classes': table['classes']}
        # The prefixes as written; an error suggests another root for them.
        self._prefix_given = dict(data_prefix)
        with own_scope():
            super().__init__(ann_file=ann_file, metainfo=metainfo, data_root=data_root,
                             data_prefix=data_prefix, filter_cfg=filter_cfg, indices=indices,
                             serialize_data=serialize_data, pipeline=pipeline,
                             test_mode=test_mode, lazy_init=True)
        self.pipeline = Pipeline(self.pipeline.transforms)
        self._set_classes()
        if not lazy_init:
            self.full_init()

    @classmethod
    def get_label_map(cls, new_classes: Sequence[str] | None = None,
                      ignore_index: int = 255) -> dict[int, int] | None:
        """Old class id -> new class id, or None where the classes are METAINFO's own."""
        old = cls.METAINFO.get('classes')
        if new_classes is None or old is None or list(new_classes) == list(old):
            return None
        return class_map(old, new_classes, ignore_index)

    def _set_classes(self) -> None:
        classes = self._metainfo.get('classes')
        self.label_map = None
        if classes is None:
            if self.test_mode:
                raise ConfigError(f'{type(self).__name__} in test_mode needs class names.',
                                  fix="give metainfo=dict(classes=('a', 'b'))")
        else:
            self._metainfo['classes'] = tuple(classes)
            self.label_map = self.get_label_map(classes, self.ignore_index)
            self._metainfo['palette'] = self._palette(classes)
        self._metainfo.update(label_map=self.label_map, reduce_zero_label=self.reduce_zero_label)

    def _palette(self, classes: Sequence[str]) -> list:
        """One colour per class: as given, the chosen rows of METAINFO's, or made up."""
        palette = self._metainfo.get('palette')
        if not palette:
            return default_palette(len(classes))
        if len(palette) == len(classes) and palette != self.METAINFO.get('palette'):
            return palette
        return self._chosen(palette, 'palette')

    def _chosen(self, per_class: Sequence, name: str) -> list:
        """The entries of a list over METAINFO's classes that belong to the present classes."""
        classes, old = self._metainfo['classes'], self.METAINFO.get('classes')
        if self.label_map is not None and len(per_class) == len(old):
            return [per_class[old.index(c)] for c in classes]
        if len(per_class) != len(classes):
            raise ConfigError(f'The {name} of {type(self).__name__} does not fit its classes.',
                              got=f'{len(per_class)} entries', expected=f'{len(classes)}')
        return list(per_class)

    def _join_prefix(self) -> None:
        # A prefix of None says that the set has none of these files.
        self.data_prefix = {k: v for k, v in self.data_prefix.items() if v is not None}
        self.data_root = self.data_root or ''
        super()._join_prefix()

    def load_data_list(self) -> list[dict]:
        """One dict per image: img_path, seg_map_path, label_map, reduce_zero_label, seg_fields."""
        images = self._images()
        labels = self._labels([stem for stem, _ in images])
        img_dir = self.data_prefix['img_path']
        return [dict(img_path=os.path.join(img_dir, name), seg_map_path=label,
                     label_map=self.label_map, reduce_zero_label=self.reduce_zero_label,
                     seg_fields=[])
                for (_, name), label in zip(images, labels, strict=True)]

    def _images(self) -> list[tuple[str, str]]:
        """The name of each image without its suffix, and with it."""
        folder = self.data_prefix['img_path']
        images = scan.image_names(folder, self.img_suffix, self.ann_file, self.backend_args)
        if not images:
            raise self._error('finds no image' if not self.ann_file
                              else f'finds no name in {self.ann_file}', folder)
        if self.ann_file:
            names = [name for _, name in images]
            lost = scan.missing(folder, names, self.backend_args)
            if lost:
                raise self._error(f'lacks {len(lost)} of the {len(names)} images that '
                                  f'{self.ann_file} names: {scan.some(lost)}', folder)
            scan.report_outside(self.ann_file, names, folder, self.data_root)
        return images

    def _labels(self, stems: list[str]) -> list[str | None]:
        """The label file of each stem; all None where the set has no labels."""
        folder = self.data_prefix.get('seg_map_path')
        if folder is None:
            if not self.test_mode:
                raise self._error('trains, but data_prefix has no seg_map_path', '')
            return [None] * len(stems)
        names = [stem + self.seg_map_suffix for stem in stems]
        lost = scan.missing(folder, names, self.backend_args)
        if lost:
            raise self._error(f'has no label for {len(lost)} of its {len(stems)} images: '
                              f'{scan.some(lost)}', folder)
        return [os.path.join(folder, name) for name in names]

    def _error(self, what: str, folder: str) -> DataError:
        """What is wrong, the tree that was expected and what lies at ``folder``."""
        root = scan.other_root(self.data_root, self._prefix_given.get('img_path', ''))
        fix = f'use --data-root {root}, where these folders are' if root else \
            self._other_suffixes() or \
            'correct data_root (or --data-root DIR), data_prefix and the suffixes'
        if self.test_mode and folder and folder == self.data_prefix.get('seg_map_path'):
            fix += '; to predict without labels, leave seg_map_path out of data_prefix'
        return DataError(f'{type(self).__name__} {what}.', expected=self._tree(), fix=fix,
                         got=scan.nearby(folder) if folder else None)

    def _other_suffixes(self) -> str:
        """The suffixes that pair more images with labels than ours, as a mending line, or ''."""
        images, labels = (scan.list_files(self.data_prefix.get(key, ''), '', self.backend_args)
                          for key in ('img_path', 'seg_map_path'))
        found = better(images, labels, (self.img_suffix, self.seg_map_suffix))
        if found is None:
            return ''
        return f'set img_suffix={found[0]!r} and seg_map_suffix={found[1]!r}, which pair ' \
            f'{found[2]} of the {len(images)} files there with a label'

    def _tree(self) -> str:
        """The files that are looked for."""
        tree = os.path.join(self.data_prefix['img_path'], '**', pattern(self.img_suffix))
        labels = self.data_prefix.get('seg_map_path', '<seg_map_path>')
        return f'{tree} and {os.path.join(labels, "**", "*" + self.seg_map_suffix)}'

    def get_cat_ids(self, idx: int) -> list[int]:
        """The classes in the label of sample ``idx``, read as the pipeline reads it."""
        return class_ids.in_label(self.get_data_info(idx), class_ids.label_reader(self),
                                  self.ignore_index)

    def full_init(self) -> None:
        """List the files, once; those of a packed form must not have changed since."""
        if self._fully_initialized:
            return
        super().full_init()
        if self.packed is not None:
            self._store = Store(self.packed, self.data_root)
            for info in map(self.get_data_info, range(len(self))):
                self._store.check_current('image', info['img_path'])
                if info.get('seg_map_path') is not None:
                    self._store.check_current('label', info['seg_map_path'])

    def get_data_info(self, idx: int) -> dict:
        """What is known of sample ``idx`` before it is read."""
        info = super().get_data_info(idx)
        if self.ignore_index != 255:  # what LoadAnnotations takes otherwise
            info = {**info, 'ignore_index': self.ignore_index}
        if self.check_values and 'classes' in self._metainfo:
            # A single class is told from background, so there are two values.
            info = {**info, 'num_values': max(len(self._metainfo['classes']), 2)}
        return info if self._store is None else {**info, 'packed': self._store}

    def __getitem__(self, idx: int) -> dict:
        """Sample ``idx`` after the pipeline; the same index never gives another sample.

        Raises:
            DataError: A file cannot be used, or the pipeline gave None.
        """
        if not self._fully_initialized:
            self.full_init()
        if idx < 0:
            idx += len(self)
        try:
            data = self.prepare_data(idx)
        except (DataError, OSError) as error:
            error.sample = self.get_data_info(idx).get('img_path')  # for lists of bad samples
            raise
        if data is None:
            raise DataError(f'The pipeline gave None for {self.get_data_info(idx)["img_path"]}.',
                            fix='find the transform that returns None; samples are not replaced')
        return data
