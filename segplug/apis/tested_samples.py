"""The images of a test, found again through its config: picture, label and prediction.

The pipeline of the test reads them, as the metric saw them, whatever the data set. What is read is
compared with the counts in per_image.csv: no picture can show anything else than what was scored.
Letters: K classes, H W pixels.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.registry import DefaultScope

from ..datasets.files import decode, displayed, read_bytes
from ..errors import ConfigError, DataError, SegplugError
from ..evaluation.outputs import output_names, relative_names
from ..registry import DATASETS
from ..visualization.layers import viewable
from . import doctor_config, run_record
from .config import load_config, set_data_root
from .config_checks import datasets
from .provenance import explained
from .saved_config import config_of_checkpoint
from .tested import Tested


@dataclass(frozen=True)
class Sample:
    """One image: ``picture`` (H, W, 3) uint8 RGB, ``label`` and ``prediction`` (H, W) integer."""

    picture: np.ndarray
    label: np.ndarray
    prediction: np.ndarray


def config_of(tested: Tested, config: str | None = None, options: dict | None = None,
              data_root: str | None = None) -> Config:
    """The config of a test: the given one, else that in run.json.

    Args:
        tested: The test.
        config, options, data_root: As in `load_config`.

    Raises:
        ConfigError, CheckpointError: There is none, or it cannot be read.
    """
    if config is not None:
        return load_config(config, options=options, data_root=data_root)
    if not (tested.record and tested.record['config']):
        raise ConfigError(f'{tested.folder} does not say with which config it was made.',
                          fix='give it with --config')
    text = json.dumps(tested.record['config'])
    source = str(tested.folder / run_record.FILE)
    cfg = config_of_checkpoint({'meta': {'cfg': text}}, source, options=options)
    if data_root is not None:
        set_data_root(cfg, data_root)
    elif tested.record['folder']:
        _seen_from(cfg, Path(tested.record['folder']))
    return cfg


def _seen_from(cfg: Config, folder: Path) -> None:
    """Data that is not where a relative path leads from here is looked for from ``folder``."""
    for _, dataset in datasets(cfg):
        for key in ('data_root', 'packed'):
            path = dataset.get(key)
            if path and not Path(path).exists() and (folder / path).exists():
                dataset[key] = str(folder / path)


class Samples:
    """Reads samples of a test by the names of per_image.csv.

    Args:
        tested: The test.
        cfg: Its config.
        ignore_index: Label value that was not scored; None takes the data set's.

    Attributes:
        metainfo: Of the data set.
        ignore_index: As given, or the data set's.

    Raises:
        ConfigError, DataError: The data set cannot be made, or is not the one that was tested.
    """

    def __init__(self, tested: Tested, cfg: Config, ignore_index: int | None = None) -> None:
        if not cfg.get('test_dataloader'):
            raise ConfigError('The config has no test_dataloader.', culprit='test_dataloader')
        self._cfg, self._folder = cfg, tested.folder / 'predictions'
        self._counts = dict(zip(tested.images.files, tested.images.counts, strict=True))
        # No loader: its sampler would ask the other processes of a test that reports at its end.
        with self._scope(), explained(cfg):
            self._dataset = DATASETS.build(cfg.test_dataloader.dataset)
        if hasattr(self._dataset, 'full_init'):
            self._dataset.full_init()
        self.metainfo = dict(getattr(self._dataset, 'metainfo', {}))
        self.ignore_index = next((leaf.get('ignore_index', 255) for loader, leaf in datasets(cfg)
                                  if loader == 'test_dataloader'), 255) \
            if ignore_index is None else ignore_index
        self._places = self._found(tested)

    def _scope(self) -> contextlib.AbstractContextManager:
        return DefaultScope.overwrite_default_scope(self._cfg.get('default_scope') or 'segplug')

    def _found(self, tested: Tested) -> dict[str, tuple[int, str]]:
        """Name of an image -> its place in the data set, and the name of its prediction."""
        files = [str(self._dataset.get_data_info(i).get('img_path') or f'sample_{i}')
                 for i in range(len(self._dataset))]
        names = relative_names(files)
        if set(names) != set(tested.images.files):
            lost = sorted(set(tested.images.files) - set(names))
            raise DataError(
                f'The test set of the config is not the one that {tested.folder} is of.',
                got=f'{len(names)} images' + (f', without {lost[0]}' if lost else ''),
                expected=f'the {len(tested.images.files)} of per_image.csv',
                fix='give the config of the test with --config, and the data with --data-root')
        return {name: (i, output) for i, (name, output) in
                enumerate(zip(names, output_names(files), strict=True))}

    def read(self, name: str) -> Sample:
        """The sample of an image.

        Raises:
            DataError: A file is missing or damaged, or is not what was scored.
        """
        index, output = self._places[name]
        with self._scope(), told():
            data = self._dataset[index]
        sample, inputs = (value[0] if isinstance(value, list | tuple) else value
                          for value in (data['data_samples'], data['inputs']))
        if 'gt_sem_seg' not in sample:
            raise DataError(f'{name} has no label.')
        label = sample.gt_sem_seg.data.squeeze(0).numpy()
        path = str(self._folder / f'{output}.png')
        prediction = decode(read_bytes(path, 'prediction'), path, 'prediction', 'unchanged', 'cv2')
        if prediction.shape != label.shape:
            raise DataError(f'The prediction {path} differs in size from its label.',
                            got=f'{prediction.shape} (H, W)', expected=f'{label.shape}')
        check_counts(name, label, prediction, self._counts[name], self.ignore_index)
        picture = self._picture(sample, inputs)
        if picture.shape[:2] != label.shape:
            picture = cv2.resize(picture, label.shape[::-1], interpolation=cv2.INTER_AREA)
        return Sample(picture, label, prediction)

    def _picture(self, sample, inputs) -> np.ndarray:
        """The file as it looks; where it is none that can be shown, what the pipeline made."""
        with contextlib.suppress(SegplugError, OSError, KeyError):
            return displayed(str(sample.metainfo['img_path']))
        swaps = not doctor_config.preprocessor(self._cfg).get('rgb_to_bgr')
        inputs = np.asarray(inputs)
        return viewable(inputs, swaps and len(inputs) == 3)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What a file system says ends as a DataError."""
    try:
        yield
    except OSError as error:
        raise DataError(f'{error.filename or "A file"} cannot be read.',
                        got=error.strerror or error) from error


