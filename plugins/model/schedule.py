"""Schedule: releases and branches of Python as python/peps keeps them, read strictly.

One form has two spellings: ``python-releases.toml``, which people edit, and the JSON that
peps.python.org makes of it. What is not understood is an error of one line, never passed over.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen
from plugins.model.declared import kind_of, near
from plugins.model.release import Phase
from plugins.model.version import Level, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "SCHEDULE_FILE",
    "Branch",
    "CycleEntry",
    "Schedule",
    "Stage",
    "read_cycle_entry",
    "read_published_schedule",
    "read_schedule",
    "stage_version",
]

SCHEDULE_FILE: Final = "release_management/python-releases.toml"
"""Where python/peps keeps the schedule. Source: the header of that file."""

# Source: VersionMetadata and ReleaseInfo in release_management/__init__.py of python/peps.
_BRANCH_KEYS: Final = (
    "pep", "status", "branch", "release-manager", "start-of-development", "feature-freeze",
    "first-release", "end-of-bugfix", "end-of-life",
)  # fmt: skip
_STAGE_KEYS: Final = ("stage", "state", "date", "note")
_STATES: Final = {"actual": True, "expected": False}
# Neither is a status of that module's type, and 3.16 had one after the other until 3.15.0b1.
_STATUSES: Final[Mapping[str, Phase | None]] = {
    "planned": None,
    "": None,
    **{each.value: each for each in Phase},
}
_SERIES: Final = re.compile(r"[1-9]\.(?:0|[1-9][0-9]{0,2})", flags=re.ASCII)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", flags=re.ASCII)
_MONTH: Final = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])(?:-[0-9]{2})?", flags=re.ASCII)
_NUMBER: Final = r"(0|[1-9][0-9]{0,3})"
_STAGE: Final = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?: (?:(alpha|beta|candidate) {_NUMBER}|final))?",
    flags=re.ASCII,
)
_LEVELS: Final = {"alpha": Level.ALPHA, "beta": Level.BETA, "candidate": Level.CANDIDATE}
_MOST_CHARACTERS: Final = 4_000_000
_SHOWN_CHARACTERS: Final = 300
_REMEDY: Final = "correct it there, or record the release there by hand if the form has changed"


@frozen
class Stage:
    """One release of the schedule: ``name`` as the schedule writes it, ``actual`` if it is out."""

    version: Version
    name: str
    actual: bool
    day: date
    note: str = ""

    @property
    def bullet(self) -> str:
        """Its line in the release PEP. Source: ``ReleaseInfo.schedule_bullet`` of python/peps."""
        days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
        return f"- {self.name}: {days[self.day.weekday()]}, {self.day:%Y-%m-%d}"


@frozen
class Branch:
    """What is known of one series; ``phase`` is None while it is only planned."""

    series: str
    pep: int
    phase: Phase | None
    branch: str
    manager: str
    start_of_development: date
    feature_freeze: date
    first_release: date
    end_of_bugfix: date
    end_of_life: date


@frozen
class CycleEntry:
    """What everybody may look up of one series; ``end_of_life`` is a month, or a day once it is
    past. ``phase`` is None while the series is only planned.
    """

    phase: Phase | None
    pep: int
    end_of_life: str


@frozen
class Schedule:
    """Every series and, in the order of the file, its releases."""

    branches: Mapping[str, Branch]
    stages: Mapping[str, tuple[Stage, ...]]

    def stage(self, version: Version) -> Stage | None:
        """The entry of this release, or None if nobody planned it."""
        listed = self.stages.get(version.series, ())
        return next((each for each in listed if each.version == version), None)

    def later(self, version: Version) -> tuple[Stage, ...]:
        """What is expected after this release in its series."""
        listed = self.stages.get(version.series, ())
        return tuple(each for each in listed if not each.actual and each.version > version)


def read_schedule(text: str) -> Schedule:
    """The schedule that ``python-releases.toml`` declares.

    Raises StepFailed for what is not TOML, for an unknown or missing key, status, state, series
    or stage, and for a malformed date.
    """
    # tomllib is late: whoever only names the schedule's type does not pay for it (10 ms).
    import tomllib  # noqa: PLC0415

    reader = _Reader(SCHEDULE_FILE, lambda key: key, _toml_day)
    if len(text) > _MOST_CHARACTERS:
        raise reader.error(problem=f"is longer than {_MOST_CHARACTERS:,} characters")
    try:
        content = tomllib.loads(text)
    except ValueError as error:  # its own error, or an integer of thousands of digits
        raise reader.error(problem=f"is not TOML: {error}") from error
    except RecursionError:
        raise reader.error(problem="is nested too deeply to be a schedule") from None
    return reader.schedule(content, "release")


def read_published_schedule(content: object, where: str) -> Schedule:
    """The schedule that ``api/python-releases.json`` gives; ``where`` is its address.

    Source: ``create_release_json`` of python/peps. Raises StepFailed as ``read_schedule`` does.
    """
    reader = _Reader(where, lambda key: key.replace("-", "_"), _json_day)
    return reader.schedule(content, "releases")


def read_cycle_entry(content: object, series: str, where: str) -> CycleEntry | None:
    """What ``api/release-cycle.json`` says of one series; None if it does not list it.

    Other series may have any form. Source: ``version_info`` of python/peps. Raises StepFailed.
    """
    reader = _Reader(where, lambda key: key.replace("-", "_"), _json_day)
    entry = reader.table(content, "the answer").get(series)
    if entry is None:
        return None
    value = reader.table(entry, series)
    ends = reader.text(value, "end-of-life", series)
    if not _MONTH.fullmatch(ends):
        raise reader.error(
            problem=f"{series} end_of_life is {kind_of(ends)}, wanted 2030-10 or a day"
        )
    return CycleEntry(reader.phase(value, series), reader.number(value, "pep", series), ends)


def stage_version(name: str) -> Version | None:
    """The version that a stage such as ``3.15.0 candidate 1`` names; None if it is no stage."""
    found = _STAGE.fullmatch(name)
    if found is None:
        return None
    major, minor, micro, word, serial = found.groups()
    if word and serial == "0":
        return None
    level = _LEVELS.get(word or "", Level.FINAL)
    return Version(int(major), int(minor), int(micro), level, int(serial or 0))


class _Reader:
    """One file while it is read; ``key`` spells a key as the file does, ``day`` reads a date."""

    def __init__(
        self, where: str, key: Callable[[str], str], day: Callable[[object], date | None]
    ) -> None:
        self._where = where
        self._key = key
        self._day = day

    def error(self, *, problem: str) -> StepFailed:
        cut = problem if len(problem) <= _SHOWN_CHARACTERS else f"{problem[:_SHOWN_CHARACTERS]}…"
        return StepFailed(where=self._where, problem=cut, remedy=_REMEDY)

    def schedule(self, content: object, listed: str) -> Schedule:
        top = self.table(content, "it")
        self._only(top, ("metadata", listed), "the top")
        about = self.table(top.get("metadata"), "metadata")
        releases = self.table(top.get(listed), listed)
        for name in (*about, *releases):
            if not _SERIES.fullmatch(name):
                raise self.error(problem=f"{kind_of(name)} is not a series such as 3.14")
            if name not in about or name not in releases:
                lacking = "metadata" if name in releases else listed
                raise self.error(problem=f'{lacking}."{name}" is missing')
        return Schedule(
            {name: self._branch(name, each) for name, each in about.items()},
            {name: self._stages(name, each) for name, each in releases.items()},
        )

    def table(self, value: object, place: str) -> dict[str, Any]:
        if value is None:
            raise self.error(problem=f"{place} is missing")
        if not isinstance(value, dict):
            raise self.error(problem=f"{place} is {kind_of(value)}, wanted a table")
        return value

    def phase(self, table: Mapping[str, Any], place: str) -> Phase | None:
        value = self.text(table, "status", place)
        if value not in _STATUSES:
            known = ", ".join(filter(None, _STATUSES))
            raise self.error(problem=f"{place} status is {kind_of(value)}, wanted one of {known}")
        return _STATUSES[value]

    def number(self, table: Mapping[str, Any], key: str, place: str) -> int:
        found = self._value(table, key, place)
        if type(found) is not int or not 0 < found < 10_000:
            raise self.error(
                problem=f"{place} {key} is {kind_of(found)}, wanted the number of a PEP"
            )
        return found

    def text(self, table: Mapping[str, Any], key: str, place: str) -> str:
        found = self._value(table, key, place)
        if not isinstance(found, str):
            raise self.error(problem=f"{place} {self._key(key)} is {kind_of(found)}, wanted text")
        if not found.isprintable():
            raise self.error(problem=f"{place} {self._key(key)} holds a control character")
        return found

    def _branch(self, series: str, value: object) -> Branch:
        place = f'metadata."{series}"'
        table = self.table(value, place)
        self._only(table, tuple(map(self._key, _BRANCH_KEYS)), place)
        days = (self._read_day(table, key, place) for key in _BRANCH_KEYS[4:])
        return Branch(
            series,
            self.number(table, "pep", place),
            self.phase(table, place),
            self.text(table, "branch", place),
            self.text(table, "release-manager", place),
            *days,
        )

    def _stages(self, series: str, value: object) -> tuple[Stage, ...]:
        if not isinstance(value, list):
            raise self.error(problem=f'releases of "{series}" are {kind_of(value)}, wanted a list')
        found: list[Stage] = []
        for count, each in enumerate(value, start=1):
            stage = self._stage(series, each, f'release {count} of "{series}"')
            if any(other.version == stage.version for other in found):
                raise self.error(problem=f"{stage.name} is listed twice")
            found.append(stage)
        return tuple(found)

    def _stage(self, series: str, value: object, place: str) -> Stage:
        table = self.table(value, place)
        self._only(table, _STAGE_KEYS, place)
        name = self.text(table, "stage", place)
        version = stage_version(name)
        if version is None or version.series != series:
            wanted = f"wanted one such as {series}.0 beta 1"
            raise self.error(problem=f"{place} has the stage {kind_of(name)}, {wanted}")
        state = self.text(table, "state", name)
        if state not in _STATES:
            raise self.error(problem=f"{name} state is {kind_of(state)}, wanted actual or expected")
        note = self.text(table, "note", name) if "note" in table else ""
        return Stage(version, name, _STATES[state], self._read_day(table, "date", name), note)

    def _read_day(self, table: Mapping[str, Any], key: str, place: str) -> date:
        found = self._value(table, key, place)
        day = self._day(found)
        if day is None:
            wanted = "wanted a date such as 2026-12-01"
            raise self.error(problem=f"{place} {self._key(key)} is {kind_of(found)}, {wanted}")
        return day

    def _value(self, table: Mapping[str, Any], key: str, place: str) -> object:
        spelled = self._key(key)
        if spelled not in table:
            raise self.error(problem=f"{place} {spelled} is missing")
        return table[spelled]

    def _only(self, table: Mapping[str, Any], known: tuple[str, ...], place: str) -> None:
        for key in table:
            if key not in known:
                hint = near(key, known)
                raise self.error(problem=f"{place} has the unknown key {kind_of(key)} ({hint})")


def _toml_day(value: object) -> date | None:
    return value if type(value) is date else None


def _json_day(value: object) -> date | None:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
