"""doit, with SIGKILL at the Nth of its writes: ``killer.py N REPORT doit words ...``.

A write is a rename, an fsync, a write to a file descriptor or the unlinking of a file, seen
just before and just after it happens. With N = 0 nothing is killed, and the count of such
instants is written to REPORT.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = ("replace", "rename", "fsync", "write", "unlink", "link", "symlink")


class Killer:
    def __init__(self, fatal: int) -> None:
        self.fatal = fatal
        self.seen = 0

    def instant(self) -> None:
        self.seen += 1
        if self.seen == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*words: Any, **named: Any) -> Any:
            self.instant()
            given = act(*words, **named)
            self.instant()
            return given

        return watched


def main() -> int:
    fatal, report, *words = sys.argv[1:]
    killer = Killer(int(fatal))
    for name in WATCHED:
        setattr(os, name, killer.watch(getattr(os, name)))
    sys.path.insert(0, str(Path.cwd()))
    # Late: what doit imports must see the watched functions.
    from doit.doit_cmd import DoitMain  # noqa: PLC0415 - as said

    status: int = DoitMain().run(words)
    Path(report).write_text(str(killer.seen))
    return status


if __name__ == "__main__":
    sys.exit(main())
