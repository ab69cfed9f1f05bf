"""Files and windows of the analysis verbs. Pictures are drawn by matplotlib, which mmengine brings
and which is imported when it is needed."""

import csv
import io
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from ..errors import ConfigError, OutputError
from ..evaluation.outputs import atomic_write
from ..report.charts.svg import FORBIDDEN

PICTURES = ('.png', '.pdf', '.jpg', '.jpeg')
_DPI = 150
_ASIAN = ('Noto Sans CJK JP', 'Noto Sans CJK SC', 'Source Han Sans SC', 'WenQuanYi Zen Hei',
          'Microsoft YaHei', 'SimHei', 'PingFang SC', 'Hiragino Sans', 'Malgun Gothic',
          'Arial Unicode MS')


def written(path: str | Path, kinds: Mapping[str, Callable[[], bytes]], draw: Callable) -> Path:
    """Write one of several kinds of file, as its ending says.

    Args:
        path: The file.
        kinds: Ending -> what makes the bytes, beside the pictures of `PICTURES`.
        draw: Makes a figure of matplotlib, given its class.

    Raises:
        ConfigError: Another ending.
        OutputError: The file cannot be written.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if path.is_dir() or ending not in (*kinds, *PICTURES):
        raise ConfigError(f'A picture cannot be written to {path}.',
                          got='a folder' if path.is_dir() else f'the ending {path.suffix!r}',
                          expected=f'a file that ends in {", ".join([*PICTURES, *kinds])}')
    data = kinds[ending]() if ending in kinds else picture(draw, ending[1:])
    try:
        atomic_write(path, data)
    except OSError as error:
        raise OutputError(f'{path} cannot be written.', got=error.strerror or error,
                          fix='name a file in a folder that you may write to') from error
    return path


def picture(draw: Callable, kind: str) -> bytes:
    """The bytes of a figure: 'png', 'pdf', 'jpg'."""
    import matplotlib
    from matplotlib.figure import Figure
    buffer = io.BytesIO()
    with warnings.catch_warnings(), matplotlib.rc_context({'font.family': _fonts()}):
        # A character that no font of this machine has is a box.
        warnings.filterwarnings('ignore', message='Glyph .* missing')
        draw(Figure).savefig(buffer, format=kind, dpi=_DPI)
    return buffer.getvalue()


def _fonts() -> list[str]:
    """matplotlib's own font, which has Latin, Greek and Cyrillic letters, and those of `_ASIAN`
    that are on this machine."""
    from matplotlib.font_manager import fontManager
    known = {font.name for font in fontManager.ttflist}
    return ['DejaVu Sans', *(name for name in _ASIAN if name in known)]


def window(draw: Callable, backend: str | None = None) -> None:
    """Show a figure until its window is closed.

    Args:
        draw: Makes it, given what makes an empty one.
        backend: Of matplotlib; by default its choice.

    Raises:
        ConfigError: There is no such backend, or it opens no window here.
    """
    from matplotlib import pyplot
    made = None
    try:
        if backend is not None:
            pyplot.switch_backend(backend)
        made = draw(pyplot.figure)
        opens = made.canvas.required_interactive_framework is not None
        got = f'the backend {pyplot.get_backend()}'
    except (ImportError, ValueError, RuntimeError) as error:
        got, opens = error, False
    if not opens:
        if made is not None:
            pyplot.close(made)  # pyplot would keep it for ever
        raise ConfigError('No window can be opened here.', got=got, fix='write a file instead')
    pyplot.show()


def csv_bytes(lines: Iterable[Sequence]) -> bytes:
    """Lines of cells as CSV."""
    file = io.StringIO()
    csv.writer(file, lineterminator='\n').writerows(lines)
    return file.getvalue().encode('utf-8', 'surrogateescape')


def plain(words: str) -> str:
    """Text that matplotlib takes for no formula, and that has a place in a file."""
    return FORBIDDEN.sub('\ufffd', words).replace('$', r'\$')
