"""Xar: the signature of a package of macOS, as the table of contents at its beginning tells it.

The table is compressed XML. Its checksum lies in the heap behind it, and the signature is of that
checksum; each member of the table has a checksum of its own, of its bytes as they are in the heap.
Source: xar's documentation of its format, and packages of python.org.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
import zlib
from typing import IO, TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["PackageSignature", "package_signature"]

_MOST_TABLE: Final = 1 << 24
_CHUNK: Final = 1 << 20
_DIGESTS: Final = ("sha1", "sha256", "sha512")
_SIGNATURE: Final = rb'(?s)<signature style="RSA">(.*?)</signature>'
_CERTIFICATE: Final = rb"<X509Certificate>([A-Za-z0-9+/=\s]*)</X509Certificate>"
_CHECKSUM: Final = rb'(?s)<checksum style="([a-z0-9]+)">(.*?)</checksum>'
_DATA: Final = rb"(?s)<data>(.*?)</data>"
_ARCHIVED: Final = rb'<archived-checksum style="([a-z0-9]+)">([0-9a-f]+)<'


@frozen
class PackageSignature:
    """The bytes that were signed, by which digest, the signature, and the signer's certificate."""

    table: bytes
    digest: str
    signature: bytes
    certificate: bytes
    """In DER, that of whoever signed; those that vouch for it come behind it in the package."""


def package_signature(file: IO[bytes], where: str) -> PackageSignature:
    """The signature of the package, whose members are those that the signed table lists.

    Raises StepFailed for what is no package, has no signature, or was changed in any member.
    """
    try:
        magic, size, _, packed, unpacked, _ = struct.unpack(">4sHHQQI", file.read(28))
    except struct.error:
        _refuse(where, "is no package of macOS")
    if magic != b"xar!" or packed > _MOST_TABLE or unpacked > _MOST_TABLE:
        _refuse(where, "is no package of macOS")
    file.seek(size)
    table = file.read(packed)
    try:
        text = zlib.decompressobj().decompress(table, _MOST_TABLE)
    except zlib.error:
        _refuse(where, "has a table of contents that cannot be read")
    heap = size + packed
    checksum, signed = re.search(_CHECKSUM, text), re.search(_SIGNATURE, text)
    if checksum is None or signed is None:
        _refuse(where, "is not signed")
    digest = checksum[1].decode()
    if digest not in _DIGESTS:
        _refuse(where, f"has a checksum of an unknown kind, {digest}")
    if _at(file, heap, checksum[2]) != hashlib.new(digest, table).digest():
        _refuse(where, "has another table of contents than its checksum says")
    _compare_members(file, heap, text, where)
    certificate = re.search(_CERTIFICATE, signed[1])
    try:
        der = base64.b64decode(certificate[1]) if certificate else b""
    except binascii.Error:
        der = b""
    if not der:
        _refuse(where, "has a signature without a certificate")
    return PackageSignature(table, digest, _at(file, heap, signed[1]), der)


def _compare_members(file: IO[bytes], heap: int, text: bytes, where: str) -> None:
    members = re.findall(_DATA, text)
    if not members:
        _refuse(where, "holds nothing")
    for member in members:
        archived = re.search(_ARCHIVED, member)
        if archived is None or archived[1].decode() not in _DIGESTS:
            _refuse(where, "has a member without a checksum")
        found = hashlib.new(archived[1].decode())
        file.seek(heap + _number(member, b"offset"))
        left = _number(member, b"length")
        while left and (piece := file.read(min(left, _CHUNK))):
            found.update(piece)
            left -= len(piece)
        if found.hexdigest() != archived[2].decode():
            _refuse(where, "was changed after it was signed")


def _at(file: IO[bytes], heap: int, entry: bytes) -> bytes:
    file.seek(heap + _number(entry, b"offset"))
    return file.read(min(_number(entry, b"size"), _CHUNK))


def _number(entry: bytes, name: bytes) -> int:
    found = re.search(rb"<%s>([0-9]{1,15})</%s>" % (name, name), entry)
    return int(found[1]) if found else 0


def _refuse(where: str, problem: str) -> NoReturn:
    raise StepFailed(where=where, problem=problem, remedy="ask who made it")
