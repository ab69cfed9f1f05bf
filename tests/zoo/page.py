"""The tables of docs/reference/zoo.md, from the fixtures and from the shipped configs.

    python tests/zoo/page.py

puts them between the page's markers; what stands around them is written by hand.
"""

import re
from collections import defaultdict
from pathlib import Path

from observe import read

from segplug.apis.zoo import zoo
from segplug.cli.zoo import markdown

PAGE = Path(__file__).parents[2] / 'docs' / 'reference' / 'zoo.md'


def families() -> str:
    """Folder of mmsegmentation's configs -> how many configs, structures and wirings it has."""
    configs, structures, wirings = defaultdict(int), defaultdict(set), defaultdict(set)
    for entry in read('models'):
        for config in entry['configs']:
            family = config.split('/')[0]
            configs[family] += 1
            structures[family].add(entry['keys'])
            wirings[family].add(entry['numbers'])
    rows = [(family, configs[family], len(structures[family]), len(wirings[family]))
            for family in sorted(configs)]
    rows.append(('all', *map(sum, list(zip(*rows, strict=True))[1:])))
    lines = ['| family | configs | structures | wirings |', '|---|---:|---:|---:|',
             *(f'| {" | ".join(map(str, row))} |' for row in rows)]
    return '\n'.join(lines)


def costs() -> str:
    return markdown(zoo())


TABLES = {'families': families, 'costs': costs}


def table_in(page: str, name: str) -> str:
    """The table that stands between the markers of ``name``."""
    return _marked(name).search(page)[2].rstrip('\n')


def put(page: str, name: str, table: str) -> str:
    return _marked(name).sub(lambda found: f'{found[1]}{table}\n{found[3]}', page)


def _marked(name: str) -> re.Pattern:
    return re.compile(rf'(<!-- {name}: .*? -->\n)(.*?)(<!-- end of {name} -->)', re.DOTALL)


def main() -> None:
    page = PAGE.read_text()
    for name, table in TABLES.items():
        page = put(page, name, table())
    PAGE.write_text(page)


if __name__ == '__main__':
    main()
