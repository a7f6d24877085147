"""Base: whether what is released is what upstream's branch has at this moment.

Source: DESIGN rule 20; 3.15.0a4 was tagged on a commit that was three weeks old, and an extra alpha
followed the next day (python/cpython#143838).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.errors import ServiceFailed
from doit_receipts.finding import Finding, Severity
from plugins.ports.git import git_in, is_pinned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugins.model.release import Release
    from plugins.ports.git import Base
    from plugins.ports.public import History

__all__ = ["base_is_upstreams_head", "identity_is_known"]

_NAMED: Final = 5


@judges("base.only_here", blind="base.is_upstreams_head")
def base_is_upstreams_head(
    release: Release, base: Base, history: History, wanted: str = ""
) -> tuple[Finding, ...]:
    """The base is the commit that upstream's branch has now; else both differences are named.

    Commits that would be left out block. They are only reported where release.toml names a tag or a
    commit as the base (``wanted``), which leaves them out on purpose, and where the release's tag
    was pushed to the fork, which holds the base; and not once upstream has that tag. Commits that
    upstream does not have block in any case: what is released has been reviewed there.
    """
    commit = base.commit()
    ref, tag = f"refs/heads/{release.branch}", f"refs/tags/{release.version.tag}"
    there = history.refs(ref, tag)
    head = there[ref]
    if head == commit:
        return ()
    if not head:
        return (
            Finding(
                "base.is_upstreams_head",
                Severity.BLOCK,
                f"upstream has no branch {release.branch}",
                remedy="check [repository] upstream, version and [series] phase",
            ),
        )
    left_out, only_here = _differences(history, release.branch, head, commit)
    found = []
    stays = _why_it_stays(base, wanted, head)
    if (left_out or not only_here) and not (stays and there[tag]):
        found.append(
            Finding(
                "base.is_upstreams_head",
                Severity.WARN if stays else Severity.BLOCK,
                f"upstream's {release.branch} is at {head[:12]} now and the base is "
                f"{commit[:12]}: {_counted(left_out, 'left out')}",
                remedy=stays
                or f"{git_in(base.folder, 'fetch', 'upstream')}, then run the same command again",
            )
        )
    if only_here:
        found.append(
            Finding(
                "base.only_here",
                Severity.BLOCK,
                f"the base {commit[:12]} is not in upstream's {release.branch}: "
                f"{_counted(only_here, 'that only your clone has')}",
                remedy="have them merged upstream, or release from another [repository] base",
            )
        )
    return tuple(found)


@judges(blind="clone.identity")
def identity_is_known(
    release: Release,  # noqa: ARG001 - every check of a clone takes it
    base: Base,
) -> tuple[Finding, ...]:
    """Git knows whose name the release commit and the tag will carry."""
    base.identity()
    return ()


def _differences(
    history: History, branch: str, head: str, commit: str
) -> tuple[Sequence[str], Sequence[str]]:
    """Commits of upstream that the base lacks, and of the base that upstream lacks."""
    ours = f"refs/upstream/{branch}"
    clone = history.bring({f"refs/heads/{branch}": ours})
    if not clone.resolve(f"{commit}^{{commit}}"):
        raise ServiceFailed(
            service="git",
            action=f"compare {commit[:12]} with upstream's {branch} ({head[:12]})",
            problem="they differ, and the commit could not be read there",
            remedy="fetch upstream into your clone, then run the same command again",
        )
    return clone.beyond(head, commit), clone.beyond(commit, head)


def _why_it_stays(base: Base, wanted: str, head: str) -> str:
    """Why the base stays where it is, and what to do if it should not; "" if a fetch moves it."""
    if is_pinned(wanted):
        return f"{wanted} is named in [repository] base; check whether they belong in"
    if base.is_held():
        return (
            "the release's tag was pushed to the fork, so its base stays; if they belong in, fetch "
            f'upstream, write base = "{head}" below [repository] in release.toml, and delete that '
            "tag unless somebody built from it"
        )
    return ""


def _counted(commits: Sequence[str], what: str) -> str:
    """How many, and the newest by name."""
    if not commits:
        return f"it is not known how many commits are {what}"
    count = f"{len(commits):,} commit{'s' if len(commits) > 1 else ''} {what}"
    more = ", and more" if len(commits) > _NAMED else ""
    return f"{count} ({'; '.join(commits[:_NAMED])}{more})"
