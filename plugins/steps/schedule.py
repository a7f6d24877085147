"""Schedule: python/peps records the release, by one pull request, and everybody can look it up.

The pull request has the schedule file and the PEPs that the repository's own generator makes of
it. What others changed meanwhile is kept; where that says something else, nothing is proposed.
"""

from __future__ import annotations

import shutil
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ServiceFailed, StepFailed, Waiting
from doit_receipts.probe import Probe, absent, different, identical
from plugins.model.schedule import SCHEDULE_FILE, Schedule, Stage, read_schedule
from plugins.model.schedule_edit import Recorded, is_recorded, phase_entered, recorded
from plugins.model.schedule_pep import lists_as_released, only_lists_differ, pep_path
from plugins.steps.left_behind import content_left, see_plain
from plugins.steps.pull_requests import is_merged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime
    from pathlib import Path

    from plugins.model.release import Phase, Release
    from plugins.ports.clock import Clock
    from plugins.ports.github import Proposals, Pull
    from plugins.ports.programs import Programs
    from plugins.ports.progress import Progress
    from plugins.ports.schedules import Schedules

__all__ = [
    "await_published",
    "decoded",
    "generated_files",
    "look_proposed",
    "propose",
    "proposed_files",
    "recorded_of",
    "schedule_text",
    "title_of",
]

_GENERATOR: Final = "release_management"
_FIRST_GENERATED: Final = (3, 8)  # source: the header of python-releases.toml
_LONGEST_S: Final = 120.0
_AGAIN: Final = "then run doit publish again"
_MERGE: Final = "merge it"


def recorded_of(
    release: Release, day: date, becomes: Phase | None = None, *, is_unplanned: bool = False
) -> Recorded:
    """What python/peps has to say of the release, with ``[series] becomes`` and ``unplanned``."""
    enters = phase_entered(release.version, becomes)
    return Recorded(release.version, day, enters, is_unplanned)


def look_proposed(
    release: Release, proposals: Proposals, wanted: Recorded, besides: Sequence[Recorded] = ()
) -> Probe:
    """Whether the schedule has the release, or a pull request asks for it (A09, Z27, NEW33).

    ``besides`` are releases of the same day, which the same pull request records. The main branch
    counts, whoever wrote it there; a pull request that is closed, or that is merged or edited to
    say something else, is shown and never replaced.
    """
    all_of_them = (wanted, *besides)
    pull = proposals.pull(_branch(release))
    if _has(release, proposals, all_of_them, ""):
        return identical(_facts(pull))
    problem = _problem_of(proposals, all_of_them, "")
    if problem is not None:
        return different(*problem, ())
    if pull is None:
        return absent(f"no pull request from {_branch(release)} yet")
    if pull.state != "open":
        return _ended(pull, all_of_them)
    return _look_at_branch(release, proposals, all_of_them, pull)


def _ended(pull: Pull, wanted: Sequence[Recorded]) -> Probe:
    if pull.state == "closed":
        return different(
            f"pull request {pull.number} was closed and not merged",
            f"reopen it, or record the release by another one, {_AGAIN}",
            (pull.url,),
        )
    names = ", ".join(str(each.version) for each in wanted)
    return different(
        f"pull request {pull.number} was merged, and the schedule does not state that"
        f" {names} was released on {wanted[0].day}",
        f"see {pull.url}, correct the schedule by another pull request, {_AGAIN}",
        (pull.url,),
    )


def _look_at_branch(
    release: Release, proposals: Proposals, wanted: Sequence[Recorded], pull: Pull
) -> Probe:
    """Whether the branch of the open pull request has what is wanted, or may get it."""
    branch = _branch(release)
    if _has(release, proposals, wanted, branch):
        return identical(_facts(pull))
    problem = _problem_of(proposals, wanted, branch)
    if problem is None:
        return absent(f"the branch of pull request {pull.number} does not have it yet")
    return different(f"the branch of pull request {pull.number}: {problem[0]}", problem[1], ())


