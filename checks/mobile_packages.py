"""Mobile packages: what CI built for Android and iOS, opened before anybody installs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checks.ci_artifacts import FETCH_AGAIN
from checks.looking import judges
from doit_receipts.errors import StepFailed
from doit_receipts.finding import Finding, Severity
from plugins.model.patchlevel import read_patchlevel
from plugins.model.published_file import Origin

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.contract import Contract
    from plugins.model.release import Release

__all__ = ["mobile_packages_are_of_this_version"]

_HEADER: Final = "patchlevel.h"
_MOST_HEADER: Final = 1 << 16
_MOST_UNPACKED: Final = 4 << 30
"""An XCframework holds Python for a device and for two simulators."""
# Source: subcommand package of Platforms/Android and Platforms/Apple of CPython.
_HOLDS: Final = {
    "android": "lib/libpython{series}.so",
    "ios": "Python.xcframework/Info.plist",
}
_AGAIN: Final = f"see the job of CI that built it, and have it built again; {FETCH_AGAIN}"
_REPORT: Final = "add it to checks/mobile_packages.py: nobody opened this file"


@judges("ci.package", blind="ci.missing")
def mobile_packages_are_of_this_version(
    release: Release, contract: Contract
) -> tuple[Finding, ...]:
    """Each package for Android and iOS opens to its end, and its headers are of this version.

    It also has the one file that an app cannot do without. Nothing is run (NEW30).
    """
    found = []
    for file in contract.by_origin(Origin.CI):
        if file.row is None:
            continue
        if file.row.os not in _HOLDS:
            found.append(_block(file.name, "what it has to hold is not known", _REPORT))
            continue
        package = next(iter(release.layout.ci.glob(f"*/{file.name}")), None)
        if package is None:
            raise StepFailed(
                where=file.name, problem="was not fetched from CI", remedy="run doit fetch_build"
            )
        wanted = _HOLDS[file.row.os].format(series=release.version.series)
        problem = _problem(package, release, wanted)
        if problem:
            found.append(_block(file.name, problem, _AGAIN))
    return tuple(found)


def _block(name: str, problem: str, remedy: str) -> Finding:
    return Finding("ci.package", Severity.BLOCK, problem, where=name, remedy=remedy)


def _problem(package: Path, release: Release, wanted: str) -> str:
    """What is wrong with the package; "" if it is what it should be."""
    # A listing names this check and opens nothing: tarfile is loaded where it is used.
    from plugins.model.archive import Kind, Limits, UnreadableArchive, members_of  # noqa: PLC0415

    headers, has_wanted = [], False
    try:
        for member, content in members_of(package, Limits(stream_bytes=_MOST_UNPACKED)):
            name = f"/{member.name}"
            has_wanted = has_wanted or name.endswith(f"/{wanted}")
            if member.kind is Kind.FILE and content and name.endswith(f"/{_HEADER}"):
                headers.append(content.read(_MOST_HEADER).decode(errors="replace"))
    except UnreadableArchive as error:
        return error.problem
    if not headers:
        return f"has no {_HEADER}, so nothing says of which version it is"
    for header in headers:
        try:
            stated = read_patchlevel(header)
        except StepFailed as error:
            return f"{_HEADER} {error.problem}"
        if stated.version != release.version or stated.suffix:
            return f"is of {stated.version}{stated.suffix}, wanted {release.version}"
    return "" if has_wanted else f"has no {wanted}"
