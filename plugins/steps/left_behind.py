"""Left behind: what foreign code leaves in a folder, judged before anything of it is used.

A link would have us read, and publish, a file of the release manager's; a pipe would have us wait
forever. Names, kinds and sizes are looked at without following or opening anything.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["content_left", "see_plain"]

_MOST_FILES: Final = 200_000
_MOST_BYTES: Final = 8 << 30
_MOST_BYTES_READ: Final = 256 << 20
_SPECIAL: Final = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
_REMEDY: Final = (
    "find out what made it: the tree's own programs, or a package that its documentation is made "
    "with; nothing of it was used"
)


def see_plain(
    folder: Path, *, most_files: int = _MOST_FILES, most_bytes: int = _MOST_BYTES
) -> None:
    """The folder is one, and no link to one; all below it are files and folders of ours, each with
    a printable name.

    Raises StepFailed, with the first thing that is anything else: a link, a device, a pipe, a
    socket, a file that runs with its owner's rights or that has another name somewhere, a folder
    that cannot be read, and more or larger files than there may be.
    """
    count = size_bytes = 0
    _see_folder(folder)
    waiting = [os.fspath(folder)]
    while waiting:
        try:
            entries = sorted(os.scandir(waiting.pop()), key=lambda entry: entry.name)
        except OSError as error:
            raise _refused(
                folder, str(error.filename), f"cannot be read: {error.strerror}"
            ) from error
        for entry in entries:
            seen = entry.stat(follow_symlinks=False)
            if problem := _problem(entry.name, seen):
                raise _refused(folder, entry.path, problem)
            if stat.S_ISDIR(seen.st_mode):
                waiting.append(entry.path)
            else:
                size_bytes += seen.st_size
            count += 1
            if count > most_files:
                raise _refused(folder, "", f"holds more than {most_files:,} files")
            if size_bytes > most_bytes:
                raise _refused(folder, "", f"holds more than {most_bytes >> 20:,} MB")


def content_left(file: Path, *, most_bytes: int = _MOST_BYTES_READ) -> bytes:
    """The bytes of a file that foreign code left, whose folder is no link.

    Raises StepFailed as `see_plain` does.
    """
    _see_folder(file.parent)
    try:
        # Neither a link nor the other end of a pipe is waited for or followed.
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _refused(file.parent, str(file), f"cannot be read: {error.strerror}") from error
    try:
        seen = os.fstat(descriptor)
        problem = _problem(file.name, seen)
        if not problem and stat.S_ISDIR(seen.st_mode):
            problem = "is a folder, and wanted is a file"
        if problem:
            raise _refused(file.parent, str(file), problem)
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            content = stream.read(most_bytes + 1)
    finally:
        os.close(descriptor)
    if len(content) > most_bytes:
        raise _refused(file.parent, str(file), f"holds more than {most_bytes >> 20:,} MB")
    return content


def _see_folder(folder: Path) -> None:
    try:
        mode = folder.lstat().st_mode
    except OSError as error:
        raise _refused(folder, str(folder), f"cannot be read: {error.strerror}") from error
    if not stat.S_ISDIR(mode):
        kind = "a link" if stat.S_ISLNK(mode) else "something else"
        raise _refused(folder, str(folder), f"is {kind}, and wanted is a folder")


def _problem(name: str, seen: os.stat_result) -> str:
    """What makes an entry unfit to be used; "" if nothing does."""
    mode = seen.st_mode
    if not name.isprintable():
        return "has control characters, or bytes that are no text, in its name"
    if stat.S_ISLNK(mode):
        return "is a link, and wanted is a file or a folder"
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        return "is a device, a pipe or a socket, and wanted is a file or a folder"
    if mode & _SPECIAL:
        return "would run with the rights of its owner or group"
    if stat.S_ISREG(mode) and seen.st_nlink > 1:
        return "has a second name somewhere"
    return ""


def _refused(folder: Path, path: str, problem: str) -> StepFailed:
    name = os.path.relpath(path, folder.parent) if path else folder.name
    return StepFailed(where=name, problem=problem, remedy=_REMEDY)
