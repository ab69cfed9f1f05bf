"""What a label file says of each pixel: decoded, turned to ids, mapped by one table look-up.

A label is (H, W) uint8, or uint16 where a value is above 255. Letters: H W pixels.
"""

import functools
import os
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import torch

from ..errors import ConfigError, DataError
from ..ops import masks
from ..ops.frames import Frame, LookedUp
from .array_files import SUFFIXES, is_tiff
from .files import decode

_MAX = 65535
_GREY = 0  # the colour type in a PNG's header
# A colour as '#rrggbb', and the id that it stands for.
ColorItems = tuple[tuple[str, int], ...]


def decode_label(data: bytes, path: str, backend: str = 'pillow',
                 variable: str | None = None) -> np.ndarray:
    """The values of a label file: (H, W), or (H, W, C) of what is no label, of the file's type.

    Palette files give their indices (not with 'cv2'). PNGs of 1, 2 or 4 bits give the values that
    the file holds; decoders stretch them to 0..255.

    Args:
        data: The file.
        path: Its name.
        backend: 'pillow', 'cv2' or 'tifffile'; with 'pillow', TIFF is read by tifffile where that
            knows its compression.
        variable: Of a .mat or .npz.

    Raises:
        DataError: It is broken.
    """
    depth, color = _png_kind(data)
    if backend == 'pillow' and is_tiff(data):
        return _decode_tiff(data, path)
    label = decode(data, path, 'label', 'unchanged', backend, variable)
    if color == _GREY and depth < 8 and label.dtype == np.uint8:
        label = label // np.uint8(255 // (2 ** depth - 1))
    return label


def decode_colors(data: bytes, path: str, backend: str = 'pillow',
                  variable: str | None = None) -> np.ndarray:
    """The colours of a colour mask, RGB: (H, W, 3), or whatever else a TIFF or array holds.

    Palette files give their colours, and transparency is not looked at. Arguments and errors are
    those of `decode_label`.
    """
    if is_tiff(data):
        return _decode_tiff(data, path)
    mask = decode(data, path, 'label', 'color_ignore_orientation', backend, variable)
    return mask if path.lower().endswith(SUFFIXES) else mask[..., ::-1]


def _decode_tiff(data: bytes, path: str) -> np.ndarray:
    try:
        return decode(data, path, 'label', 'unchanged', 'tifffile')
    except DataError as error:
        if 'imagecodecs' not in str(error):
            raise
    label = decode(data, path, 'label', 'unchanged', 'pillow')
    return label[..., 2::-1] if label.ndim == 3 else label


def _png_kind(data: bytes) -> tuple[int, int]:
    """(bits, colour type) of a PNG's header; (8, -1) for other files."""
    if data.startswith(b'\x89PNG') and len(data) > 25:
        return data[24], data[25]
    return 8, -1


def label_table(label_map: Mapping[int, int] | None, reduce_zero_label: bool,
                ignore_index: int = 255, size: int = 256,
                value_map: Mapping[int, int] | None = None) -> np.ndarray | None:
    """The new value of each label value, or None where nothing changes.

    ``value_map`` first, then ``reduce_zero_label`` (0 and ``ignore_index`` become
    ``ignore_index``, v becomes v - 1), then ``label_map``. Values that a map does not hold stay.

    Args:
        label_map: Class of the data set -> class of the training, both 0 to 65535.
        reduce_zero_label: Label 0 is no class.
        ignore_index: What label 0 becomes then.
        size: 256 for labels of 8 bits, 65536 for those of 16.
        value_map: Value of the file -> what it means, both 0 to 65535.

    Returns:
        (size,) uint8, or uint16 if one of its values is above 255; or None.

    Raises:
        ConfigError: A value of a map is none of 16 bits.
    """
    table = _through(value_map, np.arange(size), 'value_map')
    if reduce_zero_label:
        table = np.where((table == 0) | (table == ignore_index), ignore_index, table - 1)
    table = _through(label_map, table, 'label_map')
    if (table == np.arange(size)).all():
        return None
    return table.astype(np.uint16 if table.max() > 255 else np.uint8)


def _through(pairs: Mapping[int, int] | None, values: np.ndarray, name: str) -> np.ndarray:
    """``values``, any of 16 bits, after a map."""
    if not pairs:
        return values
    table = np.arange(_MAX + 1)
    for old, new in pairs.items():
        if not (0 <= old <= _MAX and 0 <= new <= _MAX):
            raise ConfigError(f'A {name} leads from 16 bits to 16 bits.', got=f'{old} -> {new}',
                              expected='0 to 65535', culprit=name)
        table[old] = new
    return table[values]


Items = tuple[tuple[int, int], ...]


