"""The PEP, as commands speak of it: what an obligation asks for, and what came of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from plugins.model.obligations import Verdict, obligations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plugins.model.obligations import Obligation
    from plugins.model.release import Release

__all__ = ["described", "explained", "kinds_of", "verdict_of"]

_LINE: Final = re.compile(r"line:(?P<number>[0-9]{1,6})")
_VERDICTS: Final = {
    Verdict.OPEN: "open, to be built",
    Verdict.OBSOLETE: "obsolete",
    Verdict.DONE: "done",
}
_TOGETHER: Final = {
    frozenset({"RC1", "RC2+", "FM", "FX", "SEC"}): "candidates and finals",
    frozenset({"FM", "FX", "SEC"}): "finals",
    frozenset({"A", "NB", "B", "RC1", "RC2+"}): "pre-releases",
    frozenset({"A", "NB", "B", "RC1", "RC2+", "FM", "FX"}): "all but security releases",
}
_KINDS: Final = {
    "A": "alphas", "NB": "the first beta", "B": "later betas", "RC1": "the first candidate",
    "RC2+": "later candidates", "FM": "the first final", "FX": "bugfix releases",
    "SEC": "security releases", "BBF": "the begin of bugfix mode",
    "BSEC": "the begin of security-only mode", "EOL": "end of life",
    "RM": "once for each release manager", "series": "once for each series",
    "tool": "the tool itself",
}  # fmt: skip


def described(release: Release, task: str, words: Sequence[str]) -> list[str]:
    """A line for each of these ids that the release owes, and one for all others.

    To the ids that the task names come those of today's practice that it takes part in.
    """
    known = obligations().by_name
    words = [*words, *(each.name for each in known.values() if task in each.tasks)]
    found = [known[each] for each in words if each in known]
    owed = [each.name for each in found if each.is_of(release) or "tool" in each.kinds]
    others = [each for each in words if each not in owed]
    lines = [f"{each}: {known[each].wanted}" for each in owed]
    return [*lines, f"in other kinds of release: {', '.join(others)}"] if others else lines


def explained(word: str) -> dict[str, list[str]]:
    """What an id asks for, and what came of it; or each id of a line of the PEP, ``line:213``."""
    declared = obligations()
    at_line = _LINE.fullmatch(word)
    if at_line is None:
        found = declared.by_name.get(word)
        return {} if found is None else {word: list(_explained(found))}
    number = int(at_line["number"])
    if number in declared.without:
        return {word: ["a heading, commentary or empty: this line of PEP 101 asks for nothing"]}
    return {each.name: list(_explained(each)) for each in declared.at_line(number)}


def kinds_of(obligation: Obligation) -> str:
    """Which kinds of release owe it, in words; "" for all that make files."""
    words = (text for kind, text in _KINDS.items() if kind in obligation.kinds)
    return _TOGETHER.get(obligation.kinds, ", ".join(words))


def verdict_of(obligation: Obligation) -> str:
    """What came of an obligation that has no task; "" for one that a task has to fulfil."""
    if obligation.verdict is None:
        return ""
    return f"{_VERDICTS[obligation.verdict]}: {obligation.reason}"


def _explained(obligation: Obligation) -> Iterator[str]:
    yield obligation.wanted
    if obligation.lines:
        yield f"PEP 101       {obligation.chapter}, line {obligation.lines}"
    if obligation.kinds:
        yield f"belongs to    {kinds_of(obligation)}"
    if obligation.tasks:
        yield f"part of it    {', '.join(obligation.tasks)}"
    if obligation.rules:
        yield f"judged by     {', '.join(obligation.rules)}"
    if verdict := verdict_of(obligation):
        yield f"verdict       {verdict}"
    for head, test in zip(
        ("shown by", *("" for _ in obligation.tests)), obligation.tests, strict=False
    ):
        yield f"{head:<14}{test}"
    if obligation.source:
        yield f"source        {obligation.source}"
