"""Site files: the rows by which the website lists a release's files, made from the bytes served.

Rows are computed and then compared (cpython#80422: digest and size on a page that were not the
file's). A row that is right is left alone, so a step that was interrupted goes on where it was.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import ServiceFailed, StepFailed
from doit_receipts.frozen import frozen
from doit_receipts.printable import counted, printable
from doit_receipts.probe import absent, different, identical
from plugins.model.published_file import ROW_SIDECARS
from plugins.steps.served import published_bytes
from plugins.steps.site_release import differences, the_release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from doit_receipts.probe import Probe
    from plugins.model.content import Content
    from plugins.model.contract import Contract
    from plugins.ports.host import HostReader
    from plugins.ports.progress import Progress
    from plugins.ports.site import Site, SiteReader, SiteRelease, SiteRow

__all__ = ["WantedRow", "look_files", "put_files", "unlike", "wanted_rows"]

_ROUNDS: Final = 4
_BUTTON: Final = "download_button"


@frozen
class WantedRow:
    """A row as the site has to have it."""

    system: str
    fields: Mapping[str, Any]


def wanted_rows(contract: Contract, served: Mapping[str, Content]) -> tuple[WantedRow, ...]:
    """The rows of all listed files; of each system the one with the button is last."""
    return tuple(_wanted(contract, served))


def _wanted(contract: Contract, served: Mapping[str, Content]) -> Iterator[WantedRow]:
    for file in contract.listed:
        row = file.row
        if row is None:
            continue
        beside = contract.sidecars(file)
        fields = {
            "name": row.name,
            "slug": row.slug,
            "description": row.description,
            "is_source": row.is_source,
            "url": file.url,
            "filesize": served[file.remote].size_bytes,
            "md5_sum": "",
            "sha256_sum": served[file.remote].sha256,
            _BUTTON: row.download_button,
        }
        for name, suffix in ROW_SIDECARS.items():
            fields[name] = beside[suffix].url if suffix in beside else ""
        yield WantedRow(row.os, fields)


def look_files(
    contract: Contract, host: HostReader, site: SiteReader, known: Mapping[str, str] | None = None
) -> Probe:
    """Whether the site lists exactly the contract's files, each as it is on the host.

    A file on the host with other bytes than ``known`` says is never listed.
    Rows of a release that is public already are not changed: both sides are shown.
    """
    wanted = wanted_rows(contract, published_bytes(contract, host, known))
    release = the_release(contract, site)
    wrong = unlike(wanted, site.rows(release))
    if not wrong:
        lines = "".join(
            f"{wanted_row.fields['url']} {wanted_row.fields['sha256_sum']}\n"
            for wanted_row in wanted
        )
        digest = hashlib.sha256(lines.encode()).hexdigest()
        return identical({"rows": str(len(wanted)), "rows_sha256": digest})
    if release.is_published:
        return different(
            f"{release.name} is public, but"
            f" {counted(len(wrong), 'of its rows is', 'of its rows are')} wrong",
            "find out which side is wrong, the host or the site, and correct it there",
            wrong,
        )
    return absent(
        f"{counted(len(wrong), 'row is', 'rows are')} still to be created or changed", wrong
    )


def unlike(wanted: tuple[WantedRow, ...], rows: tuple[SiteRow, ...]) -> tuple[str, ...]:
    """A line for each row that is missing, differs, or belongs to no file of the contract."""
    plan = _plan(wanted, rows)
    lines = [f"{wanted_row.fields['name']}: has no row" for wanted_row in plan.missing]
    for row, wanted_row in plan.changed:
        wrong = "; ".join(differences(wanted_row.fields, row.fields))
        lines.append(f"{wanted_row.fields['name']}: {wrong}")
    lines += [
        f"{printable(str(row.fields['name']))}: {printable(str(row.fields['url']))} is not a file"
        " of this release"
        for row in plan.surplus
    ]
    return tuple(lines)


def put_files(
    contract: Contract,
    host: HostReader,
    site: Site,
    progress: Progress,
    known: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The site lists the contract's files as they are on the host, and nothing else.

    Right rows stay, wrong ones are changed in place, others are deleted. When the site
    fails at a save, which may have been stored, it is looked at again, a few times.
    """
    wanted = wanted_rows(contract, published_bytes(contract, host, known))
    release = the_release(contract, site)
    if release.is_published:
        raise StepFailed(
            where="site",
            problem=f"{release.name} is public; its rows are not changed any more",
            remedy="correct them in the site's admin",
        )
    failed: ServiceFailed | None = None
    for _ in range(_ROUNDS):
        plan = _plan(wanted, site.rows(release))
        if plan.is_empty:
            return {}
        failed = None
        try:
            for message, act in _acts(plan, release, site):
                progress.say(message)
                act()
        except ServiceFailed as error:
            failed = error
    if failed is not None:
        held = _held_elsewhere(wanted, release, site)
        if held:
            raise StepFailed(
                where="site",
                problem=f"{counted(len(held), 'row')} cannot be created: another release uses"
                " their slug or"
                f" address, first {held[0]}",
                remedy="delete those rows in the site's admin, or give them another slug and"
                " address, then run the same command again",
                details=held,
            ) from failed
        raise failed
    return {}


