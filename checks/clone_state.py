"""Clone state: whether the RM's clone offers the right commit to release from.

Everything is judged by what git has recorded. The files of the RM's checkout do not matter.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.errors import BadVersion
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import counted
from plugins.model.patchlevel import PATH, read_patchlevel
from plugins.model.version import Level, Version
from plugins.ports.git import git_in

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.clock import Clock
    from plugins.ports.git import Base, Clone

__all__ = ["base_is_recent", "base_leads_to_version", "tag_is_free", "version_is_next"]

_STALE_DAYS: Final = 7


@judges("clone.branch", blind="clone.unreadable")
def base_leads_to_version(release: Release, base: Base) -> tuple[Finding, ...]:
    """The base is of the version's series and before it, by its patchlevel.h (E00)."""
    text = base.text(base.commit(), PATH)
    if text is None:
        return (
            Finding(
                "clone.branch",
                Severity.BLOCK,
                f"the base has no {PATH}, so it is not CPython",
                remedy="check [repository] clone and base",
            ),
        )
    found = read_patchlevel(text).version
    if found.series != release.version.series:
        return (
            Finding(
                "clone.branch",
                Severity.BLOCK,
                f"the base is {found}, of series {found.series},"
                f" and {release.version} is of {release.version.series}",
                where=PATH,
                remedy="release from another branch: [repository] base",
            ),
        )
    if found >= release.version:
        return (
            Finding(
                "clone.branch",
                Severity.BLOCK,
                f"the base is {found} already, and {release.version} should come after it",
                where=PATH,
                remedy="check version and [repository] base",
            ),
        )
    return ()


@judges("version.not_next", blind="clone.unreadable")
def version_is_next(release: Release, base: Base) -> tuple[Finding, ...]:
    """The version is one that may follow the newest tag of its series (R02)."""
    version = release.version
    fetch = git_in(base.folder, "fetch", "--tags", "upstream")
    tagged = [each for each in _tagged(base) if each.series == version.series and each != version]
    if not tagged:
        first = Version(version.major, version.minor, 0, Level.ALPHA, 1)
        if version == first:
            return ()
        return (
            Finding(
                "version.not_next",
                Severity.BLOCK,
                f"the clone has no tag of {version.series}, so the next version is not known",
                remedy=fetch,
            ),
        )
    newest = max(tagged)
    if version in newest.successors():
        return ()
    return (
        Finding(
            "version.not_next",
            Severity.BLOCK,
            f"the newest tag is {newest.tag}, and {version} does not come next",
            remedy=f"write {_either(newest)}; or if the clone lacks tags: {fetch}",
        ),
    )


@judges("tag.exists", blind="clone.unreadable")
def tag_is_free(release: Release, base: Base, clone: Clone) -> tuple[Finding, ...]:
    """No tag of this name names anything but this release."""
    name = release.version.tag
    tag = next((each for each in base.tags() if each.name == name), None)
    if tag is None:
        return ()
    ours = clone.resolve("refs/release/commit")
    if tag.commit == ours:
        return ()
    about = base.about(tag.commit)
    starts = {base.commit(), clone.resolve("refs/release/base")}
    if not ours and set(about.parents) & starts and about.message.startswith("Python "):
        # as if this release had been made before in another work folder: its commit is adopted
        return ()
    return (
        Finding(
            "tag.exists",
            Severity.BLOCK,
            f"{base.folder} has {name} already, on {tag.commit[:12]}, "
            + (f"and this release is {ours[:12]}" if ours else "which does not follow the base"),
            remedy="if that tag was never pushed, delete it there; if it was pushed, "
            "the version is taken",
        ),
    )


@judges("clone.future", "clone.stale", blind="clone.unreadable")
def base_is_recent(
    release: Release,  # noqa: ARG001 - every check of a clone takes it
    base: Base,
    clock: Clock,
    stale_days: int = _STALE_DAYS,
) -> tuple[Finding, ...]:
    """The last commit of the base is not old, unless it is held, and not of the future (Z05)."""
    commit = base.commit()
    age = clock.now() - base.about(commit).committed
    if age < timedelta(0):
        return (
            Finding(
                "clone.future",
                Severity.BLOCK,
                f"the base commit {commit[:12]} is dated {-age} in the future",
                remedy="set this machine's clock right, or ask who made that commit",
            ),
        )
    if age > timedelta(days=stale_days) and not base.is_held():
        return (
            Finding(
                "clone.stale",
                Severity.WARN,
                f"the commit to release from, {commit[:12]}, is {counted(age.days, 'day')}"
                " old; is there more to release?",
                remedy=f"{git_in(base.folder, 'fetch', '--all')}, then run the same command"
                " again; if nothing is new, nothing is wrong",
            ),
        )
    return ()


def _either(newest: Version) -> str:
    return " or ".join(f'version = "{each}"' for each in newest.successors())


def _tagged(base: Base) -> list[Version]:
    found = []
    for tag in base.tags():
        try:
            found.append(Version.parse(tag.name.removeprefix("v")))
        except BadVersion:
            continue
    return found
