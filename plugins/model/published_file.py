"""Published file: one file that users can fetch, who makes it, and how the site lists it.

Names are those of python.org; addresses are those that users will see, also in a rehearsal.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from doit_receipts.frozen import frozen

__all__ = [
    "BUNDLE_SUFFIX",
    "DETACHED_SUFFIXES",
    "DOCS",
    "EVIDENCE_SUFFIX",
    "ROW_SIDECARS",
    "SIDECARS",
    "SITE",
    "Kind",
    "Origin",
    "PublishedFile",
    "Row",
    "SitePage",
    "SizeClass",
]

SITE: Final = "https://www.python.org"
"""The name under which users reach site and files; rows of the site have to begin with it."""
DOCS: Final = "https://docs.python.org"
"""The name under which users reach the documentation."""

_KIBI: Final = 1024
_MEBI: Final = 1024 * _KIBI


class Kind(Enum):
    """What a published file is."""

    SOURCE = "source archive"
    DOCS = "documentation archive"
    INSTALLER = "installer"
    EMBEDDABLE = "embeddable package"
    PACKAGE = "package of the install manager"
    MANIFEST = "manifest of the install manager"
    SIGNATURE = "OpenPGP signature"
    BUNDLE = "Sigstore bundle"
    DETACHED = "detached Sigstore signature"
    """A file's signature or its certificate, as they were before bundles and are beside some."""
    SBOM = "SBOM"
    PART = "part of an installer"
    RECORD = "release manifest"
    EVIDENCE = "signed evidence"


class Origin(Enum):
    """Who makes a published file; the values of experts are their names in release.toml."""

    EXPORT = "export"
    """The release manager, by ``doit export``."""
    CI = "ci"
    """The build of the pushed tag on GitHub."""
    WINDOWS = "windows"
    MACOS = "macos"
    SIGSTORE = "sigstore"
    """The release manager's identity, once everything that it signs is there (PEP 761)."""
    RECORD = "record"
    """The release manager, about all that is public by then."""


class SizeClass(Enum):
    """How many bytes a file of a real release has at least and at most.

    Wide on purpose: an empty or cut file falls out, a release that grew does not.
    """

    NOTE = (64, 64 * _KIBI)
    TEXT = (_KIBI, 32 * _MEBI)
    ARCHIVE = (2 * _MEBI, 400 * _MEBI)

    def holds(self, size_bytes: int) -> bool:
        """Whether a file of this class may have this size."""
        least, most = self.value
        return least <= size_bytes <= most


_ABOUT: Final = {
    SizeClass.NOTE: _KIBI,
    SizeClass.TEXT: 16 * _MEBI,
    SizeClass.ARCHIVE: 32 * _MEBI,
}
BUNDLE_SUFFIX: Final = ".sigstore"
"""What the name of a file's bundle ends with."""
DETACHED_SUFFIXES: Final = (".sig", ".crt")
"""What the names of a file's detached signature and of its certificate end with."""
EVIDENCE_SUFFIX: Final = ".intoto.jsonl"
"""What the name of the file with the signed statements about a release ends with."""
SIDECARS: Final = {
    ".asc": (Kind.SIGNATURE, SizeClass.NOTE),
    BUNDLE_SUFFIX: (Kind.BUNDLE, SizeClass.NOTE),
    ".spdx.json": (Kind.SBOM, SizeClass.TEXT),
    **dict.fromkeys(DETACHED_SUFFIXES, (Kind.DETACHED, SizeClass.NOTE)),
}
"""What may stand beside a listed file: the suffix of its name, what it is, and its size."""
ROW_SIDECARS: Final = {
    "gpg_signature_file": ".asc",
    "sigstore_signature_file": ".sig",
    "sigstore_cert_file": ".crt",
    "sigstore_bundle_file": BUNDLE_SUFFIX,
    "sbom_spdx2_file": ".spdx.json",
}
"""The fields of a row of the site that lead to what is beside the file, and its suffix."""


@frozen
class Row:
    """How the site lists one file: the fields of its row that are known beforehand."""

    os: str
    """The slug of the operating system: source, windows, macos, android or ios."""
    name: str
    slug: str
    description: str = ""
    is_source: bool = False
    download_button: bool = False


@frozen
class PublishedFile:
    """One file that users can fetch: where it comes from, where it goes and who lists it."""

    folder: str
    """Below the root of the downloads: ``3.13.5``, ``doc/3.13.5`` or ``3.13.5/amd64``."""
    name: str
    kind: Kind
    origin: Origin
    size: SizeClass
    row: Row | None = None
    beside: str = ""
    """The ``remote`` of the file that this one signs or describes; "" if none."""

    @property
    def remote(self) -> str:
        """Its path below the root of the downloads."""
        return f"{self.folder}/{self.name}"

    @property
    def about_bytes(self) -> int:
        """Roughly what it takes, before it is there: 32 MiB for an archive."""
        return _ABOUT[self.size]

    @property
    def url(self) -> str:
        """Where users fetch it."""
        return f"{SITE}/ftp/python/{self.remote}"


@frozen
class SitePage:
    """What the site's row of the release says; flags that depend on other releases are not here."""

    name: str
    slug: str
    pre_release: bool
    release_notes_url: str
    show_on_download_page: bool = True

    @property
    def url(self) -> str:
        """The page that users see."""
        return f"{SITE}/downloads/release/{self.slug}/"
