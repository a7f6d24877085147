"""Phases of the simulated environment: a branch on the morning on which it enters another one.

The environment is that of the release which would be next in the series; what is other on such a
morning is written over it.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from plugins.model.release import KIND_NAMES, Phase, ReleaseType
from plugins.model.schedule import SCHEDULE_FILE
from plugins.model.schedule_edit import phase_before
from plugins.model.series import series_of
from plugins.model.version import Version
from plugins.rehearsal import site
from plugins.rehearsal.peps import REPOSITORY

if TYPE_CHECKING:
    from datetime import date

    from plugins.rehearsal.store import Store

__all__ = ["declared", "file_issues", "next_version", "seed"]

_BUILDERS: Final = """\
def generate_branches():
    yield _maintenance_branch(3, {later})
    yield _maintenance_branch(3, {minor})
"""
_TABS: Final = """\
.. tab:: Python 3.{later}+

   For Python 3.{later} and newer::

      $ ./configure

.. tab:: Python 3.{minor}

   For Python 3.{minor}::

      $ ./configure --with-old-ways
"""
_LATE: Final = 17
_ISSUES: Final = 12
_PULLS: Final = 3


def next_version(series: Version, kind: ReleaseType) -> Version:
    """What would be released next when the branch of ``X.Y.0`` enters that phase."""
    if kind is ReleaseType.BEGIN_BUGFIX:
        return Version(series.major, series.minor, 1)
    since = series_of(series).source_only_since or _LATE
    later = 2 if kind is ReleaseType.END_OF_LIFE else 0
    return Version(series.major, series.minor, since + later)


def declared(text: str, series: str, kind: ReleaseType) -> str:
    """A release.toml that was written for a release, for the change of phase."""
    text = re.sub(
        r"(?m)^version = .*$", f'version = "{series}"\nkind    = "{KIND_NAMES[kind]}"', text
    )
    return re.sub(r"(?m)^\[(?:series|tests)\]\n.*\n\n", "", text)


def seed(store: Store, series: str, kind: ReleaseType, today: date) -> None:
    """The schedule says that it is time, and the tracker has what a branch gathers until then."""
    phase = kind.begins or Phase.BUGFIX
    path = f"{REPOSITORY}/{SCHEDULE_FILE}"
    hub = store.load("github", {})
    text = _with(hub["texts"][path], series, "status", f'"{phase_before(phase).value}"')
    match phase:
        case Phase.SECURITY:
            text = _with(text, series, "end-of-bugfix", str(today - timedelta(days=9)))
        case Phase.END_OF_LIFE:
            last = today.replace(day=1) - timedelta(days=1)
            text = _with(text, series, "end-of-life", str(last.replace(day=1)))
        case _:
            pass
    if phase is Phase.END_OF_LIFE:
        _, minor = series.split(".")
        hub["texts"] |= {
                "python/buildmaster-config/master/custom/branches.py":
                    _BUILDERS.format(minor=minor, later=int(minor) + 1),
                "python/devguide/getting-started/setup-building.rst":
                    _TABS.format(minor=minor, later=int(minor) + 1),
                "python/devguide/index.rst": f"Python {series} is in many a page.\n",
        }  # fmt: skip
    hub["texts"][path] = text
    labels = dict.fromkeys((*hub["labels"], f"needs backport to {series}"))
    said = {series: "something else", f"needs backport to {series}": "backport"}
    store.save("github", {**hub, "labels": list(labels), "descriptions": said})
    store.save("peps", {**store.load("peps", {}), "built from": text})
    coming = next_version(Version.parse(f"{series}.0"), kind)
    site.seed(store, Version(coming.major, coming.minor, coming.micro - 1))
    if kind is ReleaseType.END_OF_LIFE:
        file_issues(store, series)


def file_issues(store: Store, series: str, issues: int = _ISSUES, pulls: int = _PULLS) -> None:
    """So many more issues have the label of the series, and so many pull requests go into it."""
    hub = store.load("github", {})
    first = max(each["number"] for each in hub["issues"]) + 1
    kinds = ("type-bug", "type-crash", "type-feature")
    filed: list[dict[str, Any]] = [
        {"number": first + at, "title": f"Spam {at} burns", "state": "open",
         "labels": [kinds[at % len(kinds)], series]}
        for at in range(issues)
    ]  # fmt: skip
    filed += [
        {"number": first + issues + at, "title": f"[{series}] gh-{at}: Turn the spam",
         "state": "open", "labels": [], "base": series}
        for at in range(pulls)
    ]  # fmt: skip
    labels = list(dict.fromkeys((*hub["labels"], *kinds)))
    store.save("github", {**hub, "labels": labels, "issues": [*hub["issues"], *filed]})


def _with(text: str, series: str, key: str, value: str) -> str:
    """The schedule with this value of the series."""
    head, section, rest = text.partition(f'[metadata."{series}"]\n')
    return head + section + re.sub(rf"(?m)^{key} = .*$", f"{key} = {value}", rest, count=1)
