"""Promise: what a release of each kind and series publishes, computed before it is made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from plugins.model.binaries import MACHINES, binaries_of
from plugins.model.contract import Contract
from plugins.model.published_file import (
    BUNDLE_SUFFIX,
    DOCS,
    EVIDENCE_SUFFIX,
    SIDECARS,
    Kind,
    Origin,
    PublishedFile,
    Row,
    SitePage,
    SizeClass,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from plugins.model.release import Release

__all__ = [
    "bundle_paths",
    "contract_of",
    "local_path",
    "parts_folders",
    "record_files",
    "record_paths",
]

_FORMATS: Final = ("html", "text", "epub", "texinfo")
_SLUG_NAME_MOST: Final = 40
"""How much of a file's name its row's slug takes over; older rows on the site are cut so."""


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
        kind, size = SIDECARS[suffix]
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
