"""The data doctor: what is wrong with the data of a config, and which lines mend it.

`examine` looks at everything once; `quick_check` looks at some labels when a training starts.
"""

import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import DefaultScope

from ..datasets.diagnosis import ERROR, NOTE, WARNING, Finding
from ..datasets.diagnosis.finding import worst_first
from ..datasets.diagnosis.listing import Listing
from ..datasets.diagnosis.of_files import file_findings
from ..datasets.diagnosis.of_images import channel_findings, normalisation_findings
from ..datasets.diagnosis.of_splits import split_findings
from ..datasets.diagnosis.of_values import value_findings
from ..datasets.diagnosis.tally import Part, Tally, class_weights, tally
from ..errors import ConfigError, DataError
from . import data_parts, doctor_config, doctor_scan
from .config import load_config
from .doctor_config import SPLITS
from .results import Shown

_NUM_IMAGES = 32  # that are decoded for their mean
_QUICK = {'train': 32, 'val': 8}  # labels that a training looks at before it starts
# Findings of single files, which ``train_dataloader.skip_bad_samples`` leaves out of the training.
_SKIPPED = {'unreadable_image', 'unreadable_label', 'size_differs', 'value_out_of_range',
            'label_is_no_ids'}
_STOPS = 3  # findings that an error of the quick check tells whole

logger = logging.getLogger(__name__)


@dataclass
class Report(Shown):
    """What the doctor found.

    Attributes:
        config: Name of the config.
        findings: The worst first.
        parts, tallies: What was read, and its sums.
        weights: Of the losses, by the formula's name; none without a training set that is right.
        seconds: How long it took.
    """

    config: str
    findings: list[Finding] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    weights: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0

    def __str__(self) -> str:
        from .doctor_text import text
        return text(self)

    @property
    def is_clean(self) -> bool:
        """No error and no warning; notes do not count."""
        return all(finding.severity == NOTE for finding in self.findings)

    def as_dict(self) -> dict:
        """Plain data, as ``--json`` writes it."""
        return dict(
            version=1, config=self.config, clean=self.is_clean, seconds=round(self.seconds, 3),
            findings=[finding.as_dict() for finding in self.findings],
            parts=[_part_dict(p, t) for p, t in zip(self.parts, self.tallies, strict=True)],
            class_weights=self.weights)


def _part_dict(part: Part, found: Tally) -> dict:
    total = max(found.num_labelled, 1)
    return dict(
        name=part.name, place=part.place.dataset, samples=len(part.infos),
        labels=sum(bool(facts.path) for facts in part.labels),
        readable_labels=len(part.good_labels), whole=part.is_whole, pixels=found.num_pixels,
        ignored_pixels=found.ignored, ignore_index=part.ignore_index,
        values={str(value): found.raw[value] for value in sorted(found.raw)},
        classes=[dict(id=k, name=part.class_name(k), pixels=int(found.pixels[k]),
                      share=float(found.pixels[k] / total), images=int(found.images[k]))
                 for k in part.ids])


def examine(config: str | os.PathLike | Config, *, options: Mapping | None = None,
            data_root: str | None = None, splits: Sequence[str] = SPLITS,
            limit: int | None = None, num_threads: int | None = None) -> Report:
    """Look at all the data that a config names.

    Args:
        config: A config file, a shipped config's name, or a loaded config.
        options, data_root: As in `load_config`.
        splits: Whose dataloaders are looked at, some of 'train', 'val' and 'test'.
        limit: Samples of each data set, spread over it; what only all of them tell is left out.
        num_threads: That decode; None for one per core, at most 8.

    Raises:
        ConfigError: The config itself is wrong, or has no data set.
    """
    if limit is not None and limit < 1:
        raise ConfigError('The doctor looks at one sample at least.', got=f'limit {limit}')
    start = time.monotonic()
    cfg = config if isinstance(config, Config) else load_config(
        config, options=dict(options or {}), data_root=data_root)
    report = Report(str(cfg.filename if isinstance(config, Config) else config))
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        report.findings += doctor_config.config_findings(cfg)
        members, unusable = data_parts.members(cfg, splits, limit)
        report.findings += unusable
        data_parts.read_all(members, 'doctor', logger, num_threads)
        for dataset, part in members:
            report.findings += _of_pixels(cfg, dataset, part, num_threads)
    report.parts = [part for _, part in members]
    _conclude(report)
    report.seconds = time.monotonic() - start
    return report


