"""One bit, field or header that the tag does not give, wherever an archive has room for it."""

from __future__ import annotations

import lzma
import struct
import zlib
from typing import TYPE_CHECKING, Final

import pytest

from doit_receipts.finding import Severity
from plugins.model.compressed import odd_field
from plugins.services.programs import MachinePrograms
from tests.packing import packed
from tests.source_archives import Repository, Tarball, all_findings, make_repository, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doit_receipts.finding import Finding
    from plugins.model.release import Release

    Builds = Callable[..., Release]

_BLOCK: Final = 512
# Where each field of a ustar header begins, as POSIX has it.
_FIELDS: Final = {
    "name": 0, "mode": 100, "owner": 108, "group": 116, "size": 124, "time": 136, "checksum": 148,
    "type": 156, "target": 157, "magic": 257, "version": 263, "owner's name": 265,
    "group's name": 297, "major device": 329, "minor device": 337, "prefix": 345, "rest": 500,
}  # fmt: skip
_OS_PY: Final = 2 * _BLOCK
"""Where Lib/os.py begins: behind two folders."""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return make_repository(tmp_path_factory.mktemp("bits") / "clone")


def summed(stream: bytearray, header: int) -> None:
    """The header's checksum is right."""
    stream[header + 148 : header + 156] = b" " * 8
    total = sum(stream[header : header + _BLOCK])
    stream[header + 148 : header + 156] = b"%06o\0 " % total


def found_in(release: Release, clone: Repository, stream: bytes) -> list[Finding]:
    write(release, stream)
    return [each for each in all_findings(release, clone) if each.severity is Severity.BLOCK]


@pytest.mark.parametrize("field", _FIELDS)
@pytest.mark.parametrize("is_summed", [True, False], ids=["summed", "not summed"])
def test_one_bit_of_any_field_of_a_header_blocks(
    a_release: Builds, clone: Repository, field: str, *, is_summed: bool
) -> None:
    stream = bytearray(Tarball.of_the_tag().stream())
    stream[_OS_PY + _FIELDS[field] + (1 if field == "version" else 0)] ^= 1
    if is_summed and field != "checksum":
        summed(stream, _OS_PY)
    assert found_in(a_release(), clone, bytes(stream))


@pytest.mark.parametrize(
    ("offset", "place"),
    [
        (0, "in the content of Python-3.13.6/Lib/os.py"),
        (8, "in the padding behind Python-3.13.6/Lib/os.py"),
        (_BLOCK - 1, "in the padding behind Python-3.13.6/Lib/os.py"),
    ],
)
def test_one_bit_behind_a_header_is_told_by_its_place(
    a_release: Builds, clone: Repository, offset: int, place: str
) -> None:
    stream = bytearray(Tarball.of_the_tag().stream())
    stream[_OS_PY + _BLOCK + offset] ^= 1
    found = {each.rule: each for each in found_in(a_release(), clone, bytes(stream))}
    assert place in found["archive.stream"].message


def test_merged_news_of_other_words_block(a_release: Builds, clone: Repository) -> None:
    """NEWS is not in the tag: it is made again from its entries."""
    tarball = Tarball.of_the_tag()
    info, _ = tarball.members["Python-3.13.6/Misc/NEWS"]
    tarball.members["Python-3.13.6/Misc/NEWS"] = (info, b"merged newt\n")
    (found,) = found_in(a_release(), clone, tarball.stream())
    assert found.rule == "archive.stream"
    assert "in the content of Python-3.13.6/Misc/NEWS" in found.message


def pax(kind: bytes, keyword: str, value: str) -> bytes:
    """An extended header that says this of what follows it."""
    record = f" {keyword}={value}\n".encode()
    record = b"%d%b" % (len(record) + 2, record)
    head = bytearray(_BLOCK)
    head[: len(b"PaxHeaders/x")] = b"PaxHeaders/x"
    head[100:148] = b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % len(record) + b"%011o\0" % 0
    head[156:157] = kind
    head[257:265] = b"ustar\x0000"
    summed(head, 0)
    return bytes(head) + record.ljust(_BLOCK, b"\0")


