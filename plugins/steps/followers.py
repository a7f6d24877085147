"""Followers: whether those who bring Python to most users have the release, looked at for days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.errors import Waiting
from plugins.model.followers import followers_of

if TYPE_CHECKING:
    from datetime import datetime

    from plugins.model.followers import Follower
    from plugins.model.release import Release
    from plugins.model.version import Version
    from plugins.ports.clock import Clock
    from plugins.ports.github import Repositories
    from plugins.ports.progress import Progress

__all__ = ["await_followers"]


def await_followers(
    release: Release,
    repositories: Repositories,
    clock: Clock,
    progress: Progress,
    *,
    until: datetime,
) -> dict[str, str]:
    """Each follower has this version, or the day has come on which that is reported (NEW51).

    They owe us nothing, so what is missing at ``until`` is no failure: it is said, and the facts
    have it. Facts: for each follower the version that it has, a later one too, or that it lacked
    it. Raises Waiting before.
    """
    version = release.version
    asked = followers_of(version)
    has = {each: each.found_in(version, _file(repositories, each, version)) for each in asked}
    lacking = [each for each, found in has.items() if found is None]
    names = ", ".join(follower.name for follower in lacking)
    if lacking and clock.now() <= until:
        raise Waiting(
            who=names,
            problem=f"{len(asked) - len(lacking)} of {len(asked)} have {version}",
            remedy=f"nothing has to be done; from {until:%Y-%m-%d} on nobody is waited for",
        )
    if lacking:
        progress.say(f"{names}: without {version} until {until:%Y-%m-%d}; tell them if it matters")
    missed = f"not by {until:%Y-%m-%d}"
    return {each.name: str(found or missed) for each, found in has.items()}


def _file(repositories: Repositories, follower: Follower, version: Version) -> bytes | None:
    """The first of its files that exists; None if there is none."""
    texts = (repositories.text(*place) for place in follower.files_of(version))
    return next((text for text in texts if text is not None), None)
