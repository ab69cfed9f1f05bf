"""Whether a checkpoint's file is as it was written, to the last byte.

torch.save writes a zip archive with the CRC-32 of every record, which torch.load does not compare,
and nothing guards what lies between the records. `seal` puts a SHA-256 of exactly those gaps (a
few bytes a record, and the table of contents with the CRCs) into the archive's comment, behind
everything else: together they cover every byte, and sealing costs nothing.
"""

import hashlib
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

_COMMENT = b'segplug sha256 %s'
_SEALED = re.compile(rb'segplug sha256 ([0-9a-f]{64})')
_END = struct.Struct('<4s4H2LH')  # the end record; its last field is the comment's length
_LOCAL = struct.Struct('<4s5H3L2H')  # a record's own header; then come its name and an extra field
_CHUNK = 1 << 20


class DamagedFile(ValueError):
    """What is wrong with a file, in a few words."""


def seal(file: BinaryIO) -> None:
    """Add the comment to an archive that torch.save has just written.

    Args:
        file: Open for reading and writing; its position is left at its end.
    """
    size = file.seek(0, os.SEEK_END)
    comment_size = len(_COMMENT % (b'0' * 64))
    file.seek(size - 2)
    file.write(struct.pack('<H', comment_size))  # the hash covers the length
    with zipfile.ZipFile(file) as archive:
        digest = _hash_gaps(file, records(archive, file), size)
    file.seek(size)
    file.write(_COMMENT % digest.encode())


def check(path: str | os.PathLike) -> bool:
    """Compare every record with its CRC, and what lies between them with the seal.

    Returns:
        Whether there is a seal: files of torch and mmengine have none, and neither has torch's
        format before 1.6, which is no archive and has no checksum at all.

    Raises:
        DamagedFile: Something is not as it was written.
        OSError: The file cannot be read.
    """
    with open(path, 'rb') as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if size == 0:
            raise DamagedFile('it is empty')
        contents = _contents(file)
        if contents is None:
            return False
        found, comment = contents
        end = size - len(comment)
        digest = _seal_of(file, comment, end)
        buffer = memoryview(bytearray(_CHUNK))
        for name, start, length, crc in found:
            if _crc(file, start, length, buffer) != crc:
                raise DamagedFile(f'the checksum of {name} is wrong')
        if digest is not None and _hash_gaps(file, found, end) != digest:
            raise DamagedFile('its seal does not fit: what lies around the records has changed')
        return digest is not None


def _contents(file: BinaryIO) -> tuple[list, bytes] | None:
    """`records` and the comment; None for what is no archive, and has lost no end either."""
    try:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            if file.read(2) == b'PK':
                raise DamagedFile('its end is missing')
            return None
        with zipfile.ZipFile(file) as archive:
            return records(archive, file), archive.comment
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, OverflowError, ValueError,
            struct.error) as error:  # whatever zipfile meets in a damaged table of contents
        raise DamagedFile(str(error)) from error


def records(archive: zipfile.ZipFile, file: BinaryIO) -> list[tuple[str, int, int, int]]:
    """(name, first byte, number of bytes, CRC-32) of every record, in the order of the file.

    Raises:
        DamagedFile: A record is compressed, which torch.save never does (a small file could
            unpack to any size), or lies where it cannot.
    """
    found, last = [], 0
    for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise DamagedFile(f'{info.filename} is compressed, as torch.save writes nothing')
        if not last <= info.header_offset < archive.start_dir:
            raise DamagedFile(f'{info.filename} does not lie between its neighbours')
        file.seek(info.header_offset)
        head = file.read(_LOCAL.size)
        if len(head) < _LOCAL.size or not head.startswith(b'PK\3\4'):
            raise DamagedFile(f'{info.filename} is not where it should be')
        *_, name_size, extra_size = _LOCAL.unpack(head)
        start = info.header_offset + _LOCAL.size + name_size + extra_size
        if start + info.file_size > archive.start_dir:
            raise DamagedFile(f'{info.filename} reaches into what follows it')
        found.append((info.filename, start, info.file_size, info.CRC))
        last = start + info.file_size
    return found


def _seal_of(file: BinaryIO, comment: bytes, end: int) -> str | None:
    """The hash that the comment holds, if the archive ends as one of torch.save or of ours."""
    sealed = _SEALED.fullmatch(comment)
    file.seek(end - _END.size)
    signature, *_, length = _END.unpack(file.read(_END.size))
    if (comment and not sealed) or signature != b'PK\5\6' or length != len(comment):
        raise DamagedFile('its last bytes are not those of a checkpoint')
    return sealed[1].decode() if sealed else None


def _hash_gaps(file: BinaryIO, found: list, end: int) -> str:
    digest = hashlib.sha256()
    for start, length in _gaps(found, end):
        file.seek(start)
        digest.update(file.read(length))
    return digest.hexdigest()


def _gaps(found: list, end: int) -> Iterator[tuple[int, int]]:
    """(first byte, number of bytes) of what no record holds."""
    last = 0
    for _, start, length, _ in found:
        yield last, start - last
        last = start + length
    yield last, end - last


def _crc(file: BinaryIO, start: int, length: int, buffer: memoryview) -> int:
    file.seek(start)
    crc = 0
    while length > 0:
        got = file.readinto(buffer[:min(length, _CHUNK)])
        if not got:
            raise DamagedFile('it ends too early')
        crc = zlib.crc32(buffer[:got], crc)
        length -= got
    return crc