@pytest.mark.parametrize("kind", [b"x", b"g"], ids=["of one member", "of all"])
@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("SCHILY.xattr.security.capability", "AQAAAgA"),
        ("SCHILY.acl.access", "user::rwx"),
        ("LIBARCHIVE.xattr.user.x", "eA"),
        ("RHT.security.selinux", "x_u:y"),
        ("comment", "nothing but words"),
        ("atime", "1700000000"),
    ],
)
def test_extended_headers_block_whatever_they_say(
    a_release: Builds, clone: Repository, kind: bytes, keyword: str, value: str
) -> None:
    stream = Tarball.of_the_tag().stream()
    spoilt = stream[:_OS_PY] + pax(kind, keyword, value) + stream[_OS_PY:]
    whole = spoilt.rstrip(b"\0")
    whole = whole.ljust(-(-(len(whole) + 2 * _BLOCK) // 10_240) * 10_240, b"\0")
    assert "archive.stream" in {each.rule for each in found_in(a_release(), clone, whole)}


@pytest.mark.parametrize("more", [bytes(10_240), b"\0" * 10_239 + b"x"], ids=["zeros", "a byte"])
def test_anything_behind_the_end_of_the_stream_blocks(
    a_release: Builds, clone: Repository, more: bytes
) -> None:
    assert found_in(a_release(), clone, Tarball.of_the_tag().stream() + more)


def gzip_with(
    flags: int, fields: bytes = b"", time: int = 0, best: int = 2, system: int = 3
) -> Callable[[bytes], bytes]:
    """Makes the file with such a header."""

    def change(good: bytes) -> bytes:
        head = struct.pack("<2sBBIBB", b"\x1f\x8b", 8, flags, time, best, system)
        return head + fields + good[10:]

    return change


@pytest.mark.parametrize(
    "change",
    [
        gzip_with(0, time=1),
        gzip_with(0, best=0),
        gzip_with(0, system=255),
        gzip_with(1),
        gzip_with(4, b"\4\0evil"),
        gzip_with(8, b"Python.tar\0"),
        gzip_with(16, b"evil\0"),
        lambda good: good + packed(b"", "gz"),
        lambda good: packed(b"", "gz") + good,
        lambda good: good + b"\0" * 512,
        lambda good: good[:-8] + bytes(8),
    ],
    ids=[
        "time", "level", "system", "text", "extra", "name", "comment", "empty member behind",
        "empty member before", "zeros behind", "checksum",
    ],
)  # fmt: skip
def test_what_gzip_has_room_for_blocks(
    a_release: Builds, clone: Repository, change: Callable[[bytes], bytes]
) -> None:
    release = a_release()
    write(release, Tarball.of_the_tag().stream())
    path = release.layout.tarball(".tgz")
    path.write_bytes(change(path.read_bytes()))
    found = all_findings(release, clone)
    assert {each.rule for each in found} & {"archive.compressor", "archive.unreadable"}
    assert {each.where for each in found} == {path.name}


def _xz(check: int = lzma.CHECK_CRC64, **filters: int) -> Callable[[bytes], bytes]:
    chain = [{"id": lzma.FILTER_LZMA2, "preset": 6, **filters}]
    return lambda stream: lzma.compress(stream, check=check, filters=chain)


@pytest.mark.parametrize(
    "change",
    [
        _xz(check=lzma.CHECK_CRC32),
        _xz(check=lzma.CHECK_NONE),
        _xz(check=lzma.CHECK_SHA256),
        _xz(dict_size=1 << 20),
        lambda stream: lzma.compress(
            stream,
            filters=[{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": 6}],
        ),
        lambda stream: packed(stream, "xz") + bytes(4),
        lambda stream: packed(stream, "xz") + packed(b"", "xz"),
        lambda stream: packed(b"", "xz") + packed(stream, "xz"),
        lambda stream: lzma.compress(stream[:512]) + lzma.compress(stream[512:]),
    ],
    ids=[
        "CRC32", "no check", "SHA-256", "dictionary", "a filter more", "padding", "a stream behind",
        "a stream before", "two streams",
    ],
)  # fmt: skip
def test_what_xz_has_room_for_blocks(
    a_release: Builds, clone: Repository, change: Callable[[bytes], bytes]
) -> None:
    release = a_release()
    stream = Tarball.of_the_tag().stream()
    write(release, stream)
    path = release.layout.tarball(".tar.xz")
    path.write_bytes(change(stream))
    found = all_findings(release, clone)
    assert {each.rule for each in found} & {"archive.compressor", "archive.unreadable"}


@pytest.mark.slow
def test_xz_in_one_block_or_in_many_passes_and_blocks_of_another_size_do_not(
    tmp_path: Path,
) -> None:
    """Both are what xz -6 writes, up to 5.4 and since 5.6."""
    source = tmp_path / "source"
    source.write_bytes(bytes(26 << 20))
    path = tmp_path / "made.tar.xz"
    for words, odd in (
        (("-T1",), ""),
        (("-T2",), ""),
        (("-T2", "--block-size=8MiB"), "the size of block 1 of xz"),
        (("-T1", "--block-size=8MiB"), "the number of blocks of xz"),
    ):
        with (
            path.open("wb") as out,
            MachinePrograms().pipe(
                ("xz", "-6", "-c", *words, str(source)), folder=tmp_path, stdout=out
            ),
        ):
            pass
        assert odd_field(path) == odd


def test_an_index_of_xz_that_lies_is_odd(tmp_path: Path) -> None:
    path = tmp_path / "made.tar.xz"
    good = packed(b"x" * 1000, "xz")
    index = good.index(b"\0\1", len(good) - 12 - 16)
    lying = bytearray(good)
    lying[index + 2] ^= 4
    lying[-16:-12] = zlib.crc32(bytes(lying[index:-16])).to_bytes(4, "little")
    path.write_bytes(lying)
    assert odd_field(path)
