"""Hosted documentation: whether the pages on the web are those of the archive."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from plugins.model.rules import breach
from plugins.model.zipped import BrokenZip, opened_zip

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from checks.caches import Answer
    from doit_receipts.finding import Finding

__all__ = ["PAGES", "pages_are_the_archives", "pages_in"]

PAGES: Final = (
    "index.html",
    "contents.html",
    "genindex.html",
    "whatsnew/changelog.html",
    "searchindex.js",
    "objects.inv",
)
"""What is compared: where readers come in, what links lead to, and what is made last."""
_MOST_BYTES: Final = 64 << 20


def pages_in(archive: Path) -> dict[str, str] | None:
    """The sha256 of those of the pages that the archive holds; None if it cannot be read."""
    found = {}
    try:
        with opened_zip(archive) as opened:
            for info in opened.infolist():
                page = info.filename.partition("/")[2]
                if page in PAGES and info.file_size <= _MOST_BYTES:
                    found[page] = hashlib.sha256(opened.read(info)).hexdigest()
    except (OSError, BrokenZip):
        return None  # docs.unreadable reports it
    return found


def pages_are_the_archives(
    wanted: Mapping[str, str] | None, answers: Mapping[str, Iterable[Answer]]
) -> tuple[Finding, ...]:
    """Every endpoint serves each page as the archive has it; both are by the page's path.

    A page that a readable archive lacks, or has too large, cannot be compared, which blocks.
    """
    if wanted is None:
        return ()
    problem = "is not in the archive to compare with, or too large"
    return (
        *(breach("docs.hosted", page, problem) for page in PAGES if page not in wanted),
        *(
            breach("docs.hosted", f"{page} at {each.endpoint}", problem)
            for page, sha256 in wanted.items()
            for each in answers.get(page, ())
            if (problem := _problem(each, sha256))
        ),
    )


def _problem(answer: Answer, sha256: str) -> str:
    if answer.fetched is None:
        return answer.problem
    if answer.fetched.status != 200:
        return f"answers {answer.fetched.status}"
    return "" if answer.fetched.content.sha256 == sha256 else "differs from the page in the archive"
