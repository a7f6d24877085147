"""Blog: the approved announcement as a post of the Python Insider blog, by a pull request.

Source of the form: python/python-insider-blog, src/content.config.ts (what the loader reads and
demands), keystatic.config.tsx (the fields of its editor), .pre-commit-config.yaml and
.github/workflows/ci.yml (what its CI checks), at fbd6066 of 2026-08-22.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed
from plugins.steps import announcement_draft
from plugins.steps.pull_requests import branch_of, look_proposed

if TYPE_CHECKING:
    from datetime import date

    from doit_receipts.probe import Probe
    from plugins.model.release import Release
    from plugins.ports.git import Base
    from plugins.ports.github import Proposals
    from plugins.ports.progress import Progress

__all__ = ["author_of", "blog_post", "folder_of", "look_blog", "path_of", "propose_blog"]

_DESCRIPTION_MOST: Final = 200
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_LINK: Final = re.compile(r"\[([^\]]+)\]\([^)]*\)")


def author_of(declared: str, base: Base) -> str:
    """The name that the post is under: the declared one, else the one that git signs with."""
    return declared or base.identity().name


def blog_post(release: Release, author: str, day: date) -> tuple[str, bytes]:
    """The path and the bytes of the blog's file about this release (A05).

    Raises StepFailed if nobody is named as its author.
    """
    if not author:
        raise StepFailed(
            where="[announce] author",
            problem="the blog post has no author",
            remedy="set author to your name as the blog spells it",
        )
    text = announcement_draft.text_of(release)
    # Quoted as JSON quotes, which YAML reads as it is: a title may hold colons, quotes and hashes.
    fields = (
        f"title: {_quoted(announcement_draft.subject_of(release))}",
        f"publishDate: '{day:%Y-%m-%d}'",
        f"author: {_quoted(author)}",
        f"description: {_quoted(_description(text))}",
        "tags:\n  - releases",
        "published: true",
    )
    head = "\n".join(("---", *fields, "---", "", ""))
    return path_of(release), (head + _tidy(text)).encode()


def folder_of(release: Release) -> str:
    """The folder of the post about this release, by which readers find it."""
    return f"python-{release.name.replace('.', '')}"


def path_of(release: Release) -> str:
    """The path of the blog's file about this release."""
    return f"content/posts/{folder_of(release)}/index.md"


def look_blog(release: Release, proposals: Proposals, author: str, day: date) -> Probe:
    """Whether the blog has the announcement, or a pull request asks for it (A05, Z29)."""
    path, content = blog_post(release, author, day)
    return look_proposed(release, proposals, path, content)


def propose_blog(
    release: Release, proposals: Proposals, author: str, day: date, progress: Progress
) -> dict[str, str]:
    """A pull request asks the blog to take the announcement (A05, Z29)."""
    progress.say("opening the blog's pull request")
    path, content = blog_post(release, author, day)
    title = announcement_draft.subject_of(release)
    made = proposals.propose(branch_of(release), {path: content}, title, "")
    return {"pull request": str(made.number), "url": made.url}


def _quoted(text: str) -> str:
    # YAML lines end at U+0085, U+2028 and U+2029 too
    return re.sub(
        "[\x7f-\x9f\u2028\u2029\ufeff]",
        lambda found: f"\\u{ord(found[0]):04x}",
        json.dumps(text, ensure_ascii=False),
    )


def _description(text: str) -> str:
    """The first sentence of the announcement, as search engines and link previews show it."""
    for paragraph in text.split("\n\n"):
        words = " ".join(_LINK.sub(r"\1", paragraph).replace("*", "").replace("`", "").split())
        if words and not words.startswith(("#", "http", "<", "|", "-", ">")):
            sentence = _SENTENCE.split(words)[0]
            if len(sentence) <= _DESCRIPTION_MOST:
                return sentence
            return sentence[:_DESCRIPTION_MOST].rpartition(" ")[0] + "..."
    return "A new release of Python"


def _tidy(text: str) -> str:
    """The text as the blog's hooks leave it: no white space at line ends, one line end at last.

    Two spaces at the end of a line are a line break in Markdown, and stay.
    """
    lines = []
    for line in text.split("\n"):
        bare = line.rstrip()
        lines.append(f"{bare}  " if bare and line.endswith("  ") else bare)
    return "\n".join(lines).rstrip() + "\n"
