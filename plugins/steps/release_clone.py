"""Release clone: the repository of the release's own, from its base commit to its one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.errors import StepFailed
from plugins.steps.published_tag import published

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from plugins.model.release import Release
    from plugins.ports.clock import Clock
    from plugins.ports.git import Base, Clone, Commit, Identity, Remote
    from plugins.ports.progress import Progress

__all__ = ["BASE", "COMMIT", "base_of", "commit", "input_commit", "make", "time_of"]

BASE = "base"
"""The step name of the commit that the edits start from: ``refs/release/base``."""
COMMIT = "commit"
"""The step name of the release commit: ``refs/release/commit``."""


def base_of(base: Base) -> str:
    """The id of the commit that is released, as the RM's clone has it now (E00, Q12).

    Quick: asked whenever the graph is looked at, so that a moved branch makes it stale.
    """
    return base.commit()


def make(
    clone: Clone,
    base: Base,
    progress: Progress,
    *,
    cherry_picks: Sequence[str] = (),
    step: str = BASE,
) -> dict[str, str]:
    """The release clone is there, and ``refs/release/base`` is what the edits start from.

    That is the base commit of the RM's clone with the cherry-picks on top, each naming its
    original (Q09-Q13). The RM's clone is only read. Done again with the same arguments, it
    gives the same commits. Facts: the base commit, the tip, and ``original new`` of each pick.
    """
    origin = base.commit()
    progress.say(f"cloning {base.folder.name}")
    clone.prepare(base.folder, (origin, *cherry_picks))
    tip = origin
    picked = {}
    if cherry_picks:
        # what a pick changes shows only beside the files of the commit before it
        clone.prepare(
            base.folder, [one for each in cherry_picks for one in clone.about(each).parents]
        )
        by = base.identity()
        for number, original in enumerate(cherry_picks, start=1):
            progress.say(f"cherry-pick {number} of {len(cherry_picks)}")
            tip = clone.pick(original, tip, by)
            picked[f"pick {number}"] = f"{original} {tip}"
    clone.checkout(tip)
    clone.point(f"refs/release/{step}", tip)
    return {"base": origin, "commit": tip, **picked}


def input_commit(clone: Clone, after: str) -> str:
    """The commit that the step ``after`` left. Raises StepFailed if it left none."""
    found = clone.resolve(f"refs/release/{after}^{{commit}}")
    if not found:
        raise StepFailed(
            where="release clone",
            problem=f"refs/release/{after} does not exist",
            remedy="run the same command again: the step that makes it is stale",
        )
    return found


def time_of(clone: Clone, commit: str) -> int:
    """When the commit was made, in seconds since 1970: the time of all that is made of it."""
    return int(clone.about(commit).committed.timestamp())


def commit(
    release: Release,
    clone: Clone,
    base: Base,
    clock: Clock,
    *,
    after: str,
    start: str = BASE,
    step: str = COMMIT,
    remotes: Mapping[str, Remote] | None = None,
) -> dict[str, str]:
    """The release is one commit: the tree after all edits, on top of the base (rule 10).

    Its message is ``Python X.Y.ZaN``, its author the RM, its time now. A commit that says the
    same already is kept with its time, also if only a tag still names it, here, in the RM's
    clone or at one of the ``remotes`` (fork and upstream).
    """
    parent = input_commit(clone, start)
    tree = clone.about(input_commit(clone, after)).tree
    by = base.identity()
    message = f"Python {release.version}"
    made = ""
    for found in _candidates(release, clone, base, step, remotes or {}):
        if _says(clone.about(found), tree, parent, message, by):
            made = found
            break
    if not made:
        made = clone.compose(
            input_commit(clone, after), parent, message, by=by, when=_time_of(clone, parent, clock)
        )
    clone.point(f"refs/release/{step}", made)
    clone.checkout(made)
    return {"commit": made, "parent": parent}


def _candidates(
    release: Release, clone: Clone, base: Base, step: str, remotes: Mapping[str, Remote]
) -> Iterator[str]:
    """Commits that may be this release already, the nearest first."""
    for name in (f"refs/release/{step}", f"refs/tags/{release.version.tag}"):
        found = clone.resolve(f"{name}^{{commit}}")
        if found:
            yield found
    for tag in base.tags():
        if tag.name == release.version.tag:
            clone.prepare(base.folder, (tag.commit,))
            yield tag.commit
    for _, _, there in published(release.version.tag, clone, remotes):
        found = clone.resolve(f"{there}^{{commit}}")
        if found:
            yield found


def _says(found: Commit, tree: str, parent: str, message: str, by: Identity) -> bool:
    made = (found.tree, found.parents, found.message.strip(), found.committer)
    return made == (tree, (parent,), message, by)


def _time_of(clone: Clone, parent: str, clock: Clock) -> datetime:
    """Now; refused if the base is of a later time, since every archive carries this time."""
    now, before = clock.now(), clone.about(parent).committed
    if now < before:
        raise StepFailed(
            where="release commit",
            problem=f"its parent is of {before:%Y-%m-%d %H:%M:%S} UTC, which is in the future",
            remedy="set this machine's clock right, or ask who made that commit",
        )
    return now
