"""What one label file and one image file hold, read once; nothing here raises for a bad file.

Of an image only the header and the last bytes are read. H W pixels.
"""

import os
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, UnidentifiedImageError

from ...errors import DataError
from ...ops.frames import Frame
from .. import files, labels
from ..transforms.crop import value_counts
from ..transforms.loading import LoadAnnotations

_TAIL = 4096  # bytes at the end of a file that are looked at
_MAX_COLOURS = 4096  # more are not kept: it is no mask
_ORIENTATION = 274  # EXIF tag
_PALETTE = 3  # the colour type in a PNG's header
# How a label cannot be read as ids. The names are those of the findings.
UNREADABLE, COLOUR, GREY, PHOTO, PALETTE, UNKNOWN, NOT_IDS = (
    'unreadable_label', 'colour_mask', 'grey_as_colour', 'label_is_a_photo', 'palette_as_colour',
    'unknown_colours', 'label_is_no_ids')
_WHITE = 0xffffff
_MASK_COLOURS = 256  # with more colours a picture is no mask


def _nothing() -> np.ndarray:
    return np.zeros(0, np.int64)


@dataclass(frozen=True)
class LabelFacts:
    """A label file.

    Attributes:
        path: Its name.
        shape: (H, W), or None where it cannot be decoded.
        values: Which values it holds, (n,) int64, before any map.
        counts: In how many pixels each, (n,) int64.
        problem: Name of the finding it makes by itself, or ''.
        reason: What is wrong in words.
        colours: 0xrrggbb -> pixels, of a colour mask.
        is_lossy: Written by a compression that changes values.
    """

    path: str
    shape: tuple[int, int] | None = None
    values: np.ndarray = field(default_factory=_nothing)
    counts: np.ndarray = field(default_factory=_nothing)
    problem: str = ''
    reason: str = ''
    colours: dict[int, int] | None = None
    is_lossy: bool = False


@dataclass(frozen=True)
class ImageFacts:
    """An image file: ``shape`` (H, W) as it lies in the file, None where nothing says it;
    ``reason`` says why it cannot be read; ``orientation`` is EXIF's, 1 for none."""

    path: str
    shape: tuple[int, int] | None = None
    reason: str = ''
    orientation: int = 1


def label_facts(info: dict, reader) -> LabelFacts:
    """Read the label of a sample as ``reader``, the transform of its pipeline, does.

    Args:
        info: With seg_map_path, and what else ``reader`` looks at.
        reader: LoadAnnotations, or another that sets gt_seg_map.
    """
    path = os.fspath(info['seg_map_path'])
    if not isinstance(reader, LoadAnnotations) or info.get('packed') is not None:
        return _read_by(reader, info, path)
    try:
        data = files.read_bytes(path, 'label', reader.backend_args)
    except DataError as error:
        return LabelFacts(path, problem=UNREADABLE, reason=str(error.got))
    lossy = _is_lossy(data)
    try:
        label = _decoded(data, path, reader)
    except DataError as error:
        return _undecoded(data, path, reader, error)
    try:
        return _counted(path, labels.check_label(label, path, None), lossy)
    except DataError as error:
        if label.ndim == 3 and label.shape[2] in (3, 4) and label.dtype == np.uint8:
            return _colours(data, path, reader, label.shape[:2], lossy)
        return LabelFacts(path, problem=NOT_IDS, reason=str(error.got), is_lossy=lossy)


def _read_by(reader, info: dict, path: str) -> LabelFacts:
    """By whatever reads it: from a packed form, or in a way of its own."""
    try:
        label = reader.values(info) if isinstance(reader, LoadAnnotations) \
            else reader.transform(dict(info))['gt_seg_map']
        label = labels.as_ids(label.array() if isinstance(label, Frame) else label, path)
    except (OSError, ValueError, KeyError) as error:  # a reader of another package
        reason = getattr(error, 'got', None) or error
        return LabelFacts(path, problem=UNREADABLE, reason=str(reason))
    return _counted(path, label, False)


def _decoded(data: bytes, path: str, reader: LoadAnnotations) -> np.ndarray:
    if reader.color_items is None:
        return labels.decode_label(data, path, reader.imdecode_backend, reader.variable)
    mask = labels.decode_colors(data, path, reader.imdecode_backend, reader.variable)
    return labels.ids_of_colors(mask, reader.color_items, path)


def _undecoded(data: bytes, path: str, reader: LoadAnnotations, error: DataError) -> LabelFacts:
    """A file that is broken, or a mask whose colours ``color_map`` does not hold."""
    if reader.color_items is None:
        return LabelFacts(path, problem=UNREADABLE, reason=str(error.got))
    try:
        mask = labels.decode_colors(data, path, reader.imdecode_backend, reader.variable)
    except DataError:
        return LabelFacts(path, problem=UNREADABLE, reason=str(error.got))
    if mask.ndim != 3 or mask.dtype != np.uint8:
        return LabelFacts(path, problem=NOT_IDS, reason=str(error.got))
    known = {int(colour[1:], 16) for colour, _ in reader.color_items}
    found = {c: n for c, n in count_colours(mask).items() if c not in known}
    return LabelFacts(path, mask.shape[:2], problem=UNKNOWN, reason=str(error.got),
                      colours=found, is_lossy=_is_lossy(data))


