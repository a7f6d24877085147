"""Compressed files: the fields that gzip and xz write around what they compress.

Who only unpacks a file never sees them: names, comments and times of gzip, blocks and filters of
xz. They are compared with what ``gzip -9 -n`` and ``xz -6`` write, and with nothing else.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["odd_field"]

# Deflate, no flags, no time, the best compression, made on Unix.
_GZIP_HEAD: Final = bytes.fromhex("1f8b 0800 0000 0000 0203")
_XZ_MAGIC: Final = b"\xfd7zXZ\0"
_XZ_FLAGS: Final = b"\0\x04"
"""Of the stream: each block has a CRC64."""
_LZMA2_8_MIB: Final = b"\x21\x01\x16"
"""The one filter, with one byte of properties: the dictionary of ``-6``."""
_BLOCK_BYTES: Final = 24 << 20
"""How much a block of ``-6`` holds: three times its dictionary."""
_WITH_SIZES: Final = b"\xc0"
"""Of a block: its header tells how large it is, packed and unpacked."""
_HEADER_BYTES: Final = {True: 20, False: 12}
_FOOTER_BYTES: Final = 12
_MOST_INDEX_BYTES: Final = 1 << 16


def odd_field(path: Path) -> str:
    """What a ``.tgz`` or ``.tar.xz`` has in a field that our compressors leave otherwise, or "".

    xz compresses in blocks of 24 MiB (``-T``, the default since 5.6), or all in one. Checksums
    and padding are for whoever unpacks it. Raises OSError.
    """
    with path.open("rb") as file:
        if path.suffix != ".xz":
            return "" if file.read(len(_GZIP_HEAD)) == _GZIP_HEAD else "the header of gzip"
        if file.read(8) != _XZ_MAGIC + _XZ_FLAGS:
            return "the header of xz"
        try:
            return _odd_block(file)
        except (IndexError, ValueError):
            return "the index of xz"


def _odd_block(file: IO[bytes]) -> str:
    records = list(_records(file))
    file.seek(_FOOTER_BYTES + 1)
    has_sizes = file.read(1) == _WITH_SIZES
    if not has_sizes and len(records) != 1:
        return "the number of blocks of xz"
    place = _FOOTER_BYTES
    for number, (packed, unpacked) in enumerate(records, start=1):
        wanted_bytes = _BLOCK_BYTES if number < len(records) else min(unpacked, _BLOCK_BYTES)
        if has_sizes and unpacked != wanted_bytes:
            return f"the size of block {number} of xz"
        file.seek(place)
        size = _HEADER_BYTES[has_sizes]
        sizes = _number(packed - size - 8) + _number(unpacked)
        wanted = (_WITH_SIZES + sizes if has_sizes else b"\0") + _LZMA2_8_MIB
        if file.read(size - 4) != bytes((size // 4 - 1, *wanted)).ljust(size - 4, b"\0"):
            return f"the header of block {number} of xz"
        place += packed + -packed % 4
    return ""


def _records(file: IO[bytes]) -> Iterator[tuple[int, int]]:
    """Of each block its size with header and check, and of what it holds."""
    end = file.seek(-_FOOTER_BYTES, 2)
    footer = file.read(_FOOTER_BYTES)
    size = (int.from_bytes(footer[4:8], "little") + 1) * 4
    if size > min(end, _MOST_INDEX_BYTES):
        raise ValueError(size)
    file.seek(end - size)
    index = file.read(size)
    count, place = _read_number(index, 1)
    for _ in range(count):
        packed, place = _read_number(index, place)
        unpacked, place = _read_number(index, place)
        yield packed, unpacked


def _read_number(content: bytes, place: int) -> tuple[int, int]:
    """A number in xz's form, seven bits a byte and the lowest first, and where it ends."""
    value, shift = 0, 0
    while True:
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
        if shift > 62:
            raise ValueError(place)


def _number(value: int) -> bytes:
    if value < 0:
        raise ValueError(value)
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*found, value))
