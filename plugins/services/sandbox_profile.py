"""Sandbox profile: what macOS's sandbox-exec lets a foreign program do.

Source: sandbox-exec(1), sandbox(7) and the profiles in /usr/share/sandbox; not tried on a Mac.
There are no namespaces: a program can see that others run, and one that it leaves behind is ended
by its process group.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["profile_of"]

_SYSTEM: Final = (
    "/bin", "/sbin", "/usr", "/opt", "/nix/store", "/System", "/Library/Apple",
    "/Library/Developer", "/Applications/Xcode.app", "/private/etc/ssl", "/private/var/db/dyld",
    "/private/var/db/timezone", "/private/var/select", "/dev",
)  # fmt: skip
_ALWAYS: Final = """\
(version 1)
(deny default)
(allow process-fork process-exec)
(allow signal (target same-sandbox))
(allow sysctl-read)
(allow file-read-metadata)
(allow ipc-posix-sem ipc-posix-shm)
(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo"))
(allow file-write-data (literal "/dev/null") (literal "/dev/zero"))
"""
_LOOPBACK: Final = """\
(allow network-bind network-inbound (local ip "localhost:*"))
(allow network-outbound (remote ip "localhost:*"))
"""
_NETWORK: Final = """\
(allow network-outbound (remote ip))
(allow mach-lookup (global-name "com.apple.dnssd.service") (global-name "com.apple.trustd.agent"))
"""


def profile_of(writes: Iterable[Path], reads: Iterable[Path], *, network: bool) -> str:
    """The profile that allows what is named, and what every program needs to start."""
    return _ALWAYS + "".join(_lines(writes, reads)) + (_NETWORK if network else _LOOPBACK)


def _lines(writes: Iterable[Path], reads: Iterable[Path]) -> Iterator[str]:
    for system in _SYSTEM:
        yield f"(allow file-read* (subpath {json.dumps(system)}))\n"
    for path in reads:
        yield f"(allow file-read* (subpath {_quoted(path)}))\n"
    for path in writes:
        yield f"(allow file-read* file-write* (subpath {_quoted(path)}))\n"


def _quoted(path: Path) -> str:
    # The sandbox compares paths without links; a string in a profile is written as one in JSON.
    return json.dumps(str(path.resolve()), ensure_ascii=False)
