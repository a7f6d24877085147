"""Rows: what the website says of each file against the bytes that users get.

Computed here once more, apart from the step that wrote the rows (cpython#80422).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from doit_receipts.errors import ReleaseError
from doit_receipts.printable import counted, printable
from plugins.model.earlier_rows import has_sha256
from plugins.model.published_file import ROW_SIDECARS
from plugins.model.rules import breach
from plugins.model.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from doit_receipts.finding import Finding
    from plugins.model.content import NamedFile
    from plugins.model.contract import Contract
    from plugins.model.found_files import FoundFiles
    from plugins.model.published_file import PublishedFile, Row
    from plugins.ports.public import PublicSite
    from plugins.ports.site import SiteRow

__all__ = ["rows_are_true"]


def rows_are_true(
    contract: Contract, found_files: FoundFiles, site: PublicSite
) -> tuple[Finding, ...]:
    """Each listed file has one row, under its system, that says what is served."""
    page = contract.page
    try:
        releases = [each for each in site.releases() if each.slug == page.slug]
        if len(releases) != 1:
            return (
                breach(
                    "row.unseen",
                    page.name,
                    (
                        f"{counted(len(releases), 'release has', 'releases have')} the "
                        f"address {page.slug}, wanted one"
                    ),
                ),
            )
        rows = site.rows(releases[0])
    except ReleaseError as error:
        return (breach("row.unseen", page.name, str(error)),)
    return tuple(_compared(contract, found_files, rows))


def _compared(
    contract: Contract, found_files: FoundFiles, rows: Sequence[SiteRow]
) -> Iterator[Finding]:
    wanted = {file.url: file for file in contract.listed}
    found: dict[str, SiteRow] = {}
    for row in rows:
        url = str(row.fields["url"])
        if url not in wanted:
            yield breach("row.surplus", url, "has a row, but is not a file of this release")
        elif url in found:
            yield breach("row.surplus", url, "has two rows")
        else:
            found[url] = row
    for url, file in wanted.items():
        if url not in found:
            yield breach("row.missing", file.remote, "has no row on the site")
        elif file.row is not None:
            yield from _row(file, file.row, contract, found_files, found[url])


def _row(
    file: PublishedFile, wanted: Row, contract: Contract, found_files: FoundFiles, row: SiteRow
) -> Iterator[Finding]:
    fields, there = row.fields, found_files.files.get(file.remote)
    if there is not None:
        yield from _unlike("row.size", file, fields, {"filesize": there.content.size_bytes})
        yield from _digests(file, fields, there, contract)
    beside = contract.sidecars(file)
    sidecars = {
        name: beside[suffix].url if suffix in beside else ""
        for name, suffix in ROW_SIDECARS.items()
    }
    yield from _unlike("row.sidecar", file, fields, sidecars)
    button = {"download_button": wanted.download_button}
    yield from _unlike("row.button", file, fields, button)
    if row.system != wanted.os:
        message = f"is listed under {printable(row.system)}, wanted {wanted.os}"
        yield breach("row.system", file.remote, message)
    texts = {
        "name": wanted.name,
        "slug": wanted.slug,
        "description": wanted.description,
        "is_source": wanted.is_source,
    }
    yield from _unlike("row.text", file, fields, texts)


def _digests(
    file: PublishedFile, fields: Mapping[str, Any], there: NamedFile, contract: Contract
) -> Iterator[Finding]:
    """Each digest that is given is right; of old releases many rows have that of MD5 alone."""
    md5 = fields.get("md5_sum")
    if fields["sha256_sum"] or not md5 or has_sha256(Version.parse(contract.version)):
        yield from _unlike("row.digest", file, fields, {"sha256_sum": there.content.sha256})
    if md5 and there.source is not None:
        yield from _unlike("row.digest", file, fields, {"md5_sum": _md5(there.source)})


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _unlike(
    rule: str, file: PublishedFile, fields: Mapping[str, Any], wanted: Mapping[str, object]
) -> Iterator[Finding]:
    for name, value in wanted.items():
        if fields[name] != value:
            found = printable(str(fields[name])) or "empty"
            yield breach(
                rule, file.remote, f"its row's {name} is {found}, wanted {value or 'empty'}"
            )
