"""Announcement: drafted from what is known, edited by the release manager, settled by digest.

The draft is in ``made/announcement.md``. Whoever wants other words copies it to
``texts/announcement.md`` and edits it there; what is settled is that file, or else the draft,
and the approval of the settled text is bound to its every byte.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from plugins.model.news_entries import NEWS_FOLDER, SecurityContent, news_files_of, release_before
from plugins.steps.drafts import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from plugins.model.contract import Contract
    from plugins.model.layout import Layout
    from plugins.model.news_entries import NewsEntry
    from plugins.model.release import Release
    from plugins.ports.git import Clone
    from plugins.ports.templates import Templates

__all__ = ["DRAFT", "SETTLED", "draft", "edited_digest", "settle", "subject_of", "text_of"]

DRAFT: Final = "announcement.md"
SETTLED: Final = "announcement.settled.md"


def draft(  # noqa: PLR0913 - everything that an announcement says
    release: Release,
    contract: Contract,
    templates: Templates,
    clone: Clone,
    *,
    commit: str,
    changes: str,
    digests: Mapping[str, str],
    author: str,
    notes: Sequence[str] = (),
) -> dict[str, str]:
    """A draft of the announcement is in ``made/announcement.md`` (A01, R07).

    ``changes`` is the number of NEWS entries, ``digests`` names of source archives to sha256,
    ``author`` who signs, ``notes`` what has to be said besides: waivers, binaries that come later.
    The security entries of NEWS are in it, each with its issue.
    """
    paths = clone.names(commit, NEWS_FOLDER)
    words = words_of(release, contract, notes) | {
        "security": _security(release, clone, commit, paths),
        "changes_since": release_before(release.version, paths),
        "changes": "" if changes == "0" else changes,
        "commit": commit,
        "tag": release.version.tag,
        "files": sorted(digests.items()),
        "signed": f"Your release manager,\n{author}",
    }
    text = templates.fill("announcement.md", words)
    write_whole(release.layout.made / DRAFT, text.encode())
    return {"digest": hashlib.sha256(text.encode()).hexdigest()}


def _security(
    release: Release, clone: Clone, commit: str, paths: Sequence[str]
) -> tuple[NewsEntry, ...]:
    """The entries of section Security that are new with this release.

    With a bugfix release come those of its candidates; X.Y.0 is compared with no other release.
    """
    version = release.version
    if version.folder == str(version) and not version.micro:
        return ()
    whole = not version.is_prerelease
    texts = [
        (clone.read(commit, path) or b"").decode("utf-8", "replace")
        for path in news_files_of(version, paths, whole=whole)
    ]
    return SecurityContent.of(texts).entries


def edited_digest(layout: Layout) -> str:
    """The sha256 of the release manager's own text; "" if there is none. Quick."""
    try:
        return hashlib.sha256(_edited(layout).read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""


def settle(release: Release, drafted: str = DRAFT) -> dict[str, str]:
    """The text that will be sent is in ``made/announcement.settled.md``, with its digest.

    It is the release manager's own, or else what was ``drafted`` below ``made/``.
    Line ends are single line feeds, and one blank line follows the title; nothing else of the
    text is changed. Raises StepFailed for a text that is not UTF-8.
    """
    layout = release.layout
    edited = _edited(layout)
    source = edited if edited.exists() else layout.made / drafted
    text = _read(source)
    title, _, body = text.partition("\n")
    settled = f"{title.strip()}\n\n{body.strip(chr(10)).rstrip()}\n".encode()
    write_whole(layout.made / SETTLED, settled)
    return {
        "digest": hashlib.sha256(settled).hexdigest(),
        "by": "release manager" if source is edited else "draft",
    }


def text_of(release: Release) -> str:
    """The settled text, without its title. Raises StepFailed if nothing was settled."""
    return _settled(release).partition("\n\n")[2]


def subject_of(release: Release) -> str:
    """The settled text's title, which is the subject of emails and the title of posts."""
    return _settled(release).partition("\n")[0].removeprefix("# ").strip()


def _settled(release: Release) -> str:
    return _read(release.layout.made / SETTLED)


def _read(file: Path) -> str:
    """The text with plain line feeds, whatever editor wrote it."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise StepFailed(
            where=file.name,
            problem="does not exist",
            remedy="run the same command again: the step that makes it is stale",
        ) from error
    except UnicodeDecodeError as error:
        raise StepFailed(
            where=str(file),
            problem=f"is not UTF-8 at byte {error.start}",
            remedy="save it as UTF-8, then run the same command again",
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _edited(layout: Layout) -> Path:
    return layout.texts / DRAFT
