"""Packing: archives as the release has them, to the bit, so that a test can spoil just one."""

from __future__ import annotations

import os
import stat
import subprocess
import tarfile
from typing import TYPE_CHECKING, Literal

from plugins.model.tarstream import Kind, Member

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["TarEntry", "members_of", "packed"]


class TarEntry(tarfile.TarInfo):
    """A member whose header is as GNU tar 1.35 writes it: without numbers of a device."""

    def tobuf(
        self,
        format: Literal[0, 1, 2] | None = tarfile.PAX_FORMAT,  # noqa: A002 - tarfile's own name
        encoding: str | None = "utf-8",
        errors: str = "surrogateescape",
    ) -> bytes:
        block = bytearray(super().tobuf(format, encoding, errors))
        if not self.isdev():
            block[-512 + 329 : -512 + 345] = bytes(16)
        block[-512 + 148 : -512 + 156] = b" " * 8
        block[-512 + 148 : -512 + 156] = b"%06o\0 " % sum(block[-512:])
        return bytes(block)


def packed(stream: bytes, how: str) -> bytes:
    """The stream as our compressors pack it: ``how`` is gz or xz."""
    words = ("gzip", "-9", "-n") if how == "gz" else ("xz", "-6", "-T2")
    return subprocess.run(words, input=stream, check=True, capture_output=True).stdout


def members_of(folder: Path, name: str) -> Iterator[Member]:
    """The folder and all below it, in tar's order, as members called ``name`` and so on.

    One file at a time is read; there are files, folders and links.
    """
    about = folder.lstat()
    mode = stat.S_IMODE(about.st_mode)
    if stat.S_ISLNK(about.st_mode):
        target = os.readlink(folder)  # noqa: PTH115 - Path would tidy the target
        yield Member(name, Kind.LINK, mode, target=target)
    elif stat.S_ISREG(about.st_mode):
        yield Member(name, Kind.FILE, mode, folder.read_bytes())
    else:
        yield Member(name, Kind.FOLDER, mode)
        for entry in sorted(folder.iterdir(), key=lambda entry: os.fsencode(entry.name)):
            yield from members_of(entry, f"{name}/{entry.name}")
