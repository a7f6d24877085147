"""The tar stream: format, order and modes, held to GNU tar and to the standard library."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.model.tarstream import (
    Kind,
    Member,
    git_order,
    header,
    in_tar_order,
    released_mode,
    tar_blocks,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_EPOCH_S = 1_700_000_000


def _file(name: str, content: bytes = b"x", mode: int = 0o644) -> Member:
    return Member(name, Kind.FILE, mode, content)


def _folder(name: str) -> Member:
    return Member(name, Kind.FOLDER, 0o755)


def _archive(*members: Member) -> bytes:
    return b"".join(tar_blocks(members, _EPOCH_S))


def test_headers_have_the_one_time_no_owner_and_no_devices() -> None:
    block = header(_file("Python-3.14.0/README.rst", b"12345678"), _EPOCH_S)
    assert len(block) == 512
    assert block[:100].rstrip(b"\0") == b"Python-3.14.0/README.rst"
    fields = ("0000644", "0000000", "0000000", "00000000010", f"{_EPOCH_S:011o}")
    assert block[100:148] == b"".join(field.encode() + bytes(1) for field in fields)
    assert block[156:265] == b"0" + bytes(100) + b"ustar\x00" + b"00"
    assert block[265:] == bytes(247)


def test_archives_end_with_two_empty_blocks_and_fill_a_record() -> None:
    for size_bytes in range(0, 30_000, 512):
        archive = _archive(_file("a", bytes(size_bytes)))
        assert len(archive) % 10_240 == 0
        assert 1024 <= len(archive) - 512 - size_bytes < 1024 + 10_240


@pytest.mark.parametrize(
    ("mode", "released"),
    [
        (0o600, 0o644),
        (0o664, 0o644),
        (0o666, 0o644),
        (0o700, 0o755),
        (0o777, 0o755),
        (0o711, 0o755),
        (0o400, 0o444),
        (0o444, 0o444),
        (0o4755, 0o4755),
    ],
)
def test_all_may_do_what_the_owner_may_but_write(mode: int, released: int) -> None:
    """As --mode=go+u,go-w does it."""
    assert released_mode(mode) == released


def test_a_name_of_100_bytes_needs_no_extended_header_and_one_of_101_does() -> None:
    assert len(header(_file("n" * 100), _EPOCH_S)) == 512
    assert len(header(_file("n" * 101), _EPOCH_S)) == 3 * 512
    assert len(header(_folder("n" * 99), _EPOCH_S)) == 512
    assert len(header(_folder("n" * 100), _EPOCH_S)) == 3 * 512


def test_a_file_too_large_for_ustar_is_refused() -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return 8**11

    with pytest.raises(ValueError, match="too large"):
        header(_file("a", Huge()), _EPOCH_S)


def test_a_folder_comes_before_what_is_named_like_it() -> None:
    """To git a folder sorts as if its name ended with a slash, to tar it does not."""
    names = ("a", "a/x", "a/x.py", "a.py", "a.py/b", "a-b", "a-b/c")
    members = [_folder(name) if name in {"a", "a.py", "a-b"} else _file(name) for name in names]
    ordered = [member.name for member in in_tar_order(sorted(members, key=git_order))]
    assert ordered == ["a", "a/x", "a/x.py", "a-b", "a-b/c", "a.py", "a.py/b"]


def test_members_do_not_wait_longer_than_order_asks_for() -> None:
    """A stream of thousands of files is not held in memory."""
    stream = [_folder("d"), *(_file(f"d/f{number:04}.py") for number in range(2000))]
    taken: list[Member] = []

    def counted() -> Iterator[Member]:
        for member in stream:
            taken.append(member)
            yield member

    for given_before, member in enumerate(in_tar_order(counted())):
        assert member == stream[given_before]
        assert len(taken) - given_before <= 2


_PARTS = st.text("ab-. \x01/é", min_size=1, max_size=4)


@given(st.sets(_PARTS.filter(lambda text: "//" not in f"/{text}/")))
def test_any_tree_in_gits_order_comes_out_in_tars_order(paths: set[str]) -> None:
    """GNU tar sorts each folder's names on their own, and puts what is in a folder behind it."""
    folders = {path[:at] for path in paths for at, each in enumerate(path) if each == "/"}
    members = [_folder(path) for path in folders] + [_file(path) for path in paths - folders]
    ordered = [member.name for member in in_tar_order(sorted(members, key=git_order))]
    assert ordered == sorted(ordered, key=lambda name: name.encode().split(b"/"))
    assert sorted(ordered) == sorted(member.name for member in members)


_NAMES = st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1)


@given(
    st.lists(_NAMES, min_size=1, max_size=4),
    st.sampled_from(Kind),
    st.integers(0, 0o777),
    st.binary(max_size=2000),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1),
)
def test_the_standard_library_reads_what_was_written(
    parts: list[str], kind: Kind, mode: int, content: bytes, target: str
) -> None:
    name = "/".join(parts)
    written = Member(
        name,
        kind,
        mode,
        content if kind is Kind.FILE else b"",
        target if kind is Kind.LINK else "",
    )
    with tarfile.open(fileobj=io.BytesIO(_archive(written)), encoding="utf-8") as archive:
        (read,) = archive.getmembers()
        assert (read.name, read.type, read.linkname) == (name, kind.value, written.target)
        assert (read.uid, read.gid, read.uname, read.gname) == (0, 0, "", "")
        assert (read.mtime, read.mode) == (_EPOCH_S, released_mode(mode))
        if kind is Kind.FILE:
            body = archive.extractfile(read)
            assert body is not None
            assert body.read() == content
