"""Followers of the simulated environment: repositories that take a release once it is public."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import BadVersion
from plugins.model.binaries import nuget_version
from plugins.model.version import Version
from plugins.rehearsal.site_rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plugins.rehearsal.store import Store

__all__ = ["FAULTS", "follows", "text"]

FAULTS: Final = {
    "followers.late": "the repository in the argument (conda-forge/python-feedstock) lacks the"
    " release"
}
_TOP: Final = "https://www.python.org/ftp/python"
_MANIFEST_BYTES: Final = 1_100_000
"""In August 2026 the real one had 721,625; past a megabyte GitHub gives raw bytes only."""


def follows(repository: str) -> bool:
    """Whether this is a repository of somebody who takes releases over."""
    return any(re.fullmatch(each.partition(":")[0], repository) for each in _FILES)


def text(store: Store, repository: str, path: str, branch: str) -> str | None:
    """A file of one of these repositories, as its people would have it by now; None for none."""
    late = store.fault("followers.late")
    is_late = late is not None and late in ("", repository)
    versions = [] if is_late else _public(store)
    asked = f"{repository}:{path}:{branch}"
    for pattern, write in _FILES.items():
        found = re.fullmatch(pattern, asked)
        if found:
            return write(versions, *found.groups()) or None
    return None


def _images(versions: Sequence[Version]) -> str:
    return "".join(
        f"\nTags: {v}-trixie, {v.series}-trixie\nSharedTags: {v}, {v.series}\n"
        for v in reversed(versions)
    )


def _manifest(versions: Sequence[Version]) -> str:
    listed = [{"version": _semantic(v), "stable": not v.is_prerelease} for v in reversed(versions)]
    return json.dumps(listed, indent=2).ljust(_MANIFEST_BYTES)


def _recipe(versions: Sequence[Version], branch: str) -> str:
    """The newest series is on main, each other on a branch of its own."""
    finals = [v for v in versions if not v.is_prerelease]
    newest = finals[-1].series if finals else ""
    series = newest if branch == "main" else branch
    here = [v for v in finals if v.series == series and (branch == "main" or series != newest)]
    return f'{{% set version = "{here[-1]}" %}}\n' if here else ""


def _changelog(versions: Sequence[Version], series: str) -> str:
    return "".join(
        f"python{series} ({_debian(v)}-1+jammy1) jammy; urgency=medium\n\n"
        for v in reversed(versions)
        if v.series == series
    )


def _definition(versions: Sequence[Version], name: str) -> str:
    return "".join(
        f'install_package "Python-{v}" "{_TOP}/{v.folder}/Python-{v}.tar.xz#"\n'
        for v in versions
        if str(v) == name
    )


def _formula(versions: Sequence[Version], series: str) -> str:
    of_series = [v for v in versions if v.series == series]
    return "".join(f'  url "{_TOP}/{v.folder}/Python-{v}.tgz"\n' for v in of_series)


def _downloads(versions: Sequence[Version]) -> str:
    listed = {
        f"cpython-{v.series}": {
            "url": f"{_TOP}/{v.folder}/Python-{v}.tar.xz",
            "version": str(v),
        }
        for v in versions
    }
    return f"DOWNLOADS = {json.dumps(listed, indent=4)}\n"


def _runtime(versions: Sequence[Version]) -> str:
    newest = nuget_version(versions[-1]) if versions else "3.0.0"
    return f"    - powershell: |\n        nuget install python -Version {newest} -x\n"


_FILES: Final[dict[str, Callable[..., str]]] = {
    r"docker-library/official-images:library/python:main": _images,
    r"actions/python-versions:versions-manifest\.json:main": _manifest,
    r"conda-forge/python-feedstock:recipe/meta\.yaml:(.*)": _recipe,
    r"deadsnakes/python(3\.\d+):debian/changelog:ubuntu/jammy": _changelog,
    r"pyenv/pyenv:plugins/python-build/share/python-build/([^/]+):main": _definition,
    r"Homebrew/homebrew-core:Formula/p/python@(.*)\.rb:main": _formula,
    r"astral-sh/python-build-standalone:pythonbuild/downloads\.py:main": _downloads,
    r"python/pymanager:ci/release\.yml:main": _runtime,
}
"""Who writes a file: repository, path and branch."""


def _debian(version: Version) -> str:
    """As Debian writes versions, where a prerelease sorts before its final: 3.15.0~rc1."""
    suffix = str(version).removeprefix(version.folder)
    return f"{version.folder}~{suffix}" if suffix else str(version)


def _semantic(version: Version) -> str:
    """As npm writes versions, which GitHub's tools compare by: 3.15.0-rc.1."""
    level = version.level.name.lower().replace("candidate", "rc")
    return f"{version.folder}-{level}.{version.serial}" if version.is_prerelease else str(version)


def _public(store: Store) -> list[Version]:
    """Versions that the website shows, in order."""
    found = []
    for row in Rows(store).table("release").values():
        if not row["is_published"]:
            continue
        try:
            found.append(Version.parse(row["name"].removeprefix("Python ")))
        except BadVersion:
            continue
    return sorted(found)
