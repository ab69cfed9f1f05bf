"""The confusion matrix of a test as a picture, a page and a list of the largest confusions.

Letter: K classes. Counts are int64 throughout, however many classes there are.
"""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup
from terminaltables import AsciiTable

from ..errors import ConfigError, DataError
from ..evaluation.outputs import SCORE_FILES, matrix_npy
from ..report.charts import STYLE, heat_map, standalone
from ..report.charts.heat import NORMALIZE
from ..report.pages import render
from ..report.run_page import confusions
from . import figures
from .class_names import class_table
from .confusion_figure import THEME, figure
from .matrix_files import read_matrix
from .results import Shown, on_paper

_FILE = SCORE_FILES[1]
_NUM = 10
AGAIN = 'run segplug test with --out once more, or give a .npy file'


@dataclass(frozen=True)
class Confusion(Shown):
    """A confusion matrix.

    Attributes:
        source: Where it was read from.
        matrix: (K, K) int64, rows ground truth, columns prediction.
        classes: K names.
        normalize: What pictures show: shares of the 'rows' or 'columns', or 'none', the counts.
        num: How many confusions are listed.
        theme, title: Of pictures by matplotlib: a colour map's name, and the words above.
    """

    source: str
    matrix: np.ndarray
    classes: tuple[str, ...]
    normalize: str = 'rows'
    num: int = _NUM
    theme: str = THEME
    title: str = ''

    def largest(self) -> list[dict]:
        """The largest confusions, by their share of the true class: ``truth``, ``predicted``,
        ``pixels``, ``share`` in percent."""
        cells = confusions(self.matrix, self.matrix.size)
        cells.sort(key=lambda cell: (-cell[3], -cell[2]))
        return [dict(truth=self.classes[t], predicted=self.classes[p], pixels=n, share=float(share))
                for t, p, n, share in cells[:self.num]]

    def data(self) -> dict:
        """As plain values."""
        return dict(source=self.source, classes=list(self.classes), matrix=self.matrix.tolist(),
                    largest=self.largest())

    def __str__(self) -> str:
        total, right = int(self.matrix.sum()), int(np.trace(self.matrix))
        num = len(self.classes)
        head = f'{self.source}: {num} class{"es" * (num > 1)}, {total} pixels'
        if not total:
            return head
        parts = [f'{head}, {100 * right / total:.2f} % of them right']
        absent = [name for name, row in zip(self.classes, self.matrix, strict=True)
                  if not row.any()]
        if absent:
            parts.append(f'Without a labelled pixel: {", ".join(absent)}')
        rows = [[row['truth'], row['predicted'], f'{row["share"]:.2f}', f'{row["pixels"]}']
                for row in self.largest()]
        if not rows:
            return '\n'.join([*parts, *['No pixel is confused.'] * (right == total)])
        table = AsciiTable([['Truth', 'Taken for', '% of the truth', 'Pixels'], *rows])
        table.justify_columns = {2: 'right', 3: 'right'}
        return '\n'.join([*parts, f'The {len(rows)} largest confusions, by share of the class:',
                          table.table])

    def _repr_html_(self) -> str:
        return on_paper(self._svg()) + super()._repr_html_()

    def write(self, out: str | Path) -> Path:
        """Write it as the ending says: .png, .pdf, .jpg, .svg, .html, or the counts, .csv, .npy.

        Raises:
            ConfigError: Another ending.
            OutputError: The file cannot be written.
        """
        kinds = {'.svg': lambda: standalone(self._svg()).encode(), '.html': self._page,
                 '.csv': self._csv, '.npy': lambda: matrix_npy(self.matrix)}
        return figures.written(out, kinds, self.figure)

    def figure(self, make: Callable):
        """As a figure of matplotlib, which ``make`` makes."""
        return figure(self.matrix, self.classes, self.normalize, self.theme, self.title, make)

    def _svg(self) -> str:
        return heat_map(self.matrix, self.classes, title=self.title or 'Confusion matrix',
                        normalize=self.normalize)

    def _page(self) -> bytes:
        chart = dict(key='Confusion matrix', svg=Markup(self._svg()))
        return render('curves.html', title=self.title or self.source, style=Markup(STYLE),
                      charts=[chart], text=str(self)).encode()

    def _csv(self) -> bytes:
        lines = [['truth \\ predicted', *self.classes],
                 *([name, *row] for name, row in zip(self.classes, self.matrix.tolist(),
                                                     strict=True))]
        return figures.csv_bytes(lines)


def confusion(source: str | Path, *, out: str | None = None, normalize: str = 'rows',
              classes: str | Sequence[str] | None = None, num: int = _NUM, theme: str = THEME,
              title: str = '') -> Confusion:
    """The confusion matrix of a test.

    Args:
        source: A folder that ``segplug test --out`` or ``segplug score --out`` has written, or a
            .npy file: (K, K) counts, rows ground truth, columns prediction.
        out: File to write, see `Confusion.write`.
        normalize: 'rows': what the pixels of a class were taken for. 'columns': what was taken
            for a class. 'none': counts.
        classes: Their names, see `class_names.class_table`; by default those that lie beside the
            matrix.
        num: How many confusions to list.
        theme: A colour map of matplotlib, for pictures.
        title: Above the picture.

    Raises:
        ConfigError: A setting does not fit.
        OutputError: The file cannot be written.
        DataError: There is no matrix, or it is none.
    """
    if normalize not in NORMALIZE:
        raise ConfigError('A confusion matrix cannot be normalised so.', got=repr(normalize),
                          expected=', '.join(NORMALIZE))
    if num < 0:
        raise ConfigError('num is negative.', got=num, expected='0 or more')
    path = _file(Path(source))
    matrix = read_matrix(path, AGAIN)
    found = Confusion(str(source), matrix, _names(path, len(matrix), classes), normalize, num,
                      theme, title)
    if out is not None:
        found.write(out)
    return found


def _file(source: Path) -> Path:
    expected = f'a folder of segplug test --out with {_FILE} in it, or a .npy file'
    if source.is_dir():
        if not (source / _FILE).is_file():
            raise DataError(f'{source} holds no {_FILE}.', expected=expected, fix=AGAIN)
        return source / _FILE
    if not source.is_file():
        raise DataError(f'There is no {source}.', expected=expected, fix='check the path')
    return source


def _names(path: Path, count: int, given: str | Sequence[str] | None) -> tuple[str, ...]:
    """The names that were given, those that lie beside the matrix, or numbers."""
    if given is not None:
        names = class_table(given)['classes']
        if len(names) != count:
            raise ConfigError(f'--classes {given} does not fit the matrix.',
                              got=f'{len(names)} names', expected=f'{count}')
        return tuple(names)
    for file, read in (('per_image.csv', _names_of_table), ('metrics.json', _names_of_metrics)):
        if (path.parent / file).is_file():
            names = read(path.parent / file)
            if len(names) == count:
                return names
    return tuple(map(str, range(count)))


def _names_of_table(file: Path) -> tuple[str, ...]:
    try:
        with open(file, encoding='utf-8-sig', newline='') as lines:
            head = next(csv.reader(lines), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return ()
    return tuple(name[3:] for name in head if name.startswith('tp.'))


def _names_of_metrics(file: Path) -> tuple[str, ...]:
    try:
        found = json.loads(file.read_text(encoding='utf-8'))
    except (OSError, ValueError, RecursionError):
        return ()
    return tuple(key[4:] for key in found if key.startswith('IoU.')) \
        if isinstance(found, dict) else ()
