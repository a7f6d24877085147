"""Train: several releases of one day, as train.toml declares them beside their own files.

Each stays a release of its own; the first is the lead, which does what exists once for all of them.
"""

from __future__ import annotations

from dataclasses import field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import SettingsError
from doit_receipts.frozen import frozen
from plugins.model.declared import Declared, Mistakes
from plugins.model.toml_file import declared_content
from plugins.model.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

__all__ = ["JOINED", "Member", "Train", "read_train"]

JOINED: Final = "announcement.train.md"
"""The announcement of all releases, below ``made/`` of the lead."""
_KEYS: Final = ("releases", "not_before")
_EXAMPLE: Final = ('releases = ["3.14.7.toml", "3.13.15.toml"]',)
_HOUR: Final = "a time with its offset, such as 2026-12-08T16:00:00Z"


@frozen
class Member:
    """One release of a train: ``name`` is its file as train.toml writes it."""

    name: str
    file: Path = field(repr=False)

    def named(self, error: SettingsError) -> SettingsError:
        """The error of reading the file, under the name that train.toml has for it.

        Files of two releases may have one name, each in a folder of its own.
        """
        alone, own = f"{self.file.name}: ", f"{self.name}: "
        details = tuple(
            f"{own}{each.removeprefix(alone)}" if each.startswith(alone) else each
            for each in error.details
        )
        where = self.name if error.where == self.file.name else error.where
        return SettingsError(
            where=where, problem=error.problem, remedy=error.remedy, details=details
        )


@frozen
class Train:
    """All that train.toml says."""

    file: Path
    """The file that was read."""
    releases: tuple[Member, ...]
    """The release files, the lead first; of what has one writer the order is this one. Must be
    written."""
    not_before: datetime | None = None
    """The moment before which nothing leaves this machine. Default: none."""

    @property
    def lead(self) -> Member:
        """The release that does what exists once for the day."""
        return self.releases[0]

    def others(self, declaration: Path) -> tuple[Member, ...]:
        """All but the release of this file, in order."""
        return tuple(each for each in self.releases if each.file != declaration)

    def before(self, declaration: Path) -> tuple[Member, ...]:
        """The releases before the one of this file, in order."""
        return self.releases[: [each.file for each in self.releases].index(declaration)]


def read_train(path: Path, read: Callable[[str], dict[str, Any]]) -> Train:
    """The train that the file declares. Raises SettingsError with the file's first mistake.

    Names of releases are paths from the file's folder; ``read`` is the reader of TOML. Releases
    that cannot be made together are a mistake too, as far as their files can be read.
    """
    mistakes = Mistakes(path)
    content = declared_content(path, read, mistakes, _EXAMPLE)
    top = Declared(content, "", _KEYS, mistakes)
    names = top.texts("releases", (), wanted="release files")
    if not names:
        top.note("releases", "names no release", f"write {_EXAMPLE[0]}")
    hour = top.value("not_before", datetime, _HOUR)
    if hour is not None and hour.tzinfo is None:
        top.note("not_before", "has no offset, so it is another moment elsewhere", f"write {_HOUR}")
    members = tuple(Member(name, top.located("releases", name)) for name in names)
    for problem, remedy in _clashes(members):
        top.note("releases", problem, remedy)
    mistakes.raise_any()
    return Train(path.absolute(), members, hour.astimezone(UTC) if hour else None)


def _clashes(members: Sequence[Member]) -> Iterator[tuple[str, str]]:
    """What keeps a release from being made together with one before it, and what to do."""
    known = [(each, _written(each)) for each in members]
    for number, (member, written) in enumerate(known):
        for other, there in known[:number]:
            both = f"{other.name} and {member.name}"
            series, days = written.series, {there.day, written.day} - {None}
            if other.file == member.file:
                yield f"names {both}, the same file", "name it once"
            elif series and series == there.series:
                yield (
                    f"names {both}, which are both of {series}",
                    "leave one of them out: a branch is released once a day",
                )
            elif len(days) > 1:
                yield (
                    f"names {both}, whose days are {there.day} and {written.day}",
                    "write the same date into both, or make them on days of their own",
                )
            elif there.rehearsed is not None and written.rehearsed is (not there.rehearsed):
                yield (
                    f"names {both}, of which only one is a rehearsal",
                    "rehearse all of them, or none",
                )


@frozen
class _Written:
    """What a release file says that another one may contradict; None is what cannot be read."""

    series: str | None
    day: object
    rehearsed: bool | None


def _written(member: Member) -> _Written:
    """The file as it is, mistakes left aside: they are told where its release is opened."""
    import tomllib  # noqa: PLC0415 - for who is in a train

    try:
        content = tomllib.loads(member.file.read_text(encoding="utf-8"))
        series = Version.parse(str(content.get("version"))).series
    except (OSError, ValueError, RecursionError, SettingsError):
        return _Written(None, None, None)
    work = content.get("work")
    rehearsed = isinstance(work, dict) and work.get("rehearsal") is True
    return _Written(series, content.get("date"), rehearsed)
