"""Published tag: a tag of the release's name that the fork or upstream has already.

Nobody makes a second tag of a name that others have seen, whatever became of the clone in which
the first one was made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.errors import SettingsError, StepFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plugins.ports.git import Clone, Remote

__all__ = ["published", "refuse_other", "way_out"]


def published(
    name: str, clone: Clone, remotes: Mapping[str, Remote]
) -> Iterator[tuple[str, Remote, str]]:
    """Each remote that has the tag: its role, itself, and the tag's object, which the clone has.

    A remote that release.toml does not declare has none. Raises ServiceFailed for one that
    cannot be asked: what is not known to be absent is not made.
    """
    ref = f"refs/tags/{name}"
    for role, remote in remotes.items():
        try:
            there = remote.refs(ref)[ref]
        except SettingsError:
            continue
        if there:
            if not clone.resolve(there):
                remote.fetch(clone.folder, {ref: f"refs/upstream/{role}/{name}"})
            yield role, remote, there


def refuse_other(
    name: str,
    role: str,
    remote: Remote,
    there: str,
    here: str,
    *,
    base: str = "",
    day: str = "",
    chosen: bool = False,
) -> StepFailed:
    """The error for a tag that others can see and that is not of this release commit.

    ``base`` is what theirs was made from, and ``day`` its date, if ours has another. Where ours
    was ``chosen`` in release.toml, to delete the tag comes first.
    """
    remedy = way_out(name, role, remote)
    settings = [
        *([f'base = "{base}", which it was made from, below [repository]'] if base else []),
        *([f"date = {day}, its day, at the top"] if day else []),
    ]
    if settings:
        keep = f"write {' and '.join(settings)} in release.toml, then run the same command again"
        both = (remedy, keep) if chosen else (keep, remedy)
        remedy = "; or, ".join(both) if role == "fork" else keep
    return StepFailed(
        where=name,
        problem=f"the {role}, {remote.address}, has this tag on {there[:12]}, but the release "
        f"commit is {here[:12]}",
        remedy=remedy,
        details=(f"found  {there}", f"wanted {here}"),
    )


def way_out(name: str, role: str, remote: Remote) -> str:
    """What is left to do where others can see a tag that is not to be this release's."""
    if role == "fork":
        return f"if nobody built from it: git push {remote.address} :refs/tags/{name}"
    return "upstream's tag never moves: this version is taken; release the next one"
