"""Next schedule: days, release PEP and entry in the schedule of the series after the running one.

Days are those of the running series a year later, as RMs have made them since PEP 602. They are
a draft: whoever merges it may write others, and from then on theirs count.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen
from plugins.model.schedule import SCHEDULE_FILE, Branch, Schedule, Stage, read_schedule
from plugins.model.schedule_pep import pep_path
from plugins.model.version import Level, Version

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["OWNERS", "Planned", "following", "planned", "with_owner", "with_series"]

OWNERS: Final = ".github/CODEOWNERS"
"""Where python/peps says whom changes of a PEP are shown to."""

_YEAR: Final = timedelta(weeks=52)
_TUESDAY: Final = 1
# 3.15.0a5 was made a day after a4 and was no date of the schedule (python/peps, PEP 790).
_APART: Final = timedelta(days=14)
# PEP 602: X.Y.0 is in October. 3.14.0 and 3.16.0 have its first Tuesday.
_OCTOBER: Final = 10
_NEAR: Final = timedelta(days=10)
_BUGFIX_YEARS: Final = 2
_ALL_YEARS: Final = 5
_WORDS: Final = {Level.ALPHA: "alpha", Level.BETA: "beta", Level.CANDIDATE: "candidate"}
_CREW: Final = re.compile(r"(?m)^- (?!.*release manager)(?P<what>[A-Z][A-Za-z ]*): (?P<who>.+)$")
_OWNED: Final = re.compile(r"(?:# )?peps/pep-(?P<number>[0-9]{4})(?:\.rst|/)?(?:\s.*)?$")
# The outline is what check-peps.py and the schedule's generator ask for; so is its last sentence.
_PEP: Final = """\
PEP: {pep}
Title: Python {series} Release Schedule
Author: {manager}
Status: Active
Type: Informational
Topic: Release
Created: {created}
Python-Version: {series}


Abstract
========

This is when Python {series} is developed and released, and who does it.


Release manager and crew
========================

- {series} release manager: {manager}
{crew}

Release schedule
================

{series}.0
-----{line}

It is developed for 17 months, from the first beta of Python {before} on, so
that there is a feature version every year (:pep:`602`).

.. release schedule: feature
.. release schedule: ends

After that there is a bugfix release about every two months.


How long it is supported
========================

- Until about {bugfix} it gets bug fixes, with installers for
  Windows and macOS.
- Until about {life} it gets security fixes, as source only.


Copyright
=========

