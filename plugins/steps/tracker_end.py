"""Tracker end: issues and pull requests of a series that is not supported any more.

What is open is listed first, and approved as that list; only what is on it is changed. Each act
looks at what is left of it, so hundreds of issues may be interrupted anywhere.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from doit_receipts.printable import counted, share
from doit_receipts.probe import Probe, absent, different, identical
from plugins.steps.phase_words import following_series

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plugins.model.layout import Layout
    from plugins.model.release import Release
    from plugins.ports.github import Issue, Tracker
    from plugins.ports.progress import Progress
    from plugins.ports.schedules import Schedules

__all__ = [
    "LISTED",
    "SHOWN",
    "close_pulls",
    "drop_backports",
    "list_open",
    "look_closed",
    "look_dropped",
    "look_moved",
    "look_renamed",
    "move_issues",
    "rename_label",
]

LISTED: Final = "tracker.json"
"""The file below ``made/`` with the numbers of what is open."""
SHOWN: Final = "tracker.md"
"""The same for people, with titles and what becomes of each."""
_SAYS: Final = "end of life"
_FEATURE: Final = "type-feature"


def list_open(release: Release, tracker: Tracker, schedules: Schedules) -> dict[str, str]:
    """``made/`` lists every open issue and pull request of the series, and what becomes of each.

    An issue that no supported series has yet gets the label of the oldest one after ours (K05); a
    feature that is asked for gets none. A pull request into the branch is closed (L15).
    """
    series, schedule = release.version.series, schedules.schedule()
    following = following_series(schedule, series)
    supported = {
        name
        for name, each in schedule.branches.items()
        if each.phase and each.phase.value != "end-of-life" and name != series
    }
    issues, pulls = tracker.open_issues(series), tracker.pulls_into(series)
    moved = [
        each for each in issues if not supported & set(each.labels) and _FEATURE not in each.labels
    ]
    kept = [each for each in issues if each not in moved]
    content = {
        "following": following,
        "moved": [each.number for each in moved],
        "closed": [each.number for each in pulls],
    }
    made = release.layout.made
    write_whole(made / LISTED, json.dumps(content, indent=1).encode() + b"\n")
    lines = [
        f"# What is open of Python {series}",
        *_section(f"Pull requests into {series}, which are closed", pulls),
        *_section(f"Issues that get the label {following}", moved),
        *_section("Issues that stay as they are", kept),
    ]
    write_whole(made / SHOWN, ("\n".join(lines) + "\n").encode())
    return {
        "pull requests": str(len(pulls)),
        "issues to move": str(len(moved)),
        "issues that stay": str(len(kept)),
    }


# ── pull requests ──────────────────────────────────────────────────────────────────────────


def look_closed(release: Release, tracker: Tracker) -> Probe:
    """Whether no pull request of the list is open (L15)."""
    left = _open_pulls(release, tracker)
    if left:
        return absent(f"{counted(len(left), 'pull request is', 'pull requests are')} still open")
    return identical({"closed": str(len(_listed(release.layout)["closed"]))})


def close_pulls(release: Release, tracker: Tracker, progress: Progress) -> dict[str, str]:
    """Every listed pull request into the branch is closed, and says why, once (L15).

    GitHub would close them without a word when the branch goes.
    """
    text = _farewell(release)
    for number in _open_pulls(release, tracker):
        progress.say(f"pull request {number}")
        if text not in tracker.comments(number):
            tracker.comment(number, text)
        tracker.close(number)
    return {"closed": str(len(_listed(release.layout)["closed"]))}


def _open_pulls(release: Release, tracker: Tracker) -> list[int]:
    listed = _listed(release.layout)["closed"]
    there = {each.number for each in tracker.pulls_into(release.version.series)}
    return [number for number in listed if number in there]


def _farewell(release: Release) -> str:
    series = release.version.series
    following = _listed(release.layout)["following"]
    return (
        f"Python {series} has reached its end of life, and its branch will be deleted, so this "
        f"pull request is closed. If the change is still needed in {following} or a later version, "
        "please open one against main. Thank you for your work on it!"
    )


# ── issues ─────────────────────────────────────────────────────────────────────────────────


def look_moved(release: Release, tracker: Tracker) -> Probe:
    """Whether every listed issue that is open has the label of the following series (K05)."""
    listed = _listed(release.layout)
    left = _unmoved(release, tracker)
    if left:
        return absent(
            f"{share(len(left), len(listed['moved']), 'issue', 'lacks', 'lack')} "
            f"{listed['following']}"
        )
    return identical({"moved": str(len(listed["moved"])), "to": listed["following"]})


def move_issues(release: Release, tracker: Tracker, progress: Progress) -> dict[str, str]:
    """Every listed issue that is still open has the label of the following series as well (K05).

    A second lies between two writes, and a limit that GitHub tells is waited for or told; the next
    run goes on with what is left.
    """
    listed = _listed(release.layout)
    left = _unmoved(release, tracker)
    for count, number in enumerate(left, start=1):
        progress.say(f"issue {number}, {count} of {len(left)}")
        tracker.add_label(number, listed["following"])
    return {"moved": str(len(listed["moved"])), "to": listed["following"]}


def _unmoved(release: Release, tracker: Tracker) -> list[int]:
    listed = _listed(release.layout)
    there = {
        each.number: each.labels
        for name in (release.version.series, _ended(release))
        for each in tracker.open_issues(name)
    }
    return [
        number
        for number in listed["moved"]
        if number in there and listed["following"] not in there[number]
    ]


# ── labels ─────────────────────────────────────────────────────────────────────────────────


def look_renamed(release: Release, tracker: Tracker) -> Probe:
    """Whether the label of the series says that it is at its end (L13)."""
    there = tracker.described_labels()
    old, new = release.version.series, _ended(release)
    if old in there and new in there:
        return different(
            f"there is a label {old} and a label {new}",
            f"have what is labelled {old} labelled {new} by hand, delete {old}, then run the same"
            " command again",
            (),
        )
    if old in there or there.get(new) != _SAYS:
        return absent(f"the label {old} is still that of a supported series")
    return identical({"label": new})


def rename_label(release: Release, tracker: Tracker) -> dict[str, str]:
    """The label X.Y is called X.Y (EOL), on every issue that has it, so nobody gives it (L13).

    So upstream did with 3.7 to 3.9. Deleting it would take from closed issues what they are about.
    """
    old, new = release.version.series, _ended(release)
    there = tracker.described_labels()
    name = old if old in there else new
    if name not in there:
        raise StepFailed(
            where="labels",
            problem=f"there is neither a label {old} nor {new}",
            remedy=f"make a label {new} by hand, then run the same command again",
        )
    tracker.describe_label(name, _SAYS, new_name=new)
    return {"label": new}


def look_dropped(release: Release, tracker: Tracker) -> Probe:
    """Whether nothing can be labelled to be backported to the series any more (L14, Z28)."""
    name = _backports(release)
    if name in tracker.described_labels():
        return absent(f"the label {name} is still there")
    return identical({"deleted": name})


def drop_backports(release: Release, tracker: Tracker) -> dict[str, str]:
    """The label that asks for backports to the series is gone, from all that had it (L14, Z28)."""
    tracker.delete_label(_backports(release))
    return {"deleted": _backports(release)}


def _ended(release: Release) -> str:
    return f"{release.version.series} (EOL)"


def _backports(release: Release) -> str:
    return f"needs backport to {release.version.series}"


def _section(title: str, listed: Sequence[Issue]) -> list[str]:
    shown = [f"- [{each.number}]({each.url}) {' '.join(each.title.split())}" for each in listed]
    return ["", f"## {title} ({len(listed)})", "", *shown]


def _listed(layout: Layout) -> dict[str, Any]:
    file: Path = layout.made / LISTED
    try:
        found: dict[str, Any] = json.loads(file.read_bytes())
    except (FileNotFoundError, ValueError) as error:
        raise StepFailed(
            where=str(file),
            problem="cannot be read",
            remedy="run the same command again: the step that makes it is stale",
        ) from error
    return found
