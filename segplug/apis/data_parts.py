"""The data sets of a config, each once, and what their files hold: the doctor and the statistics
read them by this."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from mmengine.config import Config

from ..datasets.diagnosis import ERROR, Finding
from ..datasets.diagnosis.listing import listing
from ..datasets.diagnosis.tally import Part
from ..engine.progress import Progress
from ..errors import ConfigError, DataError
from ..registry import DATASETS
from . import doctor_config, doctor_scan

Members = list[tuple[object, Part]]  # each data set and what is known of it


def members(cfg: Config, splits: Sequence[str], limit: int | None
            ) -> tuple[Members, list[Finding]]:
    """Each data set of the config once, with its part; what cannot be used is a finding.

    Raises:
        ConfigError: There is none.
    """
    usable: Members = []
    findings: list[Finding] = []
    known: dict[str, int] = {}
    found = list(doctor_config.dataset_places(cfg, splits))
    if not found:
        raise ConfigError('The config has no data set to look at.',
                          got=f'dataloaders of {", ".join(splits)}')
    names = [split for split, _, _ in found]
    for number, (split, place, leaf) in enumerate(found):
        name = split if names.count(split) == 1 else f'{split}[{names[:number].count(split)}]'
        try:
            dataset = DATASETS.build(doctor_config.unlisted(leaf))
            files = listing(dataset)
        except DataError as error:
            _add_unusable(findings, _unusable(name, error))
            continue
        part = doctor_scan.part_of(dataset, files, name, place, doctor_config.head_classes(cfg),
                                   limit)
        twin = known.setdefault(_identity(part), len(usable))
        if twin < len(usable) and usable[twin][1].is_training == part.is_training:
            other = usable[twin][1]
            other.name += f', {name}'
            other.place = replace(other.place, others=(*other.place.others, place))
        else:
            usable.append((dataset, part))
    used = {info.get('seg_map_path') for _, part in usable for info in part.infos}
    for _, part in usable:  # two data sets may share a folder of labels
        part.spare_labels = [path for path in part.spare_labels if path not in used]
    return usable, findings


def _identity(part: Part) -> str:
    """What two data sets have in common that are scanned once."""
    return repr(([(i['img_path'], i.get('seg_map_path'), i.get('label_map')) for i in part.infos],
                 part.classes, part.ignore_index, part.reduce_zero_label, part.value_map,
                 part.color_items, part.without_label))


def _unusable(name: str, error: DataError) -> Finding:
    return Finding('data_set_unusable', ERROR, name, error.what,
                   'The data set stops before training.'
                   + (f' Got: {error.got}.' if error.got else '')
                   + (f' Expected: {error.expected}.' if error.expected else ''),
                   advice=error.fix or '')


def _add_unusable(findings: list[Finding], new: Finding) -> None:
    """Add ``new``, or its name to the finding that says the same: val and test often do."""
    for i, known in enumerate(findings):
        if replace(known, where=new.where) == new:
            findings[i] = replace(known, where=f'{known.where}, {new.where}')
            return
    findings.append(new)


def read_all(members: Members, name: str, logger: logging.Logger,
             num_threads: int | None = None) -> None:
    """Read the labels and the headers of the images of all parts, and show how far it is."""
    total = sum(len(part.infos) for _, part in members)
    done = 0
    with Progress(name, total, logger) as progress:
        def advance() -> None:
            nonlocal done
            done += 1
            progress.reach(done)

        for dataset, part in members:
            doctor_scan.read(dataset, part, num_threads, advance)
