"""Letters: mails of a release, each sent at most once and known by its Message-ID.

A mail can neither be looked for nor taken back. So a look tells only what would be sent, and
the engine sends it on the journal's word; a second copy, should a person send it again, has the
same Message-ID, by which archives of lists know it as one.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed
from doit_receipts.probe import Probe, unseen
from plugins.ports.email import Letter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugins.model.release import Release
    from plugins.ports.email import Mail
    from plugins.ports.progress import Progress

__all__ = ["letter", "look_sent", "message_id", "send"]

_PURPOSE: Final = re.compile(r"[a-z][a-z0-9-]*")
_SUBJECT_MOST: Final = 200


def message_id(release: Release, purpose: str, sender: str) -> str:
    """The one Message-ID of this release's mail for this purpose.

    In a rehearsal it is another one, so that no archive ever takes one for the other.
    """
    if not _PURPOSE.fullmatch(purpose):
        raise StepFailed(where="mail", problem=f"{purpose!r} is no purpose such as announce-dev")
    kind = "rehearsal" if release.rehearsal else "release"
    return f"<{release.version.tag}.{purpose}.{kind}.pep101@{sender.rpartition('@')[2]}>"


def letter(
    release: Release, purpose: str, sender: str, to: Sequence[str], subject: str, text: str
) -> Letter:
    """The mail for this purpose. Raises StepFailed if nobody would get it or it says nothing."""
    if not to or not sender:
        raise StepFailed(
            where="mail",
            problem=f"nobody is named who sends or gets the mail ({purpose})",
            remedy="write the addresses into release.toml",
        )
    if not text.strip() or not subject.strip() or not subject.isprintable():
        raise StepFailed(where="mail", problem=f"has no subject or no text ({purpose})")
    return Letter(
        message_id(release, purpose, sender), sender, tuple(to), subject[:_SUBJECT_MOST], text
    )


def look_sent(wanted: Letter) -> Probe:
    """What would be sent; nobody can look whether it was."""
    names = ", ".join(wanted.to)
    return unseen(
        {
            "message id": wanted.message_id,
            "to": names,
            "subject": wanted.subject,
            "digest": hashlib.sha256(wanted.text.encode()).hexdigest(),
        },
        f"see whether {names} got the mail {wanted.message_id}",
    )


def send(wanted: Letter, mail: Mail, progress: Progress) -> dict[str, str]:
    """The mail is out, and cannot be taken back (A02-A04, A06, B16)."""
    progress.say(f"mail to {', '.join(wanted.to)}")
    mail.send(wanted)
    return dict(look_sent(wanted).facts)
