"""Environment of one release for tests: the toy's git side, its release, real ports over both."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from plugins.model.layout import Layout
from plugins.model.release import Phase, Release, type_of
from plugins.model.series import series_of
from plugins.model.version import Version
from plugins.rehearsal.toy_cpython import make_toy
from plugins.services.git_base import GitBase
from plugins.services.git_clone import GitClone
from plugins.services.programs import MachinePrograms
from plugins.steps import release_clone
from tests.progress import Quiet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.ports.programs import Programs

__all__ = [
    "DAY", "NOON", "FixedClock", "World", "a_release", "a_world", "copy_repositories", "git",
    "lasting_folder",
]  # fmt: skip

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = date(2026, 11, 22)
_COLLEAGUE = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "A Colleague"), ("EMAIL", "colleague@example.org"))
}


@dataclass
class FixedClock:
    """A clock that a test sets."""

    time: datetime = NOON

    def now(self) -> datetime:
        return self.time


def a_release(work: Path, version: str = "3.13.6", phase: Phase | None = None) -> Release:
    found = Version.parse(version)
    return Release(
        version=found,
        type=type_of(found, phase),
        series=series_of(found),
        layout=Layout(work=work / version, version=found),
    )


@dataclass
class World:
    """The RM's clone of a toy, and the release that is made from it."""

    folder: Path
    release: Release
    programs: Programs = field(default_factory=MachinePrograms)
    clock: FixedClock = field(default_factory=FixedClock)
    wanted: str = ""
    public: str = ""
    """What a release was made from whose tag the fork has."""
    commits: int = 0

    @property
    def cpython(self) -> Path:
        """The RM's clone."""
        return self.folder / "cpython"

    @property
    def base(self) -> GitBase:
        return GitBase(
            self.cpython,
            self.programs,
            branch=self.release.branch,
            wanted=self.wanted,
            upstream=str(self.folder / "upstream.git"),
            public=lambda: self.public,
        )

    @property
    def clone(self) -> GitClone:
        return GitClone(self.release.layout.clone, self.programs)

    def make(self, *, cherry_picks: tuple[str, ...] = ()) -> GitClone:
        """The release clone, made or made again."""
        clone = self.clone
        release_clone.make(clone, self.base, Quiet(), cherry_picks=cherry_picks)
        return clone

    def commit(self, changes: Mapping[str, str | bytes | None], message: str = "A change") -> str:
        """A commit on the branch of upstream, fetched by the RM; None deletes a file."""
        branch = self.release.branch
        work = self.folder / "colleague"
        if not work.exists():
            git(self.folder, "clone", "-q", "upstream.git", str(work))
        git(work, "checkout", "-q", branch)
        for name, content in changes.items():
            file = work / name
            if content is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content if isinstance(content, bytes) else content.encode())
        git(work, "add", "--all", "--force")
        self.commits += 1
        when = f"2026-11-15T10:{self.commits:02}:00Z"
        dated = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        git(work, "commit", "-q", "-m", message, env=dated)
        git(work, "push", "-q", "origin", branch)
        git(self.cpython, "fetch", "-q", "upstream")
        return git(work, "rev-parse", "HEAD")

    def text(self, name: str, ref: str) -> str:
        """A file as the commit has it that a step left."""
        content = self.clone.read(f"refs/release/{ref}", name)
        assert content is not None
        return content.decode()


def a_world(folder: Path, version: str = "3.13.6", last: str = "3.13.5") -> World:
    copy_repositories(_toy(last), folder)
    return World(folder, a_release(folder / "build", version))


def copy_repositories(made: Path, folder: Path) -> None:
    """A copy of the folder, whose repositories and hooks name each other and not the old ones."""
    shutil.copytree(made, folder, symlinks=True, dirs_exist_ok=True)
    hooks = [each for each in folder.glob("*.git/hooks/*-receive") if each.is_file()]
    for file in (folder / "cpython/.git/config", folder / "fork.git/config", *hooks):
        file.write_text(file.read_text().replace(f"{made}/", f"{folder}/"))


def lasting_folder(prefix: str) -> Path:
    """A folder for what is made once and copied by all, until this process ends."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _toy(last: str) -> Path:
    """Made once and copied by all: the copy takes half as long, and git none of it."""
    folder = lasting_folder("toy-")
    make_toy(folder, version=last, released=date(2026, 11, 1))
    return folder


def git(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> str:
    """What git says; a failure is one of the test."""
    ended = subprocess.run(
        ["git", *words],
        cwd=folder,
        env={**os.environ, **_COLLEAGUE, **(env or {})},
        check=True,
        capture_output=True,
        text=True,
    )
    return ended.stdout.strip()
