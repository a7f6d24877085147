from __future__ import annotations

import gzip
import io
import stat
import tarfile
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed
from plugins.steps.unpacking import tree_of, unpack

if TYPE_CHECKING:
    from pathlib import Path

ROOT = "Python-3.13.6"


def entry(name: str, kind: bytes = tarfile.REGTYPE, **more: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.mode, made.mtime = kind, 0o644, 1_700_000_000
    for key, value in more.items():
        setattr(made, key, value)
    return made


def an_archive(folder: Path, *entries: tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]) -> Path:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", errors="surrogateescape") as tar:
        for each in entries:
            info, content = each if isinstance(each, tuple) else (each, b"")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    path = folder / "Python-3.13.6.tgz"
    path.write_bytes(gzip.compress(stream.getvalue()))
    return path


def test_files_folders_and_links_stand_with_modes_and_times(tmp_path: Path) -> None:
    archive = an_archive(
        tmp_path,
        entry(ROOT, tarfile.DIRTYPE),
        entry(f"{ROOT}/Lib", tarfile.DIRTYPE),
        (entry(f"{ROOT}/Lib/os.py"), b"x = 1\n"),
        (entry(f"{ROOT}/configure", mode=0o755), b"#!/bin/sh\n"),
        entry(f"{ROOT}/Lib/link", tarfile.SYMTYPE, linkname="../configure"),
    )
    unpack(archive, tmp_path / "room", ROOT)
    top = tmp_path / "room" / ROOT
    assert (top / "Lib/os.py").read_bytes() == b"x = 1\n"
    assert stat.S_IMODE((top / "configure").stat().st_mode) == 0o755
    assert stat.S_IMODE((top / "Lib/os.py").stat().st_mode) == 0o644
    assert (top / "Lib/link").readlink().as_posix() == "../configure"
    assert (top / "Lib/os.py").stat().st_mtime == 1_700_000_000
    assert (top / "Lib").stat().st_mtime == 1_700_000_000
    assert set(tree_of(tmp_path / "room")) == {
        ROOT,
        f"{ROOT}/Lib",
        f"{ROOT}/Lib/link",
        f"{ROOT}/Lib/os.py",
        f"{ROOT}/configure",
    }


def test_archive_without_entries_for_folders_is_unpacked(tmp_path: Path) -> None:
    archive = an_archive(tmp_path, (entry(f"{ROOT}/a/b/c"), b"x"))
    unpack(archive, tmp_path / "room", ROOT)
    assert (tmp_path / "room" / ROOT / "a/b/c").read_bytes() == b"x"


@pytest.mark.parametrize(
    "entries",
    [
        (entry("/tmp/escaped"),),
        (entry("../escaped"),),
        (entry(f"{ROOT}/../escaped"),),
        (entry("other/escaped"),),
        (entry(f"{ROOT}/a//b"),),
        (entry(f"{ROOT}/./b"),),
        (entry(""),),
        (entry(f"{ROOT}/link", tarfile.SYMTYPE, linkname="/tmp"),),
        (entry(f"{ROOT}/link", tarfile.SYMTYPE, linkname=".."),),
        (entry(f"{ROOT}/a/link", tarfile.SYMTYPE, linkname="b/../../../x"),),
        (entry(f"{ROOT}/link", tarfile.SYMTYPE, linkname=""),),
        (
            entry(f"{ROOT}/sub/up", tarfile.SYMTYPE, linkname=".."),
            entry(f"{ROOT}/link", tarfile.SYMTYPE, linkname="sub/up/.."),
        ),
        (
            entry(f"{ROOT}/a", tarfile.SYMTYPE, linkname="b/c/d"),
            entry(f"{ROOT}/a/link", tarfile.SYMTYPE, linkname="../x"),
        ),
        (entry(f"{ROOT}/fifo", tarfile.FIFOTYPE),),
        (entry(f"{ROOT}/device", tarfile.CHRTYPE),),
        (entry(f"{ROOT}/hard", tarfile.LNKTYPE, linkname="/etc/passwd"),),
        (entry(f"{ROOT}/a"), entry(f"{ROOT}/a")),
        (entry(f"{ROOT}/a"), entry(f"{ROOT}/a/b")),
        (entry(f"{ROOT}/a"), entry(f"{ROOT}/a", tarfile.DIRTYPE)),
        (entry(f"{ROOT}/a", tarfile.SYMTYPE, linkname="b"), entry(f"{ROOT}/a")),
        (entry(f"{ROOT}/{'x' * 300}"),),
    ],
)
def test_archive_that_would_write_elsewhere_is_refused(
    tmp_path: Path, entries: tuple[tarfile.TarInfo, ...]
) -> None:
    place = tmp_path / "deep" / "room"
    archive = an_archive(tmp_path, *entries)
    with pytest.raises(StepFailed) as raised:
        unpack(archive, place, ROOT)
    assert str(raised.value).isprintable()
    outside = [path for path in tmp_path.rglob("*") if place not in (path, *path.parents)]
    assert set(outside) == {archive, tmp_path / "deep"}
    for path in place.rglob("*"):
        assert place in path.resolve().parents


def test_file_is_never_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    archive = an_archive(
        tmp_path,
        entry(f"{ROOT}/link", tarfile.SYMTYPE, linkname=str(tmp_path / "outside")),
        (entry(f"{ROOT}/link/file"), b"x"),
    )
    with pytest.raises(StepFailed):
        unpack(archive, tmp_path / "room", ROOT)
    assert list((tmp_path / "outside").iterdir()) == []


def test_trees_differ_in_content_mode_type_and_target(tmp_path: Path) -> None:
    trees = []
    for count, (content, mode, target) in enumerate(
        [(b"x", 0o644, "a"), (b"y", 0o644, "a"), (b"x", 0o755, "a"), (b"x", 0o644, "b")]
    ):
        room = tmp_path / str(count)
        room.mkdir()
        (room / "file").write_bytes(content)
        (room / "file").chmod(mode)
        (room / "link").symlink_to(target)
        trees.append(tuple(tree_of(room).items()))
    assert len(set(trees)) == 4
