from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

import pytest

from doit_receipts.durable import PARTIAL, replacing, write_whole

if TYPE_CHECKING:
    from pathlib import Path


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_content_stands_under_its_name_with_nothing_beside_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "new" / "file", b"content")
    assert (tmp_path / "new" / "file").read_bytes() == b"content"
    assert names_in(tmp_path / "new") == ["file"]


def write_half(path: Path, error: BaseException) -> None:
    with replacing(path) as stream:
        stream.write(b"half")
        raise error


def test_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")
    with pytest.raises(KeyboardInterrupt):
        write_half(path, KeyboardInterrupt())
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]


def test_error_before_the_first_file_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="disk is full"):
        write_half(tmp_path / "file", OSError("disk is full"))
    assert names_in(tmp_path) == []


def test_full_disk_names_the_file_that_was_to_be_there(tmp_path: Path) -> None:
    """The error of a descriptor has no name; what has one keeps it, and so does a broken pipe."""
    for number, named, wanted in (
        (errno.ENOSPC, None, str(tmp_path / "file")),
        (errno.ENOSPC, "/elsewhere", "/elsewhere"),
        (errno.EPIPE, None, None),
    ):
        error = OSError(number, os.strerror(number), named)
        with pytest.raises(OSError, match=os.strerror(number)) as caught:
            write_half(tmp_path / "file", error)
        assert caught.value.filename == wanted


def test_name_is_free_until_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with replacing(path) as stream:
        stream.write(b"x")
        stream.flush()
        assert not path.exists()
        assert stream.name == str(path) + PARTIAL
    assert path.read_bytes() == b"x"


def test_partial_file_of_a_killed_run_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.with_name("file" + PARTIAL).write_bytes(b"a much longer rest of a killed run")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert names_in(tmp_path) == ["file"]


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_mode_does_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_whole(tmp_path / "file", b"x", mode=0o640)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640
