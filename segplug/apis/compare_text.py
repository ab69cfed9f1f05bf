"""What `compare` prints of its result."""

import math
from collections.abc import Mapping

from terminaltables import AsciiTable


def text(result: Mapping) -> str:
    """Tables of the classes and of the images that changed most, and the verdict."""
    whole, images, num_images = result['mIoU'], result['images'], result['num_images']
    rows = [[name, *_cells(pair)] for name, pair in result['IoU'].items()]
    parts = [f'A: {result["a"]}', f'B: {result["b"]}', 'IoU per class, in percent:',
             _table(['Class', 'A', 'B', 'B - A'], [*rows, ['mIoU', *_cells(whole)]], footing=True),
             f'mIoU, B - A: {_signed(whole["difference"])}, {100 * result["level"]:g} % interval '
             f'{_signed(whole["low"])} to {_signed(whole["high"])}, p = {whole["p_value"]:.2g}',
             f'Images: {num_images}; by their own mIoU {images["better"]} are better in B, '
             f'{images["worse"]} worse, {images["same"]} the same'
             + (f', {images["unscored"]} without a score' if images['unscored'] else '')]
    if result['changed']:
        rows = [[row['file'], *_cells(row)] for row in result['changed']]
        parts += [f'The {len(rows)} that changed most:', _table(['Image', 'A', 'B', 'B - A'], rows)]
    parts += [result['verdict'],
              'This is about the choice of images; another training would move both scores too.']
    return '\n'.join(parts)


def _cells(pair: dict) -> list[str]:
    return [f'{pair["a"]:.2f}', f'{pair["b"]:.2f}', _signed(pair['difference'])]


def _signed(value: float) -> str:
    return 'nan' if math.isnan(value) else f'{value:+.2f}'


def _table(head: list[str], rows: list[list[str]], footing: bool = False) -> str:
    table = AsciiTable([head, *rows])
    table.inner_footing_row_border = footing
    table.justify_columns = dict.fromkeys(range(1, len(head)), 'right')
    return table.table
