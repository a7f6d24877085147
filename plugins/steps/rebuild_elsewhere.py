"""Rebuild elsewhere: the archives made from the tag by a run on another machine, by its digests.

Nothing of it is fetched but the attestation: whether the digests are those of the release is for
``check_rebuilds``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugins.model.action import NOBODY, TIER_1, rebuild_action
from plugins.steps import elsewhere

if TYPE_CHECKING:
    from doit_receipts.journal import Journal
    from plugins.model.action import Action
    from plugins.model.release import Release
    from plugins.ports.clock import Clock
    from plugins.ports.progress import Progress
    from plugins.steps.errand import Errand

__all__ = ["actions", "wait"]


def actions(release: Release, *, commit: str) -> tuple[Action, ...]:
    """The archives of the tag, once. It names no digest: whoever makes them does not know any."""
    return (rebuild_action(release, commit=commit, platform=TIER_1[0]),)


def wait(errand: Errand, clock: Clock, journal: Journal, progress: Progress) -> dict[str, str]:
    """What a run got and attests is kept; facts: the action's digest.

    Raises Waiting and StepFailed as ``elsewhere.gather`` does. This machine never steps in, for
    it would be no other: with ``then = "here"`` nobody did it once the time is over.
    """
    late = elsewhere.gather(errand, clock, journal, progress)
    return {each.step: NOBODY if each in late else each.digest for each in errand.actions}
