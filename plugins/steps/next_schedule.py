"""Next schedule: a pull request that asks python/peps to plan the series after the running one.

It has the release PEP, the series in the schedule's data and the PEP's owner, as python/peps
f29099efb had them. Whoever merges it may change all of it before.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from doit_receipts.errors import StepFailed
from doit_receipts.probe import Probe, absent, different, identical
from plugins.model.next_schedule import OWNERS, following, planned, with_owner, with_series
from plugins.model.schedule import SCHEDULE_FILE, read_schedule
from plugins.model.schedule_pep import pep_path
from plugins.steps.schedule import decoded, generated_files, schedule_text

if TYPE_CHECKING:
    from datetime import date

    from plugins.model.manager_settings import NextSeries
    from plugins.model.release import Release
    from plugins.ports.github import Proposals, Pull
    from plugins.ports.programs import Programs
    from plugins.ports.progress import Progress

__all__ = ["look_series", "propose_series"]


def look_series(release: Release, proposals: Proposals) -> Probe:
    """Whether the PEPs plan the next series, or a pull request asks for that (P14).

    Days and words may be other ones than were proposed: those who merge it decide.
    """
    series = following(release.version)
    if _has(proposals, series, ""):
        return identical(_facts(series, None))
    branch = _branch(release)
    pull = proposals.pull(branch)
    if pull is None:
        return absent(f"no pull request from {branch} yet")
    if pull.state == "open":
        if _has(proposals, series, branch) and _owned(proposals, series, branch):
            return identical(_facts(series, pull))
        return absent(f"the branch of pull request {pull.number} does not have all of it yet")
    became = "closed and not merged" if pull.state == "closed" else "merged without the series"
    return different(
        f"pull request {pull.number}, which plans {series}, was {became}",
        f"see {pull.url}: open it again, or run doit adopt if {series} is planned in another way",
        (pull.url,),
        adopted=_facts(series, pull),
    )


def propose_series(
    release: Release,
    proposals: Proposals,
    wanted: NextSeries,
    today: date,
    programs: Programs,
    progress: Progress,
) -> dict[str, str]:
    """A pull request asks python/peps to plan the next series: PEP, days and owner (P14).

    What its branch has already, of an earlier try or of others, stays, and what is merged into
    main meanwhile. Raises StepFailed if the number of the PEP is taken, if the running series is
    not planned to its end, or if the PEPs' generator fails.
    """
    proposals = proposals.pinned()
    series, branch = following(release.version), _branch(release)
    ref = branch if proposals.text(SCHEDULE_FILE, branch) is not None else ""
    text = schedule_text(proposals, ref)
    known = read_schedule(text)
    there = known.branches.get(series)
    number = there.pep if there else wanted.pep
    plan = planned(known, release.version, wanted.manager, number)
    if there is None:
        _refuse_taken(proposals, number)
        text = with_series(text, plan)
    path = pep_path(number)
    running = _text(proposals, pep_path(known.branches[release.version.series].pep), ref)
    pep = _text(proposals, path, ref) or plan.pep(running, today)
    owners = with_owner(_text(proposals, OWNERS, ref), number, wanted.login)
    progress.say(f"making the schedule of {series}")
    folder = release.layout.scratch / "peps-next"
    try:
        files = generated_files(text, proposals, ref, programs, folder, added={path: pep.encode()})
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    progress.say(f"opening the pull request of the schedule of {series}")
    title = f"PEP {number}: Python {series} Release Schedule"
    body = (
        f"Plans Python {series}. The days are those of {release.version.series} 52 weeks later, on"
        " Tuesdays; they are a draft, to be changed here before this is merged.\n"
    )
    made = proposals.propose(branch, {**files, OWNERS: owners.encode()}, title, body)
    return _facts(series, made)


def _has(proposals: Proposals, series: str, ref: str) -> bool:
    """Whether data and PEP of the series are there."""
    text = proposals.text(SCHEDULE_FILE, ref)
    branch = read_schedule(text.decode(errors="replace")).branches.get(series) if text else None
    return branch is not None and proposals.text(pep_path(branch.pep), ref) is not None


def _owned(proposals: Proposals, series: str, ref: str) -> bool:
    branch = read_schedule(schedule_text(proposals, ref)).branches.get(series)
    return branch is not None and pep_path(branch.pep) in _text(proposals, OWNERS, ref).split()


def _refuse_taken(proposals: Proposals, pep: int) -> None:
    title = next(
        (
            line.partition(":")[2].strip()
            for line in _text(proposals, pep_path(pep), "").splitlines()
            if line.startswith("Title:")
        ),
        None,
    )
    if title is not None:
        raise StepFailed(
            where="[next_series] pep",
            problem=f"is {pep}, which is {title!a}",
            remedy="agree with the editors of the PEPs on a free number and write that, then run"
            " doit publish again",
        )


def _text(proposals: Proposals, path: str, ref: str) -> str:
    return decoded(proposals.text(path, ref) or b"", path)


def _branch(release: Release) -> str:
    kind = "rehearsal" if release.rehearsal else "release"
    return f"{kind}-{following(release.version)}-schedule"


def _facts(series: str, pull: Pull | None) -> dict[str, str]:
    if pull is None:
        return {"series": series, "pull request": "none", "url": "already up to date"}
    return {"series": series, "pull request": str(pull.number), "url": pull.url}
