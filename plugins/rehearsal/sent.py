"""Sent: what left the release manager's machine, for the world's page: mails, posts, pushes."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugins.rehearsal.store import Store

__all__ = ["mails", "posts", "protection"]


def mails(store: Store) -> str:
    """Every letter that the mail server took, newest first."""
    letters = store.load("mail", [])
    if not letters:
        return "<section><h2>Mails</h2><p>None was sent.</p></section>"
    told = "".join(
        f"<h3>{escape(each['subject'])}</h3>"
        f"<p>to {escape(', '.join(each['to']))}, <code>{escape(each['message_id'])}</code></p>"
        f"<details><summary>its text</summary><pre>{escape(each['text'])}</pre></details>"
        for each in reversed(letters)
    )
    return f"<section><h2>Mails ({len(letters)})</h2>{told}</section>"


def posts(store: Store) -> str:
    """Every topic of the forum and every pull request, newest first."""
    topics = store.load("forum", [])
    pulls = store.load("github", {}).get("pulls", [])
    if not topics and not pulls:
        return "<section><h2>Posts</h2><p>Nothing was posted.</p></section>"
    told = "".join(
        f"<h3>{escape(str(each.get('title', '')))}</h3>"
        "<details><summary>its text</summary>"
        f"<pre>{escape(str(each.get('raw', each.get('text', ''))))}</pre></details>"
        for each in reversed(topics)
    )
    told += "".join(
        f"<p>pull request {escape(str(each.get('number', '')))}:"
        f" {escape(str(each.get('title', '')))}</p>"
        for each in reversed(pulls)
    )
    return f"<section><h2>Posts ({len(topics) + len(pulls)})</h2>{told}</section>"


def protection(store: Store) -> str:
    """For which branches of upstream the rules hold for administrators, too."""
    branches = store.load("protection", {})
    if not branches:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(branch)}</code></td><td>{_held(rules)}</td></tr>"
        for branch, rules in sorted(branches.items())
    )
    return f"<section><h2>Protection of branches</h2><table>{rows}</table></section>"


def _held(rules: dict[str, object] | None) -> str:
    if not rules:
        return '<span class="bad">not protected</span>'
    if rules.get("enforce_admins"):
        return '<span class="good">protected, for administrators too</span>'
    return '<span class="bad">lifted for administrators</span>'