def propose(
    release: Release,
    proposals: Proposals,
    wanted: Recorded,
    programs: Programs,
    progress: Progress,
    besides: Sequence[Recorded] = (),
) -> dict[str, str]:
    """A pull request asks python/peps to record the release and its branch's phase (A09, Z27).

    It records the releases ``besides`` as well, which are of the same day (NEW33). It goes on from
    a branch that an earlier try left. Raises StepFailed if the schedule says something else, or if
    its generator fails or changes more than lists of releases.
    """
    proposals = proposals.pinned()
    branch = _branch(release)
    all_of_them = (wanted, *besides)
    recorded(schedule_text(proposals, ""), all_of_them)
    ref = branch if proposals.text(SCHEDULE_FILE, branch) is not None else ""
    folder = release.layout.scratch / "peps"
    progress.say("making the schedules of the PEPs")
    try:
        files = proposed_files(all_of_them, proposals, ref, programs, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    progress.say("opening the pull request of the schedule")
    schedule = read_schedule(decoded(files[SCHEDULE_FILE], SCHEDULE_FILE))
    made = proposals.propose(branch, files, title_of(all_of_them, schedule), _body(files))
    return _facts(made)


def title_of(releases: Sequence[Recorded], schedule: Schedule) -> str:
    """The title as people write it there: PEP 745, 719: 3.14.7, 3.13.15 released on 2026-08-05."""
    peps = dict.fromkeys(str(schedule.branches[entry.version.series].pep) for entry in releases)
    names = ", ".join(_stage(schedule, entry).name for entry in releases)
    return f"PEP {', '.join(peps)}: {names} released on {max(entry.day for entry in releases)}"


def proposed_files(
    releases: Sequence[Recorded],
    proposals: Proposals,
    ref: str,
    programs: Programs,
    folder: Path,
) -> dict[str, bytes]:
    """The schedule file with these releases, and each PEP that the generator rebuilds from it.

    ``ref`` is the branch that is gone on from, "" for the main one. The generator runs in
    ``folder`` over copies of what it reads. Raises StepFailed as ``propose`` does.
    """
    edited = recorded(schedule_text(proposals, ref), releases)
    files, schedule = (
        generated_files(edited, proposals, ref, programs, folder),
        read_schedule(edited),
    )
    for entry in releases:
        stage = _stage(schedule, entry)
        path = pep_path(schedule.branches[entry.version.series].pep)
        if not lists_as_released((folder / path).read_text(encoding="utf-8"), stage):
            raise StepFailed(
                where=path,
                problem=f"has no list between markers that {stage.name} belongs to",
                remedy="add '.. release schedule: bugfix' or 'security', and '.. release schedule:"
                f" ends' there by a pull request, {_AGAIN}",
            )
    return files


def generated_files(
    edited: str,
    proposals: Proposals,
    ref: str,
    programs: Programs,
    folder: Path,
    added: Mapping[str, bytes] = MappingProxyType({}),
) -> dict[str, bytes]:
    """The schedule file as it was edited, and each PEP that the generator rebuilds from it.

    ``added`` are PEPs that come with the edit. The folder has copies of all that the generator
    read and wrote. Raises StepFailed if it fails or changes more than lists of releases.
    """
    schedule = read_schedule(edited)
    before = {**_checkout(proposals, ref, schedule), **added}
    shutil.rmtree(folder, ignore_errors=True)
    for path, content in {**before, SCHEDULE_FILE: edited.encode()}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    _generate(programs, folder)
    see_plain(folder)
    peps = {path: content for path, content in before.items() if path.startswith("peps/")}
    # What an earlier try has put on the branch already is proposed, and described, all the same.
    on_main = _checkout(proposals, "", schedule) if ref else before
    files = {SCHEDULE_FILE: edited.encode()}
    for path, old in peps.items():
        new = content_left(folder / path)
        if not only_lists_differ(decoded(old, path), decoded(new, path)):
            raise _failed(path, "was changed by the generator outside of its lists of releases")
        if new != old or new != on_main.get(path):
            files[path] = new
    return files


def await_published(
    release: Release,
    schedules: Schedules,
    proposals: Proposals,
    wanted: Recorded,
    clock: Clock,
    *,
    pull: str,
    until: datetime,
) -> dict[str, str]:
    """peps.python.org shows that the release is out, and in which phase its branch is.

    From there the documentation's build, python.org and the buildbots take it. Raises Waiting
    until the pull request is merged and published, and StepFailed from the moment ``until`` on, or
    once it was closed and not merged.
    """
    who = f"pull request {pull} of the PEPs" if pull.isdigit() else "the PEPs' site"
    wish = _MERGE
    problem = (
        f"peps.python.org does not state yet that {release.version} was released on {wanted.day}"
    )
    try:
        found = schedules.schedule(fresh=True)
    except ServiceFailed as error:
        who, problem = error.where, error.problem
    else:
        if is_recorded(found, wanted):
            return {"stage": _stage(found, wanted).name, "pep": str(_pep(found, release))}
        if is_merged(proposals, _branch(release), problem):
            who, wish = "the PEPs' site", "build the site again"
            problem += ", though the pull request is merged"
    if clock.now() >= until:
        raise StepFailed(
            where=who,
            problem=f"{problem}; waiting ended on {until:%Y-%m-%d}",
            remedy=f"ask an editor of the PEPs to {wish}; the documentation's build,"
            f" python.org and the buildbots wait for it; {_AGAIN}",
        )
    remedy = _AGAIN.removeprefix("then ") if wish != _MERGE else f"have it merged, {_AGAIN}"
    raise Waiting(who=who, problem=problem, remedy=remedy)


# ── what is there ──────────────────────────────────────────────────────────────────────────


def _has(release: Release, proposals: Proposals, wanted: Sequence[Recorded], ref: str) -> bool:
    """Whether schedule and PEPs record these releases there.

    A schedule that cannot be read is none: then the PEP alone shows what people wrote by hand.
    """
    try:
        schedule = read_schedule(schedule_text(proposals, ref))
    except StepFailed:
        return _is_in_pep_by_hand(release, proposals, wanted[0], ref)
    return all(_is_there(proposals, schedule, each, ref) for each in wanted)


def _is_there(proposals: Proposals, schedule: Schedule, wanted: Recorded, ref: str) -> bool:
    if not is_recorded(schedule, wanted):
        return False
    path = pep_path(schedule.branches[wanted.version.series].pep)
    return lists_as_released(
        decoded(proposals.text(path, ref), SCHEDULE_FILE), _stage(schedule, wanted)
    )


def _is_in_pep_by_hand(release: Release, proposals: Proposals, wanted: Recorded, ref: str) -> bool:
    content = proposals.text(pep_path(release.series.release_pep), ref)
    if content is None:
        return False
    version, day = wanted.version, wanted.day
    names = (f"{version} final", _spelled(version), str(version))
    text = content.decode(errors="replace")
    return any(
        lists_as_released(text, Stage(version, name, actual=True, day=day)) for name in names
    )


def _spelled(version: object) -> str:
    text = str(version)
    for letters, word in (("rc", "candidate"), ("a", "alpha"), ("b", "beta")):
        head, found, serial = text.partition(letters)
        if found:
            return f"{head} {word} {serial}"
    return text


def _problem_of(
    proposals: Proposals, wanted: Sequence[Recorded], ref: str
) -> tuple[str, str] | None:
    """Why nothing can be recorded there: problem and remedy; None if it can."""
    try:
        recorded(schedule_text(proposals, ref), wanted)
    except StepFailed as error:
        return f"{error.where} {error.problem}", error.remedy
    return None


def schedule_text(proposals: Proposals, ref: str) -> str:
    """The schedule file on a branch, "" for the main one. Raises StepFailed if it is not there."""
    return decoded(proposals.text(SCHEDULE_FILE, ref), SCHEDULE_FILE)


def decoded(content: bytes | None, path: str) -> str:
    """The text of a file of the PEPs. Raises StepFailed if it is none, or is not there."""
    if content is None:
        raise _failed(
            path, "does not exist", "check that [announce] peps names the PEPs' repository"
        )
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise _failed(path, "is not UTF-8", "have it corrected there") from error


def _stage(schedule: Schedule, release: Recorded) -> Stage:
    stage = schedule.stage(release.version)
    assert stage is not None  # noqa: S101 - for the type checker: it was recorded
    return stage


def _pep(schedule: Schedule, release: Release) -> int:
    return schedule.branches[release.version.series].pep


def _branch(release: Release) -> str:
    kind = "rehearsal" if release.rehearsal else "release"
    return f"{kind}-{release.version}"


def _facts(pull: Pull | None) -> dict[str, str]:
    if pull is None:
        return {"pull request": "none", "url": "already up to date"}
    return {"pull request": str(pull.number), "url": pull.url}


# ── the generator ──────────────────────────────────────────────────────────────────────────


def _checkout(proposals: Proposals, ref: str, schedule: Schedule) -> dict[str, bytes]:
    """The generator and every PEP that it may write, by path."""
    modules = [
        f"{_GENERATOR}/{name}"
        for name in proposals.names(_GENERATOR, ref)
        if name.endswith(".py") and name.removesuffix(".py").isidentifier()
    ]
    if not modules:
        raise _failed(_GENERATOR, "has no generator any more")
    peps = [
        pep_path(branch.pep)
        for series, branch in schedule.branches.items()
        if tuple(map(int, series.split("."))) >= _FIRST_GENERATED
    ]
    found = {path: proposals.text(path, ref) for path in dict.fromkeys((*modules, *peps))}
    return {path: content for path, content in found.items() if content is not None}


def _generate(programs: Programs, folder: Path) -> None:
    """The repository's own module has written the lists of the PEPs in the folder.

    It is of the standard library alone (source: its imports), so nothing is installed for it.
    """
    home = folder / "home"
    home.mkdir()
    try:
        programs.confined(writes=(folder,)).run(
            [sys.executable, "-s", "-B", "-m", _GENERATOR, "update-peps"],
            folder=folder,
            env={"HOME": str(home)},
            timeout_s=_LONGEST_S,
        )
    except ServiceFailed as error:
        raise StepFailed(
            where=f"python -m {_GENERATOR} update-peps",
            problem=error.details[-1] if error.details else error.problem,
            remedy="correct the schedule in the PEPs' repository, or record the release there by"
            f" hand, {_AGAIN}",
            details=error.details,
        ) from error


def _body(files: Mapping[str, bytes]) -> str:
    peps = [path for path in files if path != SCHEDULE_FILE]
    made = f" `{'`, `'.join(peps)}` made by `python -m release_management update-peps`."
    return f"Records the release in `{SCHEDULE_FILE}`.{made if peps else ''}\n"


def _failed(path: str, problem: str, remedy: str = "") -> StepFailed:
    by_hand = f"record the release there by hand, {_AGAIN}"
    return StepFailed(where=path, problem=problem, remedy=remedy or by_hand)
