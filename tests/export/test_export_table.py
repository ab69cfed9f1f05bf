"""docs/how-to/export.md says what methods export to; the slow run exports each again."""

import pytest
from export_table import HEAD, PAGE, REASONS, methods, row, rows_in, with_row
from page import table_in

ROWS = rows_in(PAGE.read_text())


def test_every_method_has_its_row():
    assert table_in(PAGE.read_text(), 'exports').splitlines()[:2] == HEAD
    assert list(ROWS) == list(methods())
    # What pools over a grid of cells is of one size in ONNX, and of any in the formats of torch.
    assert ROWS['ann'] == ROWS['apcnet'] == ['one size: grid', 'any size', 'any size']
    assert ROWS['fcn'] == ['any size'] * 3
    said = {cell for cells in ROWS.values() for cell in cells}
    assert said <= {'any size', *(f'one size: {why}' for why in REASONS.values())}


def test_a_row_goes_to_its_place():
    page = ('a\n<!-- exports: x -->\n' + '\n'.join(HEAD)
            + '\n| ann | old | x | x |\n| fcn | x | y | z |\n<!-- end of exports -->\nb\n')
    page = with_row(with_row(page, 'ann', ['new', 'x', 'x']), 'danet', ['1', '2', '3'])
    assert rows_in(page) == dict(ann=['new', 'x', 'x'], danet=['1', '2', '3'], fcn=['x', 'y', 'z'])
    assert page.startswith('a\n<!-- exports: x -->\n| method')
    assert page.endswith('| fcn | x | y | z |\n<!-- end of exports -->\nb\n')


@pytest.mark.slow
@pytest.mark.parametrize('method', methods())
def test_the_table(method):
    assert row(methods()[method]) == ROWS[method]
