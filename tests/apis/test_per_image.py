"""per_image.csv as a test writes it, and as it can come: cut off, edited, of another test."""

import numpy as np
import pytest

from segplug.apis.per_image import match, read_counts
from segplug.errors import DataError
from segplug.evaluation.outputs import per_image_table

CLASSES = ('road', 'traffic light', 'Straße, "x"')
COUNTS = np.random.default_rng(0).integers(0, 9, size=(4, 3, 3))
FILES = ('b/NA', 'a/1e5', 'ä.png', '007')


def write(folder, counts=COUNTS, files=FILES, classes=CLASSES):
    """A folder as ``segplug test --out`` leaves it."""
    folder.mkdir(exist_ok=True)
    table = per_image_table(files, *np.moveaxis(counts, 1, 0), classes)
    (folder / 'per_image.csv').write_text(table.to_csv(index=False, lineterminator='\n'),
                                          encoding='utf-8')
    return folder




def test_what_a_test_writes_is_read_back_in_the_order_of_names(tmp_path):
    read = read_counts(write(tmp_path / 'run'))
    assert read.files == ('007', 'a/1e5', 'b/NA', 'ä.png')
    assert read.classes == CLASSES
    assert read.counts.dtype == np.int64
    np.testing.assert_array_equal(read.counts, COUNTS[[3, 1, 0, 2]])


def test_a_spreadsheet_may_have_saved_it(tmp_path):
    """A byte-order mark, CRLF, an empty last line."""
    path = write(tmp_path / 'run') / 'per_image.csv'
    text = path.read_text(encoding='utf-8')
    path.write_bytes(('\ufeff' + text.replace('\n', '\r\n') + '\r\n').encode())
    np.testing.assert_array_equal(read_counts(path.parent).counts, COUNTS[[3, 1, 0, 2]])


def test_missing_folders_and_files_are_named(tmp_path):
    with pytest.raises(DataError, match='no folder .*nowhere'):
        read_counts(tmp_path / 'nowhere')
    (tmp_path / 'predictions').mkdir()
    with pytest.raises(DataError, match='holds no per_image.csv.*without --format-only'):
        read_counts(tmp_path)
    path = write(tmp_path / 'run') / 'per_image.csv'
    with pytest.raises(DataError, match='is a file'):
        read_counts(path)


@pytest.mark.parametrize(('content', 'said'), [
    (b'', 'holds no image'), (b'file,tp.a,fp.a,fn.a\n', 'holds no image'),
    (b'\xff\xfe\x00\n', 'cannot be read'), (b'file,tp.a\n"x', 'cannot be read'),
    (b'file,mIoU\nx,1\n', 'holds no counts.*without --format-only'),
    (b'tp.a,fp.a,fn.a\n1,1,1\n', 'lacks the column file'),
    (b'file,tp.a,tp.b,fp.a,fn.a\nx,1,1,1,1\n', r'lacks the column fp\.b, fn\.b'),
    (b'file,tp.a,fp.a,fn.a,fn.b\nx,1,1,1,1\n', r'lacks the column tp\.b'),
    (b'file,tp.a,fp.a,fn.a,tp.a\nx,1,1,1,1\n', r'column tp\.a more than once'),
    (b'file,tp.a,fp.a,fn.a\nx,1,1\n', 'Line 2 .*3 values.*4'),
    (b'file,tp.a,fp.a,fn.a\ny,1,1,1\nx,1,-1,1\n', r"Line 3 .*fp\.a is no count.*'-1'"),
    (b'file,tp.a,fp.a,fn.a\nx,1,,1\n', r"fp\.a is no count.*''"),
    (b'file,tp.a,fp.a,fn.a\nx,1,1.5,1\n', "'1.5'"),
    (b'file,tp.a,fp.a,fn.a\nx,1,9999999999999999999,1\n', "'9999999999999999999'"),
    (b'file,tp.a,fp.a,fn.a\nx,1,1,1\nx,1,1,1\n', 'x more than once'),
])
def test_a_broken_file_is_an_error_that_says_where(tmp_path, content, said):
    (tmp_path / 'per_image.csv').write_bytes(content)
    with pytest.raises(DataError, match=said) as error:
        read_counts(tmp_path)
    assert 'segplug test' in str(error.value)


def test_order_does_not_matter(tmp_path):
    a = read_counts(write(tmp_path / 'a'))
    b = read_counts(write(tmp_path / 'b', COUNTS[::-1][..., ::-1], FILES[::-1], CLASSES[::-1]))
    np.testing.assert_array_equal(match(a, b).counts, a.counts)


def test_other_images_are_named(tmp_path):
    a = read_counts(write(tmp_path / 'a', files=('1', '2', '3', '4')))
    b = read_counts(write(tmp_path / 'b', np.repeat(COUNTS, 2, axis=0), tuple('2345678x')))
    with pytest.raises(DataError, match=r'only in .*a: 1; only in .*b: 5, 6, 7 and 2 more'):
        match(a, b)


def test_other_classes_are_named(tmp_path):
    a = read_counts(write(tmp_path / 'a'))
    b = read_counts(write(tmp_path / 'b', COUNTS[..., :2], classes=CLASSES[:2]))
    with pytest.raises(DataError, match='different classes.*only in .*a: Straße'):
        match(a, b)


def test_other_labels_are_an_error(tmp_path):
    """One labelled pixel more in one image: tp + fn of road in 'b/NA' grows by one."""
    a, other = read_counts(write(tmp_path / 'a')), COUNTS.copy()
    other[0, 2, 0] += 1
    seen = COUNTS[0, 0, 0] + COUNTS[0, 2, 0]
    with pytest.raises(DataError, match=f'1 of 4 images.*{seen} and {seen + 1} .*road in b/NA'):
        match(a, read_counts(write(tmp_path / 'b', other)))


def test_other_predictions_are_no_error(tmp_path):
    """A pixel that one run hits and the other misses leaves tp + fn as it is."""
    a, other = COUNTS + 1, COUNTS + 1
    other[0, :, 0] += np.array([-1, 3, 1])
    b = match(read_counts(write(tmp_path / 'a', a)), read_counts(write(tmp_path / 'b', other)))
    assert not np.array_equal(b.counts, a[[3, 1, 0, 2]])
