"""Contract: the exact set of what one release publishes, computed before anything is made.

Upload, site, purge and verification all read this one table, so none of them can forget a file
that another one knows (cpython#127602: five releases with something missing). Names are those of
python.org; addresses are those that users will see, also in a rehearsal.
"""

from __future__ import annotations

import re
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen
from doit_receipts.printable import printable
from plugins.model.binaries import MACHINES, binaries_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from plugins.model.release import Release

__all__ = [
    "BUNDLE_SUFFIX",
    "DOCS",
    "EVIDENCE_SUFFIX",
    "ROW_SIDECARS",
    "SITE",
    "Contract",
    "Kind",
    "Origin",
    "PublishedFile",
    "Purge",
    "Row",
    "SitePage",
    "SizeClass",
    "bundle_paths",
    "contract_of",
    "local_path",
    "record_files",
    "record_paths",
]

SITE: Final = "https://www.python.org"
"""The name under which users reach site and files; rows of the site have to begin with it."""
DOCS: Final = "https://docs.python.org"
"""The name under which users reach the documentation."""

_FORMATS: Final = ("html", "text", "epub", "texinfo")
_SLUG_NAME_MOST: Final = 40
"""How much of a file's name its row's slug takes over; older rows on the site are cut so."""
_KIBI: Final = 1024
_OK: Final = 200
_BROKEN: Final = 500
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
EVIDENCE_SUFFIX: Final = ".intoto.jsonl"
"""What the name of the file with the signed statements about a release ends with."""
_SIDECARS: Final = {
    ".asc": (Kind.SIGNATURE, SizeClass.NOTE),
    BUNDLE_SUFFIX: (Kind.BUNDLE, SizeClass.NOTE),
    ".spdx.json": (Kind.SBOM, SizeClass.TEXT),
}
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


@frozen
class Purge:
    """One address that caches have to forget, and how it is known afterwards that they did."""

    url: str
    file: PublishedFile | None = None
    """The file whose bytes have to come."""
    tells: tuple[str, ...] = ()
    """Texts that the page has to hold once the release is public."""
    leads_to: str = ""
    """The path to which the address has to redirect; "" if that does not matter."""

    def problem(self, status: int, text: str, leads_to: str) -> str:
        """What is wrong with an answer of a page, in words; "" if nothing is."""
        if self.leads_to:
            target = leads_to.removeprefix(SITE)
            if target == self.leads_to:
                return ""
            return f"leads to {printable(target[:200]) or 'nothing'}, wanted {self.leads_to}"
        if status >= _BROKEN or (self.tells and status != _OK):
            return f"answers {status}"
        import html  # noqa: PLC0415 - late: a listing needs no table of entities

        shown = html.unescape(text)
        missing = [wanted for wanted in self.tells if wanted not in shown]
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        return f"does not show {missing[0]}{more}" if missing else ""