@functools.lru_cache(maxsize=8)
def _cached_table(label_items: Items, reduce_zero_label: bool, ignore_index: int, size: int,
                  value_items: Items) -> np.ndarray | None:
    """`label_table` of the items of maps, made once per process."""
    return label_table(dict(label_items), reduce_zero_label, ignore_index, size,
                       dict(value_items))


def mapped(label: np.ndarray | Frame, label_map: Mapping[int, int] | None,
           reduce_zero_label: bool, ignore_index: int = 255,
           value_map: Mapping[int, int] | None = None):
    """(H, W) uint8 or uint16 through `label_table`; uint8 wherever the values allow it.

    With an ``ignore_index`` above 255 it is uint16 throughout, so that any padding can be ignored.
    A Frame of 8 bits stays one otherwise.
    """
    table, wide = None, ignore_index > 255
    if label_map or reduce_zero_label or value_map:
        table = _cached_table(tuple((label_map or {}).items()), reduce_zero_label, ignore_index,
                              256 if label.dtype == np.uint8 else _MAX + 1,
                              tuple((value_map or {}).items()))
    if isinstance(label, Frame):
        if not wide and label.dtype == np.uint8 and (table is None or table.dtype == np.uint8):
            return label if table is None else LookedUp(label, table)
        label = label.array()
    if table is not None and label.dtype == table.dtype == np.uint8:
        label = cv2.LUT(label, table)
    elif table is not None:
        label = table[label]
    return label.astype(np.uint16) if wide else narrow(label)


