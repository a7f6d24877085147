"""Confining: whether this machine can confine foreign programs, and attacks to plant in them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from plugins.services.programs import MachinePrograms
from tests.processes import lives

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ATTACKS", "CONFINES", "Targets", "needs_confinement"]

_FOUND = MachinePrograms().confinement()

CONFINES = bool(_FOUND.means)
"""Whether this machine can."""

needs_confinement = pytest.mark.skipif(
    not _FOUND.means, reason=f"foreign programs cannot be confined here: {_FOUND.problem}"
)

ATTACKS = {
    "environment of the parent": "open('/proc/{victim}/environ', 'rb').read()",
    "memory of the parent": "open('/proc/{victim}/mem', 'rb').read(1)",
    "open files of the parent": "os.listdir('/proc/{victim}/fd')",
    "file of a secret": "open({secret!r}).read()",
    "home": "os.listdir({home!r}), open(os.path.expanduser('~/.pypirc')).read()",
    "socket of an agent": "socket.socket(socket.AF_UNIX).connect({agent!r})",
    "abstract socket of the desktop": "socket.socket(socket.AF_UNIX).connect({abstract!r})",
    "server on this machine": "socket.create_connection(('127.0.0.1', {port}), 5)",
    "server elsewhere": "socket.create_connection(('203.0.113.1', 80), 5)",
    "write beside its folder": "open({outside!r}, 'w')",
    "write into the system": "open('/usr/local/bin/gpg', 'w')",
    "write over the environment of tools": "open(sys.prefix + '/lib/evil.pth', 'w')",
    "keys that let others in": "os.makedirs({home!r} + '/.ssh', exist_ok=True)",
    "setting of the kernel": (
        "path = '/proc/sys/kernel/core_pattern'\n"
        "now = open(path).read()\n"
        "open(path, 'w').write(now)"
    ),
    "trace the parent": (
        "x = ctypes.CDLL(None, use_errno=True)\n"
        "if x.ptrace(16, {victim}, 0, 0): raise OSError(ctypes.get_errno(), 'ptrace')"
    ),
    "keyring of the session": (
        "number = {{'x86_64': 250, 'aarch64': 219}}.get(os.uname().machine)\n"
        "x = ctypes.CDLL(None, use_errno=True)\n"
        "if number is None: raise OSError('not known here')\n"
        "if x.syscall(number, 0, -3, 1) == -1: raise OSError(ctypes.get_errno(), 'keyctl')"
    ),
    "key for the session": (
        "number = {{'x86_64': 248, 'aarch64': 217}}.get(os.uname().machine)\n"
        "x = ctypes.CDLL(None, use_errno=True)\n"
        "if number is None: raise OSError('not known here')\n"
        "if x.syscall(number, b'user', b'evil', b'x', 1, -3) == -1:\n"
        "    raise OSError(ctypes.get_errno(), 'add_key')"
    ),
    "host of a virtual machine": "socket.socket(40, socket.SOCK_STREAM)",
    "radio of this machine": "socket.socket(31, socket.SOCK_RAW, 1)",
    "calls in a ring": (
        "x = ctypes.CDLL(None, use_errno=True)\n"
        "if x.syscall(425, 4, ctypes.create_string_buffer(120)) == -1:\n"
        "    raise OSError(ctypes.get_errno(), 'io_uring_setup')"
    ),
    "kill the parent": "os.kill({victim}, 9)",
    "kill the parent's group": "os.killpg({victim}, 9)",
    "terminal": "os.write(os.open('/dev/tty', os.O_RDWR), b'\\x1b]0;evil\\x07')",
    "type on the terminal": "fcntl.ioctl(0, 0x5412, b'x')",
    "lock of the release": (
        "held = [n for n in map(int, os.listdir('/proc/self/fd')) if n > 2]\n"
        "[fcntl.flock(n, fcntl.LOCK_UN) for n in held if os.path.exists('/proc/self/fd/%d' % n)]\n"
        "raise OSError('nothing is held')"
    ),
    "secret in its own environment": (
        "if not any('canary' in text for text in os.environ.values()): raise OSError('none')"
    ),
}
"""Statements that a foreign program tries, by what they are after; each raises if it is refused."""

_PRELUDE = "import ctypes, fcntl, os, socket, sys\n"


class Targets:
    """What attacks are after: a process of ours, a secret, agents, servers; to be used as a block.

    The process has a secret in its environment and leads a group of its own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.secret = folder / "token"
        self.secret.write_text("canary-of-a-file")
        self.outside = folder / "beside"
        self.agent = folder / "S.gpg-agent"
        self._came = 0
        self._servers = [socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]
        self._servers.append(socket.socket(socket.AF_INET))
        addresses: tuple[Any, ...] = (str(self.agent), f"\0{folder}", ("127.0.0.1", 0))
        for server, address in zip(self._servers, addresses, strict=True):
            server.bind(address)
            server.listen()
            threading.Thread(target=self._count, args=(server,), daemon=True).start()
        self._process = subprocess.Popen(
            [sys.executable, "-c", "input()"],
            env={"PATH": os.environ["PATH"], "GITHUB_TOKEN": "canary-of-the-environment"},
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown(socket.SHUT_RDWR)
            server.close()
        self._process.kill()
        self._process.communicate()

    def _count(self, server: socket.socket) -> None:
        try:
            while True:
                server.accept()[0].close()
                self._came += 1
        except OSError:
            return

    def attacks(self) -> Mapping[str, str]:
        """A program for each attack on these targets; it prints what refused it, or "done"."""
        places: dict[str, object] = {
            "victim": self._process.pid,
            "secret": str(self.secret),
            "home": str(Path.home()),
            "agent": str(self.agent),
            "abstract": f"\0{self._folder}",
            "port": self._servers[2].getsockname()[1],
            "outside": str(self.outside),
        }
        return {name: _program(text.format(**places)) for name, text in ATTACKS.items()}

    def are_unharmed(self) -> bool:
        """Whether nobody came, ended the process, or wrote anything beside his own folder."""
        return lives(self._process.pid) and not self._came and not self.outside.exists()


def _program(statement: str) -> str:
    lines = "".join(f"    {line}\n" for line in statement.splitlines())
    ends = "    print('done')\nexcept OSError as error:\n    print(repr(error))\n"
    return f"{_PRELUDE}try:\n{lines}{ends}"
