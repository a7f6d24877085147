"""Zip archives of others: names that are plain and different, and sizes that are bounded."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plugins.model.zipped import BrokenZip, opened_zip, plain_files

MIB = 1 << 20


def zipped(*names: str, content: bytes = b"x", flags: int = 0) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            entry = zipfile.ZipInfo("x")
            entry.filename, entry.flag_bits = name, flags
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return made


def files_of(archive: io.BytesIO, most_bytes: int = MIB) -> list[str]:
    with opened_zip(archive) as opened:
        return [entry.filename for entry in plain_files(opened, most_bytes)]


def test_files_of_a_usual_archive() -> None:
    names = ["Python-3.13.6.tgz", "docs/python-3.13.6-docs-html.tar.bz2", "a/b/c.json", "docs/"]
    assert files_of(zipped(*names)) == names[:3]


ODD = [
    "../evil", "/etc/evil", "a/../../evil", "a\\..\\evil", "C:/evil", "C:evil", ".", "a//b", "./a",
    ".bashrc", "a/.git", "-rf", "a b", "a\nb", "\x1b[2J", "a\0b", "a.", "nul:", "ümlaut", "a" * 129,
    "~", "$HOME", "a;b", "a|b", "*", "a?", "'", '"', "a\u202eb", "a\u200bb",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_a_name_that_could_be_another_file_is_refused(name: str) -> None:
    with pytest.raises(BrokenZip, match="could end outside of its folder"):
        files_of(zipped("good", name))


@given(st.text(max_size=40))
@example("..")
@example("a/..")
def test_whatever_is_let_through_is_a_file_below_the_folder(name: str) -> None:
    try:
        found = files_of(zipped(name))
    except BrokenZip:
        return
    folder = Path("/folder")
    for each in found:
        assert each.isascii()
        assert each.isprintable()
        assert (folder / each).resolve().is_relative_to(folder)
        assert (folder / each).resolve() == folder / each != folder


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (("a", "a"), "a is in it twice"),
        (("Python.tgz", "python.tgz"), "are one file where case does not count"),
        (("a", "a/b"), "a is a file, and a/b would be below it"),
        (("A/b/c", "a"), "a is a file, and A/b/c would be below it"),
    ],
)
def test_two_files_that_are_one_are_refused(names: tuple[str, ...], problem: str) -> None:
    with pytest.raises(BrokenZip, match=problem):
        files_of(zipped(*names))


def test_more_bytes_than_expected_are_refused_before_one_is_unpacked() -> None:
    bomb = zipped("a", "b", content=bytes(MIB))
    assert len(bomb.getvalue()) < MIB // 100
    with pytest.raises(BrokenZip, match="would unpack to 2 MiB, and at most 1 are expected"):
        files_of(bomb)


def test_more_files_than_expected_are_refused() -> None:
    with pytest.raises(BrokenZip, match="it holds 10001 files"):
        files_of(zipped(*map(str, range(10_001)), content=b""))


def test_a_file_larger_than_it_states_is_never_unpacked_further() -> None:
    """The size in the list of files is what is added up."""
    raw = bytearray(zipped("a", content=bytes(MIB)).getvalue())
    listed = raw.index(b"PK\x01\x02")
    raw[listed + 24 : listed + 28] = (10).to_bytes(4, "little")
    read: list[bytes] = []
    with pytest.raises(BrokenZip, match="CRC"):
        read_parts(io.BytesIO(bytes(raw)), read)
    assert len(b"".join(read)) <= 10


def read_parts(archive: io.BytesIO, read: list[bytes]) -> None:
    with opened_zip(archive) as opened:
        (entry,) = plain_files(opened, 100)
        with opened.open(entry) as stream:
            while part := stream.read(1):
                read.append(part)
