"""Announcing: mailing lists get the settled text where release.toml names them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from plugins.model.release import ReleaseType
from plugins.steps import announcement_draft
from plugins.steps.emails import email

if TYPE_CHECKING:
    from plugins.model.outside_settings import Announce
    from plugins.model.release import Release
    from plugins.ports.email import Email
    from plugins.ports.templates import Templates

__all__ = [
    "POLICY",
    "announcement_email",
    "announcement_emails",
    "committers_email",
    "tells_policy",
    "write_policy",
]

POLICY: Final = "policy.md"
_POLICY: Final = (
    ReleaseType.NEW_BRANCH,
    ReleaseType.FIRST_CANDIDATE,
    ReleaseType.FEATURE_FINAL,
)
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def tells_policy(release: Release) -> bool:
    """Whether from this release on other changes are welcome than before (A07, A08).

    A candidate of a bugfix release begins no phase of its branch. Source: PEP 745 on 3.14.5rc1.
    """
    return release.type in _POLICY and not release.version.micro


def write_policy(release: Release, templates: Templates) -> dict[str, str]:
    """``made/policy.md`` states to the core team what their branch accepts now (A07, A08)."""
    version = release.version
    words = {
        "kind": release.type.value,
        "series": version.series,
        "next": f"{version.major}.{version.minor + 1}",
    }
    text = templates.fill("policy.md", words)
    write_whole(release.layout.made / POLICY, text.encode())
    return {"digest": hashlib.sha256(text.encode()).hexdigest()}


def announcement_emails(release: Release, announce: Announce) -> tuple[Email, ...]:
    """All emails that announce the release, as they will be sent; none where no list is named."""
    lists = (announce.list, announce.announce, announce.dev)
    return (
        *(announcement_email(release, announce.sender, each) for each in lists if each),
        *(
            [committers_email(release, announce.sender, announce.committers)]
            if announce.committers
            else []
        ),
    )


def committers_email(release: Release, sender: str, to: str) -> Email:
    """The settled text as an email to the core team (A06), below the policy that begins now."""
    announcement = announcement_email(release, sender, to)
    if not tells_policy(release):
        return announcement
    policy = (release.layout.made / POLICY).read_text(encoding="utf-8")
    return replace(announcement, text=f"{policy.rstrip()}\n\n{announcement.text}")


def announcement_email(release: Release, sender: str, to: str) -> Email:
    """The settled text as an email to one list (A02-A04, A06); each list is a step of its own."""
    # lists of two hosts may have one name, and a long Message-ID is a fragile one
    name = re.sub(r"[^a-z0-9]+", "-", to.partition("@")[0].lower()).strip("-")
    purpose = f"announce-{name}-{hashlib.sha256(to.encode()).hexdigest()[:8]}"
    text = announcement_draft.text_of(release)
    return email(release, purpose, sender, (to,), announcement_draft.subject_of(release), text)
