"""The list data set: a table with an image and a label per row, through pandas."""

import io
import os
import warnings
from typing import TYPE_CHECKING

from mmengine import fileio

from ..errors import DataError, did_you_mean
from ..registry import DATASETS
from ..signature import extends
from . import scan
from .base import BaseSegDataset

if TYPE_CHECKING:
    import pandas

# Columns of these names would overwrite what a sample is made of.
RESERVED = ('img', 'img_path', 'img_shape', 'ori_shape', 'gt_seg_map', 'seg_map_path', 'seg_fields',
            'label_map', 'reduce_zero_label', 'sample_idx')


def read_table(text: str, source: str, columns: tuple[str, str], sep: str | None = None
               ) -> 'pandas.DataFrame':
    """The rows of a list, every cell as it is written; cells that are missing are empty.

    Args:
        text: CSV (.csv) or TSV (.tsv) with a header. Any other file has none: its words are the
            image and perhaps the label.
        source: The file's name: its extension says the kind, and errors name it.
        columns: What the columns of a file without header are called.
        sep: What stands between cells; None for ',', a tab, or blanks, by the kind.

    Raises:
        DataError: It is no table, a row has too many cells, or there is none.
    """
    import pandas
    kind = os.path.splitext(source)[1].lower()
    has_header = kind in ('.csv', '.tsv')
    sep = sep or {'.csv': ',', '.tsv': '\t'}.get(kind, r'\s+')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('error', pandas.errors.ParserWarning)  # cells would be lost
            table = pandas.read_csv(io.StringIO(text), sep=sep, header=0 if has_header else None,
                                    dtype=str, keep_default_na=False, index_col=False,
                                    skipinitialspace=True)
    except (ValueError, pandas.errors.ParserWarning) as error:  # pandas' errors are ValueErrors
        raise DataError(f'The list {source} is no table: {str(error).strip()}.',
                        expected=f'rows of equally many cells, separated by {sep!r}') from error
    if not has_header:
        table.columns = [*columns, *table.columns[2:]][:len(table.columns)]
    if table.empty:
        raise DataError(f'The list {source} has no row.', expected=f'cells separated by {sep!r}')
    return table


def _other_sep(table: 'pandas.DataFrame') -> str:
    """The ``sep`` that a table of one column seems to have been written with, or ''."""
    header = str(table.columns[0])
    found = next((sep for sep in ';\t|,' if sep in header), None)
    return f'set sep={found!r}' if found and len(table.columns) == 1 else ''


@DATASETS.register_module()
class ListDataset(BaseSegDataset):
    """Images and labels that a table names, wherever they lie.

    Every further column of the table is in the sample under its name, as a string; name it in
    PackSegInputs' ``meta_keys`` to find it in the metainfo.

    Args:
        ann_file: The table: .csv or .tsv with a header, or text of an image and a label a line.
        img_column: Name of the column of images.
        label_column: Name of the column of labels. A table without it is right for prediction
            only.
        sep: What stands between cells; None for what the kind of file has.
        data_prefix: Folders that the names are relative to, below ``data_root``.

    Raises:
        DataError: The table is malformed, lacks a column, or names files that do not exist.
    """

    @extends(BaseSegDataset, without=('img_suffix', 'seg_map_suffix'))
    def __init__(self, ann_file: str, img_column: str = 'image', label_column: str = 'label',
                 sep: str | None = None, **options) -> None:
        self.img_column, self.label_column, self.sep = img_column, label_column, sep
        super().__init__(ann_file=ann_file, **options)

    def load_data_list(self) -> list[dict]:
        """One dict per row: `BaseSegDataset`'s keys and the further columns."""
        table = self._table()
        images = self._paths(table[self.img_column].tolist(), 'img_path')
        labels = [None] * len(table)
        if self.label_column in table and 'seg_map_path' in self.data_prefix:
            labels = self._paths(table[self.label_column].tolist(), 'seg_map_path')
        further = table.drop(columns=[self.img_column, self.label_column], errors='ignore')
        return [dict(row, img_path=image, seg_map_path=label, label_map=self.label_map,
                     reduce_zero_label=self.reduce_zero_label, seg_fields=[])
                for image, label, row in zip(images, labels, further.to_dict('records'),
                                             strict=True)]

    def _table(self) -> 'pandas.DataFrame':
        if not fileio.isfile(self.ann_file, backend_args=self.backend_args):
            raise DataError(f'The list {self.ann_file} does not exist.',
                            got=scan.nearby(self.ann_file),
                            fix='correct ann_file, data_root or --data-root')
        try:
            text = fileio.get(self.ann_file, backend_args=self.backend_args).decode('utf-8-sig')
        except UnicodeDecodeError as error:
            raise DataError(f'The list {self.ann_file} is no UTF-8 text.', got=str(error),
                            fix='save it as UTF-8; spreadsheets call that "CSV UTF-8"') from error
        table = read_table(text, self.ann_file, (self.img_column, self.label_column), self.sep)
        needed = [self.img_column] + [self.label_column] * (not self.test_mode)
        for column in needed:
            if column not in table:
                raise DataError(f'The list {self.ann_file} has no column {column!r}.',
                                got=', '.join(map(str, table.columns)),
                                fix=_other_sep(table)
                                or did_you_mean(column, map(str, table.columns))
                                or 'name the columns with img_column and label_column')
        taken = [c for c in table if c in RESERVED and c not in (self.img_column,
                                                                 self.label_column)]
        if taken:
            raise DataError(f'The list {self.ann_file} has a column {taken[0]!r}, which is the '
                            'name of a part of every sample.', fix='rename the column')
        return table

    def _paths(self, names: list[str], prefix: str) -> list[str]:
        paths = [os.path.join(self.data_prefix[prefix], name) for name in names]
        lost = [name or '(an empty cell)' for name, path in zip(names, paths, strict=True)
                if not fileio.isfile(path, backend_args=self.backend_args)]
        if lost:
            raise DataError(f'{len(lost)} of the {len(names)} files that {self.ann_file} names do '
                            f'not exist: {scan.some(lost)}.', got=scan.nearby(
                                os.path.join(self.data_prefix[prefix], lost[0])),
                            fix='correct data_root (or --data-root DIR), data_prefix or the list')
        scan.report_outside(self.ann_file, names, self.data_prefix[prefix], self.data_root)
        return paths
