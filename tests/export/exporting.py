"""Releases of a toy CPython for tests that watch real doit processes from outside."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from plugins.model.version import Version
from plugins.rehearsal.gnupg_home import GnupgHome
from plugins.rehearsal.world import home_of, make_world
from tests.ended import Ended
from tests.moments import IN_ORDER

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PROJECT", "Place", "a_place", "git", "lean", "whole_folder"]

PROJECT: Final = Path(__file__).resolve().parents[2]
"""The checkout that is tested: doit finds its dodo.py and plugins in the current folder."""

_ROW: Final = re.compile(r"  (done|stale|ready|later|waiting|blocked|failed) +(\w+) +(\S+) *(.*)")


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with a release.toml, the world that it speaks of, and the release's work folder."""

    folder: Path
    version: str
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def declaration(self) -> Path:
        return self.folder / "release.toml"

    @property
    def cpython(self) -> Path:
        """The RM's clone."""
        return self.folder / "world" / "cpython"

    @property
    def work(self) -> Path:
        return self.folder / "build" / self.version

    def doit(
        self, command: str, *words: str, env: Mapping[str, str] | None = None, umask: int = 0o022
    ) -> Ended:
        """Run a doit command to its end, as a person at a terminal 80 columns wide would."""
        asked = [command, *([IN_ORDER] if command == "run" else [])]
        return self.program(
            [sys.executable, "-m", "doit", *asked, "--release", str(self.declaration), *words],
            env=env,
            umask=umask,
        )

    def program(
        self, words: list[str], *, env: Mapping[str, str] | None = None, umask: int = 0o022
    ) -> Ended:
        ended = subprocess.run(
            words,
            cwd=PROJECT,
            env={**os.environ, **self.env, **(env or {})},
            umask=umask,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=600,
        )
        return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    def export(self, *, env: Mapping[str, str] | None = None, umask: int = 0o022) -> Ended:
        return self.doit("run", "export", env=env, umask=umask)

    def listed(self) -> str:
        """What ``doit list --status`` shows, with a line for each task."""
        ended = self.doit("list", "--status", "--all")
        assert (ended.status, ended.err) == (0, ""), ended
        return ended.out

    def standings(self) -> dict[str, tuple[str, str]]:
        """State and words of every task, as the list shows them, without how long it took."""
        return {
            name: (state, why.partition("took ")[0])
            for state, name, _, why in _ROW.findall(self.listed())
        }

    def declare(self, old: str, new: str) -> None:
        """Edit release.toml as a person would."""
        text = self.declaration.read_text(encoding="utf-8")
        assert old in text, old
        self.declaration.write_text(text.replace(old, new), encoding="utf-8")

    def commit(self, changes: Mapping[str, str | bytes | None], message: str = "A change") -> str:
        """A commit on the base branch of upstream, which the RM has fetched; None deletes."""
        branch = git(self.cpython, "symbolic-ref", "--short", "HEAD")
        work = self.folder / "world" / "colleague"
        if not work.exists():
            git(work.parent, "clone", "-q", "-b", branch, "upstream.git", str(work))
            git(work, "config", "user.name", "A Colleague")
            git(work, "config", "user.email", "colleague@example.org")
        for name, content in changes.items():
            file = work / name
            if content is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content if isinstance(content, bytes) else content.encode())
        git(work, "add", "--all", "--force")
        git(work, "commit", "-q", "-m", message)
        # Colleagues merge at GitHub; what the rules of the branch refuse is a push.
        unguarded = "git -c core.hooksPath=/dev/null receive-pack"
        git(work, "push", "-q", f"--receive-pack={unguarded}", "origin", branch)
        git(self.cpython, "fetch", "-q", "upstream")
        return git(work, "rev-parse", "HEAD")

    @property
    def gnupg_home(self) -> str:
        """Where its throw-away key is kept; a copy shares it."""
        found = re.search(
            r'^gnupg_home *= "(.*)"', self.declaration.read_text("utf-8"), re.MULTILINE
        )
        assert found
        return found[1]

    def forget_key(self) -> None:
        """The throw-away key and its agent, which stand outside of the folder, are gone."""
        home = GnupgHome(home_of(self.folder))
        if home.folder.is_dir():
            home.stop()
            # Its agent clears its sockets away at the same time.
            shutil.rmtree(home.folder, ignore_errors=True)

    def copied(self, folder: Path) -> Place:
        """The same place elsewhere, its docs tools shared and all else its own."""
        _copy(self.folder, folder)
        place = Place(folder, self.version, self.env)
        for remote, repository in (("origin", "fork.git"), ("upstream", "upstream.git")):
            git(place.cpython, "remote", "set-url", remote, str(folder / "world" / repository))
        return place

    def products(self) -> dict[str, str]:
        """sha256 of everything that would be published, by its name."""
        found = (path for room in ("src", "docs") for path in (self.work / room).rglob("*"))
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(found)
            if path.is_file()
        }


def a_place(folder: Path, version: str, tools: Path | None = None) -> Place:
    """A world one release before ``version``, with the docs tools as another place made them."""
    make_world(folder, Version.parse(version))
    place = Place(folder, version)
    if tools is not None:
        _link(tools, place.work / "docs-tools")
    return place


def lean(place: Place) -> None:
    """One documentation format and no test of the sources: what is left takes seconds."""
    text = place.declaration.read_text(encoding="utf-8")
    text = re.sub(r"^formats = .*", 'formats = ["text"]', text, flags=re.MULTILINE)
    text = re.sub(r"^source = .*", 'source = "none"', text, flags=re.MULTILINE)
    place.declaration.write_text(text, encoding="utf-8")


def whole_folder(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Every name below the folder with its mode, its mtime, and its bytes or what it links to."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            str(path.readlink())
            if path.is_symlink()
            else hashlib.sha256(path.read_bytes()).hexdigest()
            if path.is_file()
            else "folder",
        )
        for path in (folder, *folder.rglob("*"))
    }


def git(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> str:
    """What git says; a failure is one of the test."""
    ended = subprocess.run(
        ["git", *words],
        cwd=folder,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, **(env or {})},
        check=True,
        capture_output=True,
        text=True,
    )
    return ended.stdout.strip()


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("docs-tools"))
    for tools in source.glob("build/*/docs-tools"):
        _link(tools, target / tools.relative_to(source))


def _link(tools: Path, target: Path) -> None:
    """The docs tools stand at ``target`` as well; nothing in them is written once they are made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(tools.resolve(), target_is_directory=True)
