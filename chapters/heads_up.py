"""2. Heads-up: the experts hear of the day of the release, if the RM wants that."""

from __future__ import annotations

from chapters.before import (
    check_access,
    check_blockers,
    check_schedule,
    choose_day,
    today_text,
)
from chapters.logins import addresses
from chapters.release import at, plan, release, services, settings
from doit_receipts.calls import call, deferred
from plugins.steps import email_drafts, emails, handover

HEADS_UP = "heads-up"
heads_up = bool(addresses) and settings.announce.heads_up
heads_up_words = (release, services.templates, settings.announce.sender, addresses, today_text)


@plan.step(
    after=[choose_day],
    writes=[email_drafts.file_of(at, HEADS_UP)],
    pep="R04 P18",
    only=heads_up,
)
def write_heads_up():
    """Write the email that announces the day of the release to the experts; nothing is sent."""
    warning = deferred(handover.heads_up_email, *heads_up_words)
    return call(email_drafts.write, release, HEADS_UP, warning)


@plan.approval(who="RM", of=[write_heads_up], pep="R04 P18", only=heads_up)
def approve_heads_up():
    """The release manager approves this email to the experts."""


@plan.public(
    after=[approve_heads_up, write_heads_up, check_access, check_blockers, check_schedule],
    look=emails.look_sent,
    pep="R04 P18",
    only=heads_up,
)
def warn_experts():
    """Email the experts the day of the release; best the day before, with that day declared."""
    approved = email_drafts.as_approved(HEADS_UP, handover.heads_up_email)
    warning = deferred(approved, *heads_up_words)
    return call(emails.send, warning, services.mail, services.progress)
