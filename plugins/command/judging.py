"""The judgement of green lights: whose keys may give one, and what a given one is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.approval import Approval
from doit_receipts.errors import SettingsError, Waiting

if TYPE_CHECKING:
    from pathlib import Path

    from doit_receipts.task import Task
    from plugins.model.release import Release
    from plugins.model.settings import Settings

__all__ = ["home_of", "judge", "roster_of"]

_RM: Final = "RM"


def judge(settings: Settings, release: Release, task: Task, subject: str) -> dict[str, str]:
    """The facts of a good approval of the subject. Raises Waiting for anything else."""
    from doit_receipts.approvals import judge as judge_statement
    from plugins.services.gnupg_signer import GnupgKeyring

    roster = roster_of(settings, task.who)
    wanted = Approval(task.name, str(release.version), subject, task.who)
    keyring = GnupgKeyring(home_of(settings))
    judgement = judge_statement(release.layout, wanted, roster, keyring)
    if not judgement.is_good:
        raise Waiting(
            who=task.who,
            problem=judgement.reason,
            remedy=f"look, then doit approve {task.name}",
        )
    approval = judgement.approval
    return {
        "by": approval.by if approval else task.who,
        "key": judgement.fingerprint,
        "note": approval.note if approval else "",
        "subject": subject,
    }


def roster_of(settings: Settings, who: str) -> tuple[str, ...]:
    """The keys that may give this green light. Raises SettingsError if there are none."""
    if who == _RM:
        keys: tuple[str, ...] = (settings.signing.gpg_key,) if settings.signing.gpg_key else ()
        wanted = "[signing] gpg_key"
    else:
        keys = next((each.keys for each in settings.experts if each.role == who), ())
        wanted = f"[experts.{who}]"
    if not keys:
        raise SettingsError(
            where=settings.file.name,
            problem=f"{wanted} names no key that may approve",
            remedy=f"write the full fingerprint of the key of {who}",
        )
    return keys


def home_of(settings: Settings) -> Path:
    """The GnuPG home folder that the settings name."""
    return settings.signing.gnupg_home
