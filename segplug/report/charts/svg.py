"""What all charts share: text that is safe, numbers that are short, the element around them.

The unit is the user unit of the ``viewBox``. Charts are 420 wide, so that text of 13 units is
still 10 pixels high on a phone, and grow to 600 pixels.
"""

import re
import unicodedata
from html import escape as _escape

WIDTH = 420
FONT = 13
SMALL = 11
NUM_COLOURS = 8

# Each of the eight has a contrast of 3 or more with white, or with #1c1c1c in the dark.
LIGHT = ('#0068b5', '#c85200', '#00784f', '#8b4ea8', '#c2185b', '#007c89', '#7a5b00', '#5b5b5b')
DARK = ('#5ab0f5', '#ff9f55', '#4fd1a1', '#c79be0', '#ff7fae', '#4dd0e1', '#d9b84a', '#b5b5b5')


def _variables(colours: tuple[str, ...]) -> str:
    return ':root{' + ';'.join(f'--chart-{i}:{c}' for i, c in enumerate(colours, 1)) + '}'


COLOURS = (_variables(LIGHT) + '\n@media (prefers-color-scheme:dark){' + _variables(DARK) + '}')
STYLE = '\n'.join([
    f'.chart{{display:block;width:100%;height:auto;font:{FONT}px system-ui,sans-serif;'
    'font-variant-numeric:tabular-nums}',
    f'.chart text{{fill:currentColor}} .chart .small{{font-size:{SMALL}px}}',
    '.chart .end{text-anchor:end} .chart .middle{text-anchor:middle}',
    '.chart .grid{stroke:currentColor;stroke-opacity:.15;fill:none}',
    '.chart .axis{stroke:currentColor;stroke-opacity:.6;fill:none}',
    *(f'.chart .c{i}{{--c:var(--chart-{i})}}' for i in range(1, NUM_COLOURS + 1)),
    '.chart .line{stroke:var(--c);fill:none;stroke-width:1.8;stroke-linejoin:round;'
    'stroke-linecap:round}',
    '.chart .faint{stroke-width:1;stroke-opacity:.35}',
    '.chart .area{fill:var(--c)} .chart .whisker{stroke:currentColor;fill:none}',
    # The first of two is for what does not know light-dark().
    '.chart .on-pale{fill:#000;fill:light-dark(#000,#fff)} .chart .on-even{fill:#000}',
    '.chart .on-full{fill:#fff;fill:light-dark(#fff,#000)}',
    '.chart .cell:hover{stroke:currentColor;stroke-width:.12}'])

# What XML has no place for: control characters and halves of surrogate pairs (bad file names).
FORBIDDEN = re.compile('[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')


def escape(text: str) -> str:
    """Any text as text of an element or of an attribute in quotes."""
    return _escape(FORBIDDEN.sub('\ufffd', str(text)))


def number(value: float) -> str:
    """A coordinate, to a hundredth: 3.0 -> '3', 2.126 -> '2.13'."""
    text = f'{value:.2f}'.rstrip('0').rstrip('.')
    return '0' if text == '-0' else text


def text_width(text: str, size: float = FONT) -> float:
    """About how wide a text is; East Asian characters count as two."""
    units = sum(0 if unicodedata.combining(c) else
                2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in text)
    return 0.6 * size * units


def shortened(text: str, width: float, size: float = FONT) -> str:
    """The text, or as much of it as fits into ``width``, and an ellipsis."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + '…', size) > width:
        text = text[:-1]
    return text.rstrip() + '…'


def text(x: float, y: float, content: str, css: str = '', room: float | None = None,
         more: str = '') -> str:
    """A <text> at (x, y), its base line; with ``room`` it is cut to fit, its whole in a <title>.

    ``css`` are classes; ``more`` further attributes, as they are written.
    """
    shown = content if room is None else shortened(
        content, room, SMALL if 'small' in css.split() else FONT)
    whole = f'<title>{escape(content)}</title>' if shown != content else ''
    css = f' class="{css}"' if css else ''
    return f'<text x="{number(x)}" y="{number(y)}"{css}{more}>{escape(shown)}{whole}</text>'


def chart(height: float, title: str, desc: str, body: list[str], width: float = WIDTH) -> str:
    """The <svg> around a drawing; title and description are what a screen reader says."""
    return (f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" role="img" '
            f'viewBox="0 0 {number(width)} {number(height)}" '
            f'style="max-width:{number(600 * width / WIDTH)}px">'
            f'<title>{escape(title)}</title><desc>{escape(desc)}</desc>'
            + '\n'.join(body) + '</svg>')


def standalone(*charts: str) -> str:
    """The text of an .svg file: one chart or several, one below the other, that bring their
    style."""
    sizes = [tuple(map(float, re.search(r'viewBox="0 0 (\S+) (\S+)"', one).groups()))
             for one in charts]
    width, top, body = max(wide for wide, _ in sizes), 0., []
    for one, (wide, high) in zip(charts, sizes, strict=True):
        place = f'<svg y="{number(top)}" width="{number(wide)}" height="{number(high)}"'
        body.append(place + one.removeprefix('<svg'))
        top += high + 16
    height = top - 16
    paper = ('svg.file{color-scheme:light dark;background:#fff;color:#111}'
             '@media (prefers-color-scheme:dark){svg.file{background:#1c1c1c;color:#eee}}')
    return (f'<svg class="file" xmlns="http://www.w3.org/2000/svg" width="{number(1.6 * width)}" '
            f'height="{number(1.6 * height)}" viewBox="-8 -8 {number(width + 16)} '
            f'{number(height + 16)}">'
            f'<style>{COLOURS}\n{STYLE}\n{paper}</style>\n' + '\n'.join(body) + '</svg>\n')
