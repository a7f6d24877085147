"""Not known: what a look from outside cannot tell of a release, by name, whatever it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.printable import counted
from plugins.model.published_file import DOCS, Kind
from plugins.ports.public import AROUND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.verify_context import VerifyContext
    from plugins.model.contract import Contract

__all__ = ["not_known"]

_SIGNED_BY = (Kind.SIGNATURE, Kind.BUNDLE, Kind.DETACHED)
_PROVEN = (*_SIGNED_BY, Kind.SBOM)
"""Judged by themselves: a signature by its key, an SBOM by the tag and the archive."""


def not_known(context: VerifyContext, contract: Contract, *, proven: bool) -> Iterator[str]:
    """One sentence for each thing about a public release that is believed and not compared.

    ``proven`` says that a good manifest lists every file, row, page and ref of it.
    """
    if not proven:
        yield from _without_manifest(context, contract)
    version = context.release.version
    if context.judges_docs:
        lists = "the manifest does not list" if proven else "the HTML archive does not hold"
        yield f"files below {DOCS}/release/{version}/ that {lists}"
    if context.release.series.ships_sbom:
        yield "addresses and digests that the SBOMs give for the projects inside of pip"
    if any(file.kind is Kind.INSTALLER for file in contract.files):
        by = "manifest" if proven else "signature and row"
        yield f"what is inside installers: each is compared as a whole, by {by}"
    if not context.rebuild:
        yield "how tightly gzip and xz compressed the archives; doit verify --rebuild compares it"
    if proven:
        yield f"what python.org shows around the words and the table of {contract.page.url}"
        yield "boxes, redirects and doc/current, once a newer release is public: they are its own"
    else:
        yield f"words, date and links of {contract.page.url} beyond what it has to show"
    asked = [each for each in context.clients.public.endpoints(contract.page.url) if each != AROUND]
    if unsent := context.clients.public.unsent():
        yield (
            f"{counted(len(unsent), 'file that was', 'files that were')} not sent again,"
            " since a server says that nothing changed; "
            "doit verify --fresh fetches all"
        )
    yield f"caches that [hosts] cdn_edges does not name; asked were {', '.join(asked)}"
    yield "what a server gives to somebody whom it knows by address or by the manner of asking"


def _without_manifest(context: VerifyContext, contract: Contract) -> Iterator[str]:
    """The files that no signature covers, each by what little its bytes are known from."""
    signed = {file.beside for file in contract.files if file.kind in _SIGNED_BY}
    if any(file.kind is Kind.DETACHED for file in contract.files):
        yield "when detached Sigstore signatures were made, and whether the public log has them"
    for file in contract.files:
        if file.kind not in _PROVEN and file.remote not in signed:
            by = "its row" if file.row is not None else "its server"
            if file.kind is Kind.PACKAGE:
                by = "the install manager's manifest"
            if context.judges_docs and file.name.endswith("-docs-html.zip"):
                by = "the hosted pages"
            yield f"{file.remote} has no signature: its bytes are known from {by} alone"
