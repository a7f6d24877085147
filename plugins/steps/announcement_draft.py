"""Announcement: drafted from what is known, edited by the release manager, settled by digest.

The draft stands in ``made/announcement.md``. Whoever wants other words copies it to
``texts/announcement.md`` and edits it there; what is settled is that file, or else the draft,
and the approval of the settled text is bound to its every byte.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from plugins.model.release import ReleaseType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from plugins.model.layout import Layout
    from plugins.model.release import Release
    from plugins.ports.templates import Templates

__all__ = ["DRAFT", "SETTLED", "draft", "edited_digest", "settle", "subject_of", "text_of"]

DRAFT: Final = "announcement.md"
SETTLED: Final = "announcement.settled.md"
_KINDS: Final = {
    ReleaseType.ALPHA: "alpha release",
    ReleaseType.NEW_BRANCH: "beta release",
    ReleaseType.BETA: "beta release",
    ReleaseType.FIRST_CANDIDATE: "release candidate",
    ReleaseType.CANDIDATE: "release candidate",
    ReleaseType.FEATURE_FINAL: "the first release",
    ReleaseType.BUGFIX_FINAL: "a bugfix release",
    ReleaseType.SECURITY_FINAL: "a security release, as source only,",
}
_LEFT_OPEN: Final = re.compile(r"\b(?:TODO|TBD|FIXME|XXX)\b|\{\{|\}\}")


def draft(
    release: Release,
    templates: Templates,
    *,
    commit: str,
    changes: str,
    page: str,
    digests: Mapping[str, str],
    sender: str,
    notes: Sequence[str] = (),
) -> dict[str, str]:
    """A draft of the announcement stands in ``made/announcement.md`` (A01, R07).

    ``changes`` is the number of NEWS entries, ``digests`` names of source archives to sha256,
    ``notes`` what has to be told besides: waivers, binaries that come later.
    """
    version = release.version
    docs = f"https://docs.python.org/{version.series}"
    words = {
        "version": version,
        "series": version.series,
        "kind": _KINDS.get(release.type, "a release"),
        "is_prerelease": version.is_prerelease,
        "page": page,
        "notes": list(notes),
        "changes": changes,
        "last": "the last release",
        "changelog": f"{docs}/whatsnew/changelog.html",
        "whatsnew": f"{docs}/whatsnew/{version.series}.html",
        "pep": release.series.release_pep,
        "commit": commit,
        "tag": version.tag,
        "files": sorted(digests.items()),
        "signed": f"Your release manager\n{sender}",
    }
    text = templates.fill("announcement.md", words)
    write_whole(release.layout.made / DRAFT, text.encode())
    return {"digest": hashlib.sha256(text.encode()).hexdigest()}


def edited_digest(layout: Layout) -> str:
    """The sha256 of the release manager's own text; "" if there is none. Quick."""
    try:
        return hashlib.sha256(_edited(layout).read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""


def settle(release: Release) -> dict[str, str]:
    """The text that will be sent stands in ``made/announcement.settled.md``, with its digest.

    Raises StepFailed for a text that names another version only, or has a place left open.
    """
    layout = release.layout
    edited = _edited(layout)
    source = edited if edited.exists() else layout.made / DRAFT
    text = source.read_text(encoding="utf-8")
    problem = _unfit(release, text)
    if problem:
        raise StepFailed(
            where=source.name, problem=problem, remedy=f"edit {edited}, then run again"
        )
    write_whole(layout.made / SETTLED, text.encode())
    return {
        "digest": hashlib.sha256(text.encode()).hexdigest(),
        "by": "release manager" if source is edited else "draft",
    }


def text_of(release: Release) -> str:
    """The settled text, without its title. Raises StepFailed if nothing was settled."""
    return _settled(release).partition("\n")[2].strip() + "\n"


def subject_of(release: Release) -> str:
    """The settled text's title, which is the subject of mails and the title of posts."""
    return _settled(release).partition("\n")[0].removeprefix("# ").strip()


def _settled(release: Release) -> str:
    try:
        return (release.layout.made / SETTLED).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise StepFailed(
            where=SETTLED,
            problem="is not there",
            remedy="run the same command again: the step that makes it is stale",
        ) from error


def _edited(layout: Layout) -> Path:
    return layout.texts / DRAFT


def _unfit(release: Release, text: str) -> str:
    first = text.partition("\n")[0]
    if not first.startswith("# ") or str(release.version) not in first:
        return f"its first line is {first!r}, wanted '# ' and a title with {release.version}"
    left = _LEFT_OPEN.search(text)
    if left:
        return f"has a place left open: {left[0]}"
    return "" if text.partition("\n")[2].strip() else "says nothing below its title"
