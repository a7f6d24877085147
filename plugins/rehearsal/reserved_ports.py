"""Reserved ports: which simulated environment of this user has which ports, also while it rests.

They stand in one file of the machine's temporary folder, which one process at a time may read and
replace: two rehearsals that begin at the same moment never get the same port.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["HOST", "reserved", "socket_at"]

HOST: Final = "127.0.0.1"
_PORTS: Final = range(12_000, 32_000)
"""Below those that systems give to connections (from 32768 on Linux, 49152 elsewhere), so that
nobody else gets a port of an environment that is stopped for a moment."""
_MOST_KEPT: Final = 10_000
"""Beyond it the oldest are forgotten; half of the ports are free then."""


def reserved(owner: Path, count: int, folder: Path | None = None) -> Sequence[int]:
    """So many ports, which no other environment gets as long as the folder ``owner`` exists.

    Nobody listens at them now. They are kept in ``folder``, by default where all programs of this
    user keep what is temporary. Raises OSError if there are not as many.
    """
    with _claims(folder or Path(tempfile.gettempdir())) as claims:
        found: list[int] = []
        for port in random.sample(_PORTS, k=len(_PORTS)):
            if len(found) == count:
                break
            if str(port) not in claims and _is_free(port):
                found.append(port)
        if len(found) < count:
            message = f"only {len(found)} of {count} ports are free for a simulated environment"
            raise OSError(message)
        claims.update((str(port), str(owner.absolute())) for port in found)
    return found


def socket_at(port: int) -> socket.socket:
    """A socket that has this port. Raises OSError if somebody else has it."""
    # The protocol is named, for asyncio sends at once only where it is: without it, each answer
    # waits 40 ms for the acknowledgement of its head.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((HOST, port))
    except OSError:
        made.close()
        raise
    return made


def _is_free(port: int) -> bool:
    with contextlib.suppress(OSError), socket_at(port):
        return True
    return False


@contextlib.contextmanager
def _claims(folder: Path) -> Iterator[dict[str, str]]:
    """The folder of each reserved port's owner, kept as the block leaves them; nobody else acts.

    Owners that are gone, and a file that cannot be read, hold nothing. Whoever is killed leaves the
    file as it was, so the lock is another: this one is replaced.
    """
    file = folder / f"pep101-ports-{os.getuid()}.json"
    lock = os.open(
        file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
    )
    with open(lock, "rb") as held:  # noqa: PTH123 - it is open already
        fcntl.flock(held, fcntl.LOCK_EX)
        claims: dict[str, str] = {}
        with contextlib.suppress(FileNotFoundError, ValueError, TypeError, AttributeError):
            known = {str(port): str(owner) for port, owner in json.loads(file.read_bytes()).items()}
            there = {owner: Path(owner).exists() for owner in set(known.values())}
            claims = {port: owner for port, owner in known.items() if there[owner]}
        yield claims
        kept = dict(list(claims.items())[-_MOST_KEPT:])
        write_whole(file, json.dumps(kept, indent=0).encode(), 0o600)
