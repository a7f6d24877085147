from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import random
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.model.archive import (
    Kind,
    Limits,
    UnreadableArchive,
    members_of,
    read_archive,
    read_tar,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONTENT = random.Random(101).randbytes(300_000)


def entry(name: str, kind: bytes = tarfile.REGTYPE, **more: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    for key, value in more.items():
        setattr(made, key, value)
    return made


def a_tar(*entries: tarfile.TarInfo, form: int = tarfile.PAX_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as tar:
        tar.addfile(entry("P", tarfile.DIRTYPE, mode=0o755))
        file = entry("P/a.py", size=len(CONTENT), mtime=7, mode=0o644)
        tar.addfile(file, io.BytesIO(CONTENT))
        tar.addfile(entry("P/link", tarfile.SYMTYPE, linkname="a.py"))
        for each in entries:
            tar.addfile(each)
    return stream.getvalue()


def packed(folder: Path, stream: bytes, suffix: str) -> Path:
    path = folder / f"P{suffix}"
    path.write_bytes(lzma.compress(stream) if suffix.endswith("xz") else gzip.compress(stream))
    return path


both = pytest.mark.parametrize("suffix", [".tgz", ".tar.xz"])


@both
def test_archive_is_told_member_by_member_with_digests(tmp_path: Path, suffix: str) -> None:
    stream = a_tar()
    found = read_archive(packed(tmp_path, stream, suffix), sha1=True)
    folder, file, link = found.members
    assert (folder.name, folder.kind, folder.mode) == ("P", Kind.FOLDER, 0o755)
    assert (file.name, file.kind, file.time_s, file.size_bytes) == ("P/a.py", Kind.FILE, 7, 300_000)
    assert file.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert file.sha1 == hashlib.sha1(CONTENT).hexdigest()
    assert (link.kind, link.target, link.sha256) == (Kind.LINK, "a.py", "")
    assert found.stream_bytes == len(stream)
    assert found.stream_sha256 == hashlib.sha256(stream).hexdigest()


def test_tar_stream_without_compression_is_read_alike() -> None:
    assert len(read_tar(io.BytesIO(a_tar()), "tag").members) == 3


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_are_read_whole(tmp_path: Path, form: int) -> None:
    name = "P/" + "x" * 80 + "/" + "y" * 90
    found = read_archive(packed(tmp_path, a_tar(entry(name), form=form), ".tgz"))
    assert found.members[-1].name == name


def test_name_that_is_not_utf_8_is_kept(tmp_path: Path) -> None:
    strange = entry("P/\udcff")
    stream = io.BytesIO()
    with tarfile.open(
        fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT, errors="surrogateescape"
    ) as tar:
        tar.addfile(strange)
    found = read_archive(packed(tmp_path, stream.getvalue(), ".tgz"))
    assert found.members[0].name == "P/\udcff"


def test_content_may_be_left_unread(tmp_path: Path) -> None:
    path = packed(tmp_path, a_tar(), ".tar.xz")
    assert [member.name for member, _ in members_of(path)] == ["P", "P/a.py", "P/link"]


def with_middle_block(block: bytes) -> bytes:
    """The header of the last member is something else."""
    stream = a_tar()
    place = stream.index(b"P/link")
    return stream[:place] + block + stream[place + 512 :]


def negative_size() -> bytes:
    header = bytearray(entry("P/x").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 10 + b"\xf0\x00"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    return bytes(header[:512])


DAMAGED: list[tuple[str, Callable[[], bytes], str]] = [
    ("empty", lambda: b"", "is not a complete tar archive"),
    ("no tar", lambda: b"x" * 10240, "is not a complete tar archive"),
    ("cut in a file", lambda: a_tar()[:20_480], "is not a complete tar archive"),
    ("cut at a header", lambda: a_tar()[: 512 * 589], "ends in the middle"),
    ("no end", lambda: a_tar().rstrip(b"\0")[:-1], "ends in the middle"),
    ("not a record", lambda: a_tar()[:-512], "wanted records of 10,240"),
    ("more behind", lambda: a_tar() + b"x" * 10240, "has data after its end"),
    ("two archives", lambda: a_tar() * 2, "has data after its end"),
    (
        "no header",
        lambda: with_middle_block(b"x" * 512),
        "is followed by something else than a header",
    ),
    ("backwards", lambda: with_middle_block(negative_size()), "is not a complete tar archive"),
    (
        "endless file",
        lambda: with_middle_block(entry("P/x", size=1 << 40).tobuf(tarfile.GNU_FORMAT)),
        "is not a complete tar archive",
    ),
    (
        "endless name",
        lambda: with_middle_block(
            entry("P/x", tarfile.GNUTYPE_LONGNAME, size=1 << 30).tobuf(tarfile.GNU_FORMAT)
        ),
        "a header gives an impossible length",
    ),
    (
        "headers only",
        lambda: with_middle_block(entry("x", tarfile.XHDTYPE).tobuf(tarfile.GNU_FORMAT) * 5000),
        "a header gives an impossible length",
    ),
]


@both
@pytest.mark.parametrize(
    ("stream", "told"), [case[1:] for case in DAMAGED], ids=[case[0] for case in DAMAGED]
)
def test_archive_that_is_not_whole_is_unreadable(
    tmp_path: Path, suffix: str, stream: Callable[[], bytes], told: str
) -> None:
    """The tarfile module alone takes a damaged header for the end and says nothing."""
    path = packed(tmp_path, stream(), suffix)
    with pytest.raises(UnreadableArchive, match=told) as raised:
        read_archive(path)
    assert str(raised.value).isprintable()


@both
@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda raw: raw[:-20], "its end is missing"),
        (lambda raw: raw[: len(raw) // 2], "its end is missing"),
        (lambda raw: raw + b"x", "data follows its end"),
        (lambda raw: raw + raw, "data follows its end"),
        (lambda raw: b"not compressed at all" + raw, "cannot be decompressed"),
        (lambda _: b"", "its end is missing"),
    ],
)
def test_compressed_file_that_is_not_whole_is_unreadable(
    tmp_path: Path, suffix: str, edit: Callable[[bytes], bytes], told: str
) -> None:
    path = packed(tmp_path, a_tar(), suffix)
    path.write_bytes(edit(path.read_bytes()))
    with pytest.raises(UnreadableArchive, match=told):
        read_archive(path)


@both
def test_flipped_bit_never_goes_unseen(tmp_path: Path, suffix: str) -> None:
    path = packed(tmp_path, a_tar(), suffix)
    raw, before = path.read_bytes(), read_archive(path)
    for place in range(0, len(raw), 9973):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 16]) + raw[place + 1 :])
        try:
            assert read_archive(path) == before
        except UnreadableArchive:
            continue


