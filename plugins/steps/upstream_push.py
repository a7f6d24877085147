"""Upstream push: the release becomes part of CPython's history. It cannot be undone.

Branches and tag go in one atomic push with the values that upstream must have before, while
the protection of the branches is lifted for administrators and not a moment longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.errors import StepFailed
from doit_receipts.probe import Probe, absent, different, identical
from plugins.ports.git import RefUpdate
from plugins.steps import merge_back
from plugins.steps.protection import lifted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.release import Release
    from plugins.ports.git import Clone, Remote
    from plugins.ports.github import Protection
    from plugins.ports.progress import Progress

__all__ = ["look_pushed", "push"]


def look_pushed(release: Release, clone: Clone, remote: Remote) -> Probe:
    """Whether upstream has this tag, and branches that hold what was made of them (M20).

    Branches may have moved on since. ``clone`` is the merge clone.
    """
    wanted, tag = merge_back.made(release, clone), _tag(release, clone)
    there = _refs(release, remote)
    found = there[tag.ref]
    if found not in ("", tag.new):
        return different(
            f"{remote.address} has {release.version.tag}, but it is not this release's",
            "a tag that others have seen is never moved: find out who made it; if it is "
            "right, this version is taken",
            (f"found  {found}", f"wanted {tag.new}"),
        )
    left = [branch for branch in wanted if not _holds(clone, remote, branch, there, wanted)]
    if found and not left:
        return identical(_facts(release, tag, wanted))
    strange = [branch for branch in left if _head(there, branch) != wanted[branch][0]]
    if found and strange:
        branch = strange[0]
        return different(
            f"{remote.address} has the tag, but {branch} does not contain what was reviewed for it",
            f"if it was merged by hand and is right, run doit adopt; if not, merge "
            f"{wanted[branch][1][:12]} of {release.layout.merge_clone} into it by hand",
            (f"found  {_head(there, branch) or 'nothing'}", f"wanted {wanted[branch][1]}"),
            adopted=_facts(release, tag, wanted)
            | {f"{branch} holds": _head(there, branch) for branch in strange},
        )
    if strange:
        return absent(f"{', '.join(strange)} moved on upstream since the release was merged")
    return absent(f"{', '.join([*left, *([] if found else [release.version.tag])])} not pushed yet")


def push(
    release: Release, clone: Clone, remote: Remote, protection: Protection, progress: Progress
) -> dict[str, str]:
    """Upstream has the merged branches and the tag; no one can take them back (M14-M20, M01, M23).

    Tried without effect first. If upstream has moved since the merge, nothing is pushed: the
    merge is made again by the next run, and reviewed again if other lines came of it.
    """
    wanted, tag = merge_back.made(release, clone), _tag(release, clone)
    there = _refs(release, remote)
    moved = []
    updates = [] if there[tag.ref] else [tag]
    for branch, (old, new) in wanted.items():
        if _holds(clone, remote, branch, there, wanted):
            continue
        updates.append(RefUpdate(f"refs/heads/{branch}", new, old))
        if _head(there, branch) != old:
            moved.append(branch)
    if moved:
        merge_back.forget(release, clone)
        raise StepFailed(
            where=remote.address,
            problem=f"{', '.join(moved)} moved since the release was merged, nothing was pushed",
            remedy="run the same command again: the new commits are merged, and reviewed "
            "if that changed the outcome",
            details=tuple(
                line
                for branch in moved
                for line in (
                    f"{branch} was {wanted[branch][0] or 'not there'}",
                    f"{branch} is  {_head(there, branch) or 'not there'}",
                )
            ),
        )
    if not updates:
        return {}
    progress.say(f"trying the push to {remote.address}")
    remote.push(clone.folder, updates, dry_run=True)
    known = [branch for branch in wanted if _head(there, branch)]
    with lifted(protection, release.layout, known, progress):
        progress.say(f"pushing to {remote.address}")
        remote.push(clone.folder, updates)
    return _facts(release, tag, wanted)


def _tag(release: Release, clone: Clone) -> RefUpdate:
    found = clone.tag(release.version.tag)
    if found is None:
        raise StepFailed(
            where="merge clone",
            problem=f"has no tag {release.version.tag}",
            remedy="run the same command again: the merge is stale",
        )
    return RefUpdate(f"refs/tags/{found.name}", found.id)


def _refs(release: Release, remote: Remote) -> dict[str, str]:
    branches = (f"refs/heads/{branch}" for branch in release.merge_branches)
    return remote.refs(*branches, f"refs/tags/{release.version.tag}")


def _head(there: Mapping[str, str], branch: str) -> str:
    return there[f"refs/heads/{branch}"]


def _holds(
    clone: Clone,
    remote: Remote,
    branch: str,
    there: Mapping[str, str],
    wanted: Mapping[str, tuple[str, str]],
) -> bool:
    """Whether upstream's branch is what was made for it, or has gone on from that."""
    old, new = wanted[branch]
    head = _head(there, branch)
    if head in (new, old, ""):
        return head == new
    remote.fetch(clone.folder, {f"refs/heads/{branch}": f"refs/upstream/{branch}"})
    return clone.follows(head, new)


def _facts(
    release: Release, tag: RefUpdate, wanted: Mapping[str, tuple[str, str]]
) -> dict[str, str]:
    return {"tag": tag.new} | {
        f"{branch} holds": wanted[branch][1] for branch in release.merge_branches
    }
