"""Confining: whether this machine can confine foreign programs, and attacks to plant in them."""

from __future__ import annotations

import pytest

from plugins.services.walls import confinement_here

__all__ = ["ATTACKS", "needs_confinement"]

_FOUND = confinement_here()

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