@frozen
class Contract:
    """The published set of one release; ``files`` are sorted as users see them arrive."""

    version: str
    page: SitePage
    files: tuple[PublishedFile, ...]
    extras: tuple[tuple[Origin, str], ...] = ()
    """Patterns of further paths: what an expert may bring (parts of installers, sidecars), and the
    evidence and the manifest that the release manager publishes behind everything else."""

    def by_origin(self, *origins: Origin) -> tuple[PublishedFile, ...]:
        """The files that these people make."""
        return tuple(file for file in self.files if file.origin in origins)

    @property
    def listed(self) -> tuple[PublishedFile, ...]:
        """The files with a row on the site; of each system the one with the button is last.

        The site's API takes no further row of a system once its button stands.
        """
        rows = [file for file in self.files if file.row is not None]
        return tuple(
            sorted(rows, key=lambda file: file.row is not None and file.row.download_button)
        )

    @property
    def folders(self) -> tuple[str, ...]:
        """Every folder that holds published files, below the root of the downloads."""
        return tuple(dict.fromkeys(file.folder for file in self.files))

    def find(self, remote: str) -> PublishedFile | None:
        """The file with this path below the root of the downloads."""
        return next((file for file in self.files if file.remote == remote), None)

    def sidecars(self, file: PublishedFile) -> dict[str, PublishedFile]:
        """The files beside this one, by suffix: ``.asc``, ``.sigstore``, ``.spdx.json``."""
        found = (each for each in self.files if each.beside == file.remote)
        return {each.name.removeprefix(file.name): each for each in found}

    def brought(self, remote: str) -> PublishedFile | None:
        """The file that an expert may bring under this path; None if nobody may."""
        for origin, pattern in self.extras:
            if re.fullmatch(pattern, remote):
                folder, _, name = remote.rpartition("/")
                if name.endswith(EVIDENCE_SUFFIX):
                    kind = Kind.EVIDENCE
                    return PublishedFile(folder, name, kind, origin, SizeClass.TEXT)
                for suffix, (kind, size) in _SIDECARS.items():
                    if name.endswith(suffix):
                        beside = remote.removesuffix(suffix)
                        return PublishedFile(folder, name, kind, origin, size, beside=beside)
                kind = Kind.RECORD if origin is Origin.RECORD else Kind.PART
                return PublishedFile(folder, name, kind, origin, SizeClass.TEXT)
        return None

    def with_extras(self, remotes: Iterable[str]) -> Contract:
        """The contract with those of these paths that an expert may bring beyond what they must.

        The same paths in any order give the same contract.
        """
        known = {file.remote for file in self.files}
        found = (self.brought(remote) for remote in sorted(set(remotes) - known))
        return replace(self, files=(*self.files, *(each for each in found if each is not None)))

    def without(self, *origins: Origin) -> Contract:
        """The contract as if these people made nothing: their files come later (R07)."""
        kept = {file.remote for file in self.files if file.origin not in origins}
        # What is beside a file that does not exist yet comes with it, whoever makes it.
        files = tuple(
            file
            for file in self.files
            if file.remote in kept and (not file.beside or file.beside in kept)
        )
        extras = tuple(each for each in self.extras if each[0] not in origins)
        return replace(self, files=files, extras=extras)

    @property
    def file_purges(self) -> tuple[Purge, ...]:
        """The addresses of files, their listings and the documentation, without the site's pages.

        They can be read back as soon as the files are in their place. What the site's pages show
        depends on its other releases as well: see plugins.model.site_pages.
        """
        return tuple(self._purged_files())

    def _purged_files(self) -> Iterator[Purge]:
        for file in self.files:
            yield Purge(file.url, file)
        root = f"{SITE}/ftp/python/"
        for folder in self.folders:
            names = tuple(file.name for file in self.files if file.folder == folder)
            yield Purge(f"{root}{folder}/", tells=names)
        yield Purge(root, tells=(f"{self.folders[0]}/",))
        if any(file.kind is Kind.DOCS for file in self.files):
            yield Purge(f"{root}doc/", tells=(f"{self.version}/",))
        # Only the archive of HTML pages is unpacked on the docs host.
        if any(file.kind is Kind.DOCS and "-docs-html." in file.name for file in self.files):
            yield Purge(f"{DOCS}/release/{self.version}/", tells=("<html",))


def contract_of(
    release: Release,
    formats: Iterable[str] = _FORMATS,
    *,
    without: Iterable[Origin] = (),
) -> Contract:
    """The published set of this release; what the people ``without`` make comes later (R07).

    ``formats`` are those of the documentation, if the release ships any.
    """
    files: list[PublishedFile] = []
    for file in (*_source(release), *_binaries(release)):
        files += [file, *_beside(file, release)]
    if release.ships_docs:
        files += _docs(release, formats)
    whole = Contract(
        version=str(release.version),
        page=_page(release),
        files=tuple(files),
        extras=tuple(_extras(release)),
    )
    return whole.without(*without)


def local_path(file: PublishedFile, release: Release) -> Path | None:
    """Where ``doit export`` leaves the file; None for what somebody else makes."""
    if file.origin is not Origin.EXPORT:
        return None
    layout = release.layout
    return (layout.docs if file.kind is Kind.DOCS else layout.src) / file.name


def bundle_paths(contract: Contract, release: Release) -> dict[PublishedFile, Path]:
    """Where the bundle of each file that the site lists is kept on this machine, by that file."""
    folder = release.layout.bundles
    return {
        signed: folder / file.name
        for file in contract.by_origin(Origin.SIGSTORE)
        if (signed := contract.find(file.beside)) is not None and signed.row is not None
    }


def _page(release: Release) -> SitePage:
    version = release.version
    notes = f"release/{version}" if release.ships_docs else version.series
    return SitePage(
        name=f"Python {version}",
        slug=f"python-{str(version).replace('.', '')}",
        pre_release=version.is_prerelease,
        release_notes_url=f"{DOCS}/{notes}/whatsnew/changelog.html",
    )


def _source(release: Release) -> Iterator[PublishedFile]:
    for suffix, title, button in (
        (".tgz", "Gzipped source tarball", False),
        (".tar.xz", "XZ compressed source tarball", True),
    ):
        yield PublishedFile(
            release.version.folder,
            f"Python-{release.version}{suffix}",
            Kind.SOURCE,
            Origin.EXPORT,
            SizeClass.ARCHIVE,
            _row(release, "source", title, button=button),
        )


