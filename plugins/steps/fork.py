"""Fork: the release manager's own repository at GitHub, which experts and CI build from."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from doit_receipts.errors import StepFailed
from doit_receipts.probe import Probe, absent, different, identical
from plugins.ports.git import RefUpdate
from plugins.steps.release_clone import BASE, COMMIT, input_commit

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.git import Clone, Remote
    from plugins.ports.progress import Progress

__all__ = ["DIFF", "branch_of", "delete", "look_deleted", "look_pushed", "push", "review"]

DIFF = "release.diff"
"""The file below ``made/`` that shows all that the release commit changes."""


def branch_of(release: Release) -> str:
    """The branch of the fork that holds the release commit until it is merged back."""
    return f"branch-{release.version.tag}"


def review(release: Release, clone: Clone) -> dict[str, str]:
    """All that the release changes is in ``made/release.diff`` for a person to read (Z10).

    The approval of this step is bound to the digest, so to every changed byte.
    """
    file = release.layout.made / DIFF
    start, end = input_commit(clone, BASE), input_commit(clone, COMMIT)
    clone.write_patch(start, end, file)
    return {
        "commit": end,
        "files": str(len(clone.difference(start, end))),
        "digest": hashlib.sha256(file.read_bytes()).hexdigest(),
    }


def look_pushed(release: Release, clone: Clone, remote: Remote) -> Probe:
    """Whether the fork has exactly this release commit and this tag (B15)."""
    wanted = _wanted(release, clone)
    there = remote.refs(*wanted)
    other = [ref for ref, found in there.items() if found not in ("", wanted[ref])]
    if other:
        ref = other[0]
        kind = "--delete refs/tags/" if "/tags/" in ref else "--delete refs/heads/"
        return different(
            f"{remote.address} has {ref}, but not of this release",
            f"if nobody builds from it any more, delete it: git push {remote.address} "
            f"{kind}{ref.split('/', 2)[2]}",
            tuple(
                line
                for each in other
                for line in (f"found  {there[each]}", f"wanted {wanted[each]}")
            ),
        )
    missing = [ref for ref, found in there.items() if not found]
    if missing:
        return absent(f"{', '.join(missing)} not pushed yet")
    return identical(_facts(release, wanted))


def push(release: Release, clone: Clone, remote: Remote, progress: Progress) -> dict[str, str]:
    """The fork has the release commit under a branch of its own, and the tag (B14, B15).

    Two refs by name, both or none, never ``--tags``; tried without effect first.
    """
    wanted = _wanted(release, clone)
    there = remote.refs(*wanted)
    updates = [RefUpdate(ref, identifier) for ref, identifier in wanted.items() if not there[ref]]
    if updates:
        progress.say(f"pushing to {remote.address}")
        remote.push(clone.folder, updates, dry_run=True)
        remote.push(clone.folder, updates)
    return _facts(release, wanted)


def look_deleted(release: Release, remote: Remote) -> Probe:
    """Whether the fork's branch of this release is gone; its tag stays (K07)."""
    ref = f"refs/heads/{branch_of(release)}"
    if remote.refs(ref)[ref]:
        return absent(f"{remote.address} still has {branch_of(release)}")
    return identical({"deleted": branch_of(release)})


def delete(release: Release, clone: Clone, remote: Remote) -> dict[str, str]:
    """The fork's branch of this release is gone (K07).

    Only if it still is the release commit: whatever else was put there is not ours to delete.
    """
    ref = f"refs/heads/{branch_of(release)}"
    there, ours = remote.refs(ref)[ref], _wanted(release, clone)[ref]
    if there and there != ours:
        raise StepFailed(
            where=remote.address,
            problem=f"{branch_of(release)} is {there[:12]}, but the release commit is {ours[:12]}",
            remedy="see what was pushed to it, then delete it by hand",
        )
    if there:
        remote.push(clone.folder, [RefUpdate(ref, "", there)])
    return {"deleted": branch_of(release)}


def _wanted(release: Release, clone: Clone) -> dict[str, str]:
    tag = clone.tag(release.version.tag)
    commit = input_commit(clone, COMMIT)
    if tag is None or tag.commit != commit:
        raise StepFailed(
            where="release clone",
            problem=f"{release.version.tag} does not name the release commit {commit[:12]}",
            remedy="run the same command again: the tag is stale",
        )
    return {f"refs/heads/{branch_of(release)}": commit, f"refs/tags/{tag.name}": tag.id}


def _facts(release: Release, wanted: dict[str, str]) -> dict[str, str]:
    return {
        "branch": branch_of(release),
        "commit": wanted[f"refs/heads/{branch_of(release)}"],
        "tag": wanted[f"refs/tags/{release.version.tag}"],
    }
