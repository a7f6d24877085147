"""Tests of steps that are stopped at any program they run: done again, they end as if never."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from plugins.services.programs import MachinePrograms
from plugins.steps import news, release_clone, version_files
from tests.source_world import DAY, World, a_world

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plugins.ports.programs import Completed

pytestmark = pytest.mark.slow


class Killed(BaseException):
    """The process would be gone here."""


class KilledPrograms(MachinePrograms):
    """Programs of which one, counted from 1, is the last: killed before or after its work."""

    def __init__(self, last: int) -> None:
        super().__init__()
        self.last = last
        self.count = 0

    def run(self, argv: Sequence[str | Path], *, folder: Path, **more: Any) -> Completed:
        self.count += 1
        if self.count == self.last and self.count % 2:
            self.leave_locks(folder)
            raise Killed
        ended = super().run(argv, folder=folder, **more)
        if self.count == self.last:
            self.leave_locks(folder)
            raise Killed
        return ended

    def leave_locks(self, folder: Path) -> None:
        """As a git that is killed in the middle leaves them."""
        dot = folder / ".git"
        if dot.is_dir() and folder.name == "clone":
            for name in ("index.lock", "HEAD.lock"):
                (dot / name).write_bytes(b"half")
            (folder / "README.rst").write_text("half an edit")
            (folder / "stray").write_text("left over")


def run(world: World) -> str:
    release, clone, base = world.release, world.make(), world.base
    news.merge(release, clone, world.programs, date=DAY)
    version_files.bump(release, clone, after="news")
    version_files.readme(release, clone, after="bump")
    version_files.mark_next(release, clone, after="readme")
    return release_clone.commit(release, clone, base, world.clock, after="mark_next")["commit"]


def test_release_stopped_at_each_program_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    undisturbed = run(a_world(tmp_path / "calm"))
    world = a_world(tmp_path / "stormy")
    last = 0
    while True:
        last += 1
        programs = KilledPrograms(last)
        world.programs = programs
        try:
            ended = run(world)
        except Killed:
            world.programs = MachinePrograms()
            if last % 7 == 0:
                assert run(world) == undisturbed
            continue
        assert ended == undisturbed
        break
    assert last > 40
