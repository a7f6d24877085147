"""Caches: what users get from every endpoint, against what the host behind them has.

3.5.9 exists because caches served the files of before. A check cannot ask every cache there is; it
asks each that can be asked alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.frozen import frozen
from plugins.model.rules import breach
from plugins.ports.public import AROUND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from doit_receipts.finding import Finding
    from plugins.model.contract import Purge
    from plugins.model.found_files import FoundFiles
    from plugins.ports.fetched import Fetched

__all__ = ["Answer", "caches_serve_files", "pages_are_current"]


@frozen
class Answer:
    """What came from one endpoint, or why nothing did."""

    endpoint: str
    fetched: Fetched | None
    problem: str = ""


def caches_serve_files(
    found_files: FoundFiles, answers: Mapping[str, Iterable[Answer]]
) -> tuple[Finding, ...]:
    """Every cache serves each file as it is behind it; ``answers`` are by the file's path.

    A file that is missing behind them is the set's finding; a cache that still has it is stale.
    """
    return tuple(
        finding
        for remote, answered in answers.items()
        for finding in _stale(remote, found_files, answered)
    )


def _stale(remote: str, found_files: FoundFiles, answers: Iterable[Answer]) -> Iterator[Finding]:
    there = found_files.files.get(remote)
    for answer in answers:
        where = f"{remote} at {answer.endpoint}"
        if answer.endpoint == AROUND:
            continue
        if answer.fetched is None:
            yield breach("cache.unseen", where, answer.problem)
        elif there is None:
            if answer.fetched.status == 200 and remote not in found_files.closed:
                yield breach("cache.stale", where, "is served, but the host has no such file")
        elif answer.fetched.status != 200:
            yield breach("cache.stale", where, f"answers {answer.fetched.status}")
        elif answer.fetched.content != there.content:
            yield breach(
                "cache.stale",
                where,
                f"serves {answer.fetched.content.brief}, the host has {there.content.brief}",
            )


def pages_are_current(
    pages: Iterable[tuple[Purge, tuple[Answer, ...]]],
) -> tuple[Finding, ...]:
    """Every page shows of this release what it should, behind the caches and in each of them."""
    return tuple(finding for page, answers in pages for finding in _page(page, answers))


def _page(page: Purge, answers: tuple[Answer, ...]) -> Iterator[Finding]:
    problems = {answer.endpoint: _problem(page, answer) for answer in answers}
    behind = problems.get(AROUND, "")
    if behind:
        unseen = any(answer.endpoint == AROUND and answer.fetched is None for answer in answers)
        yield breach("page.unseen" if unseen else "page.lacks", page.url, behind)
    for answer in answers:
        if (
            answer.endpoint == AROUND
            or not problems[answer.endpoint]
            or problems[answer.endpoint] == behind
        ):
            continue
        rule = "cache.unseen" if answer.fetched is None else "cache.stale_page"
        yield breach(rule, f"{page.url} at {answer.endpoint}", problems[answer.endpoint])


def _problem(page: Purge, answer: Answer) -> str:
    """What is wrong with a page; "" if nothing is."""
    if answer.fetched is None:
        return answer.problem
    return page.problem(answer.fetched.status, answer.fetched.text, answer.fetched.leads_to)