def _binaries(release: Release) -> Iterator[PublishedFile]:
    """What experts and CI make; security releases are source only (PEP 101)."""
    if not release.ships_binaries:
        return
    version, series = release.version, release.series
    words = {"v": version, "series": version.series, "macos": series.macos_least}
    for each in binaries_of(version):
        kind = Kind(each.kind)
        row = None
        if each.is_listed(version.minor):
            note = each.note.format(**words)
            row = _row(release, each.system, each.title, note, button=each.button)
        yield PublishedFile(
            version.folder,
            each.name.format(**words),
            kind,
            Origin(each.made_by),
            SizeClass.TEXT if kind is Kind.MANIFEST else SizeClass.ARCHIVE,
            row,
        )


def _row(
    release: Release, system: str, name: str, description: str = "", *, button: bool = False
) -> Row:
    """The row of a file; its slug is unique over all releases, as the site wants it."""
    version = release.version
    early = str(version).removeprefix(version.folder)
    digits = version.folder.replace(".", "") + (f"-{early}" if early else "")
    words = re.sub(r"[^a-zA-Z0-9_-]", "", name.replace(" ", "-"))[:_SLUG_NAME_MOST]
    return Row(system, name, f"{digits}-{words}", description, system == "source", button)


def _beside(file: PublishedFile, release: Release) -> Iterator[PublishedFile]:
    """What has to be beside a listed file; experts may bring more."""
    suffixes = []
    if file.kind is Kind.SOURCE:
        suffixes += [".asc"] if release.signs_with_gpg else []
        suffixes += [".spdx.json"] if release.series.ships_sbom else []
    # A bundle is made by the release manager's identity, whoever made the file (PEP 761).
    has_bundle = release.series.signs_with_sigstore and file.row is not None
    suffixes += [BUNDLE_SUFFIX] if has_bundle else []
    for suffix in suffixes:
        kind, size = _SIDECARS[suffix]
        origin = Origin.SIGSTORE if kind is Kind.BUNDLE else file.origin
        name = f"{file.name}{suffix}"
        yield PublishedFile(file.folder, name, kind, origin, size, beside=file.remote)


def _docs(release: Release, formats: Iterable[str]) -> Iterator[PublishedFile]:
    for form in formats:
        for path in release.layout.docs_archives(form):
            yield PublishedFile(
                f"doc/{release.version}", path.name, Kind.DOCS, Origin.EXPORT, SizeClass.TEXT
            )


def record_paths(release: Release) -> tuple[str, ...]:
    """The release manifest and its signatures, below the root of the downloads."""
    version = release.version
    path = f"{version.folder}/python-{version}-manifest.json"
    signature = (f"{path}.asc",) if release.signs_with_gpg else ()
    return (path, *signature, f"{path}{BUNDLE_SUFFIX}")


def record_files(release: Release) -> tuple[Path, ...]:
    """The release manifest on this machine, then its signatures."""
    folder = release.layout.record
    return tuple(folder / path.rpartition("/")[2] for path in record_paths(release))


def parts_folders(release: Release) -> tuple[str, ...]:
    """Where the parts of the Windows installers are, below the root of the downloads."""
    version = release.version
    early = str(version).removeprefix(version.folder)
    return tuple(f"{version.folder}/{each}{early}" for each in MACHINES)


def _extras(release: Release) -> Iterator[tuple[Origin, str]]:
    """Sidecars of what experts make, what Windows fetches while it installs, further bundles."""
    version = release.version
    folder = re.escape(version.folder)
    name = re.escape(str(version))
    suffix = r"\.asc|\.spdx\.json" if release.signs_with_gpg else r"\.spdx\.json"
    parts = (
        rf"(?:{'|'.join(map(re.escape, parts_folders(release)))})/[a-z0-9_]+\.ms[iu]",
        rf"{folder}/python-{name}t?(?:-test|-embed|-embeddable)?-(?:amd64|arm64|win32)\.zip",
    )
    for part in parts if release.ships_binaries else ():
        yield Origin.WINDOWS, rf"{part}(?:{suffix})?"
        yield Origin.SIGSTORE, rf"{part}\.sigstore"
    for file in _binaries(release):
        yield file.origin, rf"{re.escape(file.remote)}(?:{suffix})"
    for file in (*_source(release), *_binaries(release)):
        if not release.series.signs_with_sigstore or file.row is None:
            yield Origin.SIGSTORE, rf"{re.escape(file.remote)}\.sigstore"
    yield Origin.RECORD, "|".join(map(re.escape, record_paths(release)))
    if release.series.signs_with_sigstore:
        name = f"{version.folder}/Python-{version}{EVIDENCE_SUFFIX}"
        yield Origin.SIGSTORE, re.escape(name)