def _of_pixels(cfg: Config, dataset, part: Part, num_threads: int | None) -> list[Finding]:
    """What some of the training images, decoded, say of the preprocessor."""
    if not part.is_training or not doctor_scan.keeps_pixels(dataset):
        return []
    images = doctor_scan.sampled_pixels(dataset, part, _NUM_IMAGES, num_threads)
    settings = doctor_config.preprocessor(cfg)
    mean, std = settings.get('mean'), settings.get('std')
    swaps = bool(settings.get('bgr_to_rgb') or settings.get('rgb_to_bgr'))
    place = doctor_config.preprocessor_place(cfg) if settings else ''
    return [*channel_findings(part, images, mean, doctor_config.in_channels(cfg), place),
            *normalisation_findings(part, images, mean, std, swaps, place)]


def _conclude(report: Report) -> None:
    """Findings and weights from what was read."""
    report.tallies = [tally(part) for part in report.parts]
    for part, found in zip(report.parts, report.tallies, strict=True):
        report.findings += [*file_findings(part), *value_findings(part, found)]
    report.findings += split_findings(report.parts, report.tallies)
    report.findings = worst_first(report.findings)
    if not any(f.severity == ERROR and f.where.startswith('train') for f in report.findings):
        report.weights = class_weights(report.parts, report.tallies)


def quick_findings(cfg: Config, datasets: Mapping[str, object],
                   limits: Mapping[str, int] = _QUICK) -> list[Finding]:
    """What some labels of built data sets tell, the worst first.

    Args:
        cfg: Their config.
        datasets: 'train' and 'val' -> the data set, wrapped or not.
        limits: How many labels of each are read.
    """
    findings = []
    for split, dataset in datasets.items():
        places = [place for _, place, _ in doctor_config.dataset_places(cfg, [split])]
        leaves = list(doctor_scan.leaves_with_places(dataset, places,
                                                     f'{split}_dataloader.dataset'))
        for leaf, place in leaves:
            if not all(hasattr(leaf, name) for name in ('get_data_info', 'metainfo', 'pipeline')):
                continue  # another package's data set, of which nothing is known
            infos = [leaf.get_data_info(i) for i in doctor_scan.spread(
                len(leaf), max(1, limits[split] // len(leaves)))]
            part = doctor_scan.part_of(leaf, Listing(infos, [], []), split, place,
                                       doctor_config.head_classes(cfg))
            part.is_whole = False
            doctor_scan.read(leaf, part)
            findings += [*file_findings(part), *value_findings(part, tally(part))]
    return worst_first(findings)


def quick_check(cfg: Config, datasets: Mapping[str, object]) -> None:
    """Stop a training whose labels are wrong; warn of what is merely bad, or will be left out.

    Raises:
        DataError: With the findings that are errors, and the lines that mend them.
    """
    findings = quick_findings(cfg, datasets)
    if (cfg.get('train_dataloader') or {}).get('skip_bad_samples'):
        findings = [replace(finding, severity=WARNING, why='skip_bad_samples leaves them out.')
                    if finding.where == 'train' and finding.name in _SKIPPED else finding
                    for finding in findings]
    errors = [finding for finding in findings if finding.severity == ERROR]
    for finding in findings:
        if finding.severity == WARNING:
            print_log(str(finding), 'current', logging.WARNING)
    if errors:
        more = f'\nand {len(errors) - _STOPS} more' if len(errors) > _STOPS else ''
        raise DataError('The data are not fit for training:\n' + '\n'.join(
            map(str, errors[:_STOPS])) + more + '\n',
            fix='see the lines above; `segplug doctor CONFIG` looks at all files, and '
                '--no-doctor trains all the same')
