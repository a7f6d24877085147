"""Manifest: what an expert says to have brought, file by file, bound to one release and commit.

A few lines of text that sha256sum's users can read, with a detached OpenPGP signature beside it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen
from plugins.model.content import Content, NamedFile

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MANIFEST", "BrokenManifest", "Manifest"]

MANIFEST: Final = "MANIFEST"
"""The name of the file; its signature is ``MANIFEST.asc``."""

_TITLE: Final = "pep101 manifest 1"
_LINE: Final = re.compile(r"(?P<sha256>[0-9a-f]{64}) (?P<size>0|[1-9][0-9]{0,14}) (?P<path>\S+)")
_PATH: Final = re.compile(r"[A-Za-z0-9][\w.+-]*(?:/[A-Za-z0-9][\w.+-]*)*", re.ASCII)
_MOST_BYTES: Final = 1 << 20


class BrokenManifest(StepFailed):
    """A file in the place of a manifest that is not one."""


@frozen
class Manifest:
    """All that one expert brings to one release, built from one commit; sorted by name.

    Names are paths below the root of the downloads, such as ``3.13.6/python-3.13.6.exe``.
    """

    version: str
    role: str
    commit: str
    files: tuple[NamedFile, ...]

    @classmethod
    def of(cls, version: str, role: str, commit: str, files: Iterable[NamedFile]) -> Manifest:
        """The manifest of these files, in any order."""
        return cls(version, role, commit, tuple(sorted(files, key=lambda file: file.name)))

    @property
    def by_name(self) -> dict[str, NamedFile]:
        """Its files by their names."""
        return {file.name: file for file in self.files}

    def to_bytes(self) -> bytes:
        """The one text of this manifest."""
        head = (_TITLE, f"version {self.version}", f"role {self.role}", f"commit {self.commit}")
        lines = (
            f"{file.content.sha256} {file.content.size_bytes} {file.name}" for file in self.files
        )
        return "".join(f"{line}\n" for line in (*head, *lines)).encode()

    @classmethod
    def from_bytes(cls, raw: bytes, where: str) -> Manifest:
        """Read it back. Raises BrokenManifest for anything that ``to_bytes`` would not write."""
        found = cls._read(raw) if len(raw) <= _MOST_BYTES else None
        if found is None or found.to_bytes() != raw:
            raise BrokenManifest(
                where=where,
                problem="is not a manifest: a title, version, role and commit, then for each file "
                "'sha256 size path', sorted by path",
                remedy="ask whoever signed it to write it again",
            )
        return found

    @classmethod
    def _read(cls, raw: bytes) -> Manifest | None:
        try:
            title, version, role, commit, *lines = raw.decode("ascii").splitlines()
        except ValueError:
            return None
        head = [line.partition(" ") for line in (version, role, commit)]
        matched = [_LINE.fullmatch(line) for line in lines]
        if title != _TITLE or [key for key, _, _ in head] != ["version", "role", "commit"]:
            return None
        files = [
            NamedFile(line["path"], Content(int(line["size"]), line["sha256"]))
            for line in matched
            if line is not None and _PATH.fullmatch(line["path"])
        ]
        names = {file.name for file in files}
        if len(files) != len(lines) or len(names) != len(files):
            return None
        return cls.of(head[0][2], head[1][2], head[2][2], files)
