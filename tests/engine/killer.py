"""doit, with SIGKILL just before or after one of its writes.

``killer.py [OPTION...] WORD...`` is ``doit WORD...``. A write is a call that changes the disk: a
rename, an fsync, a write to a descriptor, a file opened to be written, a file or folder made or
removed, a program started. Each is seen just before and just after it happens, and has a name
that is the same in each run. ``--report FILE`` leaves the names of all instants in FILE, a line
each; ``--at NAME`` is the one where doit kills itself, and from ``--full NAME`` on every write
finds the disk full. ``--clock TIME`` stops the release's clock.

``killer.py --serve`` does the same for each line that it reads, a JSON list of words, in a
process of its own that has imported already what takes most of a short run; it answers with the
exit status, or the signal as a negative number.
"""

from __future__ import annotations

import argparse
import builtins
import errno
import importlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from datetime import datetime
from mmap import mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = (
    "fchmod", "fsync", "ftruncate", "link", "mkdir", "pwrite", "rename", "replace", "rmdir",
    "symlink", "unlink", "utime", "write",
)  # fmt: skip
GROWING = ("fsync", "mkdir", "open", "pwrite", "rename", "replace", "symlink", "write")
WRITING = frozenset("wax+")
IMPORTED = (
    "doit.doit_cmd", "git", "gnupg", "doit_receipts.command.run", "plugins.services.git_base",
    "plugins.services.git_clone", "plugins.services.gnupg_signer",
)  # fmt: skip
WITH_A_VALUE = ("-c", "-C", "-m")
# What tempfile makes up is another word in each run.
_OPEN, _UNLINK, _WRITE = os.open, os.unlink, os.write
MADE_UP = re.compile(r"(?<=[.-])[a-z0-9_]{8}(?=/|$)")


class Killer:
    """Sees the instants of this process, and ends it at the fatal one."""

    def __init__(self, fatal: str, full: str, below: str, *, everybody: bool = False) -> None:
        self.seen: list[str] = []
        self._fatal = fatal
        self._full = full
        # The run and its workers have one disk.
        self._is_full = mmap(-1, 1)
        self._below = below
        self._run = os.getpid() if everybody else 0
        self._counts: Counter[str] = Counter()
        # Steps write from several threads.
        self._lock = threading.Lock()

    def instant(self, moment: str, what: str) -> str:
        with self._lock:
            name = f"{moment} {what}"
            self._counts[name] += 1
            name += f" {self._counts[name]}"
            self.seen.append(name)
            if name == self._fatal:
                # The run first: it tells of whatever it outlives.
                if self._run:
                    os.kill(self._run, signal.SIGKILL)
                os.kill(os.getpid(), signal.SIGKILL)
            if name == self._full:
                self._is_full[0] = 1
            return name

    def report_to(self, file: Path) -> None:
        """The instants stand in the file when this process and its forks have ended."""
        with suppress(FileNotFoundError):
            _UNLINK(file)
        run, end = os.getpid(), os._exit
        os.register_at_fork(after_in_child=self.seen.clear)

        def leave() -> None:
            with self._lock:
                seen = "".join(f"{each}\n" for each in self.seen)
            descriptor = _OPEN(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            _WRITE(descriptor, seen.encode())
            os.close(descriptor)

        def leave_and_end(status: int) -> None:
            if os.getpid() != run:
                leave()
            end(status)

        os._exit = leave_and_end  # type: ignore[assignment]
        self.leave = leave

    def watch_writes(self) -> None:
        """From now on every write of this process is seen."""
        for name in WATCHED:
            setattr(os, name, self.watch(getattr(os, name), name, self.path))
        io.open = builtins.open = self.watch(io.open, "open", self.opened)
        starting: Any = subprocess.Popen
        starting.__init__ = self.watch(starting.__init__, "start", self.started)

    def watch(
        self, act: Callable[..., Any], name: str, tell: Callable[..., str]
    ) -> Callable[..., Any]:
        """The same function, with an instant before and after each call that ``tell`` names."""

        def watched(*words: Any, **named: Any) -> Any:
            what = tell(*words, **named)
            if not what:
                return act(*words, **named)
            before = self.instant("before", f"{name} {what}")
            try:
                self._refuse_if_full(name)
                given = act(*words, **named)
            except OSError:
                # What fails changes nothing.
                self.seen.remove(before)
                raise
            self.instant("after", f"{name} {what}")
            return given

        return watched

    def _refuse_if_full(self, act: str) -> None:
        if self._is_full[0] and act in GROWING:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def path(self, path: object, *_: object, **named: object) -> str:
        """The file in words that are the same in each run; "" for a pipe or a socket."""
        if isinstance(path, int):
            found = Path(f"/proc/self/fd/{path}")
            told = str(found.readlink()) if found.is_symlink() else "descriptor"
        elif isinstance(path, (str, bytes, os.PathLike)):
            told = os.fsdecode(path)
        else:
            told = "descriptor"
        if named.get("dir_fd") is not None:
            told = f"{self.path(named['dir_fd'])}/{told}"
        if told.startswith(("pipe:", "socket:")):
            return ""
        if told.startswith("/") and not told.startswith(self._below):
            return "elsewhere"
        return MADE_UP.sub("*", told.removeprefix(self._below))

    def opened(self, file: object, mode: str = "r", *_: object, **__: object) -> str:
        """A file that is opened to be written; "" for one that is read."""
        return self.path(file) if WRITING & set(mode) else ""

    def started(self, _self: object, argv: Any, *_: object, **__: object) -> str:
        """A program that is started, with its first word that is no option."""
        words = [argv] if isinstance(argv, str) else [os.fspath(word) for word in argv]
        rest = words[1:]
        while rest and rest[0].startswith("-"):
            rest = rest[2 if rest[0] in WITH_A_VALUE else 1 :]
        return " ".join(Path(word).name for word in (words[0], *rest[:1]))


def run(arguments: list[str]) -> int:
    """doit, as the arguments ask; its exit status."""
    options = argparse.ArgumentParser()
    options.add_argument("--at", default="")
    options.add_argument("--everybody", action="store_true")
    options.add_argument("--full", default="")
    options.add_argument("--below", default="")
    options.add_argument("--report", type=Path)
    options.add_argument("--clock", type=datetime.fromisoformat)
    options.add_argument("--log", type=Path)
    options.add_argument("words", nargs=argparse.REMAINDER)
    asked = options.parse_args(arguments)
    if asked.log:
        with asked.log.open("wb") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
    from doit.doit_cmd import DoitMain  # noqa: PLC0415 - after sys.path was set

    if asked.clock:
        from doit_receipts.clock import SystemClock  # noqa: PLC0415 - as above

        SystemClock.now = lambda _: asked.clock  # type: ignore[method-assign, assignment]
    killer = Killer(asked.at, asked.full, asked.below, everybody=asked.everybody)
    if asked.at or asked.full or asked.report:
        killer.watch_writes()
    if asked.report:
        killer.report_to(asked.report.absolute())
    status: int = DoitMain().run(asked.words)
    if asked.report:
        killer.leave()
    return status


def serve() -> None:
    """Answer each line with how doit ended in a process of its own."""
    for name in IMPORTED:
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            os.setsid()
            status = 70
            try:
                status = run(json.loads(line))
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(ended)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        sys.exit(run(sys.argv[1:]))
