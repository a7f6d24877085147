"""Git history: the History port, upstream read with no clone but our own."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from plugins.services.git_clone import GitClone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from plugins.ports.git import Clone, Remote
    from plugins.ports.programs import Programs

__all__ = ["GitHistory", "address_for_all"]

_SETTINGS: Final = (
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("core.hooksPath", os.devnull),
    ("core.attributesFile", os.devnull),
)


# Source: GitHub's own addresses; its ssh wants a key even of those who only read.
_GITHUB_SSH: Final = re.compile(r"(?:ssh://)?git@github\.com[:/](?P<repository>[\w.-]+/[\w.-]+)")


def address_for_all(address: str) -> str:
    """Where everybody can read the repository, who has no key: https instead of GitHub's ssh."""
    found = _GITHUB_SSH.fullmatch(address)
    return f"https://github.com/{found['repository']}" if found else address


class GitHistory:
    """``folder`` takes what is fetched; objects that ``near`` has are not fetched again.

    ``near`` is any clone on this machine, or none. git does not hash what it takes from there;
    who builds on that does (see ``checks.git_objects``).
    """

    def __init__(self, folder: Path, remote: Remote, near: Path, programs: Programs) -> None:
        self._folder = folder
        self._remote = remote
        self._near = near
        self._programs = programs

    def __repr__(self) -> str:
        return f"history({self._remote!r})"

    def refs(self, *names: str) -> Mapping[str, str]:
        """See the port."""
        return self._remote.refs(*names)

    def matching(self, *patterns: str) -> tuple[str, ...]:
        """See the port."""
        return self._remote.matching(*patterns)

    def bring(self, wanted: Mapping[str, str], gone: Sequence[str] = ()) -> Clone:
        """See the port."""
        if not (self._folder / ".git" / "HEAD").exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._programs.run(["git", "init", "--quiet", "--template="], folder=self._folder)
            for name, value in _SETTINGS:
                self._programs.run(["git", "config", name, value], folder=self._folder)
        objects = _objects_of(self._near)
        if objects.is_dir():
            info = self._folder / ".git" / "objects" / "info"
            info.mkdir(parents=True, exist_ok=True)
            (info / "alternates").write_text(f"{objects.resolve()}\n", encoding="utf-8")
        clone = GitClone(self._folder, self._programs)
        for ref in gone:
            clone.forget(ref)
        if wanted:
            self._remote.fetch(self._folder, wanted)
        return clone


def _objects_of(clone: Path) -> Path:
    """Where the clone keeps its objects; of a worktree, where its repository does."""
    place = clone / ".git"
    if place.is_file():
        target = place.read_text("utf-8").removeprefix("gitdir:").strip()
        place = clone / target
        if (place / "commondir").is_file():
            place = place / (place / "commondir").read_text("utf-8").strip()
    return place / "objects"
