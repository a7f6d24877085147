"""Drafts: texts that the tool proposes and the release manager edits and approves (W03, A01).

A draft and the text that counts are two files: ``page.draft.md`` is made again whenever what it
states changes, ``page.md`` belongs to a person and is never overwritten once it was edited.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from doit_receipts.artifact import sha256_of
from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from plugins.model.published_file import DOCS
from plugins.model.release import ReleaseType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from plugins.model.contract import Contract
    from plugins.model.release import Release
    from plugins.model.version import Version
    from plugins.ports.templates import Templates

__all__ = [
    "PAGE",
    "digest_of_page",
    "draft_page",
    "page_text",
    "put_draft",
    "settle_page",
    "settled_page",
    "words_of",
]

PAGE: Final = "page.md"
"""The text of the release's page on the site, in Markdown."""

_KINDS: Final[Mapping[ReleaseType, str]] = {
    ReleaseType.ALPHA: "alpha",
    ReleaseType.NEW_BRANCH: "beta",
    ReleaseType.BETA: "beta",
    ReleaseType.FIRST_CANDIDATE: "candidate",
    ReleaseType.CANDIDATE: "candidate",
    ReleaseType.FEATURE_FINAL: "feature",
    ReleaseType.BUGFIX_FINAL: "bugfix",
    ReleaseType.SECURITY_CANDIDATE: "security-candidate",
    ReleaseType.SECURITY_FINAL: "security",
    ReleaseType.BEGIN_SECURITY: "security",
    ReleaseType.END_OF_LIFE: "security",
}


def page_text(release: Release) -> Path:
    """Where the text of the page is, once it was drafted."""
    return release.layout.drafts / PAGE


def draft_page(
    release: Release, contract: Contract, templates: Templates, notes: Iterable[str] = ()
) -> dict[str, str]:
    """``drafts/page.md`` is there to be edited; one that was edited stays as it is.

    ``notes`` are sentences that users have to read, such as that an installer comes later
    (R07); each is in bold.
    """
    text = templates.fill(PAGE, words_of(release, contract, notes))
    return put_draft(release, PAGE, text)


def settle_page(release: Release) -> dict[str, str]:
    """The text of the page as it is now is in ``made/page.md``, to be approved and saved.

    Facts: its digest. Raises StepFailed if there is no text any more.
    """
    text = page_text(release)
    try:
        content = text.read_bytes()
    except FileNotFoundError as error:
        raise StepFailed(
            where=str(text),
            problem="does not exist",
            remedy="run doit forget draft_page, then doit publish",
        ) from error
    write_whole(settled_page(release), content)
    return {"sha256": hashlib.sha256(content).hexdigest()}


def digest_of_page(release: Release) -> str:
    """The sha256 of the text of the page as it is now; "" if there is none. Quick."""
    try:
        return sha256_of(page_text(release))
    except FileNotFoundError:
        return ""


def settled_page(release: Release) -> Path:
    """Where the text of the page is once it was settled; nobody edits it there."""
    return release.layout.made / PAGE


def words_of(release: Release, contract: Contract, notes: Iterable[str] = ()) -> dict[str, object]:
    """What texts about a release may state; the same for page, announcement and blog."""
    version, series = release.version, release.series
    return {
        "version": str(version),
        "series": version.series,
        "final": version.folder,
        "kind": _kind(release),
        "previous": _previous(version),
        "page": contract.page.url,
        "changelog": contract.page.release_notes_url,
        "whatsnew": f"{DOCS}/{version.series}/whatsnew/{version.series}.html",
        "release_pep": series.release_pep,
        "gpg": release.signs_with_gpg,
        "sigstore": series.signs_with_sigstore,
        "sbom": series.ships_sbom,
        "notes": tuple(notes),
    }


def _kind(release: Release) -> str:
    """The words that the templates choose by; a candidate of a bugfix release is a kind of its own.

    Source: PEP 745 on 3.14.5rc1, which begins no candidate phase.
    """
    version = release.version
    if release.type is ReleaseType.CANDIDATE and version.micro:
        return "bugfix-candidate"
    return _KINDS[release.type]


def _previous(version: Version) -> str:
    """The release that this one is compared with; "" where that takes more than arithmetic."""
    if version.is_prerelease:
        before = version.predecessors()
        return str(before[0]) if len(before) == 1 else ""
    return f"{version.series}.{version.micro - 1}" if version.micro else ""


def put_draft(release: Release, name: str, text: str) -> dict[str, str]:
    """The draft is beside the text of this name; the text is replaced only if nobody
    edited it, which is when it equals the draft before.
    """
    stem, _, suffix = name.rpartition(".")
    final = release.layout.drafts / name
    draft = final.with_name(f"{stem}.draft.{suffix}")
    before = draft.read_bytes() if draft.exists() else None
    edited = final.exists() and final.read_bytes() not in (before, text.encode())
    if not edited:
        # The text first: a draft that is ahead of its text would look like an edit.
        write_whole(final, text.encode())
    write_whole(draft, text.encode())
    return {"draft_sha256": sha256_of(draft)}