def _counted(path: str, label: np.ndarray, lossy: bool) -> LabelFacts:
    if not label.size:
        return LabelFacts(path, problem=UNREADABLE, reason=f'no pixel: {label.shape}')
    counts = value_counts(label.reshape(len(label), -1))
    values = np.flatnonzero(counts)
    return LabelFacts(path, label.shape if label.ndim == 2 else None, values,
                      counts[values].astype(np.int64), is_lossy=lossy)


def _colours(data: bytes, path: str, reader: LoadAnnotations, shape: tuple[int, int],
             lossy: bool) -> LabelFacts:
    """A file of several channels: which kind of picture it is."""
    colours = count_colours(labels.decode_colors(data, path, reader.imdecode_backend))
    problem = COLOUR
    if data.startswith(b'\x89PNG') and data[25] == _PALETTE:
        problem = PALETTE
    elif len(colours) > _MASK_COLOURS:
        problem = PHOTO
    elif all(c >> 16 == c >> 8 & 255 == c & 255 for c in colours) and set(colours) != {0, _WHITE}:
        problem = GREY
    return LabelFacts(path, shape, problem=problem, reason=f'{len(colours)} colours',
                      colours=colours, is_lossy=lossy)


def count_colours(mask: np.ndarray) -> dict[int, int]:
    """How many pixels have each colour 0xrrggbb, the most frequent first; at most `_MAX_COLOURS`.

    Masks are runs of one colour, and only the first pixel of each run is sorted.

    Args:
        mask: (H, W, C) uint8 with red, green and blue first.
    """
    wide = mask.reshape(-1, mask.shape[-1])[:, :3].astype(np.uint32)
    codes = wide[:, 0] << 16 | wide[:, 1] << 8 | wide[:, 2]
    starts = np.concatenate([[0], np.flatnonzero(codes[1:] != codes[:-1]) + 1])
    lengths = np.diff(starts, append=len(codes))
    colours, run_of = np.unique(codes[starts], return_inverse=True)
    counts = np.bincount(run_of, weights=lengths).astype(np.int64)
    order = np.argsort(-counts, kind='stable')[:_MAX_COLOURS]
    return dict(zip(colours[order].tolist(), counts[order].tolist(), strict=True))


def _is_lossy(data: bytes) -> bool:
    """Whether a file is a JPEG, or a WebP with its lossy kind of frame."""
    return data.startswith(b'\xff\xd8') or (data[:4] == b'RIFF' and data[12:16] == b'VP8 ')


def image_facts(path: str) -> ImageFacts:
    """The size of an image from its header, and whether the file ends as it should.

    Files on other machines are not looked at, and of kinds that no reader here knows nothing is
    said.
    """
    path = os.fspath(path)
    if '://' in path:
        return ImageFacts(path)
    try:
        with open(path, 'rb') as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            tail = file.read()
            file.seek(0)
            head = file.read(16)
        if not size:
            return ImageFacts(path, reason='0 bytes')
        shape, orientation = _header(path, head)
        cut = _ends_early(path, head, tail)
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError) as error:
        return ImageFacts(path, reason=str(getattr(error, 'strerror', None) or error))
    return ImageFacts(path, shape, 'the file ends too early' if cut else '', orientation)


def _header(path: str, head: bytes) -> tuple[tuple[int, int] | None, int]:
    """((H, W), EXIF orientation)."""
    if path.lower().endswith('.npy'):
        return np.load(path, mmap_mode='r', allow_pickle=False).shape[:2], 1
    if path.lower().endswith(files.array_files.SUFFIXES) or head.startswith(b'\x1f\x8b'):
        return None, 1
    if files.array_files.is_tiff(head):
        import tifffile
        with tifffile.TiffFile(path) as file:
            page = file.pages[0]
            return (page.imagelength, page.imagewidth), 1
    try:
        with Image.open(path) as img:
            may_turn = img.format != 'PNG' or 'exif' in img.info
            turned = img.getexif().get(_ORIENTATION, 1) if may_turn else 1
            return (img.height, img.width), turned if turned in range(1, 9) else 1
    except Image.DecompressionBombError:  # merely large
        return None, 1
    except UnidentifiedImageError:
        if _is_picture(path):
            raise
        return None, 1


def _is_picture(path: str) -> bool:
    """Whether Pillow should know a file of that name."""
    return os.path.splitext(path)[1].lower() in ('.png', '.jpg', '.jpeg', '.bmp', '.webp', '.gif')


def _ends_early(path: str, head: bytes, tail: bytes) -> bool:
    """`files.is_truncated` by the last bytes, and by the whole file where they do not tell."""
    if not head.startswith((b'\x89PNG', b'\xff\xd8')) or tail.endswith(b'\xff\xd9') \
            or (head.startswith(b'\x89PNG') and not files.is_truncated(head[:8] + tail)):
        return False
    with open(path, 'rb') as file:
        return files.is_truncated(file.read())
