"""Packing: archives as the release has them, to the bit, so that a test can spoil just one."""

from __future__ import annotations

import subprocess
import tarfile
from typing import Literal

__all__ = ["TarEntry", "packed"]


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
