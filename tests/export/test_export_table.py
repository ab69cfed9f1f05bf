"""docs/how-to/export.md says what methods export to; the slow run exports each again."""

import pytest
from export_table import HEAD, PAGE, REASONS, methods, table
from page import table_in


def rows() -> dict[str, list[str]]:
    """Method -> what stands in its row."""
    lines = table_in(PAGE.read_text(), 'exports').splitlines()
    assert lines[:2] == HEAD
    cells = [line.strip('| ').split(' | ') for line in lines[2:]]
    return {name: rest for name, *rest in cells}


def test_rows_are_of_methods():
    assert len(rows()) > 15
    assert list(rows()) == [name for name in methods() if name in rows()]
    # What pools over a grid of cells is of one size in ONNX, and of any in the formats of torch.
    assert rows()['ann'] == rows()['apcnet'] == ['one size: grid', 'any size', 'any size']
    assert rows()['fcn'] == ['any size'] * 3
    said = {cell for row in rows().values() for cell in row}
    assert said <= {'any size', *(f'one size: {why}' for why in REASONS.values()), 'exporter'}


@pytest.mark.slow
def test_the_table():
    assert table(list(rows())) == table_in(PAGE.read_text(), 'exports')
