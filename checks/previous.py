"""Previous: whether a release holds what the release before it held, but for what was meant to go.

A folder that was forgotten is in the tag and in both archives the same, so that only the release
before it can show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.printable import counted
from plugins.model.rules import breach

if TYPE_CHECKING:
    from doit_receipts.finding import Finding
    from plugins.model.version import Version
    from plugins.ports.git import Clone

__all__ = ["previous_tags", "release_holds_what_the_one_before_held"]

_MOST_GONE: Final = 0.1
_SHOWN: Final = 3


def previous_tags(version: Version) -> tuple[str, ...]:
    """Names that the tag of the release before may have, the most likely first."""
    return tuple(each.tag for each in version.predecessors())


def release_holds_what_the_one_before_held(
    version: Version, clone: Clone, commit: str
) -> tuple[Finding, ...]:
    """No folder at the top is gone since the release before, and no tenth of all files.

    Where the clone has no tag of a release before, nothing is found: the first alpha has none.
    """
    tags = (f"refs/tags/{name}^{{commit}}" for name in previous_tags(version))
    known = [(name, there) for name in tags if (there := clone.resolve(name))]
    if not known:
        return ()
    name, earlier = known[0]
    before, now = set(clone.names(earlier)), set(clone.names(commit))
    tag_name = name.removeprefix("refs/tags/").partition("^")[0]
    tops = {path.partition("/")[0] for path in now}
    lost = sorted({path.partition("/")[0] for path in before if "/" in path} - tops)
    found = [
        breach("archive.previous", f"{folder}/", f"was in {tag_name}, and is gone")
        for folder in lost
    ]
    gone = sorted(before - now)
    if not lost and len(gone) > _MOST_GONE * len(before):
        few = ", ".join(gone[:_SHOWN])
        problem = (
            f"of the {counted(len(before), 'file')} of {tag_name}, "
            f"{counted(len(gone), 'is', 'are')} gone, such as {few}"
        )
        found.append(breach("archive.previous", version.tag, problem))
    return tuple(found)
