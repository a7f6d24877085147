"""A toy export that can be stopped anywhere, put back to any moment, and compared.

Everything that tells the time stands still, so two exports from the same moment leave the same
bytes: the release's clock, and that of gpg.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from plugins.model.release import KIND_NAMES
from plugins.model.version import Version
from plugins.rehearsal.machine import run
from plugins.rehearsal.world import home_of, make_world
from tests.ended import Ended
from tests.moments import AT_ONCE

PROJECT = Path(__file__).resolve().parents[2]
KILLER = PROJECT / "tests" / "engine" / "killer.py"
if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.model.release import ReleaseType

VERSION = "3.13.6"
# Making it takes a minute, and no export writes to one that is complete.
TOOLS = "docs-tools"
LEFT = ("receipts", "src", "docs", "made")


@dataclass(frozen=True, slots=True)
class Done:
    """A receipt as it stands: when it is written again, its inode and time are others."""

    inode: int
    time_ns: int


class Toy:
    """A toy release in ``folder``, with the docs tools of ``tools`` if they are there.

    By ``habit`` its experts bring their files, see plugins.rehearsal.experts.
    """

    def __init__(
        self,
        folder: Path,
        tools: Path,
        formats: str = '"text", "html"',
        version: str = VERSION,
        habit: str = "manifests",
        kind: ReleaseType | None = None,
    ) -> None:
        self.folder = folder
        self.work = folder / "build" / (f"{version}-{KIND_NAMES[kind]}" if kind else version)
        parsed = Version.parse(f"{version}.0" if kind else version)
        self.declaration = make_world(folder, parsed, habit=habit, kind=kind)
        told = self.declaration.read_text()
        self.declaration.write_text(re.sub(r"formats = .*", f"formats = [{formats}]", told))
        self.home = home_of(folder)
        self.now = datetime.now(UTC).replace(microsecond=0)
        # The signer reads no gpg.conf.
        self._put_program(
            "gpg",
            f'exec {shutil.which("gpg")} --faked-system-time {self.now:%Y%m%dT%H%M%S}! "$@"\n',
        )
        self.tools = tools / TOOLS
        self._saved = folder / "saved"
        self._server: subprocess.Popen[str] | None = None
        if kind is None:
            self._lend_tools(tools)
        self.work.mkdir(parents=True, exist_ok=True)

    def _lend_tools(self, tools: Path) -> None:
        """The docs tools are made once for all toys of a session, and copied as hard links."""
        tools.mkdir(exist_ok=True)
        with (tools / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.tools.exists():
                made = self.doit("build_topics")
                assert made.status == 0, made.out
                copy(self.work / TOOLS, tools / "partial")
                (tools / "partial").rename(self.tools)
        self.work.mkdir(parents=True, exist_ok=True)
        if not (self.work / TOOLS).exists():
            copy(self.tools, self.work / TOOLS)

    def close(self) -> None:
        """Nothing of it is left outside its folder."""
        if self._server is not None:
            # The end of what it reads is its end.
            self._server.communicate()
        run(self.home, "gpgconf", "--homedir", self.home, "--kill", "all")
        shutil.rmtree(self.home, ignore_errors=True)

    # ── running ────────────────────────────────────────────────────────────────────────────

    def words(self, *words: str | Path) -> list[str]:
        """``doit run`` of this release with the clock stopped, as words for the killer."""
        return [
            f"--clock={self.now.isoformat()}", "run", AT_ONCE, f"--release={self.declaration}",
            *map(str, words),
        ]  # fmt: skip

    def start(
        self, *tasks: str, out: str = "out", before: tuple[str, ...] = ()
    ) -> subprocess.Popen[bytes]:
        """Begin to run tasks, in a process group of their own.

        ``before`` are words in front of the command. Programs in the folder ``bin`` go before
        those of this machine.
        """
        with (self.folder / out).open("wb") as stream:
            return subprocess.Popen(
                [*before, sys.executable, KILLER, *self.words(*tasks)],
                cwd=PROJECT,
                env=self._env(),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _env(self) -> dict[str, str]:
        return {**os.environ, "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    def doit(self, *tasks: str, before: tuple[str, ...] = ()) -> Ended:
        """Run tasks to their end."""
        with self.start(*tasks, before=before) as process:
            status = process.wait(timeout=600)
        return Ended(status, self.out())

    def out(self, name: str = "out") -> str:
        """What a run wrote on either stream."""
        return (self.folder / name).read_text(errors="replace")

    @contextmanager
    def instead(self, name: str, script: str) -> Iterator[None]:
        """In the block, steps find this script as the program of that name."""
        target = self._put_program(name, script)
        yield
        target.unlink()

    def _put_program(self, name: str, script: str) -> Path:
        target = self.folder / "bin" / name
        target.parent.mkdir(exist_ok=True)
        target.write_text(f"#!/bin/sh\n{script}")
        target.chmod(0o755)
        return target

    def quickly(self, *options: str, task: str) -> Ended:
        """Run a task to its end or its kill, in a process that need not import any more."""
        if self._server is None:
            self._server = subprocess.Popen(
                [sys.executable, KILLER, "--serve"],
                cwd=PROJECT,
                env=self._env(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._server.stdin
        assert self._server.stdout
        asked = [f"--log={self.folder / 'out'}", f"--below={self.work}/", *options]
        self._server.stdin.write(json.dumps([*asked, *self.words(task)]) + "\n")
        self._server.stdin.flush()
        return Ended(int(self._server.stdout.readline()), self.out())

    # ── moments ────────────────────────────────────────────────────────────────────────────

    def save(self, name: str) -> None:
        """Keep the work folder as it is now, under a name."""
        target = self._saved / name
        target.mkdir(parents=True)
        for path in self.work.iterdir():
            if path.name != TOOLS:
                copy(path, target / path.name)

    def restore(self, name: str = "") -> None:
        """The work folder is as it was when it was saved; empty without a name."""
        for path in self.work.iterdir():
            if path.name == TOOLS:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        if name:
            self.take(self._saved / name)

    def take(self, folder: Path) -> None:
        """Everything in the folder stands in the work folder as well."""
        for path in folder.iterdir():
            copy(path, self.work / path.name)

    def left(self) -> dict[str, bytes | str]:
        """Everything that a release leaves: files by name, and the clone's refs and state."""
        found: dict[str, bytes | str] = {**self.files()}
        if (self.work / "clone").exists():
            found["refs"] = self.git("for-each-ref")
            found["HEAD"] = self.git("rev-parse", "HEAD", "HEAD^{tree}")
            found["edited"] = self.git("status", "--porcelain", "--ignored", "-uall")
            found["broken"] = self.git("fsck", "--no-dangling", "--no-progress")
        return found

    def files(self) -> dict[str, bytes]:
        """Receipts and products as they are at any moment, by their names below the work folder."""
        return {
            str(path.relative_to(self.work)): path.read_bytes()
            for folder in LEFT
            for path in sorted((self.work / folder).rglob("*"))
            if path.is_file()
        }

    def git(self, *words: str) -> str:
        """What git says of the release clone."""
        return run(self.work / "clone", "git", *words)

    def done(self) -> dict[str, Done]:
        """The tasks that are on record as finished."""
        return {
            path.stem: Done(path.stat().st_ino, path.stat().st_mtime_ns)
            for path in (self.work / "receipts").glob("*.json")
        }

    def ran(self) -> list[str]:
        """The tasks that the journal tells as done, each as often as it was."""
        journal = self.work / "journal.jsonl"
        lines = journal.read_text().splitlines() if journal.exists() else []
        entries = [json.loads(line) for line in lines]
        return [each["task"] for each in entries if each["event"] == "done"]


def copy(source: Path, target: Path) -> None:
    """Copy a file or folder with everything that can be kept."""
    subprocess.run(["cp", "-a", source, target], check=True)
