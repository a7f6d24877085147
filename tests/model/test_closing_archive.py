"""The closing archive: one tar of fixed form, and nothing else is read as one."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace

import pytest

from plugins.model.closing_archive import BrokenArchive, ClosingArchive, fits

MEMBERS = {"receipts/b.json": b"{}\n", "journal.jsonl": b"", "report.html": b"x" * 600}


def an_archive(members: dict[str, bytes]) -> ClosingArchive:
    return ClosingArchive(
        release="3.13.6", kind="bugfix final", rehearsal=True, people={"RM": ("A" * 40,)},
        members=members,
    )  # fmt: skip


def test_the_same_members_in_any_order_give_the_same_bytes() -> None:
    turned = dict(reversed(MEMBERS.items()))
    assert an_archive(MEMBERS).to_bytes() == an_archive(turned).to_bytes()


def test_every_reader_of_tar_lists_what_it_holds_without_times_and_owners() -> None:
    with tarfile.open(fileobj=io.BytesIO(an_archive(MEMBERS).to_bytes())) as tar:
        found = {each.name: each for each in tar}
        assert list(found) == [
            f"python-3.13.6-closing/{name}" for name in ("archive.json", *sorted(MEMBERS))
        ]
        assert {(each.mtime, each.uid, each.gid, each.mode) for each in found.values()} == {
            (0, 0, 0, 0o644)
        }
        for name, content in MEMBERS.items():
            source = tar.extractfile(f"python-3.13.6-closing/{name}")
            assert source is not None
            assert source.read() == content


def test_what_is_read_back_is_what_was_written() -> None:
    archive = an_archive(MEMBERS)
    assert ClosingArchive.from_bytes(archive.to_bytes(), "x.tar") == archive
    assert archive.below("receipts", ".json") == {"b": b"{}\n"}


def test_no_byte_can_be_changed_without_another_archive_or_none() -> None:
    """Each byte of it in turn: header, padding and end are refused, content is other content."""
    raw = an_archive(MEMBERS).to_bytes()
    archive = ClosingArchive.from_bytes(raw, "x.tar")
    refused = 0
    for place in range(len(raw)):
        altered = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        try:
            found = ClosingArchive.from_bytes(altered, "x.tar")
        except BrokenArchive:
            refused += 1
        else:
            assert found != archive, place
            assert found.to_bytes() == altered
    assert refused > len(raw) // 2


@pytest.mark.parametrize(
    ("form", "says"),
    [
        (b"archive 2", "is a pep101 closing archive 2, and this version of the tool reads"),
        (b"archive x", "is not a pep101 closing archive 1 of this tool, byte for byte"),
    ],
)
def test_form_of_a_later_version_is_named_and_no_other_text(form: bytes, says: str) -> None:
    """Whoever reads an archive with an older tool is not told that it was changed."""
    raw = an_archive(MEMBERS).to_bytes().replace(b"archive 1", form, 1)
    with pytest.raises(BrokenArchive, match=says) as caught:
        ClosingArchive.from_bytes(raw, "x.tar")
    assert ("a later one" in caught.value.remedy) is (form == b"archive 2")


@pytest.mark.parametrize("cut", [0, 1, 511, 512, 513, 1500, -1, -512])
def test_a_part_of_it_or_more_than_it_is_refused(cut: int) -> None:
    raw = an_archive(MEMBERS).to_bytes()
    with pytest.raises(BrokenArchive):
        ClosingArchive.from_bytes(raw[:cut], "x.tar")
    with pytest.raises(BrokenArchive):
        ClosingArchive.from_bytes(raw + bytes(512), "x.tar")


@pytest.mark.parametrize("name", ["", "/x", "a//b", "a/../b", "../a", "a\\b", "a/", "é", "x" * 99])
def test_a_name_that_leads_elsewhere_is_not_taken(name: str) -> None:
    assert not fits(name)
    with pytest.raises(ValueError, match=r"^"):
        an_archive({name: b""}).to_bytes()


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("3.14.0rc1", "3.14.0rc1"), ("3.12-end-of-life", "3.12.0"),
        ("3.13-begin-security-only", "3.13.0"), ("3.15-begin-bugfix", "3.15.0"),
    ],
)  # fmt: skip
def test_it_is_of_a_version_or_of_what_became_of_a_series(name: str, version: str) -> None:
    archive = replace(an_archive({"x" * 60: b""}), release=name)
    assert ClosingArchive.from_bytes(archive.to_bytes(), "x.tar") == archive
    assert str(archive.version) == version


@pytest.mark.parametrize("name", ["3.12", "3.12.0-end-of-life", "3.12-end", "3.13.06", "-", "x"])
def test_of_anything_else_it_is_refused(name: str) -> None:
    raw = replace(an_archive(MEMBERS), release=name).to_bytes()
    with pytest.raises(BrokenArchive):
        ClosingArchive.from_bytes(raw, "x.tar")
