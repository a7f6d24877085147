"""Steps elsewhere: what other machines do, whose word counts as far as it is proved.

What is asked for is an action (see ``plugins.model.action``). Whoever asks finds what was done for
it already, the run that is doing it now, or nothing, and only then asks for a run. Which run did it
is kept beside the receipts and in the journal, never in a receipt: the same sources tested here or
there leave the same.
"""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import NothingDone, StepFailed, Waiting
from doit_receipts.frozen import frozen
from doit_receipts.outside import is_held
from doit_receipts.probe import Probe, absent, identical
from plugins.model.action import (
    BUILD_DOCS,
    BUILD_TARBALLS,
    NOBODY,
    PASSED,
    RESULT,
    TEST_SOURCE,
    Action,
    bundle_file,
    here_file,
    result_of,
)
from plugins.model.attested import most_bytes
from plugins.model.farm_settings import Then
from plugins.model.strict_json import BrokenJson
from plugins.steps import source_test
from plugins.steps.artifacts import fetch_artifact, newest_first, refuse_odd
from plugins.steps.errand import Errand

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from doit_receipts.journal import Journal
    from plugins.model.farm_settings import Farm
    from plugins.model.layout import Layout
    from plugins.model.release import Release
    from plugins.ports.clock import Clock
    from plugins.ports.machines import Machines
    from plugins.ports.programs import Programs
    from plugins.ports.progress import Progress
    from plugins.ports.statements import StatementVerifier
    from plugins.steps.errand import Found

__all__ = [
    "actions", "done_here", "errand_of", "follow", "gather", "look_asked", "start", "step_in",
]  # fmt: skip

_THIS_MACHINE: Final = "this machine"
_MOST_ATTEMPTS: Final = 5
"""How many results of one run are looked through for the attested one."""
_VERSION: Final = 1
"""Goes up when ``source_test`` tests something else: nothing that was tested before counts then."""


@frozen
class _Words:
    """How a step is spoken of, and which tasks ask for it and wait for it."""

    where: str
    does: str
    progress: str
    """With how many of how many are done."""
    asking: str
    waiting: str
    without: str = ""
    """How one goes on without it, where the release can."""

    @property
    def again(self) -> str:
        return f"doit forget {self.asking}, then the same command: another run is asked for"


_WORDS: Final = {
    TEST_SOURCE: _Words(
        "tests elsewhere",
        "tests the sources",
        "{done} of {all} platforms have tested the sources",
        "start_tests",
        "await_tests",
    ),
    BUILD_DOCS: _Words(
        "docs elsewhere",
        "builds the documentation",
        "the documentation is not built yet",
        "start_docs",
        "fetch_docs",
    ),
    BUILD_TARBALLS: _Words(
        "rebuild elsewhere",
        "makes the archives again",
        "the archives are not made again yet, and the page waits for that",
        "start_rebuild",
        "await_rebuild",
        "; or take build_tarballs out of [farm] steps: then the page does not wait for it",
    ),
}


def actions(
    release: Release, farm: Farm, sums: Mapping[str, str], *, commit: str
) -> tuple[Action, ...]:
    """The tests of these archives, by their sha256, on each platform that is wanted."""
    params = {"level": farm.tests.value, "kind": release.type.name.lower()}
    version, tag = str(release.version), release.version.tag
    return tuple(
        Action(TEST_SOURCE, _VERSION, version, tag, commit, dict(sums), params, platform)
        for platform in farm.platforms
    )


def errand_of(
    layout: Layout,
    farm: Farm,
    wanted: tuple[Action, ...],
    machines: Machines,
    sigstore: StatementVerifier,
) -> Errand:
    """These actions, asked of these machines."""
    return Errand(layout, farm, wanted, machines, sigstore)


def look_asked(errand: Errand, clock: Clock) -> Probe:
    """Whether each action was done, or a run is doing it, whoever asked for it.

    A run that is gone, or that ended and stated nothing that counts, is as good as none. One that
    was asked for a moment ago counts, though GitHub does not list it yet.
    """
    now = clock.now()
    missing = [each for each in errand.look() if each.done is None and not each.is_under_way(now)]
    if missing:
        return absent(f"no run {_words(errand).does} on {_platforms(missing)}")
    return identical(_facts(errand))