def found_from(name: str, folder: str | None) -> Path:
    """A file as it is seen from here; where it is not there, from the folder of the test."""
    path = Path(name).expanduser()
    return path if os.path.exists(path) or not folder else Path(folder) / path


def check_counts(name: str, label: np.ndarray, prediction: np.ndarray, counts: np.ndarray,
                 ignore_index: int) -> None:
    """Raise DataError unless label and prediction of an image give the (3, K) ``counts``."""
    if not np.array_equal(counted(label, prediction, counts.shape[1], ignore_index), counts):
        raise DataError(f'The label or the prediction of {name} is not what was scored.',
                        expected='the counts of per_image.csv')


def counted(label: np.ndarray, prediction: np.ndarray, num_classes: int, ignore_index: int
            ) -> np.ndarray:
    """(3, K) int64: true positives, false positives, false negatives of one image.

    Args:
        label, prediction: (H, W) integer.
        num_classes: K; what is scored and is no class counts for nothing.
        ignore_index: Label value that is not scored.
    """
    scored = label != ignore_index
    label, prediction = label[scored].astype(np.int64), prediction[scored].astype(np.int64)
    hit, predicted, labelled = (
        np.bincount(values[(values >= 0) & (values < num_classes)], minlength=num_classes)
        for values in (label[label == prediction], prediction, label))
    return np.stack([hit, predicted - hit, labelled - hit])
