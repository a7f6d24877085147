"""Contract: the exact set of what one release publishes, computed before anything is made.

Upload, site, purge and verification all read this one table, so none of them can forget a file
that another one knows (cpython#127602: five releases with something missing). What each kind of
release promises is in plugins.model.promise.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen
from doit_receipts.printable import printable
from plugins.model.published_file import (
    DOCS,
    EVIDENCE_SUFFIX,
    SIDECARS,
    SITE,
    Kind,
    Origin,
    PublishedFile,
    SitePage,
    SizeClass,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


__all__ = ["Contract", "Purge"]

_OK: Final = 200
_BROKEN: Final = 500


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
                for suffix, (kind, size) in SIDECARS.items():
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
