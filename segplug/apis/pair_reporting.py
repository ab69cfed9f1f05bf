"""The report of two tests of the same images: one HTML file with everything in it.

Letters: I images, K classes.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import ConfigError, OutputError, SegplugError
from ..evaluation.outputs import atomic_write
from ..report import score_rows
from ..report.curves import Panel, panels
from ..report.pair_page import ClassRow, PairPage, PairShot, pair_page
from .charting import run_names
from .comparing import compare, compare_classes
from .differing import differences
from .per_image import match
from .report_parts import Report, facts_of, palette_of, samples_of, title_of, training_log
from .showing import shown
from .tested import Tested, read_tested

_CURVES = ('loss', 'val/loss', 'lr', 'mIoU')
FILE = 'comparison.html'


def report_pair(a: str | os.PathLike, b: str | os.PathLike, *,
                out: str | os.PathLike | None = None, num: int = 20, level: float = 0.95,
                draws: int = 2000, seed: int = 0, config: str | None = None,
                data_root: str | None = None, image_dir: str | os.PathLike | None = None
                ) -> Report:
    """Write a page about two tests of the same images, B against A.

    Args:
        a, b: Folders that ``segplug test --out`` has written.
        out: The file; by default comparison.html in ``b``.
        num: How many images are shown, those whose mIoU changed most.
        level, draws, seed: As for `compare`.
        config: Of the test, where a folder does not say it.
        data_root: As in `load_config`, for data that was moved.
        image_dir: Folder of the images, for folders of ``segplug score``, which know none.

    Raises:
        DataError: A folder is not what a test writes, or the two are not of one test.
        ConfigError: A setting is wrong.
        OutputError: The page cannot be written.
    """
    path = Path(b) / FILE if out is None else Path(out)
    if os.path.isdir(path):  # no name is too long for it
        raise ConfigError(f'--out {path} is a folder.', expected='a file to write',
                          fix=f'give {path / FILE}')
    comparison = compare(a, b, level=level, draws=draws, seed=seed, num=num)
    runs = (read_tested(a), read_tested(b))
    names = tuple(run_names([str(a), str(b)]))
    shots, palette, ignore_index, remarks = _pictures(runs, comparison['changed'], config,
                                                     data_root, image_dir)
    curves, log_note = _curves(runs, names)
    found, config_note = _differences(runs)
    page = PairPage(
        title=_title(runs, names), names=names, comparison=comparison,
        rows=_rows(runs, level, draws, seed), scores=_scores(runs), images=_images(runs),
        **_more(runs), classes=runs[0].classes, palette=palette, shots=shots,
        ignore_index=ignore_index,
        panels=curves, log_note=log_note, differences=found, config_note=config_note,
        facts=_facts(runs), remarks=remarks)
    try:
        atomic_write(path, pair_page(page).encode())
    except OSError as error:
        raise OutputError(f'{path} could not be written.', got=error.strerror or error,
                          fix='choose another --out') from error
    return Report(path, tuple(remarks))


def _title(runs: tuple[Tested, Tested], names: tuple[str, str]) -> str:
    """By their configs where these differ, else by their folders."""
    titles = [title_of(run, None) for run in runs]
    return ' and '.join(titles if titles[0] != titles[1] else names)


def _rows(runs: tuple[Tested, Tested], level: float, draws: int, seed: int) -> list[ClassRow]:
    counts = runs[0].images.counts, match(runs[0].images, runs[1].images).counts
    tests = compare_classes(*counts, level=level, draws=draws, seed=seed)
    return [ClassRow(name, *(100 * value for value in (
        one.a, one.b, one.difference, one.low, one.high)), one.p_value)
        for name, one in zip(runs[0].classes, tests, strict=True)]


def _scores(runs: tuple[Tested, Tested]) -> dict[str, tuple[float, float]]:
    return {words: _both(runs, key) for key, words in score_rows.TILES.items()
            if all(key in run.metrics for run in runs)}


def _more(runs: tuple[Tested, Tested]) -> dict[str, dict]:
    """What both have beside IoU and the tiles: of the whole test, and of the classes."""
    classes = runs[0].classes
    known = [key for key in runs[0].metrics if key in runs[1].metrics]
    return dict(
        more={key: _both(runs, key) for key in score_rows.of_the_whole(known, classes)},
        more_classes={score: [_both(runs, f'{score}.{name}') for name in classes]
                      for score in score_rows.of_classes(known, classes) if score != 'IoU'})


def _both(runs: tuple[Tested, Tested], key: str) -> tuple[float, float]:
    return runs[0].metrics[key], runs[1].metrics[key]


def _images(runs: tuple[Tested, Tested]) -> list[tuple[str, float, float]]:
    scores = [run.image_scores()[0].tolist() for run in runs]
    return list(zip(runs[0].images.files, *scores, strict=True))


def _pictures(runs: tuple[Tested, Tested], changed: list[Mapping], config: str | None,
              data_root: str | None, image_dir: str | os.PathLike | None
              ) -> tuple[list[PairShot], Sequence[Sequence[int]], int, list[str]]:
    """The shots, the colours, the ignored value, and what is missing."""
    found, remarks = [], []
    for letter, run in zip('AB', runs, strict=True):
        known = run.record is not None
        _, samples, problem = samples_of(run, None if known else config, None, data_root, image_dir)
        found.append(samples)
        if problem:
            remarks.append(f'There are no pictures of {letter}: {problem}')
    palette = palette_of(runs[0], found[0])
    if None in found:
        return [], palette, 255, remarks
    shots = [_shot(found, row) for row in changed]
    return shots, palette, found[0].ignore_index, remarks


def _shot(samples: list, row: Mapping) -> PairShot:
    scores = row['a'], row['b']
    try:
        one, other = (each.read(row['file']) for each in samples)
    except SegplugError as error:
        return PairShot(row['file'], scores, error=f'Not shown: {error}')
    return PairShot(row['file'], scores, one.picture, one.label, one.prediction, other.prediction)


def _curves(runs: tuple[Tested, Tested], names: tuple[str, str]) -> tuple[list[Panel], str]:
    """The charts, and whose they are or why there are none."""
    logs, notes = zip(*map(training_log, runs), strict=True)
    notes = [f'{letter}: {note}' for letter, note in zip('AB', notes, strict=True) if note]
    known = [(log, f'{letter} {name}') for log, letter, name in
             zip(logs, 'AB', names, strict=True) if log is not None]
    if len(known) == 2 and known[0][0].files == known[1][0].files:
        known, notes = [(known[0][0], '')], [f'Both are of one training. {notes[0][3:]}']
    keys = [key for key in _CURVES if any(key in log.curves for log, _ in known)]
    if not keys:
        return [], ' '.join(notes)
    return panels(*zip(*known, strict=True), keys), ' '.join(notes)


def _differences(runs: tuple[Tested, Tested]) -> tuple[list | None, str]:
    """What differs in the configs, as the page has it; None, and why, where one is not known."""
    configs = [run.record and run.record['config'] for run in runs]
    if not all(configs):
        missing = ' and '.join(letter for letter, config in zip('AB', configs, strict=True)
                               if not config)
        return None, f'The config of {missing} is not known: run.json in its folder would say it.'
    rows: dict[tuple, list[str]] = {}
    for one in differences(*configs):
        kind = {'changed': '~', 'removed': '-', 'added': '+'}[one.kind]
        # A variable of a config and what it is used for differ alike: one row.
        rows.setdefault((kind, shown(one.old), shown(one.new)), []).append(one.key)
    return [(kind, ', '.join(keys), a, b) for (kind, a, b), keys in rows.items()], ''


def _facts(runs: tuple[Tested, Tested]) -> list[tuple]:
    both = [{fact.name: fact.lines for fact in facts_of([run], run, None)} for run in runs]
    return [(name, *(facts.get(name, ()) for facts in both))
            for name in dict.fromkeys([*both[0], *both[1]])]
