"""Hosted documentation: whether every page on the web is that of the archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.printable import printable
from plugins.model.docs_pages import UNREAD
from plugins.model.rules import breach

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from checks.caches import Answer
    from doit_receipts.finding import Finding
    from plugins.model.content import Content

__all__ = ["PAGES", "pages_are_the_archives"]

PAGES: Final = (
    "index.html",
    "contents.html",
    "genindex.html",
    "whatsnew/changelog.html",
    "searchindex.js",
    "objects.inv",
)
"""What every documentation has, and is asked for before its archive is here."""


def pages_are_the_archives(
    wanted: Mapping[str, Content] | None, answers: Mapping[str, Iterable[Answer]]
) -> tuple[Finding, ...]:
    """Every page is served as the archive has it; both are by the page's path.

    A page that a readable archive lacks, or has too large, cannot be compared, which blocks.
    """
    if wanted is None:
        return ()
    return (
        *(
            breach("docs.hosted", page, "is not in the archive to compare with")
            for page in PAGES
            if page not in wanted
        ),
        *(
            breach("docs.hosted", page, "is too large to compare, in the archive")
            for page, content in wanted.items()
            if content == UNREAD
        ),
        *(
            breach("docs.hosted", f"{printable(page)} at {each.endpoint}", problem)
            for page, content in wanted.items()
            for each in answers.get(page, ())
            if (problem := _problem(each, content))
        ),
    )


def _problem(answer: Answer, wanted: Content) -> str:
    if answer.fetched is None:
        return answer.problem
    if answer.fetched.status != 200:
        return f"answers {answer.fetched.status}"
    return "" if answer.fetched.content == wanted else "differs from the page in the archive"
