from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed
from plugins.steps import checksums

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plugins.model.release import Release

    Builds = Callable[..., Release]


def with_files(release: Release) -> list[Path]:
    release.layout.src.mkdir(parents=True)
    files = [release.layout.src / name for name in ("b.tgz", "a.tar.xz", "b.tgz.asc")]
    for file in files:
        file.write_bytes(file.name.encode())
    return files


def test_list_is_what_sha256sum_checks(a_release: Builds) -> None:
    release = a_release()
    files = with_files(release)
    assert checksums.write(release, files) == {"files": "3"}
    told = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=release.layout.src, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert told.splitlines() == ["a.tar.xz: OK", "b.tgz: OK", "b.tgz.asc: OK"]


def test_same_files_give_the_same_list(a_release: Builds) -> None:
    release = a_release()
    files = with_files(release)
    checksums.write(release, files)
    before = release.layout.checksums.read_bytes()
    checksums.write(release, [*reversed(files), files[0]])
    assert release.layout.checksums.read_bytes() == before


def test_missing_file_is_told(a_release: Builds) -> None:
    release = a_release()
    files = with_files(release)
    files[1].unlink()
    with pytest.raises(
        StepFailed, match=r"src/a\.tar\.xz: does not exist, so its checksum cannot be listed"
    ):
        checksums.write(release, files)


def test_file_that_no_task_made_is_refused(a_release: Builds) -> None:
    release = a_release()
    files = with_files(release)
    (release.layout.src / "Python-3.13.5.tgz").write_bytes(b"")
    with pytest.raises(StepFailed, match=r"src/Python-3\.13\.5\.tgz: no task .* move it away"):
        checksums.write(release, files)
    assert not release.layout.checksums.exists()


def test_rest_of_a_killed_run_is_passed_over(a_release: Builds) -> None:
    release = a_release()
    files = with_files(release)
    (release.layout.src / "b.tgz.partial").write_bytes(b"")
    assert checksums.write(release, files) == {"files": "3"}
