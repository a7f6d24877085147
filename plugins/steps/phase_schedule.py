"""Phase in the schedule: python/peps says which phase a branch is in, by one pull request.

What everybody reads follows from it: the developer's guide, python.org's tables and banners, the
documentation's build and the buildbots' dashboard (python/peps f29099efb, 74fc8718e).
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ServiceFailed, StepFailed, Waiting
from doit_receipts.probe import Probe, absent, different, identical
from plugins.model.schedule import SCHEDULE_FILE, read_schedule
from plugins.model.schedule_edit import Entered, entered, has_entered
from plugins.steps.pull_requests import branch_of, is_merged
from plugins.steps.schedule import generated_files, schedule_text

if TYPE_CHECKING:
    from datetime import date, datetime

    from plugins.model.release import Phase, Release
    from plugins.ports.clock import Clock
    from plugins.ports.github import Proposals
    from plugins.ports.programs import Programs
    from plugins.ports.progress import Progress
    from plugins.ports.schedules import Schedules

__all__ = ["await_entered", "entered_of", "look_entered", "propose_entered"]

_DONE: Final = {"pull request": "none", "url": "already up to date"}


def entered_of(release: Release, phase: Phase, day: date) -> Entered:
    """What python/peps has to say of the branch from this day on."""
    return Entered(release.version.series, day, phase)


def look_entered(release: Release, proposals: Proposals, wanted: Entered) -> Probe:
    """Whether the schedule has the branch in its phase, or a pull request asks for it (L11, I03).

    The main branch counts, whoever wrote it there: the last bugfix release may have done so.
    """
    branch = branch_of(release)
    text = schedule_text(proposals, "")
    if has_entered(read_schedule(text), wanted):
        return identical(_DONE)
    try:
        entered(text, wanted)
    except StepFailed as error:
        return different(f"{error.where} {error.problem}", error.remedy, ())
    pull = proposals.pull(branch)
    if pull is None:
        return absent(f"no pull request from {branch} yet")
    if pull.state != "open":
        return different(
            f"pull request {pull.number} was {pull.state}, and {wanted.series} is not "
            f"{wanted.enters.value} in the schedule",
            f"see {pull.url}: reopen it, or change the schedule by another one, then run doit "
            "publish again",
            (pull.url,),
        )
    if not has_entered(read_schedule(schedule_text(proposals, branch)), wanted):
        return absent(f"the branch of pull request {pull.number} does not have it yet")
    return identical({"pull request": str(pull.number), "url": pull.url})


def propose_entered(
    release: Release,
    proposals: Proposals,
    wanted: Entered,
    programs: Programs,
    progress: Progress,
) -> dict[str, str]:
    """A pull request asks python/peps to have the branch in its new phase (L11, I03).

    It goes on from a branch that an earlier try left. Raises StepFailed if the schedule says
    something else, or if its generator fails or changes more than lists of releases.
    """
    proposals = proposals.pinned()
    branch = branch_of(release)
    ref = branch if proposals.text(SCHEDULE_FILE, branch) is not None else ""
    edited = entered(schedule_text(proposals, ref), wanted)
    folder = release.layout.scratch / "peps"
    progress.say("making the schedules of the PEPs")
    try:
        files = generated_files(edited, proposals, ref, programs, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    progress.say("opening the pull request of the schedule")
    pep = read_schedule(edited).branches[wanted.series].pep
    title = f"PEP {pep}: Python {wanted.series} is {wanted.enters.value} since {wanted.day}"
    body = f"Changes the status of {wanted.series} in `{SCHEDULE_FILE}`.\n"
    made = proposals.propose(branch, files, title, body)
    return {"pull request": str(made.number), "url": made.url}


def await_entered(
    release: Release,
    schedules: Schedules,
    proposals: Proposals,
    wanted: Entered,
    clock: Clock,
    *,
    pull: str,
    until: datetime,
) -> dict[str, str]:
    """peps.python.org shows the branch in its new phase, and all that reads it follows.

    Raises Waiting until the pull request is merged and published, StepFailed from ``until`` on, or
    once it was closed and not merged.
    """
    who = f"pull request {pull} of the PEPs" if pull.isdigit() else "the PEPs' site"
    problem = f"peps.python.org does not state yet that {wanted.series} is {wanted.enters.value}"
    wish, remedy = "merge it", "have it merged, then run doit publish again"
    try:
        found = schedules.schedule(fresh=True)
    except ServiceFailed as error:
        who, problem = error.where, error.problem
    else:
        if has_entered(found, wanted):
            return {"series": wanted.series, "phase": wanted.enters.value}
        if is_merged(proposals, branch_of(release), problem):
            who, wish, remedy = "the PEPs' site", "build the site again", "run doit publish again"
            problem += ", though the pull request is merged"
    if clock.now() >= until:
        raise StepFailed(
            where=who,
            problem=f"{problem}; waiting ended on {until:%Y-%m-%d}",
            remedy=f"ask an editor of the PEPs to {wish}; the developer's guide, python.org and"
            " the documentation's build wait for it; then run doit publish again",
        )
    raise Waiting(who=who, problem=problem, remedy=remedy)
