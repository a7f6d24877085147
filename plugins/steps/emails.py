"""Emails of a release, each sent at most once and known by its Message-ID.

An email can neither be looked for nor taken back. So a look reports only what would be sent, and
the engine sends it on the journal's word; a second copy, should a person send it again, has the
same Message-ID, by which archives of lists know it as one.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed
from doit_receipts.printable import counted
from doit_receipts.probe import Probe, unseen
from plugins.ports.email import Email

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugins.model.release import Release
    from plugins.ports.email import Mail
    from plugins.ports.progress import Progress

__all__ = ["email", "look_sent", "message_id", "send"]

_PURPOSE: Final = r"[a-z][a-z0-9-]*"
_SUBJECT_MOST: Final = 200


def message_id(release: Release, purpose: str, sender: str) -> str:
    """The one Message-ID of this release's email for this purpose.

    In a rehearsal it is another one, so that no archive ever takes one for the other.
    """
    if not re.fullmatch(_PURPOSE, purpose):
        raise StepFailed(
            where="email",
            problem=f"{purpose} is not the name of a purpose",
            remedy="name it in lower-case letters, digits and hyphens, such as announce-dev",
        )
    kind = "rehearsal" if release.rehearsal else "release"
    return f"<{release.version.tag}.{purpose}.{kind}.pep101@{sender.rpartition('@')[2]}>"


def email(
    release: Release, purpose: str, sender: str, to: Sequence[str], subject: str, text: str
) -> Email:
    """The email for this purpose, whose text is sent as it is, to the byte.

    Raises StepFailed if nobody would get it, it says nothing or has a character that nobody sees,
    or its subject is no single line of at most 200 characters.
    """
    where = f"email {purpose}"
    if not to or not sender:
        missing = "[announce] sender" if not sender else "the address of the recipient"
        raise StepFailed(
            where=where,
            problem="has no sender" if not sender else "has no recipient",
            remedy=f"write {missing} into release.toml",
        )
    if not text.strip() or not subject.strip() or not subject.isprintable():
        raise StepFailed(
            where=where,
            problem="has no text"
            if not text.strip()
            else "has a subject that is empty or longer than a line",
            remedy="correct it under texts/ or drafts/, then run the same command again",
        )
    from plugins.model.disguised import unseen_characters  # noqa: PLC0415 - its patterns

    if unseen := next(unseen_characters(text), ""):
        raise StepFailed(
            where=where,
            problem=f"has {unseen}, which nobody sees",
            remedy="take it out of the text that the email is made from, then run the same command"
            " again",
        )
    if len(subject) > _SUBJECT_MOST:
        raise StepFailed(
            where=where,
            problem=(
                f"has a subject of {counted(len(subject), 'character')}, wanted at most "
                f"{_SUBJECT_MOST}"
            ),
            remedy="shorten the title of the text",
        )
    return Email(message_id(release, purpose, sender), sender, tuple(to), subject, text)


def look_sent(wanted: Email) -> Probe:
    """What would be sent; nobody can look whether it was."""
    names = ", ".join(wanted.to)
    return unseen(
        {
            "message id": wanted.message_id,
            "to": names,
            "subject": wanted.subject,
            "digest": hashlib.sha256(wanted.text.encode()).hexdigest(),
        },
        f"check whether {names} received the email {wanted.message_id}",
    )


def send(wanted: Email, mail: Mail, progress: Progress) -> dict[str, str]:
    """The email is out, and cannot be taken back (A02-A04, A06, B16)."""
    progress.say(f"email to {', '.join(wanted.to)}")
    mail.send(wanted)
    return dict(look_sent(wanted).facts)