This document is placed in the public domain or under the
CC0-1.0-Universal license, whichever is more permissive.
"""


@frozen
class Planned:
    """A series that nobody has begun yet: what the schedule and its PEP are to say of it."""

    branch: Branch
    stages: tuple[Stage, ...]

    def pep(self, before: str, created: date) -> str:
        """The text of its PEP without the list of releases, which the generator makes.

        The crew is that of ``before``, the text of the running series' PEP.
        """
        branch = self.branch
        crew = [f"- {found['what']}: {found['who']}\n" for found in _CREW.finditer(before)]
        major, minor = branch.series.split(".")
        return _PEP.format(
            pep=branch.pep,
            series=branch.series,
            before=f"{major}.{int(minor) - 1}",
            manager=branch.manager,
            created=f"{created:%d-%b-%Y}",
            crew="".join(crew),
            line="-" * (len(branch.series) - 3),
            bugfix=f"{branch.end_of_bugfix:%B %Y}",
            life=f"{branch.end_of_life:%B %Y}",
        )


def following(version: Version) -> str:
    """The series after the one of this version."""
    return f"{version.major}.{version.minor + 1}"


def planned(schedule: Schedule, version: Version, manager: str, pep: int) -> Planned:
    """The series after the one of ``version``, planned from what the schedule has of that one.

    Each release is 52 weeks later, on the nearest Tuesday, and X.Y.0 on the first Tuesday of
    October; a release that followed another of its kind within two weeks was not planned, and has
    no counterpart. Source: python/peps f29099efb and 574655ac3, whose days these are but for some
    that people moved by a week. Raises StepFailed if the running series is not planned to X.Y.0.
    """
    listed = list(_counted(schedule.stages.get(version.series, ())))
    kinds = {each.version.level: each for each in reversed(listed)}
    if len(kinds) <= len(_WORDS):
        raise StepFailed(
            where=SCHEDULE_FILE,
            problem=f"does not have all of {version.series}.0, from its first alpha to the final,"
            f" and the days of {following(version)} come from it",
            remedy="complete it there, then run doit publish again",
        )
    series = following(version)
    stages = tuple(_a_year_later(series, each) for each in listed)
    freeze = next(each.day for each in stages if each.version.level is Level.BETA)
    first = stages[-1].day
    return Planned(
        Branch(
            series=series,
            pep=pep,
            phase=None,
            branch="",
            manager=manager,
            start_of_development=kinds[Level.BETA].day,
            feature_freeze=freeze,
            first_release=first,
            end_of_bugfix=date(first.year + _BUGFIX_YEARS, first.month, min(first.day, 28)),
            end_of_life=date(first.year + _ALL_YEARS, _OCTOBER, 1),
        ),
        stages,
    )


def with_series(text: str, wanted: Planned) -> str:
    """The schedule's text with the series at its end, every byte before that as it was.

    Raises StepFailed if the text can't be read, or reads otherwise afterwards.
    """
    before, branch = read_schedule(text), wanted.branch
    series = branch.series
    lines = [
        f"# -- Python {series} ".ljust(79, "-"), "",
        f'[metadata."{series}"]', f"pep = {branch.pep}", 'status = "planned"', 'branch = ""',
        f'release-manager = "{branch.manager}"',
        f"start-of-development = {branch.start_of_development}",
        f"feature-freeze = {branch.feature_freeze}", f"first-release = {branch.first_release}",
        f"end-of-bugfix = {branch.end_of_bugfix}", f"end-of-life = {branch.end_of_life}",
    ]  # fmt: skip
    for each in wanted.stages:
        lines += ["", f'[[release."{series}"]]', f'stage = "{each.name}"', 'state = "expected"',
                  f"date = {each.day}"]  # fmt: skip
    found = text.rstrip("\n") + "\n\n" + "\n".join(lines) + "\n"
    after = Schedule({**before.branches, series: branch}, {**before.stages, series: wanted.stages})
    if series in before.branches or read_schedule(found) != after:
        raise StepFailed(
            where=SCHEDULE_FILE,
            problem=f"has a form to which {series} can't be added safely",
            remedy="add it there by hand, then run doit publish again",
        )
    return found


def with_owner(text: str, pep: int, login: str) -> str:
    """The owners' text with a line of this PEP, in the order of their numbers."""
    path = pep_path(pep)
    lines = text.splitlines(keepends=True)
    if any(line.split()[:1] == [path] for line in lines):
        return text
    matches = [(at, _OWNED.match(line.rstrip("\n"))) for at, line in enumerate(lines)]
    lower = [at for at, found in matches if found and int(found["number"]) < pep]
    at = lower[-1] + 1 if lower else len(lines)
    if at and not lines[at - 1].endswith("\n"):
        lines[at - 1] += "\n"
    return "".join([*lines[:at], f"{path}  @{login}\n", *lines[at:]])


def _counted(stages: tuple[Stage, ...]) -> Iterator[Stage]:
    """The releases up to X.Y.0 that were planned, numbered anew."""
    numbers: dict[Level, int] = {}
    last: Stage | None = None
    for each in sorted(stages, key=lambda stage: stage.version):
        level = each.version.level
        if each.version.micro:
            return
        if last and last.version.level is level and each.day - last.day < _APART:
            continue
        last = each
        numbers[level] = numbers.get(level, 0) + 1
        serial = 0 if level is Level.FINAL else numbers[level]
        version = Version(each.version.major, each.version.minor, 0, level, serial)
        yield Stage(version, each.name, actual=False, day=each.day)


def _a_year_later(series: str, stage: Stage) -> Stage:
    level, serial = stage.version.level, stage.version.serial
    day = stage.day + _YEAR
    day += timedelta(days=(_TUESDAY - day.weekday() + 3) % 7 - 3)
    if level is Level.FINAL:
        october = date(day.year, _OCTOBER, 1)
        tuesday = october + timedelta(days=(_TUESDAY - october.weekday()) % 7)
        day = tuesday if abs(tuesday - day) <= _NEAR else day
    major, minor = map(int, series.split("."))
    word = "final" if level is Level.FINAL else f"{_WORDS[level]} {serial}"
    version = Version(major, minor, 0, level, serial)
    return Stage(version, f"{series}.0 {word}", actual=False, day=day)