def _held_elsewhere(
    wanted: tuple[WantedRow, ...], release: SiteRelease, site: Site
) -> tuple[str, ...]:
    """A line for each row whose slug or address a row of another release has, naming that."""
    missing = _plan(wanted, site.rows(release)).missing
    names = {other.address: other.name for other in site.releases()} if missing else {}
    lines = []
    for wanted_row in missing:
        slug, url = str(wanted_row.fields["slug"]), str(wanted_row.fields["url"])
        for row in site.holders(slug, url):
            if row.release == release.address:
                continue
            what = f"slug {slug}" if row.slug == slug else f"address {url}"
            holder = printable(names.get(row.release, row.release))
            name = printable(str(row.fields["name"]))
            lines.append(
                f"{what} of {wanted_row.fields['name']}: {name} of {holder} ({row.address})"
            )
    return tuple(lines)


@frozen
class _Plan:
    """What separates the site's rows from the wanted ones."""

    missing: tuple[WantedRow, ...]
    changed: tuple[tuple[SiteRow, WantedRow], ...]
    surplus: tuple[SiteRow, ...]
    right: tuple[SiteRow, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.missing or self.changed or self.surplus)


def _plan(wanted: tuple[WantedRow, ...], rows: tuple[SiteRow, ...]) -> _Plan:
    """Rows and wanted rows are one if they have the same address, or else the same slug.

    Both are unique on the site, so nothing else could take their place.
    """
    left = list(rows)
    pairs: dict[int, SiteRow] = {}
    for field in ("url", "slug"):
        for number, wanted_row in enumerate(wanted):
            if number in pairs:
                continue
            row = next((row for row in left if row.fields[field] == wanted_row.fields[field]), None)
            # A row of another system is created again: which it belongs to is not changed in place.
            if row is not None and row.system == wanted_row.system:
                pairs[number] = row
                left.remove(row)
    changed = tuple(
        (row, wanted[number])
        for number, row in sorted(pairs.items())
        if differences(wanted[number].fields, row.fields)
    )
    touched = {row.address for row, _ in changed}
    return _Plan(
        missing=tuple(
            wanted_row for number, wanted_row in enumerate(wanted) if number not in pairs
        ),
        changed=changed,
        surplus=tuple(left),
        right=tuple(row for row in pairs.values() if row.address not in touched),
    )


def _acts(
    plan: _Plan, release: SiteRelease, site: Site
) -> Iterator[tuple[str, Callable[[], None]]]:
    """What is to be done, in the one order that the site allows.

    First what does not belong goes, for its address or slug may be needed. Then buttons that
    are in the way go off: while one is on, no row of its system can be added. Then rows are
    changed and added, those with the button last.
    """
    for row in plan.surplus:
        yield f"deleting the row {row.slug}", lambda row=row: site.delete_row(row)  # type: ignore[misc]
    crowded = {wanted_row.system for wanted_row in plan.missing}
    for row in (*plan.right, *(row for row, _ in plan.changed)):
        wrong = any(
            row is other and not wanted_row.fields[_BUTTON] for other, wanted_row in plan.changed
        )
        if row.fields[_BUTTON] and (row.system in crowded or wrong):
            off = {_BUTTON: False}
            yield (
                f"taking the button from {row.slug}",
                lambda row=row, off=off: site.change_row(row, off),  # type: ignore[misc]
            )
    for row, wanted_row in sorted(plan.changed, key=lambda pair: bool(pair[1].fields[_BUTTON])):
        fields = {**wanted_row.fields}
        if row.system in crowded:
            fields[_BUTTON] = False  # the next round switches it on, when all rows are there
        yield (
            f"correcting the row {wanted_row.fields['slug']}",
            lambda row=row, fields=fields: site.change_row(row, fields),  # type: ignore[misc]
        )
    for new in plan.missing:
        yield (
            f"listing {new.fields['name']}",
            lambda new=new: site.add_row(release, new.system, new.fields),  # type: ignore[misc]
        )
