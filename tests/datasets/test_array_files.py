"""Arrays from files: which variable, which axes, and what is refused."""

import io
import struct

import numpy as np
import pytest
import scipy.io
import tifffile

from segplug.datasets.array_files import (
    check_one_page,
    chosen,
    is_tiff,
    read_mat,
    read_npy,
    read_npz,
    read_tiff,
)
from segplug.errors import DataError

RNG = np.random.default_rng(0)
LABEL = RNG.integers(0, 5, (6, 8), dtype=np.uint8)
BANDS = RNG.integers(0, 60000, (6, 8, 5), dtype=np.uint16)


def written(write, *args, **kwargs):
    buffer = io.BytesIO()
    write(buffer, *args, **kwargs)
    return buffer.getvalue()


def tiff(array, **kwargs):
    return written(tifffile.imwrite, array, **kwargs)


def test_npy_and_npz():
    np.testing.assert_array_equal(read_npy(written(np.save, BANDS)), BANDS)
    data = written(np.savez, weight=np.ones((6, 8)), label=LABEL, name='x')
    np.testing.assert_array_equal(read_npz(data), LABEL)  # the only one of integers
    np.testing.assert_array_equal(read_npz(data, 'weight'), np.ones((6, 8)))


def test_objects_are_not_unpickled():
    with pytest.raises(ValueError, match='allow_pickle=False'):
        read_npy(written(np.save, np.array([print], object)))
    with pytest.raises(ValueError, match='allow_pickle=False'):
        read_npz(written(np.savez, label=np.array([print], object)))
    with pytest.raises(ValueError, match='pickle'):
        read_npy(b'\x80\x04N.')


def test_mat_and_a_field_of_a_struct():
    data = written(scipy.io.savemat, dict(LabelMap=LABEL, note='made by hand'))
    np.testing.assert_array_equal(read_mat(data), LABEL)
    # As the Semantic Boundaries data set has it: a struct beside others.
    data = written(scipy.io.savemat, dict(GTcls=dict(Segmentation=LABEL, Categories=[1, 2])))
    np.testing.assert_array_equal(read_mat(data, 'GTcls.Segmentation'), LABEL)
    with pytest.raises(DataError, match='none of its arrays.*GTcls .a struct of Segmentation'):
        read_mat(data)
    with pytest.raises(DataError, match="no variable 'GTcls.Segmentatio'.*did you mean 'Segmen"):
        read_mat(data, 'GTcls.Segmentatio')
    with pytest.raises(DataError, match="no variable 'Segmentation'. Got: GTcls"):
        read_mat(data, 'Segmentation')


def test_doubles_of_matlab_are_taken_where_nothing_is_of_integers():
    doubles = LABEL.astype(float)
    np.testing.assert_array_equal(read_mat(written(scipy.io.savemat, dict(a=doubles))), doubles)


@pytest.mark.parametrize(('arrays', 'said'), [
    ({}, 'none of its arrays may be the pixels. Got: nothing'),
    (dict(a=LABEL, b=LABEL), r'2 of its arrays.*a \(6, 8\) uint8, b \(6, 8\) uint8'),
    (dict(a=BANDS), r'none of its arrays.*a \(6, 8, 5\) uint16'),
])
def test_which_array_must_be_clear(arrays, said):
    with pytest.raises(DataError, match=said):
        chosen(arrays, None, (2,))


def test_matlab_7_3():
    header = b'MATLAB 7.3 MAT-file, Platform: GLNXA64'.ljust(124) + struct.pack('<H2s', 0x0200,
                                                                                b'IM')
    with pytest.raises(DataError, match='7.3 file, which is HDF5.*-v7'):
        read_mat(header + bytes(512))


@pytest.mark.parametrize('layout', [
    dict(photometric='minisblack', planarconfig='contig'),
    dict(photometric='minisblack', planarconfig='separate'),
    dict(photometric='minisblack'),  # five pages
    dict(photometric='minisblack', planarconfig='contig', bigtiff=True, byteorder='>'),
    dict(photometric='minisblack', planarconfig='contig', compression='zlib'),
])
def test_channels_of_a_tiff_come_last_however_they_lie(layout):
    pages = layout.get('planarconfig') != 'contig'
    data = tiff(BANDS.transpose(2, 0, 1) if pages else BANDS, **layout)
    assert is_tiff(data)
    found = read_tiff(data)
    np.testing.assert_array_equal(found, BANDS)
    assert found.flags.c_contiguous


def test_one_channel_and_floats():
    np.testing.assert_array_equal(read_tiff(tiff(LABEL)), LABEL)
    values = RNG.random((6, 8), dtype=np.float32)
    np.testing.assert_array_equal(read_tiff(tiff(values)), values)


def test_overviews_are_passed_over_but_not_rivals():
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(LABEL)
        file.write(LABEL[::2, ::2], subfiletype=1)
    np.testing.assert_array_equal(read_tiff(buffer.getvalue()), LABEL)
    with tifffile.TiffWriter(buffer := io.BytesIO()) as file:
        file.write(LABEL)
        file.write(LABEL.astype(np.float32))
    with pytest.raises(DataError, match=r'several pictures. Got: \(6, 8\) of axes YX and \(6, 8\)'):
        read_tiff(buffer.getvalue())
    with pytest.raises(DataError, match=r'several pictures. Got: \(4, 6, 8, 3\) of axes QYXS'):
        read_tiff(tiff(np.zeros((4, 6, 8, 3), np.uint8), photometric='rgb'))


def test_pages_that_another_decoder_would_leave_out():
    check_one_page(tiff(BANDS, photometric='minisblack', planarconfig='contig'))
    with pytest.raises(DataError, match='it has 5 pages'):
        check_one_page(tiff(BANDS.transpose(2, 0, 1), photometric='minisblack'))
    with pytest.raises(DataError, match='it has 4 pages'):  # which tifffile's series says are one
        check_one_page(tiff(np.zeros((4, 6, 8, 3), np.uint8), photometric='rgb'))
    with tifffile.TiffWriter(buffer := io.BytesIO()) as file:
        file.write(BANDS, photometric='minisblack', planarconfig='contig')
        file.write(BANDS[::2, ::2], photometric='minisblack', planarconfig='contig',
                   subfiletype=1)
        file.write(LABEL > 1, subfiletype=4)  # the mask of where there is an image
    check_one_page(buffer.getvalue())
