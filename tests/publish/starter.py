"""Starter: starts doit and the rehearsed world at once, for it has imported already what both need.

``starter.py`` reads a JSON list of words a line and answers each with a line. ``["world",
FOLDER]`` starts the world there, whose errors go to FOLDER.err, and answers with its process id
once it is ready; ``["end", PID]`` ends it. ``["doit", JSON]`` runs doit to its end as a process of
its own, and answers with the exit status, or the signal as a negative number; ``["people", JSON]``
lets everybody give the green lights that are asked of them, as a rehearsal does; ``swap`` is doit
while somebody swaps what it signs, and ``forge`` is tests/forger.py. The JSON has the
words of the command, the release's clock, the files that take what it says, and after how many
records of the world it is killed (0: never); or at which of its own writes it is, from which on the
disk is full, and where all of them are listed (see tests/engine/killer).
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import pkgutil
import signal
import sys
from dataclasses import asdict, dataclass, field
from datetime import datetime
from email import utils
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Asked"]

_IMPORTED = (
    "doit.doit_cmd", "fabric", "git", "gnupg", "h11", "httpcore", "httpx", "jinja2", "paramiko",
    "sigstore.sign", "sigstore.verify", "stamina", "toml",
)  # fmt: skip
_OURS = (
    "checks", "doit_receipts", "doit_receipts.command", "plugins.command", "plugins.model",
    "plugins.ports", "plugins.rehearsal", "plugins.services", "plugins.steps",
)  # fmt: skip
"""Packages all of whose modules are imported; chapters are read anew for each release."""


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
    at: str = ""
    full: str = ""
    report: str = ""
    below: str = ""
    """The folder in which writes are seen by name."""
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

    from tests.engine.killer import Killer  # noqa: PLC0415 - as above

    _prepared(asked)
    killer = Killer(asked.at, asked.full, asked.below, everybody=True)
    if asked.at or asked.full or asked.report:
        killer.watch_writes()
    if asked.report:
        killer.report_to(Path(asked.report))
    status: int = DoitMain().run(asked.words)
    if asked.report:
        killer.leave()
    return status


def _people(asked: Asked) -> int:
    from doit.doit_cmd import DoitMain  # noqa: PLC0415 - after sys.path was set

    from plugins.command import rehearsed as rehearsing  # noqa: PLC0415 - as above
    from plugins.rehearsal.store import Store  # noqa: PLC0415 - as above

    _prepared(asked)
    DoitMain().run(["list", *asked.words])
    declaration = Path(asked.words[-1].removeprefix("--release="))
    rehearsing.play_people(declaration, Store(Path(asked.state)))
    return 0


def _forge(asked: Asked) -> int:
    from plugins.command.release_file import RELEASE_FILE  # noqa: PLC0415 - after sys.path was set
    from tests import forger  # noqa: PLC0415 - as above

    _prepared(asked)
    *words, declaration = asked.words
    RELEASE_FILE.set(Path(declaration.removeprefix("--release=")))
    forger.main(words)
    return 0


def _world(folder: str, ready: int) -> int:
    from plugins.rehearsal.serving import serve  # noqa: PLC0415 - after sys.path was set

    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(ready, 1)
    os.dup2(os.open(f"{folder}.err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    asyncio.run(serve(Path(folder)))
    return 0


def _swap(asked: Asked) -> int:
    """As doit, and whatever is signed by OpenPGP is another file just then, and put back after."""
    from plugins.services.gnupg_signer import GnupgSigner  # noqa: PLC0415 - after sys.path was set

    sign = GnupgSigner.sign

    def swapped(self: GnupgSigner, file: Path, signature: Path) -> None:
        good = file.read_bytes()
        file.write_bytes(good + b"evil")
        try:
            sign(self, file, signature)
        finally:
            file.write_bytes(good)

    GnupgSigner.sign = swapped  # type: ignore[method-assign]
    return _doit(asked)


_DOING = {"doit": _doit, "people": _people, "forge": _forge, "swap": _swap}


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
            asked, do = Asked(**what), _DOING[kind]
            _, ended = os.waitpid(_apart(lambda: do(asked)), 0)
    return os.waitstatus_to_exitcode(ended)


def _ours() -> Iterator[str]:
    for package in _OURS:
        found = importlib.import_module(package)
        for each in pkgutil.iter_modules(found.__path__, f"{package}."):
            yield each.name


def main() -> None:
    """Answer until nobody asks any more."""
    for name in (*_IMPORTED, *_ours()):
        importlib.import_module(name)
    for line in sys.stdin:
        sys.stdout.write(f"{_answer(*json.loads(line))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    main()