@both
def test_bomb_is_refused_before_it_has_unfolded(tmp_path: Path, suffix: str) -> None:
    stream = a_tar() + bytes(50_000_000)
    path = packed(tmp_path, stream, suffix)
    assert path.stat().st_size < 500_000
    with pytest.raises(UnreadableArchive, match="decompresses to more than 1,000,000 bytes"):
        read_archive(path, Limits(stream_bytes=1_000_000))


def test_file_that_is_not_read_has_to_be_whole_as_well(tmp_path: Path) -> None:
    path = packed(tmp_path, a_tar()[:20_480], ".tgz")
    with pytest.raises(UnreadableArchive):
        list(members_of(path))


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path, a_tar(*(entry(f"P/{count}") for count in range(30))), ".tgz")
    with pytest.raises(UnreadableArchive, match="holds more than 20 members"):
        read_archive(path, Limits(members=20))


def test_xz_that_asks_for_too_much_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "P.tar.xz"
    path.write_bytes(lzma.compress(a_tar(), preset=9))
    with pytest.raises(UnreadableArchive, match="cannot be decompressed"):
        read_archive(path, Limits(xz_memory_bytes=1 << 20))


def test_sparse_file_is_not_unfolded(tmp_path: Path) -> None:
    pax = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.map": "0,1"}
    pax |= {"GNU.sparse.size": str(1 << 40), "GNU.sparse.name": "P/sparse"}
    path = packed(tmp_path, a_tar(entry("P/sparse", pax_headers=pax)), ".tgz")
    assert read_archive(path).members[-1].kind is Kind.OTHER


@pytest.mark.parametrize(
    "kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.LNKTYPE, b"Z"]
)
def test_anything_else_is_told_as_such(tmp_path: Path, kind: bytes) -> None:
    path = packed(tmp_path, a_tar(entry("P/x", kind, linkname="P/a.py")), ".tgz")
    assert read_archive(path).members[-1].kind is Kind.OTHER


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 1200), block=st.binary(min_size=1, max_size=600))
def test_any_damage_of_the_stream_is_unreadable_and_never_a_bug(
    tmp_path_factory: pytest.TempPathFactory, place: int, block: bytes
) -> None:
    stream = bytearray(a_tar())
    stream[place : place + len(block)] = block
    path = packed(tmp_path_factory.getbasetemp(), bytes(stream), ".tgz")
    try:
        found = read_archive(path)
    except UnreadableArchive as error:
        assert "\n" not in str(error)  # noqa: PT017 - some damage is in what is not read
    else:
        assert found.stream_sha256 == hashlib.sha256(stream).hexdigest()
