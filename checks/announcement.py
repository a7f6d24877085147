"""Announcement: judgements of the settled text, before the release manager approves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.looking import judges
from checks.public_text import (
    TEXT_RULES,
    facts_are_right,
    names_are_right,
    notes_are_given,
    read_text,
    security_is_true,
)
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import counted
from plugins.model.news_entries import NEWS_FOLDER, SecurityContent, news_files_of
from plugins.model.text_rules import TextFacts, names_version
from plugins.model.train_text import of_one, section_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from doit_receipts.artifact import Artifact
    from plugins.model.contract import Contract
    from plugins.model.release import Release
    from plugins.ports.git import Clone

__all__ = ["announcement_is_ready", "security_content_is_true", "where_to_edit"]

# Source: Discourse's max_topic_title_length and min_topic_title_length of a new forum.
_TITLE_LEAST, _TITLE_MOST = 15, 255


@judges(*TEXT_RULES, blind="announcement.text")
def announcement_is_ready(
    contract: Contract,
    text: Path,
    notes: Sequence[str] = (),
    *,
    files: Sequence[Artifact] = (),
    commit: str = "",
    versions: Sequence[str] = (),
    others: Sequence[str] = (),
    edited: str = "",
) -> tuple[Finding, ...]:
    """The announcement is complete, about this release alone, and one that the forum accepts (A01).

    ``files`` are those whose digests it may give, ``commit`` the one that it may name,
    ``versions`` those of other releases that belong in it. ``others`` are the versions of the same
    day that it announces as well: their sections are theirs to judge, and each has one, in which
    no other of them is named. ``edited`` is where the text of all is edited.
    """
    remedy = where_to_edit(text, edited)
    words, problems = read_text(text, "announcement.text", remedy)
    if problems:
        return problems
    title, _, body = words.partition("\n")
    facts = TextFacts.of(contract, files, (commit,), (*versions, *others))
    found = []
    if others and f"\n## Python {contract.version}\n" not in words:
        problem = f"has no section '## Python {contract.version}'"
        found.append(Finding("announcement.text", Severity.BLOCK, problem, text.name, remedy))
    words = of_one(words, contract.version, others)
    if not title.startswith("# ") or not names_version(title, facts.version):
        problem = f"its first line is not a title that names Python {contract.version}"
        found.append(Finding("announcement.text", Severity.BLOCK, problem, text.name, remedy))
    name = title.removeprefix("# ").strip()
    if not _TITLE_LEAST <= len(name) <= _TITLE_MOST:
        problem = (
            f"its title has {counted(len(name), 'character')}, wanted {_TITLE_LEAST} to "
            f"{_TITLE_MOST}"
        )
        found.append(Finding("announcement.text", Severity.BLOCK, problem, text.name, remedy))
    if not body.strip():
        problem = "is empty below its title"
        found.append(Finding("announcement.text", Severity.BLOCK, problem, text.name, remedy))
    if contract.page.url.rstrip("/") not in words:
        problem = f"has no link to {contract.page.url}"
        found.append(Finding("announcement.text", Severity.BLOCK, problem, text.name, remedy))
    found += facts_are_right(words, text.name, facts, "announcement.text", remedy)
    own = TextFacts.of(contract, files, (commit,), versions)
    found += names_are_right(section_of(words, contract.version), text.name, own, remedy)
    found += notes_are_given(words, text.name, notes, "announcement.text", remedy)
    return tuple(dict.fromkeys(found))


@judges("text.security", "text.security_missing", blind="announcement.text")
def security_content_is_true(
    release: Release,
    clone: Clone,
    text: Path,
    *,
    commit: str,
    others: Sequence[str] = (),
    edited: str = "",
) -> tuple[Finding, ...]:
    """What the announcement says of security is what the release's NEWS says (A01).

    A final release has the NEWS of its own candidates too. The sections of ``others``, versions of
    the same day, are about theirs; ``edited`` is where the text of all is edited.
    """
    remedy = where_to_edit(text, edited)
    words, problems = read_text(text, "announcement.text", remedy)
    if problems:
        return ()  # said once, by the check before
    words = of_one(words, str(release.version), others)
    whole = not release.version.is_prerelease
    paths = news_files_of(release.version, clone.names(commit, NEWS_FOLDER), whole=whole)
    texts = [(clone.read(commit, path) or b"").decode("utf-8", "replace") for path in paths]
    content = SecurityContent.of(texts)
    return security_is_true(words, text.name, release, content, remedy)


def where_to_edit(text: Path, edited: str = "") -> str:
    """Where the settled text is edited: in the copy beside it that belongs to a person."""
    if edited:
        return f"edit {edited}, then run doit train publish"
    folder, name = text.parent.parent, text.name.replace(".settled", "")
    mine, draft = f"{folder.name}/texts/{name}", f"{folder.name}/made/{name}"
    return f"edit {mine} (a copy of {draft} to begin with), then run the same command again"
