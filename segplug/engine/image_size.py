"""The size of an image from the first bytes of its file, without decoding it.

Sizes decide only who tests which image, so whatever cannot be read is unknown, never an error:
the loader that decodes the file will say what is wrong with it.
"""

import os
import struct
import warnings
from typing import BinaryIO

from PIL import Image

_PNG = b'\x89PNG\r\n\x1a\n'
# Start-of-frame markers; C4, C8 and CC of the same range are tables (ITU T.81, table B.1).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def image_size(path: str | os.PathLike) -> tuple[int, int] | None:
    """(H, W) as the header states it, before any EXIF rotation; None if it cannot be had.

    PNG and JPEG are read by their specifications, everything else by PIL's lazy ``open``.
    """
    try:
        with open(path, 'rb') as file:
            start = file.read(24)
            if start.startswith(_PNG) and start[12:16] == b'IHDR':
                width, height = struct.unpack('>II', start[16:24])
            elif start.startswith(b'\xff\xd8'):
                height, width = _jpeg_size(file)
            else:
                width, height = _pil_size(file)
    except Exception:  # PIL's readers raise what they like on broken files
        return None
    return (height, width) if height > 0 and width > 0 else None


def _jpeg_size(file: BinaryIO) -> tuple[int, int]:
    """(H, W) of the frame header; the segments before it are skipped, not read."""
    file.seek(2)
    while True:
        if file.read(1) != b'\xff':
            raise ValueError('no marker where one belongs')
        while (marker := file.read(1)) == b'\xff':  # fill bytes
            pass
        length, = struct.unpack('>H', file.read(2))
        if marker[0] in _FRAMES:
            return struct.unpack('>xHH', file.read(5))
        file.seek(length - 2, os.SEEK_CUR)


def _pil_size(file: BinaryIO) -> tuple[int, int]:
    file.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of images large enough to be an attack: none is decoded
        with Image.open(file) as img:
            return img.size
