"""The files that ``segplug score`` compared, read again as run.json says: prediction, label, image.

Letters: K classes, H W pixels.
"""

import os
from pathlib import Path

import cv2
import numpy as np

from ..datasets.files import displayed
from ..errors import DataError
from ..evaluation.outputs import relative_names
from .score_files import Pair
from .score_values import Labelling
from .scoring import Reader
from .sources import PICTURE_SUFFIXES
from .tested import Tested
from .tested_samples import Sample, check_counts, found_from, told

_AGAIN = 'run segplug score with --out once more'
_PAPER = 245  # the grey of a picture that is not known


class ScoredSamples:
    """Reads samples by the names of per_image.csv.

    Args:
        tested: Scores with ``files`` in their run.json.
        images: Folder of the images, which a score does not know.

    Attributes:
        metainfo: Empty; run.json has the colours.
        ignore_index: What ignored pixels become in memory.

    Raises:
        DataError: run.json names other files than per_image.csv, or the folder does not exist.
    """

    def __init__(self, tested: Tested, images: str | os.PathLike | None = None) -> None:
        record = tested.record
        labelling = Labelling('run.json', dict(classes=tested.classes), 255)
        if images is not None and not Path(images).is_dir():
            raise DataError(f'The folder of images {images} does not exist.',
                            fix='correct the path')
        self.metainfo: dict = {}
        self.ignore_index = labelling.ignored
        self._images = None if images is None else Path(images)
        self._counts = dict(zip(tested.images.files, tested.images.counts, strict=True))
        names = relative_names(list(record['files']))
        if set(names) != set(tested.images.files):
            raise DataError(f'{tested.folder} names other files in run.json than in per_image.csv.')
        self._pairs = {
            name: Pair(given, *(found_from(path, record['folder']) for path in paths))
            for name, (given, paths) in zip(names, record['files'].items(), strict=True)}
        self._read = Reader(labelling, *(_table((record['file_values'] or {}).get(kind))
                                         for kind in ('prediction', 'label')))

    def read(self, name: str) -> Sample:
        """The sample of an image; its picture is plain where the image is not known.

        Raises:
            DataError: A file is missing or damaged, or is not what was scored.
        """
        pair = self._pairs[name]
        with told():
            prediction, label = self._read(pair)
        check_counts(name, label, prediction, self._counts[name], self.ignore_index)
        return Sample(self._picture(pair, name, label.shape), label, prediction)

    def _picture(self, pair: Pair, name: str, shape: tuple[int, int]) -> np.ndarray:
        plain = np.full((*shape, 3), _PAPER, np.uint8)
        if self._images is None:
            return plain
        files = [self._images / path for path in (pair.name, name)]
        others = (path.with_suffix(end) for path in files for end in PICTURE_SUFFIXES)
        file = next((path for path in (*files, *others) if path.is_file()), None)
        if file is None:
            raise DataError(f'There is no image {files[0]}.')
        picture = displayed(str(file))
        return picture if picture.shape[:2] == shape else \
            cv2.resize(picture, shape[::-1], interpolation=cv2.INTER_AREA)


def _table(values: object) -> np.ndarray:
    """(65536,) int32: file value -> class id, or -1 for values of no meaning."""
    table = np.full(1 << 16, -1, np.int32)
    try:
        for value, meaning in dict(values or {}).items():
            table[int(value)] = int(meaning)
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        raise DataError('run.json does not say what the values of the files mean.', got=error,
                        fix=_AGAIN) from error
    return table
