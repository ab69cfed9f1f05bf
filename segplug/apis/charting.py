"""Training curves of runs, from their logs: a table, charts, and how long an iteration takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from ..errors import ConfigError
from ..report.curves import Panel, chosen, panels
from ..report.logs import RunLog, read_run
from . import curve_files, figures
from .curve_text import text
from .results import Shown
from .train_time import TrainTime, train_time

# Parts of a log's path that say nothing about the run.
_DULL = ('vis_data', 'scalars.json')


@dataclass(frozen=True)
class Curves(Shown):
    """What `curves` found.

    Attributes:
        runs: The logs; ``runs[0].curves['loss'].x`` and ``.y`` are arrays.
        names: What each is called.
        keys: The curves that are shown.
        panels: The charts, in order.
        times: How long each took, see `train_time.TrainTime`; None where no time is logged.
        log: Whether charts have a logarithmic axis.
        title: Above the charts of a file.
    """

    runs: tuple[RunLog, ...]
    names: tuple[str, ...]
    keys: tuple[str, ...]
    panels: tuple[Panel, ...]
    times: tuple[TrainTime | None, ...]
    log: bool = False
    title: str = ''

    def __str__(self) -> str:
        return text(self)

    def _repr_html_(self) -> str:
        return curve_files.fragment(self.panels, self.log) + super()._repr_html_()

    def data(self) -> list[dict]:
        """Each run as plain values: its curves by name as iterations and values."""
        return [dict(name=name, path=run.path, starts=list(run.starts), notes=list(run.notes),
                     curves={key: dict(iterations=curve.x.tolist(), values=curve.y.tolist())
                             for key, curve in run.curves.items() if key in self.keys},
                     time=vars(time) if time else None)
                for name, run, time in zip(self.names, self.runs, self.times, strict=True)]

    def write(self, out: str | Path) -> Path:
        """Write the charts, as the ending says: .png, .pdf, .jpg, .svg or .html; .csv holds the
        values instead.

        Raises:
            ConfigError: Another ending.
            OutputError: The file cannot be written.
        """
        kinds = {'.svg': lambda: curve_files.svg(self.panels, self.log),
                 '.html': lambda: curve_files.page(self), '.csv': lambda: _csv(self)}
        return figures.written(out, kinds, self._figure)

    def show(self, backend: str | None = None) -> None:
        """Open a window with the charts, until it is closed.

        Args:
            backend: Of matplotlib; by default its choice.

        Raises:
            ConfigError: No window can be opened here.
        """
        figures.window(self._figure, backend)

    def _figure(self, make):
        return curve_files.figure(self.panels, self.log, self.title, make)


def curves(runs: str | Path | Sequence[str | Path], *, keys: Sequence[str] | None = None,
           out: str | None = None, smooth: float = 0., log: bool = False,
           names: Sequence[str] | None = None, legend: Sequence[str] | None = None,
           title: str = '') -> Curves:
    """The training curves of one run or of several.

    Args:
        runs: Work directories, dated folders in them, or log files: ours, mmsegmentation 1.x's,
            or 0.x's .log.json.
        keys: Names of curves as logged, or patterns ('decode.*'); by default loss, validation
            loss and mIoU.
        out: File to write, see `Curves.write`.
        smooth: Weight of the past in a moving average, 0 to below 1; 0.9 is usual.
        log: A logarithmic axis.
        names: What the runs are called; by default what differs in their paths.
        legend: Instead, a name for each key of each run, the keys of the first run first.
        title: Above the charts of a file.

    Raises:
        ConfigError: No run has a key, or a setting does not fit.
        DataError: A log is missing or damaged; file and line are named.
    """
    runs = [runs] if isinstance(runs, str | Path) else list(runs)
    if not runs:
        raise ConfigError('There is no run to show.', expected='one work directory or more')
    if names is not None and len(names) != len(runs):
        raise ConfigError('The names do not fit the runs.', got=f'{len(names)} names',
                          expected=f'{len(runs)}')
    logs = tuple(read_run(run) for run in runs)
    names = tuple(names or run_names([str(run) for run in runs]))
    found = Curves(logs, names, tuple(chosen(logs, keys)),
                   tuple(panels(logs, names, keys, smooth, legend)),
                   tuple(train_time(run) for run in logs), log, title)
    if out is not None:
        found.write(out)
    return found


def run_names(paths: Sequence[str]) -> list[str]:
    """What differs in the paths of runs, without what all have in common; numbers where nothing
    does."""
    parts = [[p for p in PurePath(path).parts if p not in _DULL] or [path] for path in paths]
    if len(paths) == 1:
        return [parts[0][-1] if parts[0][-1] not in ('.', '..') else Path(paths[0]).resolve().name]
    shared = 0
    while all(len(p) > shared + 1 and p[shared] == parts[0][shared] for p in parts):
        shared += 1
    names = ['/'.join(p[shared:]) for p in parts]
    if len(set(names)) == len(names):
        return names
    return [f'{i} {name}' for i, name in enumerate(names, 1)]


def _csv(found: Curves) -> bytes:
    """run, key, iteration, value: one line a point."""
    lines = [['run', 'key', 'iteration', 'value']]
    for name, run in zip(found.names, found.runs, strict=True):
        for key in found.keys:
            if key in run.curves:
                curve = run.curves[key]
                lines += [[name, key, f'{x:.15g}', y] for x, y in
                          zip(curve.x.tolist(), curve.y.tolist(), strict=True)]
    return figures.csv_bytes(lines)
