"""File names of the tree that is going to be released, looked at while they can be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from plugins.model.archive_rules import is_left_out
from plugins.model.file_names import is_odd, twice

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.git import Clone

__all__ = ["names_fit_everywhere"]


@judges("source.file_name", blind="source.unreadable")
def names_fit_everywhere(release: Release, clone: Clone, *, after: str) -> tuple[Finding, ...]:
    """Every file of the archives can be unpacked on Windows and on a Mac, beside all others.

    The archives are judged by the same rule; by then a tag names the tree, and building them
    again does not help.
    """
    top = release.layout.folder_in_archive
    paths = [path for path in clone.names(f"refs/release/{after}") if not is_left_out(path)]
    found = [(path, "is a name that some systems do not allow") for path in paths
             if is_odd(f"{top}/{path}")]  # fmt: skip
    # Folders count as well: Lib/Test/a and Lib/test/b are in one folder on a Mac.
    folders = sorted({parent for path in paths for parent in _parents(path)})
    found += [
        (path, "differs from another name only in case or accents, which is the same name on macOS")
        for path in twice([*folders, *paths])
    ]
    return tuple(
        Finding(
            "source.file_name",
            Severity.BLOCK,
            problem,
            path if path.isprintable() else ascii(path),
            "rename it on the branch with git mv",
        )
        for path, problem in found
    )


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
