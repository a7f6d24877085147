"""Advice: what is in the way of a release, and who does what next, in words for a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from plugins.flow.opening import RELEASE_FILE
from plugins.flow.standing import State, is_first
from plugins.flow.task import Kind
from plugins.model.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from plugins.flow.book import Book
    from plugins.flow.standing import Standing

__all__ = [
    "awaited",
    "command",
    "goes_on",
    "next_steps",
    "to_look_at",
    "troubles",
    "wrapped",
]

_SHOWN: Final = 3
_INDENT: Final = "    "


def command(*words: str) -> str:
    """The words to type for a command of doit, for the release that is open now."""
    plain = " ".join(("doit", *words))
    chosen, here = RELEASE_FILE.get(), Path.cwd()
    if chosen is None:
        return plain
    import shlex

    from plugins.services.programs import exported

    standing = exported("PEP101_RELEASE")
    if standing and here / Path(standing).expanduser() == chosen:
        return plain
    return f"{plain} --release {shlex.quote(_from_here(chosen))}"


def troubles(book: Book, found: Mapping[str, Standing], names: Collection[str]) -> list[str]:
    """What is in the way among these tasks: a sentence for each that failed or is blocked."""
    stopped = [name for name in names if _stops(found[name]) and is_first(book, name, found)]
    told = [f"{name} {found[name].state.value}: {found[name].why}" for name in stopped[:_SHOWN]]
    if len(stopped) > _SHOWN:
        told.append(f"{', '.join(stopped[_SHOWN:])}: as well")
    return told


def next_steps(
    book: Book, found: Mapping[str, Standing], names: Collection[str], group: str
) -> list[str]:
    """Who does what next so that these tasks get done; each is one line, a command unbroken.

    ``group`` is what to run for it. What is in the way goes first; else what a run can do, and
    what people can do meanwhile.
    """
    open_ = [
        name
        for name in names
        if found[name].state is not State.DONE and is_first(book, name, found)
    ]
    stopped = [name for name in open_ if _stops(found[name])]
    waiting = [name for name in open_ if found[name].state is State.WAITING]
    also = [f"also: {awaited(book, name, found[name])}" for name in waiting]
    if stopped:
        return [f"next: mend that, then {command(group)}", _more_about(stopped), *also]
    if not waiting or any(goes_on(found[name]) for name in open_):
        return [f"next: {command(group)}", *also]
    people = [f"next: {awaited(book, name, found[name])}" for name in waiting]
    return [*people, f"then: {command(group)}"]


def goes_on(standing: Standing) -> bool:
    """Whether a run gets further with this task; a gate that only looks again is no progress."""
    return standing.state in (State.READY, State.STALE) and not standing.passed


def to_look_at(book: Book, name: str) -> str:
    """What to look at before this approval is given: a path, or a command that shows it.

    "" where nothing on this machine was made that could be looked at, or nothing yet.
    """
    for before in book.tasks[name].after:
        try:
            receipt = book.receipt(before)
        except ReleaseError:
            continue
        for path in sorted(receipt.outputs if receipt else ()):
            clone, git, ref = path.partition("/.git/")
            place = _from_here(book.release.layout.work / (clone if git else path))
            return f"git -C {place} show {ref}" if git else str(place)
    return ""


def _from_here(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def wrapped(line: str, columns: int, indent: str = _INDENT) -> list[str]:
    """The line in pieces of that width; words, and so paths and commands, stay whole."""
    import re
    from textwrap import wrap

    # A space that no line breaks at holds each command together.
    held = re.sub(r"\bdoit [a-z]+ [a-z_]+", lambda found: found[0].replace(" ", "\xa0"), line)
    pieces = wrap(
        held,
        columns,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [piece.replace("\xa0", " ") for piece in pieces]


def _stops(standing: Standing) -> bool:
    return standing.state in (State.FAILED, State.BLOCKED)


def _more_about(names: list[str]) -> str:
    return f"more: {command('why', *names[:_SHOWN])}"


def awaited(book: Book, name: str, standing: Standing) -> str:
    """Who is waited for, a colon, and what they do: a command where there is one."""
    who = standing.who or "somebody"
    if book.tasks[name].kind is Kind.APPROVAL:
        return f"{who}: {command('approve', name)}"
    return f"{who}: {standing.why}"
