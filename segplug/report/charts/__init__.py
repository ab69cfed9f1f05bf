"""Charts as inline SVG: pure functions from numbers to text, for the pages of this package.

A page puts `STYLE` into its <style> once and the text of each chart where it shall stand; a file
of its own is made with `standalone`. No script and no id is used, so charts cannot clash. Colours
are ``currentColor`` and the CSS variables --chart-1 to --chart-8: a page sets them, or puts
`COLOURS` into its <style> too, which follow light and dark.
"""

from .bars import Bar, bar_chart
from .heat import heat_map
from .histogram import histogram
from .lines import Series, line_chart
from .svg import COLOURS, STYLE, standalone

__all__ = ['COLOURS', 'STYLE', 'Bar', 'Series', 'bar_chart', 'heat_map', 'histogram', 'line_chart',
           'standalone']
