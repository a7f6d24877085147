"""Package head: what the first bytes of an installer tell of the whole file.

An upload that still runs, or broke off, stands under the file's own name. An installer of Windows
ends with its signature, and one of macOS with its last member; where they end is stated at their
beginning, so nobody has to wait and see. Formats: PE/COFF ("Attribute Certificate Table") and xar.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import Final

__all__ = ["HEAD_BYTES", "is_of_its_kind", "needed_bytes"]

HEAD_BYTES: Final = 1 << 20
"""How much of a file is looked at; the table of contents of a package is far smaller."""

_MOST_CONTENTS: Final = 1 << 23
_XAR: Final = b"xar!"
_ZIP: Final = b"PK\x03\x04"
_MEMBER: Final = re.compile(rb"<data>(.{1,4000}?)</data>", re.DOTALL)
_OFFSET: Final = re.compile(rb"<offset>([0-9]{1,15})</offset>")
_LENGTH: Final = re.compile(rb"<length>([0-9]{1,15})</length>")
_PE32: Final = 0x10B
_PE32_PLUS: Final = 0x20B


def needed_bytes(name: str, head: bytes) -> int:
    """How many bytes the file has at least if it is complete; 0 if its head does not tell.

    It may have more: a stapled ticket of notarisation follows all that the head states.
    """
    if name.endswith(".exe"):
        return _end_of_pe(head)
    return _end_of_xar(head) if name.endswith(".pkg") else 0


def is_of_its_kind(name: str, head: bytes) -> bool:
    """Whether a file of this name begins as such a file does; an installer has to be signed."""
    if name.endswith(".exe"):
        return _end_of_pe(head) > 0
    if name.endswith(".pkg"):
        return _end_of_xar(head) > 0
    return head.startswith(_ZIP) if name.endswith(".zip") else True


def _end_of_pe(head: bytes) -> int:
    """Where the signature of a program of Windows ends; 0 if it has none, or is none."""
    try:
        (start,) = struct.unpack_from("<I", head, 0x3C)
        if head[:2] != b"MZ" or head[start : start + 4] != b"PE\0\0":
            return 0
        optional = start + 24
        (magic,) = struct.unpack_from("<H", head, optional)
        tables = {_PE32: optional + 96, _PE32_PLUS: optional + 112}.get(magic)
        if tables is None:
            return 0
        offset, size = struct.unpack_from("<II", head, tables + 4 * 8)
    except struct.error:
        return 0
    return int(offset) + int(size) if offset and size else 0


def _end_of_xar(head: bytes) -> int:
    """Where the last member of a package of macOS ends; 0 if it is no such package."""
    try:
        magic, size, _, packed, unpacked, _ = struct.unpack_from(">4sHHQQI", head)
    except struct.error:
        return 0
    contents = head[size : size + packed]
    if magic != _XAR or len(contents) != packed or unpacked > _MOST_CONTENTS:
        return 0
    try:
        text = zlib.decompressobj().decompress(contents, _MOST_CONTENTS)
    except zlib.error:
        return 0
    ends = [0]
    for member in _MEMBER.findall(text):
        offset, length = _OFFSET.search(member), _LENGTH.search(member)
        if offset is not None and length is not None:
            ends.append(int(offset[1]) + int(length[1]))
    return int(size) + int(packed) + max(ends)
