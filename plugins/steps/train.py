"""Train: what the releases of one day wait for of each other, and tell each other.

A release knows of another one only what its sealed receipts say, and the files that they name by
digest. Nothing of the other is run or changed here.
"""

from __future__ import annotations

import functools
import hashlib
from datetime import date
from typing import TYPE_CHECKING, Final, NoReturn

from doit_receipts.durable import write_whole
from doit_receipts.errors import ReleaseError, SettingsError, StepFailed, Waiting
from doit_receipts.receipt import Receipt
from plugins.model.release import PROJECT, Phase
from plugins.model.schedule_edit import Recorded, phase_entered
from plugins.model.settings import read_settings, release_of
from plugins.model.train import JOINED
from plugins.model.train_text import joined
from plugins.steps.announcement_draft import DRAFT, SETTLED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from plugins.model.release import Release
    from plugins.model.settings import Settings
    from plugins.model.train import Member

__all__ = [
    "await_builds",
    "await_each",
    "await_ready",
    "await_told",
    "besides",
    "declared",
    "edited_at",
    "join",
    "once_results",
    "results",
    "take_over",
    "take_settled",
    "tell",
    "versions",
]

_ONCE: Final = (
    "mail_list", "mail_announce", "mail_dev", "mail_committers", "post_forum", "open_blog",
    "date_pep",
)  # fmt: skip


# ── what is waited for ─────────────────────────────────────────────────────────────────────


