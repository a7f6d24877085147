"""What a person is told of a disk that refused something."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest

from doit_receipts.runner import refused_by_disk


def full(file: Path | None = None) -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), *([str(file)] if file else []))


def test_a_file_of_the_release_that_does_not_fit_names_it_and_the_work_folder(
    tmp_path: Path,
) -> None:
    file = tmp_path / "src" / "Python-3.13.6.tgz"
    assert str(refused_by_disk(full(file), tmp_path)) == (
        f"{file}: no space left on device; "
        f"see to the disk of {tmp_path}, then run the same command again"
    )


def test_a_file_elsewhere_that_does_not_fit_names_its_own_folder(tmp_path: Path) -> None:
    """The work folder may have all the room of the world."""
    told = str(refused_by_disk(full(Path("/tmp/gpg/pubring.kbx")), tmp_path))
    assert "see to the disk of /tmp/gpg, then" in told


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no second disk is known here")
def test_a_write_that_names_no_file_names_every_disk_that_it_may_be_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")
    here = "/" if tmp_path.stat().st_dev == Path("/dev/shm").stat().st_dev else tmp_path
    told = str(refused_by_disk(full(), Path(here)))
    assert f"see to the disks of {here} and of /dev/shm, then" in told
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert f"see to the disk of {tmp_path}, then" in str(refused_by_disk(full(), tmp_path))


def test_no_room_for_temporary_files_says_where_and_what_to_do(tmp_path: Path) -> None:
    """The words are those of the standard library; the work folder has nothing to do with it."""
    error = FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")
    assert str(refused_by_disk(error, tmp_path)) == (
        "temporary files: no usable temporary directory found in ['/tmp']; make room in one of "
        "these, or name a folder that has it in TMPDIR, then run the same command again"
    )


def test_an_error_that_is_none_of_the_disk_is_raised_again(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        refused_by_disk(FileNotFoundError(errno.ENOENT, "No such file or directory"), tmp_path)
