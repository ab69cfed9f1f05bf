"""Statistics of the data of a config: classes, sizes, class weights, mean of the images."""

import csv
import io
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import DefaultScope

from ..datasets.diagnosis.finding import Finding
from ..datasets.diagnosis.of_images import moments
from ..datasets.diagnosis.statistics import SHARES, PartNumbers, part_numbers
from ..datasets.diagnosis.tally import class_weights, inverse_frequency_weights, tally
from ..errors import ConfigError, DataError, OutputError
from ..evaluation.outputs import atomic_write
from . import data_parts, doctor_config, doctor_scan
from .config import load_config
from .doctor_config import SPLITS
from .results import Shown

BINS = ('<= 0.1 %', '<= 1 %', '<= 10 %', '<= 50 %', '> 50 %')

logger = logging.getLogger(__name__)


@dataclass
class Statistics(Shown):
    """What the data of a config hold.

    Attributes:
        config: Name of the config.
        parts: Of each data set; see `PartNumbers`.
        weights: Of the losses, by the formula's name, from the training sets; 4 digits.
        mean, std: Of the training images' channels, in the order that the preprocessor takes, each
            image counting the same; none where no image was decoded.
        num_decoded: How many images these are of.
        notes: Data sets that could not be read, in a sentence each.
    """

    config: str
    parts: list[PartNumbers] = field(default_factory=list)
    weights: dict[str, list[float]] = field(default_factory=dict)
    mean: list[float] = field(default_factory=list)
    std: list[float] = field(default_factory=list)
    num_decoded: int = 0
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        from .statistics_text import text
        return text(self)

    def as_dict(self) -> dict:
        """Plain data, as ``--json`` writes it."""
        return dict(
            version=1, config=self.config, parts=[_part_dict(part) for part in self.parts],
            class_weights=self.weights, mean=self.mean, std=self.std,
            images_decoded=self.num_decoded, notes=self.notes)

    def csv(self) -> str:
        """A row for each class of each part."""
        file = io.StringIO()
        table = csv.writer(file, lineterminator='\n')
        table.writerow(['part', 'id', 'class', 'pixels', 'share', 'images', 'mean_area',
                        'mean_share', *BINS])
        for part in self.parts:
            table.writerows([part.name, c.id, c.name, c.pixels, c.share, c.images, c.mean_area,
                             c.mean_share, *c.histogram] for c in part.classes)
        return file.getvalue()


def _part_dict(part: PartNumbers) -> dict:
    found = asdict(part)
    found['sizes'] = [dict(height=h, width=w, images=n) for (h, w), n in part.sizes.items()]
    found['together'] = part.together.tolist()
    found['histogram_bounds'] = list(SHARES)
    return found


def stats(config: str | os.PathLike | Config, *, options: Mapping | None = None,
          data_root: str | None = None, splits: Sequence[str] = SPLITS, limit: int | None = None,
          num_images: int = 500, num_threads: int | None = None) -> Statistics:
    """Count what the data of a config hold; each label is read once.

    Args:
        config: A config file, a shipped config's name, or a loaded config.
        options, data_root: As in `load_config`.
        splits: Whose dataloaders, some of 'train', 'val' and 'test'.
        limit: Samples of each data set, spread over it.
        num_images: Training images, spread over all, whose mean is taken; 0 for none.
        num_threads: That decode; None for one per core, at most 8.

    Raises:
        ConfigError: The config itself is wrong, or has no data set.
        DataError: No label can be read.
    """
    if limit is not None and limit < 1:
        raise ConfigError('Statistics are of one sample at least.', got=f'limit {limit}')
    if num_images < 0:
        raise ConfigError('The mean is of 0 images at least.', got=num_images)
    cfg = config if isinstance(config, Config) else load_config(
        config, options=dict(options or {}), data_root=data_root)
    found = Statistics(str(cfg.filename if isinstance(config, Config) else config))
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        members, unusable = data_parts.members(cfg, splits, limit)
        _check(members, unusable)
        data_parts.read_all(members, 'stats', logger, num_threads)
        parts = [part for _, part in members]
        tallies = [tally(part) for part in parts]
        found.parts = [part_numbers(*pair) for pair in zip(parts, tallies, strict=True)]
        if not any(part.labels > part.unreadable for part in found.parts):
            raise DataError('No label can be read.', got=_first_problem(parts),
                            fix='segplug doctor CONFIG says what is wrong with each')
        found.notes = [f'{f.where}: {f.what}' for f in unusable]
        found.weights = _weights(parts, tallies)
        _add_moments(found, cfg, members, num_images, num_threads)
    return found


def _check(members: data_parts.Members, unusable: list[Finding]) -> None:
    if not members:
        raise DataError(unusable[0].what, got=unusable[0].why or None,
                        fix=unusable[0].advice or 'segplug doctor CONFIG says more')


def _first_problem(parts) -> str | None:
    return next((f'{f.path}: {f.reason or f.problem}' for part in parts for f in part.labels
                 if f.problem), 'samples without labels')


def _weights(parts, tallies) -> dict[str, list[float]]:
    """The doctor's, with the plain inverse before them; none for a single class."""
    known = class_weights(parts, tallies)
    trained = [(p, t) for p, t in zip(parts, tallies, strict=True) if p.is_training]
    if not known or any(p.num_classes == 1 for p, _ in trained):
        return {}
    return dict(inverse_frequency=inverse_frequency_weights(sum(t.pixels for _, t in trained)),
                **known)


def _add_moments(found: Statistics, cfg: Config, members: data_parts.Members, count: int,
                 num_threads: int | None) -> None:
    trained = [(dataset, part) for dataset, part in members if part.is_training]
    total = sum(len(part.infos) for _, part in trained)
    images = [one for dataset, part in trained if count for one in doctor_scan.sampled_pixels(
        dataset, part, max(1, count * len(part.infos) // max(total, 1)), num_threads)]
    if not images:
        return
    if len({len(one.mean) for one in images}) > 1:
        found.notes.append('The images have different numbers of channels: no mean is taken.')
        return
    found.mean, found.std = moments(images)
    settings = doctor_config.preprocessor(cfg)
    if len(found.mean) == 3 and (settings.get('bgr_to_rgb') or settings.get('rgb_to_bgr')):
        found.mean, found.std = found.mean[::-1], found.std[::-1]
    found.num_decoded = len(images)


def check_ending(path: Path) -> None:
    """Raise for a file that statistics cannot be written to, before any label is read.

    Raises:
        ConfigError: The name is of no kind that is known.
    """
    if path.suffix not in ('.csv', '.json'):
        raise ConfigError(f'Statistics cannot be written as {path.name}.',
                          expected='a name that ends in .csv or .json')


def write_statistics(found: Statistics, path: Path) -> None:
    """Write the classes as ``.csv``, or all as ``.json``, by the name of the file.

    Raises:
        ConfigError: The name is of neither.
        OutputError: The file cannot be written.
    """
    check_ending(path)
    text = found.csv() if path.suffix == '.csv' else json.dumps(found.as_dict(), indent=2) + '\n'
    try:
        atomic_write(path, text.encode())
    except OSError as error:
        raise OutputError(f'{path} cannot be written.', got=error) from error
