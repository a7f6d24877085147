"""Obligations: what PEP 101 and today's practice ask of a release, and what came of each.

A task names the obligations of the PEP that it fulfils; all others have a verdict in
obligations.toml.
"""

from __future__ import annotations

import functools
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.frozen import frozen
from doit_receipts.printable import counted
from plugins.model.release import KIND_NAMES, ReleaseType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from plugins.model.release import Release

__all__ = ["Obligation", "Obligations", "Verdict", "obligations", "read", "unaccounted"]

_FILE: Final = Path(__file__).with_name("obligations.toml")
_KEYS: Final = {
    "lines", "for", "until", "wanted", "rules", "open", "obsolete", "done", "tasks", "tests",
    "source",
}  # fmt: skip
_GROUPS: Final = {"RC": ("RC1", "RC2+"), "F": ("FM", "FX", "SEC")}
# Owed once by a person, for a series or by the tool, and by no release of its own.
_ONCE: Final = frozenset({"RM", "series", "tool"})
_MAKE_NO_FILES: Final = frozenset(kind.value for kind in KIND_NAMES)


class Verdict(Enum):
    """What came of an obligation that no task names; the value is the word that people read."""

    OPEN = "open"
    """Still to be built."""
    OBSOLETE = "obsolete"
    DONE = "done"
    """What the reason says is true, as tests show; it need not be the work of one task."""


@frozen
class Obligation:
    """One obligation: ``wanted`` is what has to be true, ``reason`` what explains its verdict.

    ``lines`` are those of the PEP's text, "" for what came later; ``kinds`` the values of
    ReleaseType, or what is owed once; ``until`` the last series, "" for all. ``tasks`` take part in
    what is done, ``tests`` are pytest ids. ``verdict`` is None for what a task has to name.
    """

    name: str
    chapter: str
    wanted: str
    lines: str = ""
    kinds: frozenset[str] = frozenset()
    until: str = ""
    rules: tuple[str, ...] = ()
    verdict: Verdict | None = None
    reason: str = ""
    tasks: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    source: str = ""

    def is_of(self, release: Release) -> bool:
        """Whether a release of this kind and series owes it."""
        if self.until and release.version.minor > int(self.until.partition(".")[2]):
            return False
        kind = release.type
        if not self.kinds:
            return kind.value not in _MAKE_NO_FILES
        # A candidate of a source-only series owes what its final release does.
        same = {kind.value, "SEC"} if kind is ReleaseType.SECURITY_CANDIDATE else {kind.value}
        return bool(self.kinds & same)

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of its lines."""
        return _numbers(self.lines)


@frozen
class Obligations:
    """All obligations by name, in the PEP's order; ``length`` and ``without`` are of its text.

    ``without`` are the lines that ask for nothing: headings, commentary and empty lines.
    """

    by_name: Mapping[str, Obligation]
    length: int
    without: frozenset[int]

    def at_line(self, number: int) -> tuple[Obligation, ...]:
        """What this line of the PEP asks for."""
        return tuple(each for each in self.by_name.values() if number in each.numbers)


@functools.cache
def obligations() -> Obligations:
    """What the project declares. Raises ValueError with every mistake of the file, one a line."""
    # tomllib is late: a listing without obligations does not pay for it (10 ms).
    import tomllib  # noqa: PLC0415

    return read(tomllib.loads(_FILE.read_text(encoding="utf-8")))


def read(content: Mapping[str, Any]) -> Obligations:
    """The obligations of a file's content. Raises ValueError with every mistake, one a line."""
    text = content["text"]
    found: dict[str, Obligation] = {}
    wrong: list[str] = []
    for chapter, rows in content.items():
        for name, row in rows.items() if chapter != "text" else ():
            wrong += [f"{name}: {problem}" for problem in _mistakes(row)]
            if name in found:
                wrong.append(f"{name}: is in two chapters")
            found[name] = _obligation(name, chapter, row)
    made = Obligations(found, text["lines"], _numbers(text["without"]))
    wrong += _line_mistakes(made)
    if wrong:
        raise ValueError("\n".join(wrong))
    return made


def unaccounted(
    declared: Obligations,
    named: Mapping[str, Collection[str]],
    tasks: Collection[str],
    judged: Collection[str],
) -> list[str]:
    """What is wrong between the obligations and the tasks, a sentence each; empty if all is well.

    ``named`` are the tasks by the obligation that they name, ``tasks`` all that any kind of
    release has, and ``judged`` the rules that any of them judges by.
    """
    known = declared.by_name
    wrong = [
        f"{name}: {', '.join(named[name])} names it, and obligations.toml does not have it"
        for name in named
        if name not in known
    ]
    for name, each in known.items():
        doing = named.get(name, ())
        if not doing and each.verdict is None:
            wrong.append(f"{name}: has neither a task nor a verdict")
        elif doing and each.verdict is not None:
            wrong.append(f"{name}: has a task, {', '.join(doing)}, and is {each.verdict.value}")
        if gone := set(each.tasks) - set(tasks):
            wrong.append(f"{name}: no release has the task {', '.join(sorted(gone))}")
        if lost := set(each.rules) - set(judged):
            wrong.append(f"{name}: no gate judges by {', '.join(sorted(lost))}")
    return wrong


# ── inside ─────────────────────────────────────────────────────────────────────────────────


def _obligation(name: str, chapter: str, row: Mapping[str, Any]) -> Obligation:
    verdict = next((each for each in Verdict if each.value in row), None)
    return Obligation(
        name,
        chapter,
        row.get("wanted", ""),
        row.get("lines", ""),
        frozenset(_kinds(row.get("for", ""))),
        row.get("until", ""),
        tuple(row.get("rules", "").split()),
        verdict,
        row[verdict.value] if verdict else "",
        tuple(row.get("tasks", ())),
        tuple(row.get("tests", ())),
        row.get("source", ""),
    )


def _kinds(words: str) -> Iterator[str]:
    for word in words.split():
        yield from _GROUPS.get(word, (word,))


def _mistakes(row: Mapping[str, Any]) -> Iterator[str]:
    for key in row.keys() - _KEYS:
        yield f"{key} is not a key of an obligation"
    if not row.get("wanted"):
        yield "does not say what is wanted"
    verdicts = [each.value for each in Verdict if each.value in row]
    if len(verdicts) > 1:
        yield f"has {counted(len(verdicts), 'verdict')}, {' and '.join(verdicts)}"
    if not row.get("source") and (verdicts or not row.get("lines")):
        yield "has no source"
    if any(not row[each] for each in verdicts):
        yield f"is {verdicts[0]} without a reason"
    if ("done" in row) is not bool(row.get("tests")):
        yield "names tests if and only if its verdict is that it is done"
    known = {each.value for each in ReleaseType} | _ONCE
    if unknown := set(_kinds(row.get("for", ""))) - known:
        yield f"{', '.join(sorted(unknown))} is no kind of release"


def _line_mistakes(found: Obligations) -> Iterator[str]:
    """Each line of the PEP's text asks for something or is named as one that does not."""
    asking = {number for each in found.by_name.values() for number in each.numbers}
    everything = set(range(1, found.length + 1))
    if lost := everything - asking - found.without:
        yield f"no obligation has line {', '.join(map(str, sorted(lost)))} of the PEP"
    if both := (asking & found.without) | (asking - everything):
        yield f"line {', '.join(map(str, sorted(both)))} of the PEP asks for nothing"


def _numbers(words: str) -> frozenset[int]:
    """The numbers of ``3 5-7``."""
    found: set[int] = set()
    for word in words.split():
        first, _, last = word.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)
