"""Files that appear whole or not at all, and stay after a power cut.

Receipts and products are written the same way: a temporary name in the same folder, flush,
fsync, rename, fsync of the folder. A process killed at any instant leaves the old file or
the new one under the final name, and at most a ``.partial`` file beside it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from doit_receipts.outside import is_held

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["PARTIAL", "replacing", "write_whole"]

PARTIAL = ".partial"


@contextmanager
def replacing(path: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Open a file whose bytes stand under ``path`` when the block ends without an error.

    Missing folders are made. On an error the file at ``path`` is as before and nothing
    else is left. Whatever the umask is, the new file has ``mode``. A plan writes nothing.
    """
    if is_held():
        yield BytesIO()
        return
    partial = path.with_name(path.name + PARTIAL)
    try:
        with _new(partial) as stream:
            os.fchmod(stream.fileno(), mode)
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Put ``content`` under ``path``, durably, in one step that cannot be seen half done."""
    with replacing(path, mode) as stream:
        stream.write(content)


def _new(partial: Path) -> BinaryIO:
    """A new file, never the old partial one.

    A compressor that outlived a killed run may still be writing to that.
    """
    try:
        return partial.open("xb")
    except FileExistsError:
        partial.unlink()
    except FileNotFoundError:
        partial.parent.mkdir(parents=True, exist_ok=True)
    return partial.open("xb")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