def start(errand: Errand, clock: Clock, progress: Progress, *, owner: str) -> dict[str, str]:
    """A run does each action that nobody did and no run is doing; ``owner`` has the pushed tag.

    A run that was asked for a moment ago is doing it, though GitHub may not list it yet. That it is
    asked for is kept before it is: whatever becomes of the request, no second one is sent before
    GitHub's list has had its time. Where GitHub refuses, nothing is kept.
    """
    for each in errand.look():
        if each.done is not None or each.is_under_way(clock.now()):
            continue
        action = each.action
        progress.say(f"asking for a run on {action.platform}")
        inputs = {"action": action.to_bytes().decode(), "digest": action.digest, "owner": owner}
        if is_held():
            errand.machines.dispatch(inputs)
            continue
        errand.keep_asked(action, 0, clock.now())
        try:
            number = errand.machines.dispatch(inputs)
        except (NothingDone, Waiting):
            errand.forget_asked(action)
            raise
        errand.keep_asked(action, number, clock.now())
    return _facts(errand)


def follow(
    release: Release,
    errand: Errand,
    clock: Clock,
    journal: Journal,
    programs: Programs,
    progress: Progress,
    *,
    here: str,
) -> dict[str, str]:
    """The sources passed their tests on every platform; facts: what came of each.

    What was stated is kept under ``elsewhere/``, with the files of the run by their digests.
    Raises Waiting while a run goes on; StepFailed for one that ended otherwise or whose statement
    does not count, and once the hours of ``[farm]`` are over, unless this machine steps in.
    """
    late = gather(errand, clock, journal, progress)
    nobody = {action.platform for action in late}
    for action in late:
        if action.platform == here:
            progress.say(f"nobody answered for {here}: testing the sources here")
            source_test.run(release, programs, errand.farm.tests, progress)
            step_in(errand, action, journal)
            nobody.discard(here)
    platforms = [action.platform for action in errand.actions]
    return {platform: NOBODY if platform in nobody else PASSED for platform in platforms}


def gather(
    errand: Errand, clock: Clock, journal: Journal, progress: Progress
) -> tuple[Action, ...]:
    """Each action was done, and what proves it is here, but for those returned.

    Those nobody did in time, and ``[farm]`` says that this machine steps in. Raises Waiting and
    StepFailed as ``follow`` does.
    """
    words = _words(errand)
    found, now = errand.look(), clock.now()
    for each in found:
        if each.done is not None and not _is_kept(errand, each.action):
            _take(errand, each, progress)
            _record(journal, each.action, each.done.run)
    ours = done_here(journal)
    left = [
        each
        for each in found
        if each.done is None and not (each.action.digest in ours and _was_here(errand, each.action))
    ]
    late = [each for each in left if _is_late(each, now, errand.farm)]
    _refuse_ended(words, [each for each in left if each not in late or each.run is not None], now)
    if late and errand.farm.then is Then.STOP:
        raise StepFailed(
            where=words.where,
            problem=f"not done within {errand.farm.wait_hours} hours: {_shown(late)}",
            remedy=f"raise [farm] wait_hours; or cancel what still runs there, then {words.again}"
            f"{words.without}",
            details=_details(late),
        )
    on_time = [each for each in left if each not in late]
    if on_time:
        counted = words.progress.format(done=len(found) - len(left), all=len(found))
        raise Waiting(
            who="GitHub",
            problem=f"{counted}; {_shown(on_time)}",
            remedy=f"watch {_address(on_time)}, then run the same command again{words.without}",
            details=_details(on_time),
        )
    return tuple(each.action for each in late)


def step_in(errand: Errand, action: Action, journal: Journal) -> None:
    """It is kept that this machine did the action, since nobody else had in time."""
    write_whole(here_file(errand.layout, action), action.to_bytes())
    _record(journal, action, _THIS_MACHINE)


def done_here(journal: Journal) -> frozenset[str]:
    """The digests of the actions that this machine did itself, as the journal has it.

    The file that says so of one could be written by anybody.
    """
    return frozenset(
        str(entry.get("action"))
        for entry in journal.entries()
        if entry.get("event") == "elsewhere" and entry.get("run") == _THIS_MACHINE
    )


# ── inside ─────────────────────────────────────────────────────────────────────────────────


def _facts(errand: Errand) -> dict[str, str]:
    return {action.platform: action.digest for action in errand.actions}


def _words(errand: Errand) -> _Words:
    return _WORDS[errand.actions[0].step]


def _record(journal: Journal, action: Action, run: str) -> None:
    task = _WORDS[action.step].waiting
    journal.append("elsewhere", task=task, platform=action.platform, action=action.digest, run=run)


def _is_late(found: Found, now: datetime, farm: Farm) -> bool:
    return now - found.asked_at() > timedelta(hours=farm.wait_hours)


def _refuse_ended(words: _Words, left: Iterable[Found], now: datetime) -> None:
    bad = [(each, why) for each in left if (why := _why_never(each, now))]
    if bad:
        lines = [f"{each.action.platform}: {why}" for each, why in bad]
        there = "see why; then run its jobs again there, then this command; or "
        raise StepFailed(
            where=words.where,
            problem=lines[0],
            remedy=f"{there if bad[0][0].run is not None else ''}{words.again}",
            details=tuple(lines[1:]),
        )


