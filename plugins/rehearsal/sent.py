"""Sent: what left the release manager's machine, for the status page: pushes, emails, posts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from plugins.rehearsal.machine import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plugins.rehearsal.store import Store

__all__ = ["mails", "posts", "repositories"]

_REF_HEAD: Final = "<tr><th>ref</th><th>commit</th><th>says</th><th></th></tr>"


def mails(store: Store) -> str:
    """Every email that the mail server accepted, newest first."""
    emails = store.load("mail", [])
    if not emails:
        return "<section><h2>Emails</h2><p>No email was sent.</p></section>"
    rows = "".join(
        f"<tr><td>{escape(', '.join(email['to']))}</td><td>{escape(email['subject'])}"
        f"<details><summary>its text</summary><pre>{escape(email['text'])}</pre></details></td>"
        f"<td><code>{escape(email['message_id'])}</code></td></tr>"
        for email in reversed(emails)
    )
    head = "<tr><th>to</th><th>subject</th><th>Message-ID</th></tr>"
    return f"<section><h2>Emails ({len(emails)})</h2><table>{head}{rows}</table></section>"


def posts(store: Store) -> str:
    """Every topic of the forum and every pull request, newest first."""
    topics = store.load("forum", [])
    pulls = store.load("github", {}).get("pulls", [])
    if not topics and not pulls:
        return "<section><h2>Posts</h2><p>Nothing was posted.</p></section>"
    shown = "".join(
        f"<h3>{escape(str(each.get('title', '')))}</h3>"
        "<details><summary>its text</summary>"
        f"<pre>{escape(str(each.get('raw', each.get('text', ''))))}</pre></details>"
        for each in reversed(topics)
    )
    shown += "".join(
        f"<p>pull request {escape(str(each.get('number', '')))}:"
        f" {escape(str(each.get('title', '')))}"
        f"{escape(_ci(str(each.get('verdict', ''))))}</p>"
        for each in reversed(pulls)
    )
    return f"<section><h2>Posts ({len(topics) + len(pulls)})</h2>{shown}</section>"


def _ci(verdict: str) -> str:
    return f", whose CI fails: {verdict}" if verdict else ""


def repositories(store: Store) -> str:
    """The branches and tags of upstream and fork, and whose push each branch would take."""
    tables = ""
    for name in ("upstream", "fork"):
        lines = _refs(store.folder.parent / f"{name}.git")
        rules = store.load("protection", {}) if name == "upstream" else {}
        there = {line.partition("\t")[0] for line in lines}
        lines += [f"{ref}\t\t" for ref in map("refs/heads/{}".format, rules) if ref not in there]
        if lines:
            rows = "".join(_ref(line, rules) for line in lines)
            tables += f"<h3>{name}</h3><table>{_REF_HEAD}{rows}</table>"
    return f"<section><h2>Repositories</h2>{tables}</section>" if tables else ""


def _refs(repository: Path) -> list[str]:
    """A line for each branch and each tag: kind, name, commit and subject."""
    if not repository.is_dir():
        return []
    form = "%(refname)%09%(if)%(*objectname)%(then)%(*objectname:short=12)%(else)%(objectname:short=12)%(end)%09%(contents:subject)"  # noqa: E501 - git's own
    words = ("git", "for-each-ref", f"--format={form}", "refs/heads", "refs/tags")
    return run(repository, *words).splitlines()


def _ref(line: str, rules: Mapping[str, dict[str, object] | None]) -> str:
    ref, commit, subject = line.split("\t", 2)
    _, kind, name = ref.split("/", 2)
    held = _held(rules[name]) if kind == "heads" and name in rules else ""
    return (
        f"<tr><td><code>{escape(name)}</code>{'<span class=tag>tag</span>' * (kind == 'tags')}</td>"
        f"<td><code>{escape(commit)}</code></td><td>{escape(subject)}</td><td>{held}</td></tr>"
    )


def _held(rules: dict[str, object] | None) -> str:
    if not rules:
        return '<span class="bad">not protected</span>'
    if rules.get("enforce_admins"):
        return '<span class="good">protected</span>'
    return '<span class="bad">protection is lifted for administrators</span>'
