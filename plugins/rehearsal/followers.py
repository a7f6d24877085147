"""Followers of the simulated environment: repositories that take a release once it is public."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import BadVersion
from plugins.model.binaries import nuget_version
from plugins.model.version import Version
from plugins.rehearsal.site_rows import Rows

if TYPE_CHECKING:
    from plugins.rehearsal.store import Store

__all__ = ["FAULTS", "REPOSITORIES", "text"]

FAULTS: Final = {
    "followers.late": "the repository in the argument (docker-library/python) lacks the release"
}
REPOSITORIES: Final = (
    "docker-library/python", "pyenv/pyenv", "Homebrew/homebrew-core",
    "astral-sh/python-build-standalone", "python/pymanager",
)  # fmt: skip


def text(store: Store, repository: str, path: str) -> str | None:
    """A file of one of these repositories, as its people would have it by now; None for none."""
    late = store.fault("followers.late")
    is_late = late is not None and late in ("", repository)
    versions = [] if is_late else _public(store)
    name = path.rpartition("/")[2]
    match repository:
        case "docker-library/python" if path == "versions.json":
            return json.dumps({v.series: {"version": str(v)} for v in versions}, indent=2)
        case "pyenv/pyenv":
            found = [v for v in versions if str(v) == name]
            return f'install_package "Python-{found[0]}"\n' if found else None
        case "Homebrew/homebrew-core":
            series = name.removeprefix("python@").removesuffix(".rb")
            of_series = [v for v in versions if v.series == series]
            return "".join(f'  url "/ftp/python/{v.folder}/Python-{v}.tgz"\n' for v in of_series)
        case "astral-sh/python-build-standalone" if path == "pythonbuild/downloads.py":
            top = "https://www.python.org/ftp/python"
            listed = {
                f"cpython-{v.series}": {
                    "url": f"{top}/{v.folder}/Python-{v}.tar.xz",
                    "version": str(v),
                }
                for v in versions
            }
            return f"DOWNLOADS = {json.dumps(listed, indent=4)}\n"
        case "python/pymanager" if path == "ci/release.yml":
            newest = nuget_version(versions[-1]) if versions else "3.0.0"
            return f"    - powershell: |\n        nuget install python -Version {newest} -x\n"
        case _:
            return None


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
