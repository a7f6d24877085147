"""A branch enters another phase, 2: only security fixes from now on, merged by release managers."""

from __future__ import annotations

from chapters.moment import approve_change, check_moment, check_rights, enters
from chapters.release import plan, release, services
from doit_receipts.calls import call
from plugins.model.release import ReleaseType
from plugins.steps import phase_labels, protection

begins = release.type is ReleaseType.BEGIN_SECURITY
ready = [approve_change, check_moment, check_rights]


@plan.shared(after=ready, look=protection.look_restricted, only=begins)
def restrict_merges():
    """Let nobody but release managers merge into the branch from now on."""
    return call(protection.restrict, release, services.github)


@plan.shared(after=ready, look=phase_labels.look_described, only=begins)
def mark_security():
    """Let the tracker's label of the series say that it gets security fixes only."""
    return call(phase_labels.describe, release, enters, services.tracker)
