"""Plain file: the bytes of a regular file, and of nothing that is waited for or never ends.

Where somebody else may put a file there may be a pipe, which is waited for until somebody writes,
or a device, which never ends.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

__all__ = ["NoRegularFile", "open_plain", "opened_regular", "read_plain"]


class NoRegularFile(OSError):
    """What is there is a pipe, a socket or a device."""


def open_plain(path: Path) -> BufferedReader:
    """The file, opened to be read in bytes; it is a regular one, and what was judged is read.

    Raises OSError as ``open`` does, and NoRegularFile.
    """
    return open(path, "rb", opener=_regular)


def read_plain(path: Path, most_bytes: int = -1) -> bytes:
    """The bytes of a regular file; of a larger one than ``most_bytes``, so many and one more.

    Raises OSError as ``open_plain`` does.
    """
    with open_plain(path) as stream:
        return stream.read(most_bytes + 1 if most_bytes >= 0 else -1)


def _regular(name: str, flags: int) -> int:
    return opened_regular(name, flags)


def opened_regular(name: str | Path, flags: int, mode: int = 0o666) -> int:
    """What ``os.open`` gives, of a regular file. Raises OSError as ``open_plain`` does."""
    descriptor = os.open(name, flags | os.O_NONBLOCK, mode)
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISREG(kind):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(name))
    raise NoRegularFile(errno.EINVAL, "is no regular file", str(name))
