"""A branch enters another phase, 2: bug fixes of the whole core team, once X.Y.0 is out."""

from __future__ import annotations

from chapters.moment import approve_change, check_moment, check_rights, enters
from chapters.release import plan, release, services
from doit_receipts.calls import call
from plugins.model.release import ReleaseType
from plugins.steps import phase_labels, protection

begins = release.type is ReleaseType.BEGIN_BUGFIX
ready = [approve_change, check_moment, check_rights]


@plan.shared(after=ready, look=protection.look_opened, only=begins)
def open_branch():
    """Let the whole core team merge into the branch, whose other rules stay."""
    return call(protection.open_to_all, release, services.github)


@plan.shared(after=ready, look=phase_labels.look_described, only=begins)
def mark_bugfix():
    """Let the tracker's labels say that the series gets bug fixes, and ask for backports."""
    return call(phase_labels.describe, release, enters, services.tracker)
