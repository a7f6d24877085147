"""Caches: what users get from every endpoint, against what is behind all of them.

3.5.9 exists because caches served what had been there before. A check cannot ask all caches of
the world; it asks each that can be asked alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugins.model.rules import breach
from plugins.ports.public import AROUND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from doit_receipts.finding import Finding
    from plugins.model.contract import Purge
    from plugins.model.found_files import FoundFiles
    from plugins.ports.public import Fetched

__all__ = ["Answer", "caches_serve_files", "pages_are_current"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came from one endpoint, or why nothing did."""

    endpoint: str
    fetched: Fetched | None
    problem: str = ""


def caches_serve_files(
    shelf: FoundFiles, answers: Mapping[str, Iterable[Answer]]
) -> tuple[Finding, ...]:
    """Every cache serves each file as it is behind it; ``answers`` are by the file's path.

    A file that is missing behind them is the set's finding; a cache that still has it is stale.
    """
    return tuple(
        finding
        for remote, all_doors in answers.items()
        for finding in _stale(remote, shelf, all_doors)
    )


def _stale(remote: str, shelf: FoundFiles, answers: Iterable[Answer]) -> Iterator[Finding]:
    there = shelf.files.get(remote)
    for each in answers:
        where = f"{remote} at {each.endpoint}"
        if each.endpoint == AROUND:
            continue
        if each.fetched is None:
            yield breach("cache.unseen", where, each.problem)
        elif there is None:
            if each.fetched.status == 200 and remote not in shelf.closed:
                yield breach("cache.stale", where, "is served, and there is no such file behind it")
        elif each.fetched.status != 200:
            yield breach("cache.stale", where, f"answers {each.fetched.status}")
        elif each.fetched.sha256 != there.sha256:
            yield breach(
                "cache.stale",
                where,
                f"serves {each.fetched.size_bytes:,} bytes with sha256"
                f" {each.fetched.sha256[:12]}…, behind it are {there.size_bytes:,} with"
                f" {there.sha256[:12]}…",
            )


def pages_are_current(
    pages: Iterable[tuple[Purge, tuple[Answer, ...]]],
) -> tuple[Finding, ...]:
    """Every page shows of this release what it should, behind the caches and in each of them."""
    return tuple(finding for page, answers in pages for finding in _page(page, answers))


def _page(page: Purge, answers: tuple[Answer, ...]) -> Iterator[Finding]:
    problems = {each.endpoint: _problem(page, each) for each in answers}
    behind = problems.get(AROUND, "")
    if behind:
        unseen = any(each.endpoint == AROUND and each.fetched is None for each in answers)
        yield breach("page.unseen" if unseen else "page.lacks", page.url, behind)
    for each in answers:
        if (
            each.endpoint == AROUND
            or not problems[each.endpoint]
            or problems[each.endpoint] == behind
        ):
            continue
        rule = "cache.unseen" if each.fetched is None else "cache.stale_page"
        yield breach(rule, f"{page.url} at {each.endpoint}", problems[each.endpoint])


def _problem(page: Purge, answer: Answer) -> str:
    """What is wrong with a page; "" if nothing is."""
    if answer.fetched is None:
        return answer.problem
    return page.problem(answer.fetched.status, answer.fetched.text, answer.fetched.leads_to)
