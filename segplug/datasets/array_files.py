"""Files that hold arrays: .npy, .npz, .mat, NIfTI, and TIFF of any channel count.

Functions take the bytes of a file and raise DataError without a name, or whatever the library
below raises; `files.decode` names the file. Readers are imported when a file needs them, which
most data sets never do. H W pixels, C channels.
"""

import gzip
import io
from collections.abc import Mapping, Sequence

import numpy as np

from ..errors import DataError, did_you_mean

# Little and big endian, of the classic format and of BigTIFF.
_TIFF = (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+')
SUFFIXES = ('.npy', '.npz', '.mat')


def is_tiff(data: bytes) -> bool:
    return data.startswith(_TIFF)


def read_npy(data: bytes, variable: str | None = None, ndims: Sequence[int] = (2, 3)
             ) -> np.ndarray:
    """The array of a .npy; one that holds Python objects is refused."""
    return np.load(io.BytesIO(data), allow_pickle=False)


def read_npz(data: bytes, variable: str | None = None, ndims: Sequence[int] = (2, 3)
             ) -> np.ndarray:
    """The array of a .npz that `chosen` takes."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return chosen({name: archive[name] for name in archive.files}, variable, ndims)


def read_mat(data: bytes, variable: str | None = None, ndims: Sequence[int] = (2, 3)
             ) -> np.ndarray:
    """The array of a MATLAB file, versions 4 to 7.2, that `chosen` takes."""
    import scipy.io
    try:
        content = scipy.io.loadmat(io.BytesIO(data))
    except NotImplementedError as error:
        raise DataError('it is a MATLAB 7.3 file, which is HDF5.',
                        fix="save it in MATLAB with save(..., '-v7')") from error
    return chosen({k: v for k, v in content.items() if not k.startswith('__')}, variable,
                  ndims)


READERS = {'.npy': read_npy, '.npz': read_npz, '.mat': read_mat}


def chosen(arrays: Mapping[str, np.ndarray], variable: str | None,
           ndims: Sequence[int] = (2, 3)) -> np.ndarray:
    """One of several named arrays.

    Args:
        arrays: Arrays by name.
        variable: The name; ``a.b`` is field b of the MATLAB struct a. None takes the only array
            of integers, or, where none is of integers, the only one of floats.
        ndims: The numbers of axes that one may have which is taken without a name.

    Raises:
        DataError: There is none of that name, or not exactly one to take.
    """
    if variable is not None:
        return _named(arrays, variable)
    flat = {k: v for k, v in arrays.items() if np.ndim(v) in ndims and v.dtype.kind in 'biuf'}
    found = {k: v for k, v in flat.items() if v.dtype.kind != 'f'} or flat
    if len(found) != 1:
        every = ', '.join(f'{k} {np.shape(v)} {v.dtype}' if v.dtype.names is None else
                          f'{k} (a struct of {", ".join(v.dtype.names)})'
                          for k, v in arrays.items()) or 'nothing'
        raise DataError(f'{len(found) or "none"} of its arrays may be the pixels.', got=every,
                        expected=f'one array of integers with {" or ".join(map(str, ndims))} axes',
                        fix="name it: variable='...' (a field of a struct: 'struct.field')")
    return next(iter(found.values()))


def _named(arrays, variable: str) -> np.ndarray:
    found = arrays
    for name in variable.split('.'):
        if isinstance(found, np.ndarray):
            known = found.dtype.names or ()
            found = found.reshape(-1)[0] if known and found.size else found
        else:
            known = tuple(found)
        if name not in known:
            raise DataError(f'it has no variable {variable!r}.', got=', '.join(known) or 'nothing',
                            fix=did_you_mean(name, known))
        found = found[name]
    return found


def read_tiff(data: bytes) -> np.ndarray:
    """A TIFF as (H, W), or (H, W, C) with its channels in the file's order.

    Planes of one page, and pages of one size and type, are channels alike. Smaller copies (the
    overviews of a map) are passed over.

    Raises:
        DataError: It holds several pictures of one size, pages that have channels of their own,
            or a compression that needs the package imagecodecs.
    """
    import tifffile
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        first, *others = file.series
        rivals = [s for s in others if _size(s) == _size(first)]
        axes = first.axes
        if rivals or set('YX') - set(axes) or first.ndim > 3:
            raise DataError('it holds several pictures.',
                            got=' and '.join(f'{s.shape} of axes {s.axes}'
                                             for s in (first, *rivals)),
                            expected='one picture; planes or pages are its channels',
                            fix='write one picture to a file')
        check_codec(first.keyframe, ", or, for up to four channels, set imdecode_backend='cv2'")
        array = first.asarray()
    if array.ndim == 3:
        rest = next(i for i in range(3) if axes[i] not in 'YX')
        array = np.ascontiguousarray(np.moveaxis(array, rest, -1))
    return array


def check_codec(page, otherwise: str = '') -> None:
    """Raise DataError for a tifffile.TiffPage that tifffile cannot decompress here."""
    if (lack := _lack(page)) is not None:
        raise DataError('its compression is not built in.', got=lack,
                        fix=f'pip install imagecodecs{otherwise}')


def lacks_codec(data: bytes) -> str | None:
    """What of a TIFF's compression tifffile has with imagecodecs only; None if it can read it."""
    import tifffile
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        return _lack(file.pages[0])


def _lack(page) -> str | None:
    import tifffile
    try:
        tifffile.TIFF.DECOMPRESSORS[page.compression]
        tifffile.TIFF.UNPREDICTORS[page.predictor]  # of floats, as GDAL's PREDICTOR=3
    except KeyError as error:
        return str(error.args[0])
    return None


def tag(data: bytes, code: int):
    """The value of a tag of the first page of a TIFF; None without it."""
    import tifffile
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        found = file.pages[0].tags.get(code)
        return None if found is None else found.value


def check_one_page(data: bytes) -> None:
    """Raise DataError for a TIFF of several pages, of which other decoders read the first."""
    import tifffile
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        first = file.pages[0].shape  # smaller copies and masks are of other shapes
        pages = sum(page.shape == first for page in file.pages)
    if pages > 1:
        raise DataError(f'it has {pages} pages.', expected='one, unless tifffile reads it',
                        fix="set imdecode_backend='tifffile', for which pages are channels")


def read_nifti(data: bytes) -> np.ndarray:
    """The scaled values of a NIfTI-1 file, compressed or not: (X, Y, Z) or (X, Y, Z, N) float64."""
    import nibabel
    if data.startswith(b'\x1f\x8b'):
        data = gzip.decompress(data)
    return nibabel.Nifti1Image.from_bytes(data).get_fdata()


def _size(series) -> tuple[int, ...]:
    """(H, W) of a tifffile.TiffPageSeries, or () for what is no picture."""
    by_axis = dict(zip(series.axes, series.shape, strict=True))
    return (by_axis['Y'], by_axis['X']) if {'Y', 'X'} <= set(by_axis) else ()
