"""Starter: starts doit and the rehearsed world at once, for it has imported already what both need.

``starter.py`` reads a JSON list of words a line and answers each with a line. ``["world",
FOLDER]`` starts the world there and answers with its process id once it is ready; ``["end",
PID]`` ends it. ``["doit", JSON]`` runs doit to its end as a process of its own, and answers with
the exit status, or the signal as a negative number; ``["people", JSON]`` lets everybody give the
green lights that are asked of them, as a rehearsal does. The JSON has the words of the command,
the release's clock, the files that take what it says, and after how many records of the world
it is killed (0: never).
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import sys
from dataclasses import asdict, dataclass, field
from datetime import datetime
from email import utils
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Asked"]

_IMPORTED = (
    "doit.doit_cmd", "fabric", "git", "gnupg", "httpx", "jinja2", "paramiko", "sigstore.sign",
    "sigstore.verify", "stamina",
    "doit_receipts.command.adopt_retry", "plugins.command.rehearse", "doit_receipts.command.run",
    "plugins.rehearsal.serving", "plugins.services.cdn", "plugins.services.discourse",
    "plugins.services.git_base", "plugins.services.git_clone", "plugins.services.git_remote",
    "plugins.services.github", "plugins.services.gnupg_signer", "plugins.services.mail_server",
    "plugins.services.sigstore_client", "plugins.services.site", "plugins.services.site_admin",
    "plugins.services.ssh_host",
    "plugins.services.templates",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """How doit is to be run."""

    words: list[str]
    now: str
    state: str
    """The folder of the world's memory."""
    out: str
    err: str
    records: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    def line(self, kind: str) -> str:
        """The request as the starter reads it."""
        return json.dumps([kind, asdict(self)]) + "\n"


def _apart(do: Callable[[], int]) -> int:
    """The process id of a child that does it."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        os.setsid()
        status = do()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _prepared(asked: Asked) -> None:
    """This process speaks into files, believes in its own clock, and dies when it is to."""
    for number, file in ((1, asked.out), (2, asked.err)):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(asked.environment)
    from doit_receipts.clock import SystemClock  # noqa: PLC0415 - after sys.path was set

    now = datetime.fromisoformat(asked.now)
    SystemClock.now = lambda _: now  # type: ignore[method-assign, assignment]
    utils.formatdate = lambda **_: now.strftime("%a, %d %b %Y %H:%M:%S +0000")
    if asked.records:
        from plugins.rehearsal.store import Store  # noqa: PLC0415 - as above

        Store(Path(asked.state)).aim(os.getpid(), asked.records)


def _doit(asked: Asked) -> int:
    from doit.doit_cmd import DoitMain  # noqa: PLC0415 - after sys.path was set

    _prepared(asked)
    status: int = DoitMain().run(asked.words)
    return status


def _people(asked: Asked) -> int:
    from doit.doit_cmd import DoitMain  # noqa: PLC0415 - after sys.path was set

    from plugins.command import rehearse as rehearsing  # noqa: PLC0415 - as above
    from plugins.rehearsal.store import Store  # noqa: PLC0415 - as above

    _prepared(asked)
    DoitMain().run(["list", *asked.words])
    declaration = Path(asked.words[-1].removeprefix("--release="))
    rehearsing._play_people(declaration, Store(Path(asked.state)))
    return 0


def _world(folder: str, ready: int) -> int:
    from plugins.rehearsal.serving import serve  # noqa: PLC0415 - after sys.path was set

    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(ready, 1)
    asyncio.run(serve(Path(folder)))
    return 0


def _answer(kind: str, what: Any) -> int:
    match kind:
        case "world":
            reads, writes = os.pipe()
            child = _apart(lambda: _world(what, writes))
            os.close(writes)
            with os.fdopen(reads) as told:
                return child if told.readline() == "ready\n" else 0
        case "end":
            os.kill(what, signal.SIGTERM)
            _, ended = os.waitpid(what, 0)
        case _:
            asked, do = Asked(**what), _people if kind == "people" else _doit
            _, ended = os.waitpid(_apart(lambda: do(asked)), 0)
    return os.waitstatus_to_exitcode(ended)


def main() -> None:
    """Answer until nobody asks any more."""
    for name in _IMPORTED:
        importlib.import_module(name)
    for line in sys.stdin:
        sys.stdout.write(f"{_answer(*json.loads(line))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    main()
