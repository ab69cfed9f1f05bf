"""What reports of one test and of two are made of: facts, colours, samples, the training's log."""

import contextlib
import html
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmengine.config import Config

from ..errors import ConfigError, DataError, SegplugError
from ..report.logs import RunLog, read_run
from ..report.run_page import Fact
from ..visualization.draw import default_palette
from .scored_samples import ScoredSamples
from .tested import Tested
from .tested_samples import Samples, config_of, found_from


@dataclass(frozen=True)
class Report:
    """What was written.

    Attributes:
        path: The page.
        remarks: What it lacks, and how to get it, in sentences.
    """

    path: Path
    remarks: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """For a browser."""
        return self.path.resolve().as_uri()

    def __str__(self) -> str:
        return '\n'.join([*self.remarks, self.address])

    def _repr_html_(self) -> str:
        remarks = ''.join(f'<p>{html.escape(remark)}</p>' for remark in self.remarks)
        return f'{remarks}<a href="{html.escape(self.address)}">{html.escape(str(self.path))}</a>'


def training_log(tested: Tested, given: str | os.PathLike | None = None
                 ) -> tuple[RunLog | None, str]:
    """The training's log, and a sentence: whose it is, or why there is none ('' if that is clear).

    Raises:
        DataError: What was ``given`` holds no log, or a damaged one.
    """
    if given is not None:
        log = read_run(given)
        return log, ' '.join([f'From {given}.', *_sentences(log.notes)])
    checkpoint = tested.record and (tested.record['checkpoint'] or {}).get('file')
    if not checkpoint:
        return None, ''
    give = 'give the work directory of the training with --training.'
    path = found_from(str(checkpoint), tested.record['folder'])
    if not os.path.isfile(path):  # no name is too long for it
        return None, f'The checkpoint {checkpoint} is not on this machine: {give}'
    try:
        log = read_run(path.parent)
    except DataError as error:
        return None, f'There are no curves: {str(error.what).rstrip(".")}; {give}'
    if not {'loss', 'lr', 'mIoU'} & set(log.curves):
        return None, f'The log beside {checkpoint} is not of a training: {give}'
    return log, ' '.join([f'From the logs beside {checkpoint}.', *_sentences(log.notes)])


def _sentences(notes: Sequence[str]) -> list[str]:
    return [f'{note[:1].upper()}{note[1:].rstrip(".")}.' for note in notes]


def samples_of(tested: Tested, config: str | None, options: dict | None, data_root: str | None,
             image_dir: str | os.PathLike | None
             ) -> tuple[Config | None, Samples | ScoredSamples | None, str]:
    """The config, the images, and what is wrong with them in a sentence.

    Args:
        tested: The test, or scores of files.
        config, options, data_root: As in `load_config`; with a config or a root of the data what is
            wrong is raised.
        image_dir: Folder of the images, of scores of files.
    """
    cfg = None
    try:
        if config is None and tested.record and tested.record['files']:
            return None, ScoredSamples(tested, image_dir), ''
        if image_dir is not None:
            raise ConfigError('--image-dir has no effect: the config says where the images are.',
                              fix='use --data-root where they were moved')
        cfg = config_of(tested, config, options, data_root)
        ignored = tested.record and tested.record['ignore_index']
        return cfg, Samples(tested, cfg, ignored), ''
    except SegplugError as error:
        if (config, data_root, image_dir) != (None, None, None):
            raise
        return cfg, None, f'{error}'


def views_of(tested: Tested) -> str:
    """Scales and mirror images in words; '' for a single view, or where it is not known."""
    if tested.num_views in (None, 1):
        return ''
    scales = ', '.join(f'{scale:g}' for scale in tested.record['scales'])
    return f'scales {scales}' + (', each with its mirror image' if tested.record['flip'] else '')


def palette_of(tested: Tested, samples: Samples | ScoredSamples | None) -> Sequence[Sequence[int]]:
    """K colours."""
    count = len(tested.classes)
    for palette in (tested.record and tested.record['palette'],
                    samples and samples.metainfo.get('palette')):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            colours = np.asarray(palette, dtype=np.uint8)
            if colours.shape == (count, 3):
                return colours.tolist()
    return default_palette(count)


def title_of(tested: Tested, config: str | None) -> str:
    """The name of the config that was given, else of the test's, else of its folder."""
    name = config or (tested.record and tested.record['config_file'])
    return Path(name).stem if name else tested.folder.resolve().name


def facts_of(both: Sequence[Tested], tested: Tested, cfg: Config | None) -> list[Fact]:
    """How it was made.

    Args:
        both: The test, and another one of the same checkpoint, whose commands are named too.
        tested: Whose facts they are.
        cfg: Its config, where run.json holds none.
    """
    record = tested.record or {}
    facts = [
        Fact('Commands', tuple(t.record['command'] for t in both
                               if t.record and t.record['command']), is_code=True),
        Fact('Made by', _lines(record.get('made_by'))),
        Fact('Config', _lines(record.get('config_file'))),
        Fact('Checkpoint', _checkpoint_lines(record.get('checkpoint') or {})),
        Fact('Data', _data_lines(tested, cfg)),
        Fact('Views of an image', _lines(views_of(tested) or tested.num_views and 'one')),
        Fact('Ran on', _machine_lines(record)),
        Fact('Finished', _lines(record.get('finished'))),
        Fact('Versions', _lines(', '.join(f'{k} {v}' for k, v in
                                          (record.get('versions') or {}).items()))),
        Fact('Commit', tuple(f'{commit} ({name})' for name, commit in
                             (record.get('commits') or {}).items())),
        Fact('Scores', tuple(str(t.folder) for t in both))]
    return [fact for fact in facts if fact.lines]


def _lines(value) -> tuple[str, ...]:
    return (str(value),) if value else ()


def _checkpoint_lines(checkpoint: dict) -> tuple[str, ...]:
    lines = _lines(checkpoint.get('file'))
    if isinstance(checkpoint.get('bytes'), int) and checkpoint.get('sha256'):
        lines += (f'{checkpoint["bytes"] / 1e6:.1f} MB, SHA-256 {checkpoint["sha256"]}',)
    return lines


def _machine_lines(record: dict) -> tuple[str, ...]:
    count = record.get('num_processes')
    if not record.get('device'):
        return ()
    return (record['device'] + (f', {count} process{"es" if count > 1 else ""}' if count else ''),)


def _data_lines(tested: Tested, cfg: Config | None) -> tuple[str, ...]:
    config = (tested.record or {}).get('config') or (cfg.to_dict() if cfg else {})
    dataset = (config.get('test_dataloader') or {}).get('dataset') or {}
    words = [str(dataset[key]) for key in ('type', 'data_root', 'ann_file') if dataset.get(key)]
    return (', '.join(words),) if words else ()


def config_text(tested: Tested, cfg: Config | None) -> str:
    """The config of run.json as Python, else of ``cfg``, else ''."""
    if tested.record and tested.record['config']:
        with contextlib.suppress(KeyError):  # a name that Config keeps for itself
            return Config(tested.record['config']).pretty_text
    return cfg.pretty_text if cfg else ''
