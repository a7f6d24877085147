"""Whole series: whether anybody may trust every public release of it, not only one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from checks.whole_release import verify
from doit_receipts.errors import ReleaseError, SettingsError
from doit_receipts.finding import Severity
from doit_receipts.printable import counted
from plugins.model.layout import Layout
from plugins.model.promise import contract_of
from plugins.model.published_file import Origin
from plugins.model.release import Release, ReleaseType, type_of
from plugins.model.report import Judgement, Report, Situation
from plugins.model.rules import breach
from plugins.model.series import series_of
from plugins.model.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from checks.verify_context import Clients, Makers, Signers
    from plugins.model.contract import Contract
    from plugins.model.report import Wanted
    from plugins.ports.site import SiteRelease

__all__ = ["audit"]

_NAME = "Python "
_PACKED = ("archive.stream", "archive.compressor", "sbom.statement")
_EXPERTS = (Origin.WINDOWS, Origin.MACOS)


def audit(
    release: Release,
    formats: tuple[str, ...],
    signers: Signers,
    make: Makers,
    clients: Clients,
    wanted: Wanted,
) -> Report:
    """All that can be found against the published releases of this release's series.

    The website says which there are; each is judged as published, one after another, and is one
    subject of the report. What is fetched is kept below ``verify/audit`` in the work folder, so
    that the next audit asks only what changed.
    """
    if wanted.fresh:
        clients.public.forget()
    series = release.version.series
    listed = {
        version: each
        for each in clients.site.releases()
        if (version := _version_of(each)) is not None and version.series == series
    }
    sourced = {version for version, each in listed.items() if not _has_binaries(each, clients)}
    others = sorted(listed)
    judgements = []
    for each in others:
        its = _release(release, each, others, sourced)
        judged = _judged(its, formats, signers, make, clients, wanted)
        ours = release.rehearsal or each >= release.version
        judgements.append(judged if ours else _of_other_tools(judged))
    if not others:
        found = breach("situation.nothing", series, f"python.org has no release of {series}")
        judgements = [Judgement("releases", f"what is out of {series}", (found,))]
    return Report(series, counted(len(others), "release"), Situation.PUBLISHED, tuple(judgements))


def _judged(
    release: Release,
    formats: tuple[str, ...],
    signers: Signers,
    make: Makers,
    clients: Clients,
    wanted: Wanted,
) -> Judgement:
    version = str(release.version)
    clients.progress.say(f"Python {version}")
    contract: Contract = contract_of(release, formats)
    # What the whole audit forgot is not forgotten again before each release.
    at = replace(wanted, situation=Situation.PUBLISHED, fresh=False)
    try:
        report = verify(release, contract, formats, signers, (), make, clients, at)
    except ReleaseError as error:
        problem = breach("situation.unseen", f"{version}: {error.where}", error.problem)
        return Judgement(f"Python {version}", "could not be checked", (problem,))
    kind = (
        f"{report.kind}: {counted(len(contract.files), 'file')}, "
        f"{counted(len(report.judgements), 'subject')}"
    )
    found = tuple(replace(each, where=f"{version}: {each.where}") for each in report.findings)
    return Judgement(f"Python {version}", kind, found)


def _of_other_tools(judged: Judgement) -> Judgement:
    """The judgement of a release that this tool need not have packed.

    Another tar, gzip or writer of SBOMs says the same in other bits; those are worth a warning.
    """
    found = tuple(
        replace(each, severity=Severity.WARN) if each.rule in _PACKED else each
        for each in judged.findings
    )
    return replace(judged, findings=found)


def _release(
    mine: Release, version: Version, others: Sequence[Version], sourced: Iterable[Version]
) -> Release:
    """The release of this version, as it would be declared.

    Only a branch that takes nothing but security fixes is released as source alone, and it is
    never opened again: if the declared release is such a one, so is every final before it that
    has no binaries, unless a later one has some.
    """
    if version == mine.version:
        kind = mine.type
    else:
        kind = type_of(version)
        later = {each for each in others if each >= version}
        security = mine.type is ReleaseType.SECURITY_FINAL and kind is ReleaseType.BUGFIX_FINAL
        if security and later <= set(sourced):
            kind = ReleaseType.SECURITY_FINAL
    series = series_of(version)
    # Whoever is declared signs from this release on; before, somebody else may have.
    if mine.rehearsal or version >= mine.version:
        series = replace(series, manager=mine.series.manager)
    layout = Layout(mine.layout.work / "verify" / "audit" / str(version), version)
    return Release(version, kind, series, layout, mine.rehearsal)


def _version_of(listed: SiteRelease) -> Version | None:
    """The version that a row of the site names; None for what is no release of Python."""
    if not listed.is_published or not listed.name.startswith(_NAME):
        return None
    try:
        return Version.parse(listed.name.removeprefix(_NAME))
    except SettingsError:
        return None


def _has_binaries(listed: SiteRelease, clients: Clients) -> bool:
    try:
        systems = {each.system for each in clients.site.rows(listed)}
    except ReleaseError:
        return True  # reported when the release is judged
    return any(origin.value in systems for origin in _EXPERTS)
