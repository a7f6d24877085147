"""Staged files: those of a small release, and what a host shows of them."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from doit_receipts.artifact import Artifact, sha256_of
from plugins.model.remote_layout import RemoteLayout
from plugins.model.version import Version
from plugins.steps.staging import stage, switch, wanted
from plugins.steps.staging_folders import reserve
from tests.host_world import ROOT, Rehearsed, Standing
from tests.progress import Quiet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plugins.model.content import NamedFile

__all__ = ["BERTH", "NAMES", "a_file_of_steve", "everything", "released", "seen", "some_files"]

BERTH = RemoteLayout(Version.parse("3.13.6")).downloads
NAMES = (
    "Python-3.13.6.tar.xz", "Python-3.13.6.tar.xz.asc", "Python-3.13.6.tgz",
    "Python-3.13.6.tgz.asc", "Python-3.13.6.tgz.spdx.json", "SHA256SUMS",
)  # fmt: skip


def some_files(folder: Path, names: Sequence[str] = NAMES) -> tuple[NamedFile, ...]:
    """Files of a release, on this machine."""
    folder.mkdir(exist_ok=True)
    made = []
    for name in names:
        path = folder / name
        path.write_bytes(f"the bytes of {name}\n".encode() * 5000)
        made.append(Artifact(path, path.stat().st_size, sha256_of(path)))
    return wanted(made)


def seen(there: Standing) -> dict[str, tuple[int, bytes]]:
    """The mode and bytes of what users see of the release."""
    folder = there.files / BERTH.final
    return {
        path.name: (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
        for path in sorted(folder.iterdir())
    }


def everything(files: Sequence[NamedFile]) -> dict[str, tuple[int, bytes]]:
    return {file.name: (0o644, file.source.read_bytes()) for file in files if file.source}


def released(files: Sequence[NamedFile], there: Standing) -> None:
    reserve(BERTH, there.host)
    stage(files, BERTH, there.host, Quiet())
    switch(files, BERTH, there.host, Quiet())


def a_file_of_steve(world: Rehearsed, file: NamedFile, mode: int) -> str:
    """The Windows expert has put it into the hidden folder; this is its path there."""
    reserve(BERTH, world.host())
    path = f"{BERTH.staging}/{file.name}"
    assert file.source is not None
    (world.files / path).write_bytes(file.source.read_bytes())
    (world.files / path).chmod(mode)
    world.server.disk.own(f"{ROOT}/{path}", "steve", "downloads")
    return path
