"""Charts as inline SVG: pure functions from numbers to text, for the pages of this package.

A page puts `STYLE` into its <style> once and the text of each chart where it shall stand; a file
of its own is made with `standalone`. No script and no id is used, so charts cannot clash; colours
are CSS variables and ``currentColor``, so light, dark and print work, and a page may set its own.
"""

from .bars import Bar, bar_chart
from .heat import heat_map
from .histogram import histogram
from .lines import Series, line_chart
from .svg import STYLE, standalone

__all__ = ['STYLE', 'Bar', 'Series', 'bar_chart', 'heat_map', 'histogram', 'line_chart',
           'standalone']
