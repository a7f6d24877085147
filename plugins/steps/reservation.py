"""Reservation: a branch is kept for administrators from before it exists until it is protected.

A branch is protected like the one before it only once it is there. Everybody who may write could
push to it in between, so a ruleset holds for its name first, and goes when the protection is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.errors import StepFailed
from doit_receipts.probe import absent, different, identical

if TYPE_CHECKING:
    from doit_receipts.probe import Probe
    from plugins.model.release import Release
    from plugins.ports.github import Protection, Reservations

__all__ = ["lift", "look_lifted", "look_reserved", "reserve"]


def look_reserved(release: Release, reservations: Reservations, protection: Protection) -> Probe:
    """Whether nobody but administrators can push to the new branch: by a ruleset, or for good.

    One that keeps us out as well is shown: a run that was killed before it looked may have made it.
    """
    branch = release.version.series
    if reservations.reserved(_name(release)):
        if not reservations.keeps_out(_name(release)):
            return identical(_facts(release))
        return different(
            f'the ruleset "{_name(release)}" keeps your account out as well',
            "delete it in GitHub's settings, or add a bypass for your account to it, then run the"
            " same command again",
            (),
        )
    if protection.rules(branch) is not None:
        return identical({"branch": branch, "ruleset": "none: the branch is protected"})
    return absent(f"{branch} is not reserved yet")


def reserve(release: Release, reservations: Reservations, protection: Protection) -> dict[str, str]:
    """Nobody but administrators can create the branch, push to it or delete it (M21).

    Raises ServiceFailed if that would keep us out as well; nothing is left then.
    """
    del protection  # only looked at
    reservations.reserve(_name(release), release.version.series)
    return _facts(release)


def look_lifted(release: Release, reservations: Reservations, protection: Protection) -> Probe:
    """Whether there is no reservation any more."""
    del protection
    if reservations.reserved(_name(release)):
        return absent(f'the ruleset "{_name(release)}" still keeps out all but administrators')
    return identical({"branch": release.version.series})


def lift(release: Release, reservations: Reservations, protection: Protection) -> dict[str, str]:
    """The reservation is gone, once the branch has its own protection (M21)."""
    branch = release.version.series
    if protection.rules(branch) is None:
        raise StepFailed(
            where=branch,
            problem="has no protection yet, so its reservation stays",
            remedy="run doit copy_protection",
        )
    reservations.lift(_name(release))
    return {"branch": branch}


def _facts(release: Release) -> dict[str, str]:
    return {"branch": release.version.series, "ruleset": _name(release)}


def _name(release: Release) -> str:
    return f"{release.version.series} until it is protected"
