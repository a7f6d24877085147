"""NEWS: whether this version's file has all that was written, as it was written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from plugins.model.disguised import unseen_characters
from plugins.model.news_entry import body_of, folded_entries, garbled, key_of

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.git import Clone

__all__ = ["news_says_what_was_written", "news_tells_something"]

_NEXT = "Misc/NEWS.d/next"


@judges("news.empty", blind="source.unreadable")
def news_tells_something(release: Release, clone: Clone, *, after: str) -> tuple[Finding, ...]:
    """This version's NEWS has an entry."""
    name = _file(release)
    content = clone.read(f"refs/release/{after}", name)
    if content is None:
        return (Finding("news.empty", Severity.BLOCK, "there is no NEWS for this version", name),)
    if re.search(rb"^\.\. no changes: True$", content, flags=re.MULTILINE):
        return (
            Finding(
                "news.empty",
                Severity.WARN,
                "NEWS says that this release has no changes",
                name,
                "merge the entries that are missing into the branch; if nothing changed, this is"
                " as it has to be",
            ),
        )
    return ()


@judges("news.garbled", blind="source.unreadable")
def news_says_what_was_written(
    release: Release, clone: Clone, *, after: str, start: str = "base"
) -> tuple[Finding, ...]:
    """Each entry of the base is in this version's file, with every line that has a meaning.

    blurb breaks lines anew, whatever they are: it turns code, tables, line blocks and nested lists
    into one paragraph, and the changelog shows that.
    """
    name = _file(release)
    folded = folded_entries((clone.read(f"refs/release/{after}", name) or b"").decode())
    found = []
    for path in clone.names(f"refs/release/{start}", _NEXT):
        key = key_of(path)
        if key == ("", ""):
            continue
        written = body_of((clone.read(f"refs/release/{start}", path) or b"").decode())
        if unseen := next(unseen_characters(written), ""):
            problem = f"has {unseen} of its text, which nobody sees"
            remedy = "write the entry without it on the branch"
            found.append(Finding("news.garbled", Severity.BLOCK, problem, path, remedy))
        if key not in folded:
            problem = f"is not in {name}"
        else:
            line = garbled(written, folded[key])
            if not line:
                continue
            problem = f"blurb joins lines that have a meaning of their own, from: {line.strip()}"
        found.append(
            Finding(
                "news.garbled",
                Severity.BLOCK,
                problem,
                path,
                "write it in paragraphs of prose on the branch: blurb keeps the lines of a list's"
                " items and of one block behind a double colon, and of nothing else",
            )
        )
    return tuple(found)


def _file(release: Release) -> str:
    return f"Misc/NEWS.d/{release.version}.rst"