def results(members: Sequence[Member], *tasks: str) -> str:
    """A digest of what these tasks of these releases left; another one makes a step stale. Quick.

    A release file that cannot be read is one that nothing is known of.
    """
    lines = []
    for member in members:
        for task in tasks:
            try:
                receipt = _receipt(member, task)
            except ReleaseError:
                receipt = None
            lines.append(f"{member.name} {task} {receipt.result if receipt else ''}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def await_each(members: Sequence[Member], *tasks: str) -> dict[str, str]:
    """Each of these releases has done those tasks. Raises Waiting for the first that has not."""
    for member in members:
        for task in tasks:
            _needed(member, task)
    return {"releases": " ".join(versions(members))}


def declared(file: Path) -> str:
    """The sha256 of a release file: what a release was made ready by."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def await_ready(members: Sequence[Member]) -> dict[str, str]:
    """Each of these releases is ready now, by its release file as it is (NEW33).

    Ready is one whose ``tell_ready`` has a receipt that was made from that file and, through every
    task before it, from the results that are there. Raises Waiting for the first that is not. No
    fact is left, so that a release that is taken out later changes nothing behind this.
    """
    for member in members:
        told = _needed(member, "tell_ready")
        if told.inputs.get("input declaration") != declared(member.file):
            _wait(member, f"{member.name} was edited after that release was ready")
        _refuse_stale(member, told, set())
    return {}


def await_builds(members: Sequence[Member]) -> dict[str, str]:
    """The Windows builds of these releases have ended (NEW25). Raises Waiting for the first.

    The install manager's feed has one writer at a time.
    """
    building = [each for each in members if _release(each).ships_binaries]
    return await_each(building, "await_windows_build")


def versions(members: Sequence[Member]) -> tuple[str, ...]:
    """What these releases are releases of. Raises SettingsError for a file that is wrong."""
    return tuple(str(_settings(member).version) for member in members)


# ── the announcement ───────────────────────────────────────────────────────────────────────


def join(release: Release, members: Sequence[Member]) -> dict[str, str]:
    """``made/announcement.train.md`` tells of all releases, a section for each (NEW33).

    Made from this release's draft and from those of the others, which have to be as their receipts
    say. Raises Waiting until each has one.
    """
    drafts = {str(release.version): (release.layout.made / DRAFT).read_bytes()}
    for member in members:
        drafts[str(_settings(member).version)] = _product(member, "draft_announcement", DRAFT)
    text = joined({version: draft.decode() for version, draft in drafts.items()}).encode()
    write_whole(release.layout.made / JOINED, text)
    return {"digest": hashlib.sha256(text).hexdigest(), "releases": " ".join(drafts)}


def take_settled(release: Release, lead: Member) -> dict[str, str]:
    """The lead's settled text is this release's as well, byte for byte. Raises Waiting for it."""
    text = _product(lead, "settle_announcement", SETTLED)
    write_whole(release.layout.made / SETTLED, text)
    return {"digest": hashlib.sha256(text).hexdigest(), "by": "lead"}


def edited_at(lead: Member) -> str:
    """Where the release manager edits the text of all, as a message names it."""
    layout = _release(lead).layout
    return f"{layout.work.name}/texts/{DRAFT} (a copy of {layout.work.name}/made/{JOINED})"


# ── what is told ───────────────────────────────────────────────────────────────────────────


def tell(
    day: str, becomes: Phase | None, *, announcement: str, is_unplanned: bool
) -> dict[str, str]:
    """What the lead has to know of a release that everybody can see now."""
    return {
        "day": day,
        "becomes": becomes.value if becomes else "",
        "unplanned": "yes" if is_unplanned else "",
        "announcement": announcement,
    }


def await_told(members: Sequence[Member], announcement: str) -> dict[str, str]:
    """Each of these releases is public, and had this text of the announcement (NEW33).

    Raises Waiting for the first that is not, or that settled another text.
    """
    for member in members:
        told = _needed(member, "tell_lead").facts
        if told["announcement"] != announcement:
            _wait(member, "another text of the announcement was approved there")
    return {"releases": " ".join(versions(members))}


def besides(members: Sequence[Member]) -> tuple[Recorded, ...]:
    """What the schedule has to say of these releases, as they told it."""
    return tuple(_recorded(member) for member in members)


def take_over(lead: Member) -> dict[str, str]:
    """What exists once for the day is there, by the lead's receipts (NEW33). Raises Waiting."""
    wanted = _once(_settings(lead))
    facts = {}
    for task in wanted:
        receipt = _needed(lead, task)
        for name, fact in receipt.facts.items():
            facts[f"{task} {name}"] = fact
    return {**facts, "pull request": facts["date_pep pull request"]}


def once_results(lead: Member) -> str:
    """A digest of what the lead did once for all; see ``results``."""
    return results((lead,), *_ONCE)


# ── inside ─────────────────────────────────────────────────────────────────────────────────


def _once(settings: Settings) -> Iterable[str]:
    """The tasks that exist once, of those that the lead has."""
    tell_ = settings.announce
    lists = {"mail_list": tell_.list, "mail_announce": tell_.announce, "mail_dev": tell_.dev,
             "mail_committers": tell_.committers, "open_blog": tell_.blog}  # fmt: skip
    return [task for task in _ONCE if task not in lists or lists[task]]


def _recorded(member: Member) -> Recorded:
    told = _needed(member, "tell_lead").facts
    version = _settings(member).version
    becomes = Phase(told["becomes"]) if told["becomes"] else None
    enters = phase_entered(version, becomes)
    return Recorded(version, date.fromisoformat(told["day"]), enters, bool(told["unplanned"]))


def _product(member: Member, task: str, name: str) -> bytes:
    """A file that another release made, as its receipt has it. Raises Waiting without one."""
    receipt = _needed(member, task)
    file = _release(member).layout.made / name
    content = file.read_bytes() if file.is_file() else b""
    if hashlib.sha256(content).hexdigest() != receipt.outputs.get(f"made/{name}"):
        raise StepFailed(
            where=f"{_settings(member).version}: made/{name}",
            problem=f"is not as {task} left it",
            remedy=f"run doit {task} --release {member.file}",
        )
    return content


def _needed(member: Member, task: str) -> Receipt:
    receipt = _receipt(member, task)
    if receipt is None:
        _wait(member, f"{task} is not done there")
    return receipt


def _wait(member: Member, problem: str) -> NoReturn:
    raise Waiting(
        who=str(_settings(member).version),
        problem=problem,
        remedy=f"run doit publish --release {member.file}",
    )


def _refuse_stale(member: Member, receipt: Receipt, seen: set[str]) -> None:
    """Raise Waiting if a task was done again, and this one not yet, or one before it."""
    for name, result in receipt.inputs.items():
        kind, _, task = name.partition(" ")
        if kind != "after":
            continue
        before = _needed(member, task)
        if before.result != result:
            _wait(member, f"{task} was done again there, and {receipt.step} not yet")
        if task not in seen:
            seen.add(task)
            _refuse_stale(member, before, seen)


def _receipt(member: Member, task: str) -> Receipt | None:
    """What the task of that release left; None if it is not done.

    Raises StepFailed for what another release, task or project left there, and for a rehearsal's
    receipt in a real release and the other way round.
    """
    release = _release(member)
    path = release.layout.receipt(task)
    try:
        found = Receipt.read(path)
    except StepFailed as error:
        where = f"{release.version}: {error.where}"
        raise type(error)(
            where=where, problem=error.problem, remedy=error.remedy, details=error.details
        ) from error
    if found is None:
        return None
    # The first format named no project.
    project = found.project or PROJECT
    there = (found.step, found.version, found.rehearsal, project)
    if there != (task, str(release.version), release.rehearsal, PROJECT):
        kinds = {True: "a rehearsal", False: "a real release"}
        raise StepFailed(
            where=f"{release.version}: receipts/{path.name}",
            problem=f"left by {found.step} of {project} {found.version} in {kinds[found.rehearsal]}"
            f", wanted {task} of {PROJECT} {release.version} in {kinds[release.rehearsal]}",
            remedy=f"give {member.name} a [work] folder of its own",
        )
    return found


def _release(member: Member) -> Release:
    return release_of(_settings(member))


def _settings(member: Member) -> Settings:
    try:
        return _settings_of(member.file, _stamp(member.file))
    except SettingsError as error:
        raise member.named(error) from error


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


@functools.cache
def _settings_of(file: Path, _stamp: tuple[int, int]) -> Settings:
    return read_settings(file)