def value_items(value_map: Mapping[int, int]) -> dict[int, int]:
    """A map of values whose keys may be text, as those of JSON are.

    Raises:
        ConfigError: A key or value is no integer of 16 bits.
    """
    try:
        pairs = {int(old): int(new) for old, new in value_map.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise ConfigError('A value_map leads from integers to integers.', got=repr(value_map),
                          expected='such as {255: 1}', culprit='value_map') from error
    _through(pairs, np.zeros(1, np.int64), 'value_map')
    return pairs


def narrow(label: np.ndarray) -> np.ndarray:
    """uint8 if no value is above 255, else as it is."""
    if label.dtype == np.uint8 or label.max(initial=0) > 255:
        return label
    return label.astype(np.uint8)


def color_items(color_map: Mapping[str, int] | Sequence) -> ColorItems:
    """A colour map in one form.

    Args:
        color_map: '#rrggbb' -> id; or colours (r, g, b) in the order of the classes.

    Raises:
        ConfigError: A colour or an id that is none, or a colour with two ids.
    """
    if not isinstance(color_map, Mapping):
        pairs = [('#' + ''.join(f'{int(v):02x}' for v in color), i)
                 for i, color in enumerate(color_map)]
    else:
        pairs = [(str(color).lower(), i) for color, i in color_map.items()]
    for color, i in pairs:
        digits = color.removeprefix('#')
        if len(digits) != 6 or set(digits) - set('0123456789abcdef') \
                or isinstance(i, bool) or not isinstance(i, int) or not 0 <= i <= _MAX:
            raise ConfigError('A color_map leads from colours to ids.', got=f'{color} -> {i}',
                              expected="'#rrggbb' -> 0 to 65535, or a list of (r, g, b)",
                              culprit='color_map')
    pairs = [('#' + color.removeprefix('#'), i) for color, i in pairs]
    names = [color for color, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(c for c in names if names.count(c) > 1)
        raise ConfigError(f'The colour {twice} stands twice in color_map.', culprit='color_map',
                          got=', '.join(f'{c} -> {i}' for c, i in pairs if c == twice),
                          fix='leave one of them out')
    return tuple(pairs)


@functools.lru_cache(maxsize=4)
def _color_table(items: ColorItems) -> np.ndarray:
    """(2^24,) uint32: id + 1 of each 0xbbggrr, 0 for none. Only the pages that are used exist."""
    table = np.zeros(1 << 24, np.uint32)
    for color, i in items:
        red, green, blue = bytes.fromhex(color[1:])
        table[red | green << 8 | blue << 16] = i + 1
    return table


def ids_of_colors(mask: np.ndarray, items: ColorItems, path: str) -> np.ndarray:
    """The ids of a colour mask, by one look-up.

    Args:
        mask: (H, W, 3 or 4) uint8, RGB; the fourth channel is not looked at. (H, W) is grey.
        items: Of `color_items`.
        path: For the message.

    Returns:
        (H, W) uint8 or uint16.

    Raises:
        DataError: A colour that is not in the map, with its count; or no colour mask.
    """
    if mask.dtype != np.uint8 or mask.ndim not in (2, 3) \
            or (mask.ndim == 3 and mask.shape[2] not in (3, 4)):
        raise DataError(f'The label {path} is no colour mask.', got=f'{mask.shape} {mask.dtype}',
                        expected='(H, W, 3) uint8, as color_map is set', fix='remove color_map')
    rgbx = cv2.cvtColor(np.ascontiguousarray(mask if mask.ndim == 2 else mask[..., :3]),
                        cv2.COLOR_GRAY2RGBA if mask.ndim == 2 else cv2.COLOR_RGB2RGBA)
    codes = rgbx.view('<u4')[..., 0] & 0xFFFFFF
    found = _color_table(items)[codes]
    if not found.all():
        raise _unknown_colors(codes[found == 0], path, items)
    return narrow((found - 1).astype(np.uint16))


def _unknown_colors(codes: np.ndarray, path: str, items: ColorItems) -> DataError:
    values, counts = np.unique(codes, return_counts=True)
    order = np.argsort(-counts, kind='stable')[:5]
    shown = ', '.join(f'#{v & 255:02x}{v >> 8 & 255:02x}{v >> 16:02x} in {n} pixels'
                      for v, n in zip(values[order].tolist(), counts[order].tolist(), strict=True))
    fix = 'add it to color_map, as 255 if it is no class'
    if path.lower().endswith(('.jpg', '.jpeg', '.webp')):
        fix = 'draw the labels anew as PNG: this format changes colours'
    return DataError(f'The label {path} has colours that are not in color_map.',
                     got=shown + (f' and {len(values) - 5} more' if len(values) > 5 else ''),
                     expected=', '.join(c for c, _ in items[:20])
                     + (', ...' if len(items) > 20 else ''), fix=fix)


def check_label(label: np.ndarray, path: str, img_shape: tuple[int, int] | None) -> np.ndarray:
    """The label as (H, W) uint8 or uint16.

    Raises:
        DataError: For several channels, another size than the image's, fractions, or values
            outside 0 to 65535.
    """
    path = os.fspath(path)
    if label.ndim == 3 and 1 in (label.shape[0], label.shape[2]):
        label = label[..., 0] if label.shape[2] == 1 else label[0]
    if label.ndim != 2:
        what = f'{label.shape[-1]} channels' if label.ndim == 3 else f'{label.ndim} dimensions'
        raise DataError(f'The label {path} has {what}.', got=f'shape {label.shape}',
                        expected='one channel of class ids',
                        fix="if it is a colour mask, give LoadAnnotations its colours: "
                            "color_map={'#rrggbb': 0, ...}")
    check_size(label.shape, path, img_shape)
    return label if label.dtype == np.uint8 else as_ids(label, path)


def check_size(shape: tuple[int, ...], path: str, img_shape: tuple[int, int] | None) -> None:
    """Nothing, if the label has the image's (H, W), or there is none.

    Raises:
        DataError: It has another.
    """
    if img_shape is not None and shape != tuple(img_shape):
        raise DataError(f'The label {path} and its image differ in size.',
                        got=f'label {shape} (H, W)', expected=f'{tuple(img_shape)}')


def check_values(label: np.ndarray | Frame, path: str, num_classes: int,
                 ignore_index: int = 255) -> None:
    """Refuse a label of (H, W) that holds values that are neither a class nor ignored.

    Raises:
        DataError: Naming the file, the values and the allowed range.
    """
    pixels = label.array() if isinstance(label, Frame) else label
    pixels = pixels if pixels.dtype == np.uint8 else pixels.astype(np.int32)  # torch's types
    if not pixels.flags.writeable:
        pixels = pixels.copy()
    masks.check_label(torch.from_numpy(pixels)[None], num_classes, ignore_index, [path])


def as_ids(label: np.ndarray, path: str) -> np.ndarray:
    """An array of any shape and type as uint8, or uint16 where a value is above 255.

    Raises:
        DataError: For fractions, or values outside 0 to 65535.
    """
    if label.dtype.kind not in 'biuf':
        raise DataError(f'The label {path} holds no numbers.', got=label.dtype)
    if label.dtype.kind == 'f' and not (np.isfinite(label).all() and (label % 1 == 0).all()):
        odd = label[~(np.isfinite(label) & (label % 1 == 0))]
        raise DataError(f'The label {path} holds values that are no whole numbers.',
                        got=f'{odd[0]} and {odd.size - 1} more ({label.dtype})',
                        expected='class ids', fix='write ids; nothing is rounded here')
    low, high = int(label.min(initial=0)), int(label.max(initial=0))
    if low < 0 or high > _MAX:
        raise DataError(f'The label {path} has values outside 0 to {_MAX}.',
                        got=f'{low} to {high} ({label.dtype}); '
                            f'{int(((label < 0) | (label > _MAX)).sum())} pixels',
                        expected=f'0 to {_MAX}',
                        fix='write ignored pixels as 255 rather than as a negative number')
    return label.astype(np.uint8 if high <= 255 else np.uint16)
