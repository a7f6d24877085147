"""Followers: projects that bring a release to their users by a change in a repository of theirs.

Each is one line: where its newest versions are written. Source: the files named here, as they
were from June to November 2026: the library of docker-library's official images, the manifest of
actions/python-versions, the feedstock's recipe of conda-forge (a branch for each series but the
newest), ``pythonbuild/downloads.py`` of python-build-standalone (8a0c6df), formulae of Homebrew,
definitions of pyenv, the install manager's build (which bundles the newest Python alone:
python/pymanager 459d65a, 31b79ba); deadsnakes' changelogs for jammy, which has packages of every
series after 3.10 (deadsnakes/python3.11 14a1a0f). Who takes candidates: versions-manifest.json of
August 2026 (each since 3.9.0rc1, 3.14.5rc1 too), pyenv/pyenv#3441 and #3510,
astral-sh/python-build-standalone#1124 and #1199; docker-library has a folder ``X.Y-rc`` until
X.Y.0 is out, so it has candidates of that alone. The others wait for the final release.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from doit_receipts.errors import BadVersion
from doit_receipts.frozen import frozen
from plugins.model.version import Level, Version

__all__ = ["FOLLOWERS", "Follower", "followers_of"]


class Candidates(Enum):
    """Of which releases a project takes the candidates."""

    NONE = "none"
    FEATURE = "X.Y.0"
    ALL = "all"


_CANDIDATE: Final = r"(?:-?rc\.?[0-9]{1,2})?"


@frozen
class Follower:
    """``repository`` and ``path`` hold ``{series}`` or ``{version}``, and ``mark`` ``{version}``.

    A later version of the series will do, as who was late for a release takes the hotfix after it
    alone. ``newest`` is a pattern around the one version that a project has: a later one, of any
    series, will do. ``branches`` are asked in turn for the file, instead of the default branch.
    ``candidates`` says of which releases it takes the candidates.
    """

    name: str
    repository: str
    path: str
    mark: str = ""
    newest: str = ""
    branches: tuple[str, ...] = ("",)
    candidates: Candidates = Candidates.NONE

    def files_of(self, version: Version) -> tuple[tuple[str, str, str], ...]:
        """Repository, file and branch that may show whether it has the version, best first."""
        named = {"version": version, "series": version.series}
        repository, path = self.repository.format(**named), self.path.format(**named)
        return tuple((repository, path, branch.format(**named)) for branch in self.branches)

    def found_in(self, version: Version, content: bytes | None) -> Version | None:
        """The version, or else the next later one, that a file of this content shows.

        None if it shows neither, or if there is no file.
        """
        if content is None:
            return None
        before, _, after = map(re.escape, self.mark.partition("{version}"))
        of_series = rf"{before}({re.escape(version.series)}\.[0-9]{{1,3}}{_CANDIDATE}){after}"
        found = _versions(self.newest or of_series, content)
        return min((each for each in found if each >= version), default=None)


def _versions(pattern: str, content: bytes) -> list[Version]:
    """Every version that the pattern finds, as NuGet, npm or Python writes it."""
    found = []
    for text in re.findall(pattern, content.decode(errors="replace")):
        try:
            found.append(Version.parse(text.replace("-rc.", "rc").replace("-", "")))
        except BadVersion:
            continue
    return found


FOLLOWERS: Final = (
    Follower(
        "Docker's official image", "docker-library/official-images", "library/python",
        "Tags: {version}-", candidates=Candidates.FEATURE,
    ),
    Follower(
        "GitHub's setup-python", "actions/python-versions", "versions-manifest.json",
        '"version": "{version}"', candidates=Candidates.ALL,
    ),
    Follower(
        "conda-forge", "conda-forge/python-feedstock", "recipe/meta.yaml",
        'set version = "{version}"', branches=("{series}", "main"),
    ),
    Follower(
        "deadsnakes", "deadsnakes/python{series}", "debian/changelog", " ({version}-",
        branches=("ubuntu/jammy",),
    ),
    Follower(
        "pyenv", "pyenv/pyenv", "plugins/python-build/share/python-build/{version}",
        "/Python-{version}.", candidates=Candidates.ALL,
    ),
    Follower(
        "Homebrew", "Homebrew/homebrew-core", "Formula/p/python@{series}.rb", "/Python-{version}."
    ),
    Follower(
        "python-build-standalone", "astral-sh/python-build-standalone",
        "pythonbuild/downloads.py", "/Python-{version}.tar.xz", candidates=Candidates.ALL,
    ),
    Follower(
        "the install manager's own runtime", "python/pymanager", "ci/release.yml",
        newest=r"nuget install python -Version ([0-9][0-9a-z.-]{2,20})",
    ),
)  # fmt: skip


def followers_of(version: Version) -> tuple[Follower, ...]:
    """Those who bring a release of this version to their users; of alphas and betas none is asked.

    A candidate is what most people try a release by, and these have each of them within a day.
    """
    if not version.is_prerelease:
        return FOLLOWERS
    takes = (Candidates.ALL,) if version.micro else (Candidates.ALL, Candidates.FEATURE)
    is_candidate = version.level is Level.CANDIDATE
    return tuple(each for each in FOLLOWERS if is_candidate and each.candidates in takes)
