"""Followers: projects that bring a release to their users by a change in a repository of theirs.

Each is one line: where its newest versions are written. Source: the files named here, as they
were in November 2026; ``versions.json`` of docker-library, ``pythonbuild/downloads.py`` of
python-build-standalone (8a0c6df), formulae of Homebrew, definitions of pyenv, the install
manager's build (which bundles the newest Python alone: python/pymanager 459d65a, 31b79ba).
"""

from __future__ import annotations

import re
from typing import Final

from doit_receipts.errors import BadVersion
from doit_receipts.frozen import frozen
from plugins.model.version import Version

__all__ = ["FOLLOWERS", "Follower"]


@frozen
class Follower:
    """``path`` holds ``{version}`` or ``{series}``, and ``mark`` ``{version}``.

    With an empty mark the file itself shows that the version is there. A later one of the series
    will do, as who was late for a release takes the hotfix after it alone. ``newest`` is a pattern
    around the one version that a project has: a later one, of any series, will do.
    """

    name: str
    repository: str
    path: str
    mark: str = ""
    newest: str = ""

    def file_of(self, version: Version) -> str:
        """The file that shows whether it has the version."""
        return self.path.format(version=version, series=version.series)

    def found_in(self, version: Version, content: bytes | None) -> Version | None:
        """The version, or else the next later one, that a file of this content shows.

        None if it shows neither, or if there is no file.
        """
        if content is None:
            return None
        if not self.mark and not self.newest:
            return version
        before, _, after = map(re.escape, self.mark.partition("{version}"))
        of_series = rf"{before}({re.escape(version.series)}\.[0-9]{{1,3}}){after}"
        found = _versions(self.newest or of_series, content)
        return min((each for each in found if each >= version), default=None)


def _versions(pattern: str, content: bytes) -> list[Version]:
    """Every version that the pattern finds, as NuGet writes it or as Python does."""
    found = []
    for text in re.findall(pattern, content.decode(errors="replace")):
        try:
            found.append(Version.parse(text.replace("-", "")))
        except BadVersion:
            continue
    return found


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
        "pythonbuild/downloads.py", "/Python-{version}.tar.xz",
    ),
    Follower(
        "the install manager's own runtime", "python/pymanager", "ci/release.yml",
        newest=r"nuget install python -Version ([0-9][0-9a-z.-]{2,20})",
    ),
)  # fmt: skip
