"""What the values in prediction and label files mean, for `segplug.apis.score`.

A file holds class ids (0 to K - 1, which Cityscapes calls train ids), or label ids: the values
that the data set's own label files use. Which of the two is said by the person, by the file names
or by a value that only one of them has; the log says which, and where nothing decides, it is an
error. Letters: K classes, H W pixels.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..datasets.cityscapes import LABEL_IDS, TRAIN_IDS
from ..datasets.files import decode, read_bytes
from ..datasets.suffixes import Suffix
from ..errors import ConfigError, DataError

CLASS_VALUES, LABEL_VALUES = 'class-ids', 'label-ids'
KINDS = (CLASS_VALUES, LABEL_VALUES)
_MAX = 1 << 16  # 16-bit files are the widest that hold ids


@dataclass(frozen=True)
class Labelling:
    """What is scored and how the data set's label files say it.

    Attributes:
        source: Where this is known from, for the log.
        metainfo: Of the data set: ``classes`` and what else a metric reads.
        ignore_index: Label value that is not scored, after ``reduce_zero_label``.
        reduce_zero_label: Label value 0 is no class, and the others move down by one.
        label_map: Class id in a label file -> class id or -1 (left out); None where equal.
        known_ids: The label ids that may stand in a label file; empty where it holds class ids.
        img_suffix, seg_map_suffix: Ends of the names of images and labels; '' if any may come.
            Images may have several.
        img_folder: Of the images, which need not be there; it tells which of several ends.
    """

    source: str
    metainfo: dict
    ignore_index: int
    reduce_zero_label: bool = False
    label_map: dict[int, int] | None = None
    known_ids: range = range(0)
    img_suffix: Suffix = ''
    seg_map_suffix: str = ''
    img_folder: str = ''

    @property
    def num_classes(self) -> int:
        return len(self.metainfo['classes'])

    @property
    def ignored(self) -> int:
        """What ignored pixels become in memory: 255, and 65535 where that may be a class."""
        return 255 if self.num_classes < 255 else _MAX - 1

    def class_values(self) -> dict[int, int]:
        """File value -> class id for files of class ids."""
        return {**{k: k for k in range(self.num_classes)}, self.ignore_index: self.ignored}

    def class_label_ids(self) -> dict[int, int]:
        """Label id -> class id of the scored classes; empty where the two are the same."""
        if self.known_ids:
            return {v: k for k, v in enumerate(self.metainfo['label_ids'])}
        return {k + 1: k for k in range(self.num_classes)} if self.reduce_zero_label else {}

    def prediction_table(self, kind: str) -> np.ndarray:
        """(65536,) int32: file value -> class id, ``ignored``, or -1 for values of no meaning."""
        if kind == CLASS_VALUES:
            return _table(self.class_values())
        unscored = dict.fromkeys(self.known_ids or (0,), self.ignored)
        return _table({**unscored, **self.class_label_ids(), self.ignore_index: self.ignored})

    def label_table(self, kind: str) -> np.ndarray:
        """As `prediction_table`, for label files."""
        if self.known_ids and kind == LABEL_VALUES:
            return self.prediction_table(kind)
        old = self.label_map or {k: k for k in range(self.num_classes)}
        values = {v: self.ignored if k < 0 else k for v, k in old.items()}
        values[self.ignore_index] = self.ignored
        if self.reduce_zero_label:
            values = {v + 1: k for v, k in values.items()} | {0: self.ignored}
            if self.num_classes < 255:  # 255 stays what it is
                values[255] = self.ignored
        return _table(values)


def _table(values: dict[int, int]) -> np.ndarray:
    table = np.full(_MAX, -1, np.int32)
    for value, meaning in values.items():
        if 0 <= value < _MAX:
            table[value] = meaning
    return table


def read_ids(path: Path, what: str) -> np.ndarray:
    """The values of a file, (H, W) uint8 or int32; a palette file gives its indices.

    Raises:
        DataError: The file cannot be read, or is no map of ids: colours, fractions, JPEG.
    """
    if path.suffix.lower() in ('.jpg', '.jpeg', '.webp'):
        raise DataError(f'The {what} {path} may be compressed with losses, which changes ids.',
                        expected='a PNG', fix='write PNG files')
    values = decode(read_bytes(str(path), what), str(path), what, 'unchanged', 'pillow')
    if values.ndim != 2:
        raise DataError(f'The {what} {path} is a colour picture.', got=f'shape {values.shape}',
                        expected='one channel of ids, or a palette file',
                        fix='write the ids themselves, not the colours drawn for them')
    if values.dtype.kind not in 'uib':
        raise DataError(f'The {what} {path} holds fractions.', got=values.dtype,
                        expected='integer ids')
    return values.astype(np.uint8 if values.dtype.itemsize == 1 else np.int32, copy=False)


def meaning(values: np.ndarray, table: np.ndarray, path: Path, what: str) -> np.ndarray:
    """(H, W) class ids or ``ignored``; uint8 where the file is 8 bit and they fit, else int32.

    Raises:
        DataError: Naming the file and its values that mean nothing.
    """
    if values.dtype == np.uint8 and table.max() < 256 and 254 not in table:
        found = cv2.LUT(values, np.where(table < 0, 254, table)[:256].astype(np.uint8))
        bad = found == 254
    else:
        found = table[np.clip(values, 0, _MAX - 1)]
        bad = (found < 0) | (values < 0) | (values >= _MAX)
    if bad.any():
        raise DataError(
            f'The {what} {path} holds values that are no class.',
            got=f'{shown(np.unique(values[bad]).tolist())} in {int(bad.sum())} pixels',
            expected=shown(np.where(table >= 0)[0].tolist(), 40),
            fix='check the classes, --pred-values, --label-values and --ignore-index')
    return found


def shown(values: list[int], count: int = 8) -> str:
    """Numbers as text, runs as 'a to b', no more than ``count`` parts."""
    parts, start = [], 0
    for i in range(1, len(values) + 1):
        if i == len(values) or values[i] != values[i - 1] + 1:
            run = values[start:i]
            parts += [f'{run[0]} to {run[-1]}'] if len(run) > 2 else map(str, run)
            start = i
    return ', '.join(parts[:count]) + (', ...' if len(parts) > count else '')


def kind_of(files: Iterable[Path], what: str, given: str | None, labelling: Labelling
            ) -> tuple[str, str]:
    """Whether files hold class ids or label ids, and why, in words.

    Args:
        files: All of one side.
        what: 'prediction' or 'label'.
        given: What the person said, or None.
        labelling: Of the data set.

    Raises:
        ConfigError: It was said though there are no label ids, or nothing decides.
    """
    ids = labelling.class_label_ids()
    if not ids or (what == 'label' and not labelling.known_ids):
        if given == LABEL_VALUES and not ids:
            raise ConfigError(f'{labelling.source} has no label ids of its own.',
                              fix=f'leave --{_option(what)} away')
        return CLASS_VALUES, 'as the label files have them' if ids else 'the only kind there is'
    files = list(files)
    if given is not None:
        return given, 'as was said'
    for word, kind in ((TRAIN_IDS, CLASS_VALUES), (LABEL_IDS, LABEL_VALUES)):
        if all(word in path.name for path in files):
            return kind, 'by the names of the files'
    return _by_values(files, what, labelling, set(ids))


def _by_values(files: list[Path], what: str, labelling: Labelling, ids: set[int]
               ) -> tuple[str, str]:
    """The first file with a value of one kind only decides; label ids have the say, as a file of
    label ids may hold those of classes that are not scored."""
    plain = set(labelling.class_values())
    if what == 'label':
        plain |= set(labelling.label_map or ())
        ids = ids | set(labelling.known_ids)
    for path in files:
        found = set(np.unique(read_ids(path, what)).tolist())
        for kind, only in ((LABEL_VALUES, ids - plain), (CLASS_VALUES, plain - ids)):
            if found & only:
                return kind, f'{path} holds {min(found & only)}, which only {kind} have'
    raise ConfigError(
        f'The values of the {what} files fit class ids and label ids alike.',
        got=f'{len(files)} files without a value that only one of them has',
        fix=f'say which: --{_option(what)} {CLASS_VALUES} (0 to {labelling.num_classes - 1}) or '
            f'--{_option(what)} {LABEL_VALUES} ({shown(sorted(ids))})')


def _option(what: str) -> str:
    return 'pred-values' if what == 'prediction' else 'label-values'
