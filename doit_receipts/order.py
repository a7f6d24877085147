"""The order of a plan: names resolved, what a release lacks left out, each behind its needs."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from doit_receipts.declaration import Declared, declaration_error, near
from doit_receipts.task import Kind, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["ordered"]

_PARTS: Final = [each.name for each in fields(Task)]
_ALL: Final = attrgetter(*_PARTS)
_AFTER: Final = _PARTS.index("after")


def ordered(declared: Mapping[str, Declared], chapters: Sequence[str]) -> dict[str, Task]:
    """The tasks by name: by chapter, then as declared, but none before what it waits for.

    Raises InvalidDodoFile for a name that nobody declared, with the nearest one that somebody
    did, and for tasks that wait for each other.
    """
    needs = {
        name: tuple(_needs(each, declared))
        for name, each in declared.items()
        if each.task is not None
    }
    before: dict[str, set[str]] = {}
    tasks = {
        name: _behind(each.task, _without_implied(each, needs, before))
        for name, each in declared.items()
        if each.task is not None
    }
    rank = {chapter: number for number, chapter in enumerate(chapters)}
    by_chapter = sorted(tasks, key=lambda name: rank.get(tasks[name].chapter, 0))
    found: dict[str, Task] = {}
    for name in by_chapter:
        for each in _with_needs(name, tasks, found, declared):
            found[each] = tasks[each]
    return found


def _behind(task: Task, after: tuple[str, ...]) -> Task:
    """The task, waiting for these; ``replace`` would take four times as long, in each command."""
    parts = list(_ALL(task))
    parts[_AFTER] = after
    return Task(*parts)


def _needs(
    each: Declared, declared: Mapping[str, Declared], seen: tuple[str, ...] = ()
) -> Iterator[str]:
    """The names of what it waits for; one that this release lacks stands for its own needs."""
    names: dict[str, None] = {}
    for before in each.after:
        name = before if isinstance(before, str) else before.name
        other = declared.get(name)
        if other is None:
            raise declaration_error(each.place, *_unknown(each.name, name, declared))
        if other.task is not None:
            names[name] = None
        elif name in seen:
            raise _cycle([*seen, name], declared)
        else:
            names.update(dict.fromkeys(_needs(other, declared, (*seen, name))))
    yield from names


def _without_implied(
    each: Declared, needs: Mapping[str, tuple[str, ...]], before: dict[str, set[str]]
) -> tuple[str, ...]:
    """Its needs without those that it only inherits, and that another of them waits for anyway.

    Else a gate would be asked again, and an approval be wanted anew, by tasks long after what it
    guards: all that the release lacks in between would hand it on to them. What an approval is of
    stays as it is.
    """
    wanted = needs[each.name]
    if each.task is not None and each.task.kind is Kind.APPROVAL:
        return wanted
    own = {other if isinstance(other, str) else other.name for other in each.after}
    if own.issuperset(wanted):
        return wanted
    implied: set[str] = set()
    for name in wanted:
        implied |= _all_before(name, needs, before) - {name}  # a cycle is reported as one
    return tuple(name for name in wanted if name in own or name not in implied)


def _all_before(
    name: str, needs: Mapping[str, tuple[str, ...]], before: dict[str, set[str]]
) -> set[str]:
    """Everything that has to be done before it, however far; ``before`` keeps what was found."""
    if name not in before:
        found: set[str] = set()
        left = [name]
        while left:
            new = set(needs[left.pop()]) - found
            found |= new
            left += new
        before[name] = found
    return before[name]


def _unknown(name: str, before: str, declared: Mapping[str, Declared]) -> tuple[str, str]:
    remedy = near(before, declared, "declare it, or leave it out")
    return f"{name} comes after {before}, which is no task", remedy


def _with_needs(
    start: str,
    tasks: Mapping[str, Task],
    done: Mapping[str, Task],
    declared: Mapping[str, Declared],
) -> Iterator[str]:
    """The task behind all that it waits for and that is not done, each once."""
    path: list[tuple[str, Iterator[str]]] = []
    placed: set[str] = set()

    def enter(name: str) -> None:
        path.append((name, iter(tasks[name].after)))

    if start not in done:
        enter(start)
    while path:
        name, open_ = path[-1]
        following = next((each for each in open_ if each not in done and each not in placed), None)
        if following is None:
            path.pop()
            placed.add(name)
            yield name
        elif any(following == each for each, _ in path):
            on_path = [each for each, _ in path]
            raise _cycle([*on_path[on_path.index(following) :], following], declared)
        else:
            enter(following)


def _cycle(names: list[str], declared: Mapping[str, Declared]) -> Exception:
    return declaration_error(
        declared[names[0]].place,
        f"{' waits for '.join(names)}",
        "take one of these out of its after=",
    )
