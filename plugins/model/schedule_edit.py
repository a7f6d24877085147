"""Schedule edits: python-releases.toml with releases recorded, every other byte as it was.

Only lines are changed that the releases are about; then the file is read again and compared
with what the change means, so that a form that is not understood is refused and never spoiled.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen
from plugins.model.release import Phase
from plugins.model.schedule import SCHEDULE_FILE, Branch, Schedule, Stage, read_schedule
from plugins.model.version import Level, Version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

__all__ = [
    "Entered",
    "Recorded",
    "ends_bugfix",
    "entered",
    "has_entered",
    "is_recorded",
    "phase_before",
    "phase_entered",
    "recorded",
]

_WORDS: Final = {Level.ALPHA: " alpha ", Level.BETA: " beta ", Level.CANDIDATE: " candidate "}
_FROM: Final[Mapping[Phase, Phase]] = {
    Phase.PRERELEASE: Phase.FEATURE,
    Phase.BUGFIX: Phase.PRERELEASE,
    Phase.SECURITY: Phase.BUGFIX,
    Phase.END_OF_LIFE: Phase.SECURITY,
}
_DAYS: Final = (
    "start-of-development", "feature-freeze", "first-release", "end-of-bugfix", "end-of-life",
)  # fmt: skip
_AGAIN: Final = "see who changed it and why, correct it there, then run doit publish again"


@frozen
class Recorded:
    """One release that is out since ``day``; ``enters`` is the phase its branch enters with it.

    An unplanned one is made besides those that are expected: they keep their days, and their
    numbers go up by one (python/peps #4731, #4780).
    """

    version: Version
    day: date
    enters: Phase | None = None
    is_unplanned: bool = False


@frozen
class Entered:
    """A branch that is in a later phase since ``day``, without a release."""

    series: str
    day: date
    enters: Phase


def phase_before(phase: Phase) -> Phase:
    """The phase that a branch is in right before this one."""
    return _FROM[phase]


def has_entered(schedule: Schedule, change: Entered) -> bool:
    """Whether the schedule has the branch in this phase, since this day or another one."""
    branch = schedule.branches.get(change.series)
    return branch is not None and branch.phase is change.enters


def entered(text: str, change: Entered) -> str:
    """The file's text with the branch in its new phase; ``text`` itself if it was there already.

    Its ``status`` changes, and the day that goes with it where that is a day of this change: the
    end of bugfixes is not before the last bugfix release, the end of life is the day itself. All
    other bytes stay. Raises StepFailed as ``recorded`` does.
    """
    before = read_schedule(text)
    if has_entered(before, change):
        return text
    if change.series not in before.branches:
        raise _refused(
            problem=f"does not have series {change.series}",
            remedy="add it there with its release PEP first",
        )
    branch = before.branches[change.series]
    if branch.phase is not _FROM[change.enters]:
        now = branch.phase.value if branch.phase else "planned"
        wanted = f"before {change.enters.value} it is {_FROM[change.enters].value}"
        raise _refused(problem=f"says that {change.series} is {now}; {wanted}", remedy=_AGAIN)
    after = replace(branch, phase=change.enters)
    if change.enters is Phase.END_OF_LIFE:
        after = replace(after, end_of_life=change.day)
    lines = text.splitlines(keepends=True)
    _set_branch(lines, branch, after)
    found = "".join(lines)
    if read_schedule(found) != replace(before, branches={**before.branches, change.series: after}):
        raise _refused(
            problem=f"has a form in which the phase of {change.series} can't be changed safely",
            remedy="change it there by hand",
        )
    return found


def phase_entered(version: Version, declared: Phase | None = None) -> Phase | None:
    """The phase that the branch enters with this release; None if it stays where it is.

    Source: python/peps #4962 (with X.Y.0b1), #4696 (with X.Y.0; the end of bugfixes) and #4694
    (the end of life). The last two are a decision of people, so they are declared.
    """
    if not version.micro and (version.level, version.serial) == (Level.BETA, 1):
        return Phase.PRERELEASE
    if not version.micro and version.level is Level.FINAL:
        return Phase.BUGFIX
    return declared


def ends_bugfix(schedule: Schedule, version: Version) -> bool:
    """Whether the schedule expects no bugfix release of this series after this one."""
    branch = schedule.branches.get(version.series)
    if branch is None or branch.phase is not Phase.BUGFIX or version.is_prerelease:
        return False
    return not any(each.day <= branch.end_of_bugfix for each in schedule.later(version))


def is_recorded(schedule: Schedule, release: Recorded) -> bool:
    """Whether the schedule lists the release on its day, and of the phase that it began."""
    stage = schedule.stage(release.version)
    if stage is None or not stage.actual or stage.day != release.day:
        return False
    try:
        return _changed(schedule, release) == schedule
    except StepFailed:
        return False


def recorded(text: str, releases: Sequence[Recorded]) -> str:
    """The file's text with these releases recorded; equal to ``text`` if they were already.

    A release that the schedule expects has its ``state`` and ``date`` changed; one that nobody
    expected, or that is unplanned, is inserted in the order of versions. Where a branch enters a
    phase, its ``status`` changes, and the branch name and dates that go with it; with X.Y.0b1 also
    those of X.Y+1. All other bytes stay. Raises StepFailed if the file can't be read, if it says
    that a release was out on another day, or if a branch is not in the phase before the new one.
    """
    for release in releases:
        before = read_schedule(text)
        wanted = _changed(before, release)
        text = _edited(text, before, wanted, release)
        if read_schedule(text) != wanted:
            raise _refused(
                problem=f"has a form in which {release.version} can't be recorded safely",
                remedy="record it there by hand",
            )
    return text


# ── what the change means ──────────────────────────────────────────────────────────────────


def _changed(schedule: Schedule, release: Recorded) -> Schedule:
    version, series = release.version, release.version.series
    if series not in schedule.branches:
        raise _refused(
            problem=f"does not have series {series}",
            remedy="add it there with its release PEP first",
        )
    stage = schedule.stage(version)
    if stage is not None and stage.actual and stage.day != release.day:
        other = f"and it is {release.day} here"
        raise _refused(
            problem=f"says that {stage.name} was released on {stage.day}, {other}",
            remedy=_AGAIN,
        )
    renamed = _renumbered(schedule, release)
    listed = tuple(renamed.get(each.name, each) for each in schedule.stages[series])
    if stage is None or renamed:
        at = _place(listed, version)
        entry = Stage(version, _named(version, listed), actual=True, day=release.day)
        stages = (*listed[:at], entry, *listed[at:])
    else:
        entry = replace(stage, actual=True, day=release.day)
        stages = tuple(entry if each is stage else each for each in listed)
    branches = {**schedule.branches, **_entered(schedule, release)}
    return Schedule(branches, {**schedule.stages, series: stages})


def _renumbered(schedule: Schedule, release: Recorded) -> dict[str, Stage]:
    """What was expected, by its name until now, and counts one further because of this release."""
    version, stage = release.version, schedule.stage(release.version)
    is_last = not version.micro and not version.is_prerelease
    if not release.is_unplanned or stage is None or stage.actual or is_last:
        return {}
    found = {}
    listed = schedule.stages[version.series]
    for each in listed:
        following = None if each.actual else _one_further(version, each.version)
        if following is not None:
            name = _named(following, listed)
            found[each.name] = replace(each, version=following, name=name)
    return found


def _one_further(version: Version, other: Version) -> Version | None:
    """The number of an expected release once ``version`` is made besides; None if it keeps it."""
    if not version.is_prerelease:
        return replace(other, micro=other.micro + 1) if other.micro >= version.micro else None
    is_of_kind = (other.micro, other.level) == (version.micro, version.level)
    if not is_of_kind or other < version:
        return None
    return replace(other, serial=other.serial + 1)


def _entered(schedule: Schedule, release: Recorded) -> dict[str, Branch]:
    """The branches that change, as they are afterwards."""
    series, day, phase = release.version.series, release.day, release.enters
    branch = schedule.branches[series]
    if phase is None:
        is_late = branch.phase is Phase.BUGFIX and day > branch.end_of_bugfix
        # python/peps lists a later release under security, where it asserts that all are out.
        return {series: replace(branch, end_of_bugfix=day)} if is_late else {}
    if branch.phase not in (phase, _FROM[phase]):
        now = branch.phase.value if branch.phase else "planned"
        wanted = f"before {release.version} it is {_FROM[phase].value}"
        raise _refused(
            problem=f"says that {series} is {now}; {wanted}",
            remedy=_AGAIN,
        )
    match phase:
        case Phase.PRERELEASE:
            ours = replace(branch, phase=phase, branch=series, feature_freeze=day)
            return {series: ours, **_next_main(schedule, release)}
        case Phase.BUGFIX:
            return {series: replace(branch, phase=phase, first_release=day)}
        case Phase.SECURITY:
            last = max(branch.end_of_bugfix, day)
            return {series: replace(branch, phase=phase, end_of_bugfix=last)}
        case _:
            return {series: replace(branch, phase=phase, end_of_life=day)}


def _next_main(schedule: Schedule, release: Recorded) -> dict[str, Branch]:
    version = release.version
    following = f"{version.major}.{version.minor + 1}"
    branch = schedule.branches.get(following)
    if branch is None:
        raise _refused(
            problem=f"does not have series {following}, which is main from {version} on",
            remedy="add it there with its release PEP first, then run doit publish again",
        )
    if branch.phase not in (None, Phase.FEATURE) or branch.branch not in ("", "main"):
        raise _refused(problem=f"says that {following} has begun already", remedy=_AGAIN)
    main = replace(branch, phase=Phase.FEATURE, branch="main", start_of_development=release.day)
    return {following: main}


def _place(listed: Sequence[Stage], version: Version) -> int:
    """Where the version goes: right behind the newest one that is older."""
    earlier = [at for at, each in enumerate(listed) if each.version < version]
    return max(earlier, key=lambda at: listed[at].version) + 1 if earlier else 0


def _named(version: Version, listed: Sequence[Stage]) -> str:
    """How the schedule names a release: 3.15.0 alpha 2, 3.14.5 candidate 1, 3.14.0 final, 3.14.1.

    Up to 3.9 bugfix releases have the word as well.
    """
    if version.is_prerelease:
        return f"{version.folder}{_WORDS[version.level]}{version.serial}"
    others = [each.name for each in listed if each.version.micro and not each.version.is_prerelease]
    has_word = others[-1].endswith(" final") if others else False
    return f"{version} final" if has_word or not version.micro else str(version)


# ── the text ───────────────────────────────────────────────────────────────────────────────


def _edited(text: str, before: Schedule, wanted: Schedule, release: Recorded) -> str:
    lines = text.splitlines(keepends=True)
    for series, branch in wanted.branches.items():
        _set_branch(lines, before.branches[series], branch)
    version = release.version
    old, new = before.stage(version), wanted.stage(version)
    assert new is not None  # noqa: S101 - for the type checker
    renamed = _renumbered(before, release)
    # from the last on, for each new name is the old one of the next
    for name, stage in reversed(renamed.items()):
        block = _block_of(lines, version.series, name)
        _set(lines, block, "stage", f'"{stage.name}"')
    if old is None or renamed:
        listed = [renamed.get(each.name, each) for each in before.stages[version.series]]
        return "".join(_inserted(lines, version.series, listed, new))
    block = _block_of(lines, version.series, old.name)
    if not old.actual:
        _set(lines, block, "state", '"actual"')
    if old.day != new.day:
        _set(lines, block, "date", f"{new.day}")
    return "".join(lines)


def _set_branch(lines: list[str], old: Branch, new: Branch) -> None:
    changes = {
        "status": (old.phase, new.phase, f'"{new.phase.value if new.phase else ""}"'),
        "branch": (old.branch, new.branch, f'"{new.branch}"'),
        **{
            key: (was, now, f"{now}")
            for key, was, now in zip(_DAYS, _days(old), _days(new), strict=True)
        },
    }
    for key, (was, now, spelled) in changes.items():
        if was != now:
            _set(lines, _metadata(lines, new.series), key, spelled)


def _days(branch: Branch) -> tuple[date, ...]:
    return (
        branch.start_of_development, branch.feature_freeze, branch.first_release,
        branch.end_of_bugfix, branch.end_of_life,
    )  # fmt: skip


def _inserted(lines: list[str], series: str, listed: Sequence[Stage], new: Stage) -> list[str]:
    """The lines with an entry of ``new`` behind the one that it follows."""
    at = _place(listed, new.version)
    block = _block_of(lines, series, listed[at - 1].name) if at else _metadata(lines, series)
    end = _last_key(lines, block) + 1
    newline = "\r\n" if lines[block.start].endswith("\r\n") else "\n"
    added = ("", f'[[release."{series}"]]', f'stage = "{new.name}"', 'state = "actual"',
             f"date = {new.day}")  # fmt: skip
    if not lines[end - 1].endswith("\n"):
        lines[end - 1] += newline
    return [*lines[:end], *(f"{each}{newline}" for each in added), *lines[end:]]


def _metadata(lines: Sequence[str], series: str) -> range:
    blocks = _blocks(lines, rf'\[metadata\."{re.escape(series)}"\]')
    if len(blocks) != 1:
        raise _refused(problem=f'has no line [metadata."{series}"] of the usual form')
    return blocks[0]


def _block_of(lines: Sequence[str], series: str, name: str) -> range:
    """The lines of the release of this name, from its header to the next one."""
    wanted = re.compile(rf'\s*stage\s*=\s*"{re.escape(name)}"\s*(?:#.*)?')
    found = [
        block
        for block in _blocks(lines, rf'\[\[release\."{re.escape(series)}"\]\]')
        if any(wanted.fullmatch(lines[at].rstrip("\r\n")) for at in block)
    ]
    if len(found) != 1:
        raise _refused(problem=f"has no entry of {name} in the usual form")
    return found[0]


def _blocks(lines: Sequence[str], header: str) -> list[range]:
    heads = [at for at, line in enumerate(lines) if line.lstrip().startswith("[")]
    ends = [*heads[1:], len(lines)]
    form = re.compile(rf"\s*{header}\s*(?:#.*)?")
    return [
        range(start, end)
        for start, end in zip(heads, ends, strict=True)
        if form.fullmatch(lines[start].rstrip("\r\n"))
    ]


def _set(lines: list[str], block: range, key: str, value: str) -> None:
    form = re.compile(rf'(\s*{key}\s*=\s*)(?:"[^"\\]*"|[0-9-]+)(\s*(?:#.*)?)', flags=re.DOTALL)
    found = [at for at in block if form.fullmatch(lines[at])]
    if len(found) != 1:
        head = lines[block.start].strip()
        raise _refused(problem=f"has no line of {key} in the usual form below {head}")
    lines[found[0]] = form.sub(lambda match: f"{match[1]}{value}{match[2]}", lines[found[0]])


def _last_key(lines: Sequence[str], block: range) -> int:
    """The last line of the block that says something; comments below it belong to what follows."""
    return next(at for at in reversed(block) if lines[at].strip() and lines[at].lstrip()[0] != "#")


def _refused(*, problem: str, remedy: str = "record the release there by hand") -> StepFailed:
    return StepFailed(where=SCHEDULE_FILE, problem=problem, remedy=remedy)
