"""Hand over: the emails that tell the experts what to build, from which tag and commit.

Each function gives an Email; ``emails.look_sent`` and ``emails.send`` are its step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.frozen import frozen
from plugins.model.windows_build import form_of
from plugins.steps.emails import email

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugins.model.release import Release
    from plugins.ports.email import Email
    from plugins.ports.templates import Templates

__all__ = ["Brief", "experts_email", "heads_up_email", "owner_of", "windows_email"]


@frozen
class Brief:
    """What one expert is asked for: files by name, and the place that they go to."""

    role: str
    name: str
    place: str
    """The inbox, for files with a signed manifest."""
    files: tuple[str, ...]
    public: str = ""
    """The folder that users see, for who uploads there; "" describes it in words."""


def heads_up_email(
    release: Release, templates: Templates, sender: str, to: Sequence[str], day: str
) -> Email:
    """The experts know the day before (P18)."""
    words = {"version": release.version, "day": day, "signed": _signed(sender)}
    subject = f"Python {release.version} is planned for {day}"
    return email(release, "heads-up", sender, to, subject, templates.fill("heads_up.txt", words))


def experts_email(
    release: Release,
    templates: Templates,
    sender: str,
    to: Sequence[str],
    briefs: Sequence[Brief],
    *,
    fork: str,
    commit: str,
) -> Email:
    """The experts know tag and commit, and what is awaited from each (B16)."""
    words = {
        "version": release.version,
        "tag": release.version.tag,
        "commit": commit,
        "fork": fork,
        "roles": briefs,
        "manifest": "MANIFEST",
        "signed": _signed(sender),
    }
    subject = f"Python {release.version} is tagged: please build"
    return email(release, "experts", sender, to, subject, templates.fill("experts.txt", words))


def windows_email(
    release: Release,
    templates: Templates,
    sender: str,
    to: Sequence[str],
    page: str,
    *,
    fork: str,
    commit: str,
) -> Email:
    """The Windows build is asked for with the values of its form, where it is not started here.

    ``page`` is where people start it (X02, NEW08).
    """
    words = {
        "version": release.version,
        "page": page,
        "boxes": form_of(release, owner_of(fork), commit),
        "rehearsal": release.rehearsal,
        "signed": _signed(sender),
    }
    subject = f"Python {release.version}: please start the Windows build"
    text = templates.fill("windows.txt", words)
    return email(release, "windows-build", sender, to, subject, text)


def owner_of(fork: str) -> str:
    """The GitHub account of a fork's address: ``me`` of git@github.com:me/cpython.git."""
    path = fork.removesuffix("/").removesuffix(".git").replace(":", "/")
    parts = path.split("/")
    return parts[-2] if len(parts) > 1 else path


def _signed(sender: str) -> str:
    return f"Your release manager\n{sender}"
