"""Email drafts: what would be mailed to people, written down so that it can be read and approved.

An email to experts is sent from the file that was approved and from nothing else, so that what
arrives is what the release manager read.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from plugins.ports.email import Email
from plugins.steps.emails import message_id

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.layout import Layout
    from plugins.model.release import Release

__all__ = ["approved", "file_of", "write"]

_HEAD = ("From", "To", "Subject")


def file_of(layout: Layout, purpose: str) -> Path:
    """Where the email of this purpose is written down: its head, a blank line, its text."""
    return layout.made / "emails" / f"{purpose}.txt"


def write(release: Release, purpose: str, email: Email) -> dict[str, str]:
    """The email is in ``made/emails/<purpose>.txt``, to be approved; nothing is sent (B16, P18)."""
    head = (
        f"From: {email.sender}",
        f"To: {', '.join(email.to)}",
        f"Subject: {email.subject}",
    )
    content = "\n".join((*head, "", email.text)).encode()
    write_whole(file_of(release.layout, purpose), content)
    return {"to": ", ".join(email.to), "digest": hashlib.sha256(content).hexdigest()}


def approved(release: Release, purpose: str) -> Email:
    """The email as the file says it, to the byte. Raises StepFailed if there is no such file."""
    file = file_of(release.layout, purpose)
    try:
        head, _, text = file.read_bytes().decode().partition("\n\n")
    except FileNotFoundError as error:
        raise StepFailed(
            where=file.name,
            problem="does not exist",
            remedy="run the same command again: the step that writes it is stale",
        ) from error
    except UnicodeDecodeError as error:
        raise _broken(file) from error
    fields = [line.partition(": ") for line in head.split("\n")]
    if tuple(name for name, _, _ in fields) != _HEAD or not text.strip():
        raise _broken(file)
    sender, to, subject = (value for _, _, value in fields)
    return Email(message_id(release, purpose, sender), sender, tuple(to.split(", ")), subject, text)


def _broken(file: Path) -> StepFailed:
    return StepFailed(
        where=file.name,
        problem="is not the email that was written",
        remedy="delete it, then run the same command again: it is written and approved anew",
    )
