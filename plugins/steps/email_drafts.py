"""Email drafts: what would be mailed to people, written down so that it can be read and approved.

An email to experts is sent only if it is what the approved file says, so that what arrives is
what the release manager read.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from plugins.ports.email import Email
from plugins.steps.emails import message_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plugins.model.layout import Layout
    from plugins.model.release import Release

__all__ = ["as_approved", "file_of", "write"]

_P = ParamSpec("_P")

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


def as_approved(
    purpose: str, make: Callable[Concatenate[Release, _P], Email]
) -> Callable[Concatenate[Release, _P], Email]:
    """A maker of the same email that gives only what was written down and approved.

    It raises StepFailed where there is no such file, or the email that would be sent now differs.
    """

    def made(release: Release, /, *words: _P.args, **named: _P.kwargs) -> Email:
        email = make(release, *words, **named)
        file = file_of(release.layout, purpose)
        if _read(release, file, purpose) != email:
            raise StepFailed(
                where=file.name,
                problem="the email that would be sent now differs from the approved one",
                remedy="delete it, then run the same command again: it is written again and"
                " needs a new approval",
            )
        return email

    return made


def _read(release: Release, file: Path, purpose: str) -> Email:
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
        problem="was changed after it was written",
        remedy="delete it, then run the same command again: it is written again and needs a new "
        "approval",
    )
