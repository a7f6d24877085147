"""Followers: projects that bring a release to their users by a change in a repository of theirs.

Each is one line: where its newest versions are written. Source: the files named here, as they
were in November 2026; ``versions.json`` of docker-library, ``pythonbuild/downloads.json`` of
python-build-standalone, formulae of Homebrew, definitions of pyenv.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from plugins.model.version import Version

__all__ = ["FOLLOWERS", "Follower"]


@frozen
class Follower:
    """``path`` and ``mark`` hold ``{version}`` or ``{series}``.

    With an empty mark the file itself shows that the version is there.
    """

    name: str
    repository: str
    path: str
    mark: str = ""

    def file_of(self, version: Version) -> str:
        """The file that shows whether it has the version."""
        return self.path.format(version=version, series=version.series)

    def has(self, version: Version, content: bytes | None) -> bool:
        """Whether a file of this content, None for none, shows the version."""
        mark = self.mark.format(version=version, series=version.series)
        return content is not None and mark.encode() in content


FOLLOWERS: Final = (
    Follower(
        "Docker's official image", "docker-library/python", "versions.json",
        '"version": "{version}"',
    ),
    Follower("pyenv", "pyenv/pyenv", "plugins/python-build/share/python-build/{version}"),
    Follower(
        "Homebrew", "Homebrew/homebrew-core", "Formula/p/python@{series}.rb", "/Python-{version}."
    ),
    Follower(
        "python-build-standalone", "astral-sh/python-build-standalone",
        "pythonbuild/downloads.json", '"version": "{version}"',
    ),
)  # fmt: skip
