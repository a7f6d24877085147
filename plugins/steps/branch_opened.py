"""Branch opened: what others do for a new branch once it is pushed, asked for and looked at.

Source of the builders' form: python/buildmaster-config 7e8da94 (3.15), master/custom/branches.py;
of the bots: python/bedevere 8f57a31, backport.py, and python/miss-islington 07a61c1, tasks.py.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed, Waiting
from doit_receipts.printable import counted
from doit_receipts.probe import Probe, different, identical
from plugins.steps.afterwards import not_yet
from plugins.steps.ended_places import BRANCHES
from plugins.steps.merge_back import made
from plugins.steps.pull_requests import branch_of, is_merged, look_proposed

if TYPE_CHECKING:
    from datetime import datetime

    from plugins.model.release import Release
    from plugins.ports.builders import Builders
    from plugins.ports.clock import Clock
    from plugins.ports.git import Clone
    from plugins.ports.github import Backports, CommitChecks, Proposals
    from plugins.ports.progress import Progress

__all__ = [
    "BOT_DAYS",
    "await_backports",
    "await_builders",
    "await_runs",
    "look_builders",
    "propose_builders",
    "with_builders",
    "write_late",
]

BOT_DAYS: Final = 3
"""How long after the day of the release a first backport by the bot is looked for."""

_BOT: Final = "miss-islington"
_MAIN: Final = re.compile(r"(?m)^(?P<space>[ \t]+)version_tuple=\((\d+), (\d+)\),$")
_FIRST: Final = re.compile(r"(?m)^(?P<space>[ \t]+)yield _maintenance_branch\(")
_WORKFLOW: Final = "build.yml"
_FAILED: Final = ("failure", "timed_out", "startup_failure", "action_required")
_DONE: Final = {"pull request": "none", "url": "already up to date"}
_WHO: Final = "the administrators of the buildbots"


# ── builders ───────────────────────────────────────────────────────────────────────────────


def with_builders(text: str, series: str) -> str:
    """The text with builders for the branch, and main as of the series after it.

    The text itself if it has them. Raises StepFailed for a form that is not known.
    """
    major, minor = map(int, series.split("."))
    if re.search(rf"(?m)^[ \t]+yield _maintenance_branch\({major}, {minor}(?:, [^\n]*)?\)$", text):
        return text
    main, first = _MAIN.search(text), _FIRST.search(text)
    if main is None or first is None or (int(main[2]), int(main[3])) != (major, minor):
        raise StepFailed(
            where=BRANCHES,
            problem=f"does not list main as {series} above the maintenance branches",
            remedy=f"ask {_WHO} for builders of {series}, then run doit publish again",
        )
    line = f"{first['space']}yield _maintenance_branch({major}, {minor})\n"
    text = f"{text[: first.start()]}{line}{text[first.start() :]}"
    following = f"{main['space']}version_tuple=({major}, {minor + 1}),"
    return f"{text[: main.start()]}{following}{text[main.end() :]}"


def look_builders(release: Release, proposals: Proposals) -> Probe:
    """Whether the buildbots are told of the branch, or a pull request asks for that (NEW43)."""
    before = _text(proposals)
    try:
        after = with_builders(before, release.version.series)
    except StepFailed as error:
        return different(f"{error.where} {error.problem}", error.remedy, ())
    if after == before:
        return identical(_DONE)
    return look_proposed(release, proposals, BRANCHES, after.encode())


def propose_builders(release: Release, proposals: Proposals, progress: Progress) -> dict[str, str]:
    """A pull request asks for builders of the new branch (NEW43). Raises StepFailed as above."""
    proposals = proposals.pinned()
    series = release.version.series
    text = with_builders(_text(proposals), series)
    progress.say(f"opening the pull request of {BRANCHES}")
    title = f"Add builders for the branch {series}"
    pull = proposals.propose(branch_of(release), {BRANCHES: text.encode()}, title, "")
    return {"pull request": str(pull.number), "url": pull.url}


def await_builders(
    release: Release, builders: Builders, proposals: Proposals, clock: Clock, *, until: datetime
) -> dict[str, str]:
    """Stable builders of the branch exist, and one of them has built it (I05).

    Raises Waiting until then, StepFailed with whom to ask from ``until`` on, or once the pull
    request that asks for them was closed and not merged.
    """
    series = release.version.series
    found = builders.stable(series)
    built = [each for each in found if each.result]
    if not built:
        problem = (
            f"none of the {counted(len(found), 'builder')} of {series} has built it yet"
            if found
            else f"there is no builder of {series}"
        )
        merged = bool(found) or is_merged(proposals, branch_of(release), problem)
        wanted = f"merge the pull request of {BRANCHES} and reconfigure"
        if merged:
            wanted = "start a build" if found else "reconfigure; the pull request is merged"
        not_yet(problem, "buildbots", clock, until=until, who=_WHO, remedy=wanted)
    return {"builders": str(len(found)), "series": series}


def _text(proposals: Proposals) -> str:
    return (proposals.text(BRANCHES) or b"").decode(errors="surrogateescape")


# ── CI ─────────────────────────────────────────────────────────────────────────────────────


def await_runs(
    release: Release, clone: Clone, checks: CommitChecks, clock: Clock, *, until: datetime
) -> dict[str, str]:
    """CI has passed for what was pushed to main and to the new branch (I09, I10).

    Raises StepFailed for a run that failed, and from ``until`` on; until then Waiting.
    """
    facts = {}
    for branch, (_, commit) in made(release, clone).items():
        runs = [each for each in checks.runs_of(_WORKFLOW, commit) if each.conclusion != "skipped"]
        newest = max(runs, key=lambda run: run.id, default=None)
        conclusion = newest.conclusion if newest else ""
        if newest is not None and conclusion in _FAILED:
            raise StepFailed(
                where=newest.url,
                problem=f"CI of {branch} ended with {conclusion} for {commit[:12]}",
                remedy="have it corrected there by a pull request or run its failed jobs again,"
                " then run doit publish again; the release itself is out",
            )
        if conclusion != "success":
            problem = f"CI of {branch} has not passed yet for {commit[:12]}"
            not_yet(problem, branch, clock, until=until, who=f"CI of {branch}")
        facts[branch] = commit
    return facts


# ── the bots ────────────────────────────────────────────────────────────────────────────────


def await_backports(
    release: Release, pulls: Backports, clock: Clock, progress: Progress, *, until: datetime
) -> dict[str, str]:
    """The bots backport to the new branch, or the day has come on which it is noted (I07).

    They have no list of branches: bedevere makes the label when the branch is created, and
    miss-islington opens a pull request for what is merged with it. Before somebody merges such a
    thing there is none, so none at ``until`` is no failure. Facts: the first backport, or that
    there was none. Raises Waiting before.
    """
    series = release.version.series
    found = pulls.first_pull(series, _BOT)
    if found is None and clock.now() <= until:
        raise Waiting(
            who=_BOT,
            problem=f"it has not backported anything to {series} yet",
            remedy=f"nothing has to be done; from {until:%Y-%m-%d} on nobody is waited for",
        )
    if found is None:
        progress.say(
            f"NOTE: no backport to {series} by {_BOT} until {until:%Y-%m-%d}; if something with"
            f" the label needs backport to {series} was merged, tell"
            " https://github.com/python/core-workflow/issues"
        )
        return {"backport": f"none by {until:%Y-%m-%d}", "series": series}
    return {"backport": found.url, "series": series}


# ── what came late ──────────────────────────────────────────────────────────────────────────


def write_late(release: Release, clone: Clone) -> dict[str, str]:
    """``made/merged-since-freeze.md`` lists what came to main between the tag and the push (I08).

    The new branch begins at the merge of the tag into main, so it has all of that and nothing has
    to be backported; whether something of it is a feature that came too late people have to say.
    Facts: how many, and the digest.
    """
    series, main = release.version.series, release.branch
    old, _ = made(release, clone)[main]
    late = clone.beyond(old, clone.resolve(f"refs/tags/{release.version.tag}^{{commit}}"))
    lines = [f"# Merged to {main} after {release.version} was tagged", ""]
    if late:
        lines += [f"- {each}" for each in late]
        lines += ["", f"The branch {series} has all of these. Revert there what is a new feature."]
    else:
        lines.append(f"Nothing: {main} was as {release.version} when {series} was made from it.")
    text = "\n".join(lines) + "\n"
    write_whole(release.layout.merged_late, text.encode())
    return {"commits": str(len(late)), "digest": hashlib.sha256(text.encode()).hexdigest()}
