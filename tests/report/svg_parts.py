"""What stands in a chart, read from its SVG."""

import xml.etree.ElementTree as ET

from segplug.report.charts import standalone

_SPACE = '{http://www.w3.org/2000/svg}'


def drawn(svg):
    """Parsed as strict XML: the chart in a file of its own."""
    return ET.fromstring(standalone(svg)).find(f'{_SPACE}svg')


def parts(svg, name):
    """All elements of a name."""
    return list(drawn(svg).iter(f'{_SPACE}{name}'))


def paths(svg, css):
    """Of each <path> of exactly these classes, what it draws."""
    return [p.get('d') for p in parts(svg, 'path') if p.get('class') == css]


def lines(svg):
    """Of each line that is no sample in the legend, what it draws."""
    return [p.get('d') for p in parts(svg, 'path') if 'line' in p.get('class')
            and not p.get('d').endswith('h20')]


def texts(svg):
    """What is written, in order."""
    return [''.join(t.itertext()) for t in parts(svg, 'text')]


def at(svg, written):
    """(x, y) of the first text that says just this."""
    found = parts(svg, 'text')[texts(svg).index(written)]
    return float(found.get('x')), float(found.get('y'))
