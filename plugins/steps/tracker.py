"""Tracker: what the issues' labels have to say once a release is out (K01-K07, M22, Z26)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.printable import counted
from doit_receipts.probe import Probe, absent, identical

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.github import Issue, Issues
    from plugins.ports.progress import Progress

__all__ = [
    "TRIAGE",
    "flip_deferred",
    "look_flipped",
    "look_labelled",
    "make_labels",
    "write_triage",
]

TRIAGE: Final = "triage.md"
"""The file below ``made/`` that lists open issues for a person to look through."""

_RELEASE: Final = "release-blocker"
_DEFERRED: Final = "deferred-blocker"
_SERIES: Final = re.compile(r"3\.[0-9]+")
_TRIAGED: Final = (
    (_RELEASE, "Release blockers"),
    (_DEFERRED, "Deferred blockers"),
    ("type-crash", "Crashes"),
    ("easy", "Easy issues that wait for somebody"),
)


def look_flipped(release: Release, issues: Issues) -> Probe:
    """Whether no blocker of this series is put off any more (K01)."""
    left = _deferred(release, issues)
    if left:
        return absent(
            f"{counted(len(left), 'blocker is', 'blockers are')} still deferred",
            tuple(map(_shown, left)),
        )
    return identical({"deferred": "none"})


def flip_deferred(release: Release, issues: Issues, progress: Progress) -> dict[str, str]:
    """Every blocker that was put off for this release blocks the next one (K01).

    The new label comes first: an issue may have both for a moment, never none. One that a killed
    run left with both gets nothing twice.
    """
    for issue in _deferred(release, issues):
        progress.say(f"issue {issue.number}")
        if _RELEASE not in issue.labels:
            issues.add_label(issue.number, _RELEASE)
        issues.remove_label(issue.number, _DEFERRED)
    return {"deferred": "none"}


def look_labelled(release: Release, issues: Issues) -> Probe:
    """Whether the labels of the new series are there (M22, Z26, K02)."""
    there = set(issues.labels())
    missing = [name for name in _labels(release) if name not in there]
    if missing:
        return absent(f"{', '.join(missing)} not created yet")
    return identical({"labels": ", ".join(_labels(release))})


def make_labels(release: Release, issues: Issues) -> dict[str, str]:
    """The tracker can say that something is about the new series, or to be backported to it."""
    for name, description in _labels(release).items():
        issues.make_label(name, "c2e0c6", description)
    return {"labels": ", ".join(_labels(release))}


def write_triage(release: Release, issues: Issues) -> dict[str, str]:
    """``made/triage.md`` lists what is open and worth a look (Q03, K03, K06).

    Issues by the label of the series, pull requests by the branch that they would go into.
    """
    series = release.version.series
    lines = [f"# Open issues and pull requests of Python {series} after {release.version}", ""]
    count = 0
    for label, title in _TRIAGED:
        found = (*issues.open_issues(label, series), *issues.open_pulls(release.branch, label))
        count += len(found)
        lines += [f"## {title} ({len(found)})", "", *(f"- {_shown(issue)}" for issue in found), ""]
    write_whole(release.layout.made / TRIAGE, "\n".join(lines).encode())
    return {"issues": str(count)}


def _labels(release: Release) -> dict[str, str]:
    """Labels that the first beta needs, by name; main gets the series after it."""
    version = release.version
    coming = f"{version.major}.{version.minor + 1}"
    return {
        version.series: "",
        coming: "",
        f"needs backport to {version.series}": f"backport to the branch {version.series}",
    }


def _deferred(release: Release, issues: Issues) -> tuple[Issue, ...]:
    """Those of this series, and those that name none; other series flip their own.

    GitHub's search may still find a pull request by a label that it has lost, so its labels decide.
    """
    found = (
        issue
        for issue in issues.open_issues(_DEFERRED)
        if release.version.series in issue.labels or not any(map(_SERIES.fullmatch, issue.labels))
    )
    pulls = issues.open_pulls(release.branch, _DEFERRED)
    return (*found, *(pull for pull in pulls if _DEFERRED in pull.labels))


def _shown(issue: Issue) -> str:
    return f"[{issue.number}]({issue.url}) {' '.join(issue.title.split())}"
