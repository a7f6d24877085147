"""Simulated hub: everything where people and machines meet, on the morning before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from plugins.model.version import Level
from plugins.rehearsal import (
    azure,
    blog,
    buildbots,
    docsbuild,
    experts,
    followers,
    forms,
    forum,
    github,
    mail,
    nuget,
    peps,
    remotes,
    sigstore,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from plugins.model.version import Version
    from plugins.rehearsal.store import Store

__all__ = ["FAULTS", "SECRETS", "seed"]

FAULTS: Final = {
    **remotes.FAULTS,
    **github.FAULTS,
    **buildbots.FAULTS,
    **mail.FAULTS,
    **forum.FAULTS,
    **experts.FAULTS,
    **azure.FAULTS,
    **nuget.FAULTS,
    **docsbuild.FAULTS,
    **followers.FAULTS,
    **sigstore.FAULTS,
    **peps.FAULTS,
    **blog.FAULTS,
}
"""Every fault of the hub, by name, each in one sentence."""

SECRETS: Final = {
    "github": "rehearsal-github-token",
    "mail": "rm:rehearsal-mail-password",
    "forum": "rm:rehearsal-forum-key",
    "azure": azure.LOGIN,
}
"""What the parts want to hear, by the names of [credentials]; it opens nothing else."""


def seed(
    store: Store,
    version: Version,
    repositories: Path,
    experts_home: Path,
    *,
    roles: Sequence[str] = ("windows", "macos"),
    pep: int = 0,
    day: date | None = None,
) -> dict[str, str]:
    """The hub is as on the morning of this release; what is there already is kept.

    ``day`` is when the schedule expects it, today by default.
    ``repositories`` holds ``upstream.git`` and ``fork.git``. Returns the fingerprints of the
    experts' keys by role; their public halves are to be imported from ``experts_home``.
    """
    before = f"{version.major}.{version.minor - 1}"
    early = version.level.letters == "a" or (version.level.letters == "b" and version.serial == 1)
    branches = ("main", before) if early else ("main", before, version.series)
    github.seed(store, version.series, branches, pep=pep, deferred=version.level < Level.CANDIDATE)
    forms.seed(store)
    azure.seed(store)
    peps.seed(store, version, day or datetime.now(UTC).date())  # noqa: TID251 - the simulated side
    if early and version.level.letters != "a":
        buildbots.configure(store, version.series)
    buildbots.seed(store, "3.x" if early else version.series)
    for name in ("upstream", "fork"):
        remotes.guard(repositories / f"{name}.git", store, name)
    return experts.seed(store, experts_home, roles)
