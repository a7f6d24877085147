"""Software bills of materials of source archives, in SPDX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Carried", "PackageIndex", "Sboms", "SourceArchive", "SourceFile", "Wheel"]


@frozen
class SourceArchive:
    """What an SBOM is about: one source archive and where users will fetch it."""

    version: str
    cpe: str
    """Its name in the Common Platform Enumeration, by which vulnerabilities are listed."""
    file_name: str
    location: str
    sha256: str
    namespace: str
    """An address that no other document has."""
    epoch_s: int


@frozen
class SourceFile:
    """A file of the archive, by its path in the source tree."""

    path: str
    sha1: str
    sha256: str


@frozen
class Wheel:
    """A file of a package index: where it is, and the sha256 of its bytes."""

    location: str
    sha256: str


class PackageIndex(Protocol):
    """Where projects are published; only asked."""

    def wheel(self, project: str, version: str, file_name: str = "") -> Wheel:
        """The wheel of this version, or the file of that name. Raises ServiceFailed without one."""
        ...


@frozen
class Carried:
    """A project that comes inside of a file of the tree: pip in its wheel, others in pip."""

    name: str
    version: str
    wheel: Wheel
    inside: str = ""
    """The name of the project that carries it; "" for CPython."""


class Sboms(Protocol):
    """Documents in SPDX, which list what software is made of."""

    def document(
        self,
        archive: SourceArchive,
        files: Sequence[SourceFile],
        tree_sbom: bytes,
        carried: Sequence[Carried] = (),
    ) -> bytes:
        """A valid SPDX 2.3 document in JSON: CPython, its files, and what it bundles.

        ``tree_sbom`` is the tree's own, which lists what is bundled and which files are whose.
        ``carried`` takes the place of what it says about the same projects.
        The same arguments give the same bytes. Raises ServiceFailed if the tree's is not SPDX
        or the document would not be valid.
        """
        ...

    def version(self) -> str:
        """The version of what writes them."""
        ...
