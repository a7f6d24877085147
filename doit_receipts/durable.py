"""Files that appear whole or not at all, and stay after a power cut.

Receipts and products are written the same way: a temporary name in the same folder, flush,
fsync, rename, fsync of the folder. A process killed at any instant leaves the old file or
the new one under the final name, and at most a ``.partial`` file beside it.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, Final

from doit_receipts.outside import is_held

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["PARTIAL", "replacing", "write_whole"]

PARTIAL = ".partial"
_OF_THE_DISK: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_ANEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL


@contextmanager
def replacing(path: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Open a file whose bytes stand under ``path`` when the block ends without an error.

    Missing folders are made. On an error the file at ``path`` is as before and nothing
    else is left. Whatever the umask is, the new file has ``mode``. A plan writes nothing.
    """
    if is_held():
        yield BytesIO()
        return
    with (
        _replacing(path, mode) as descriptor,
        # It has the name of the file that is there, for programs that read what was written.
        open(f"{path}{PARTIAL}", "wb", opener=lambda *_: os.dup(descriptor)) as stream,
    ):
        yield stream


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Put ``content`` under ``path``, durably, in one step that cannot be seen half done."""
    if is_held():
        return
    with _replacing(path, mode) as descriptor:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]


@contextmanager
def _replacing(path: Path, mode: int) -> Iterator[int]:
    """The same for a descriptor, without what a buffer costs before each receipt."""
    partial = f"{path}{PARTIAL}"
    try:
        descriptor = _new(partial)
        try:
            os.fchmod(descriptor, mode)
            yield descriptor
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(partial, path)
    except BaseException as error:
        with suppress(FileNotFoundError):
            os.unlink(partial)
        _name(error, path)
        raise
    try:
        _sync_folder(os.path.dirname(partial))
    except OSError as error:
        _name(error, path)
        raise


def _name(error: BaseException, path: Path) -> None:
    """What writes to a descriptor knows no name, and so not which disk it was."""
    if isinstance(error, OSError) and error.filename is None and error.errno in _OF_THE_DISK:
        error.filename = str(path)


def _new(partial: str) -> int:
    """A new file, never the old partial one.

    A compressor that outlived a killed run may still be writing to that.
    """
    try:
        return os.open(partial, _ANEW, 0o666)
    except FileExistsError:
        os.unlink(partial)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(partial), exist_ok=True)
    return os.open(partial, _ANEW, 0o666)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