def _why_never(found: Found, now: datetime) -> str:
    """Why nothing will come of its run; "" while something may."""
    if found.run is None:
        return "the run that was asked for does not exist" if found.is_lost(now) else ""
    if found.run.conclusion == "success":
        why = "; ".join(found.refused) or "it made no attestation"
        return f"the run succeeded, but no attestation of it counts: {why}, {found.run.url}"
    return f"{found.run.conclusion}, {found.run.url}" if found.run.conclusion else ""


def _is_kept(errand: Errand, action: Action) -> bool:
    """Whether the attestation is here, and the files of it that the release is made of."""
    try:
        done = errand.proved(bundle_file(errand.layout, action).read_bytes(), action)
        is_whole = action.step != BUILD_DOCS
        return is_whole or result_of(errand.layout, action) == done.products
    except (OSError, BrokenJson):
        return False


def _was_here(errand: Errand, action: Action) -> bool:
    try:
        return here_file(errand.layout, action).read_bytes() == action.to_bytes()
    except OSError:
        return False


def _take(errand: Errand, found: Found, progress: Progress) -> None:
    """The attestation is kept, and before it the files that it names are here.

    Of archives that were made again the digests are all that is wanted. Raises StepFailed as
    ``_fetch`` does; then nothing is kept.
    """
    if found.action.step != BUILD_TARBALLS:
        _fetch(errand, found, progress)
    write_whole(bundle_file(errand.layout, found.action), found.bundle)


def _fetch(errand: Errand, found: Found, progress: Progress) -> None:
    """The files of the run are here by their attested digests, as far as GitHub still has them.

    Raises StepFailed for other files than those, and for files that are gone where the release is
    made of them, or Waiting if the run makes them again; then nothing is kept.
    """
    assert found.done is not None  # noqa: S101 - for the type checker
    action, done, machines = found.action, found.done, errand.machines
    folder = bundle_file(errand.layout, action).parent
    where = f"{_words(errand).where.split()[0]} on {action.platform}"
    shutil.rmtree(folder / RESULT, ignore_errors=True)
    run = machines.run(done.run_id)
    listed = () if run is None else machines.artifacts(done.run_id)
    results = [each for each in listed if each.name == RESULT and not each.expired]
    wanted = {f"{RESULT}/{name}": digest for name, digest in done.products.items()}
    # Each attempt of a run leaves a result, and may have been the one that attested.
    for result in newest_first(results)[:_MOST_ATTEMPTS]:
        refuse_odd((result,), str(done.run_id), most_bytes(action))
        progress.say(f"fetching the result on {action.platform}")
        facts = fetch_artifact(
            folder, result, machines, only=done.products, most_bytes=most_bytes(action)
        )
        (folder / f"{RESULT}.zip").unlink(missing_ok=True)
        if facts == wanted:
            return
        shutil.rmtree(folder / RESULT)
    if run is not None and not run.conclusion:
        raise Waiting(
            who="GitHub",
            problem=f"the files that {done.run} attests are not there, and its jobs are run again",
            remedy=f"watch {done.run}, then run the same command again",
        )
    if results:
        raise StepFailed(
            where=where,
            problem=f"the artifact of {done.run} holds other files than it attests",
            remedy="find out who changed it; then run its jobs again there, then this command",
            details=tuple(f"attested {name} {each}" for name, each in done.products.items()),
        )
    if action.step == TEST_SOURCE:
        progress.say(f"{action.platform}: GitHub has no files of {done.run} any more")
    else:
        raise StepFailed(
            where=where,
            problem=f"GitHub has no files of {done.run} any more",
            remedy=f"run its jobs again there, then this command; or take {action.step} out of"
            " [farm] steps: then it is done here",
        )


def _platforms(found: Sequence[Found]) -> str:
    return ", ".join(each.action.platform for each in found)


def _shown(found: Sequence[Found]) -> str:
    return ", ".join(
        f"{each.action.platform} {each.run.status.replace('_', ' ') if each.run else 'not listed'}"
        for each in found
    )


def _address(found: Sequence[Found]) -> str:
    return next((each.run.url for each in found if each.run is not None), "the runs on GitHub")


def _details(found: Sequence[Found]) -> tuple[str, ...]:
    """Where each runs, since when; and what was stated of it that does not count."""
    runs = [
        f"{each.action.platform}: {each.run.status.replace('_', ' ')}, asked for at"
        f" {each.asked_at():%Y-%m-%d %H:%M} UTC, {each.run.url}"
        for each in found
        if each.run is not None
    ]
    refused = [
        f"{each.action.platform}: does not count: {why}" for each in found for why in each.refused
    ]
    return (*runs, *refused)
