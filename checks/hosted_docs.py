"""Hosted documentation: whether every page on the web is that of the archive."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from doit_receipts.printable import printable
from plugins.model.content import Content
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
"""What every documentation has, and is asked for before its archive is here."""
_MOST_BYTES: Final = 64 << 20
_MOST_TOGETHER: Final = 1 << 30
_UNREAD: Final = Content(0, "")


def pages_in(archive: Path) -> dict[str, Content] | None:
    """Every file of the archive, by its path below the archive's folder; None if it is broken.

    Of a file that is too large to read there is no digest. What begins with a dot is left out: a
    server need not give it.
    """
    found = {}
    left = _MOST_TOGETHER
    try:
        with opened_zip(archive) as opened:
            for info in opened.infolist():
                page = info.filename.partition("/")[2]
                if not page or info.is_dir() or any(part[:1] == "." for part in page.split("/")):
                    continue
                left -= info.file_size
                found[page] = _UNREAD
                if info.file_size <= min(_MOST_BYTES, left):
                    digest = hashlib.sha256(opened.read(info)).hexdigest()
                    found[page] = Content(info.file_size, digest)
    except (OSError, BrokenZip):
        return None  # docs.unreadable reports it
    return found


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
            if content == _UNREAD
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
