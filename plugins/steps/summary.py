"""Summary: everything that is about to become public, in one file, for the last approval.

An approval of the step is bound to the bytes of the file. So it tells what decides whether the
release is right, and nothing that changes by itself: no clock, no address of this machine.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.frozen import frozen
from doit_receipts.printable import counted, printable
from doit_receipts.task import Kind
from plugins.model.remote_layout import RemoteLayout
from plugins.steps import announcement_draft, announcing, drafts, forum_post

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from doit_receipts.finding import Waiver
    from doit_receipts.on_record import OnRecord
    from plugins.model.content import NamedFile
    from plugins.model.contract import Contract
    from plugins.model.outside_settings import Announce
    from plugins.model.release import Release
    from plugins.model.remote_layout import StagingArea

__all__ = ["SUMMARY", "Pushed", "findings_digest", "sum_up"]

SUMMARY: Final = "summary.txt"
"""The file below ``made/``."""

_NOTE: Final = "NOTE:"
_BLOCK: Final = "BLOCK:"


@frozen
class Pushed:
    """What upstream is going to get: ``branches`` have the commit of now ("" for none) and then.

    ``tag`` is the id of the tag object, ``commit`` the commit that it names.
    """

    upstream: str
    branches: Mapping[str, tuple[str, str]]
    tag: str
    commit: str


def sum_up(
    release: Release,
    contract: Contract,
    announce: Announce | None,
    waivers: Sequence[Waiver],
    *,
    files: Sequence[NamedFile],
    docs: Sequence[NamedFile],
    pushed: Pushed,
    record: Sequence[OnRecord],
) -> dict[str, str]:
    """``made/summary.txt`` shows all that users will see of this release, and why it is right.

    ``docs`` are the archives of the documentation. Without ``announce`` the lead of the train
    announces this release too. ``record`` is what all tasks before this one
    left. Facts: the digest of the file.
    """
    remote = RemoteLayout(release.version)
    parts = [
        (f"Branches and tag, pushed to {pushed.upstream} at once", _refs(release, pushed)),
        ("Page of the website", _page(release, contract)),
        ("Announcement", _announcement(release, announce)),
        ("Files of experts", _experts(record)),
        ("Waivers", _waivers(waivers)),
        ("Gates, each passed", _gates(record)),
        ("Approvals", _approvals(record)),
        ("Files, visible at once", _files(remote.downloads, files)),
        ("Documentation archives", _files(remote.docs_archives, docs)),
    ]
    lines = [f"Python {release.version}: what users will see after the go (approve_release)", ""]
    for title, found in parts:
        shown = list(found)
        if shown:
            lines += [title, *(f"  {printable(line)}" for line in shown), ""]
    content = "\n".join(lines).encode()
    write_whole(release.layout.made / SUMMARY, content)
    return {"sha256": hashlib.sha256(content).hexdigest()}


def findings_digest(record: Sequence[OnRecord]) -> str:
    """The sha256 of what the gates found that the summary shows: another one needs a new summary.

    Results of gates do not depend on what they let pass, so this is asked for beside them. A
    warning of a gate that looks anew in each run is not counted: a clock that is off by a second
    more, or one builder less, would ask for the go for ever.
    """
    lines = []
    for each in record:
        if each.kind is Kind.GATE:
            lines += [each.name, *(found for found in _shown(each) if _lasts(each, found))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


# ── inside ─────────────────────────────────────────────────────────────────────────────────


def _files(area: StagingArea, files: Sequence[NamedFile]) -> Iterator[str]:
    if not files:
        return
    total = sum(file.content.size_bytes for file in files)
    yield f"{area.final}/: {counted(len(files), 'file')}, {total:,} bytes"
    width = max(len(file.name) for file in files)
    for file in files:
        yield f"{file.name:<{width}}  {file.content.size_bytes:>12,}  {file.content.sha256}"


def _refs(release: Release, pushed: Pushed) -> Iterator[str]:
    for branch, (old, new) in pushed.branches.items():
        yield f"{branch}: {old or 'new branch'} -> {new}"
    yield f"{release.version.tag}: new tag {pushed.tag} on {pushed.commit}"


def _page(release: Release, contract: Contract) -> Iterator[str]:
    text = drafts.settled_page(release).read_bytes()
    yield contract.page.url
    yield f"made/{drafts.PAGE}  {hashlib.sha256(text).hexdigest()}"


def _announcement(release: Release, announce: Announce | None) -> Iterator[str]:
    settled = (release.layout.made / announcement_draft.SETTLED).read_bytes()
    title = announcement_draft.subject_of(release)
    yield f"{title}"
    yield f"made/{announcement_draft.SETTLED}  {hashlib.sha256(settled).hexdigest()}"
    if announce is None:
        yield "forum, blog, lists and schedule: with the lead of the train"
        return
    tags = ", ".join(forum_post.TAGS)
    yield f"forum: category {announce.forum_category}, tagged {tags}"
    if announce.blog:
        yield f"blog: a pull request to {announce.blog}"
    for email in announcing.announcement_emails(release, announce):
        yield f"email to {', '.join(email.to)}: {email.subject}"
    yield f"schedule: a pull request to {announce.peps}"


def _experts(record: Sequence[OnRecord]) -> Iterator[str]:
    for each in record:
        role, facts = each.name.removeprefix("await_"), each.facts
        if "evidence" in facts:
            yield f"{role}: {facts['evidence']}"
        elif "manifest" in facts:
            yield f"{role}: by the manifest {facts['manifest']}, signed by {facts['key']}"


def _gates(record: Sequence[OnRecord]) -> Iterator[str]:
    """Each gate, and what it found beyond notes, which are about what cannot be changed."""
    for each in record:
        if each.kind is Kind.GATE:
            yield each.name
            yield from (f"  {finding}" for finding in _shown(each))


def _shown(gate: OnRecord) -> list[str]:
    """What the gate found beyond notes. The second word of a finding is its severity."""
    return [each for each in gate.findings if each.split(" ", 2)[1:2] != [_NOTE]]


def _lasts(gate: OnRecord, finding: str) -> bool:
    return not gate.volatile or finding.split(" ", 2)[1:2] == [_BLOCK]


def _approvals(record: Sequence[OnRecord]) -> Iterator[str]:
    for each in record:
        if each.kind is Kind.APPROVAL:
            note = f": {each.facts['note']}" if each.facts.get("note") else ""
            yield f"{each.name} by {each.facts.get('by', '')}, key {each.facts.get('key')}{note}"


def _waivers(waivers: Sequence[Waiver]) -> Iterator[str]:
    for each in sorted(waivers, key=lambda waiver: waiver.rule):
        yield f"{each.rule}: {each.reason} (by {each.by} until {each.until})"
