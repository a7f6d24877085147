"""Package index: where the wheel of a project is, and what its bytes are, by the simple API.

That is the API which every index and mirror has that pip can install from (PEP 503), here as JSON
(PEP 691). The index is the one that pip has as its default, unless release.toml names another:
this tool knows no address of its own.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from doit_receipts.errors import ServiceFailed
from plugins.ports.sbom import Wheel
from plugins.services.http_client import HttpClient

if TYPE_CHECKING:
    from plugins.ports.programs import Programs

__all__ = ["SimpleIndex"]

_JSON: Final = "application/vnd.pypi.simple.v1+json"


class SimpleIndex:
    """The PackageIndex port over the index at ``address``, as pip's --index-url has it.

    "" is pip's own default; an address without a path has its index at /simple.
    """

    def __init__(self, address: str, programs: Programs) -> None:
        self._address = address
        self._programs = programs
        self._web: HttpClient | None = None

    def __repr__(self) -> str:
        return f"index({self._address})"

    def wheel(self, project: str, version: str, file_name: str = "") -> Wheel:
        """See the port. Of several wheels the first by name, as upstream takes it."""
        action = f"look up {project} {version}"
        web = self._opened()
        answer = web.get(f"/{_normal(project)}/", action)
        files = web.json(answer, action).parts("files")
        for file in sorted(files, key=lambda each: each.line("filename")):
            name = file.line("filename")
            if name == file_name or (not file_name and _is_wheel_of(project, version, name)):
                return Wheel(file.line("url"), file.part("hashes").line("sha256"))
        raise self._failed(action, f"the index has no {file_name or 'wheel'} of this version")

    def _opened(self) -> HttpClient:
        if self._web is None:
            parts = urlsplit(self._address or self._default())
            path = parts.path.rstrip("/") or "/simple"
            base = f"{parts.scheme}://{parts.netloc}{path}"
            self._web = HttpClient("package index", base, headers={"Accept": _JSON})
        return self._web

    def _default(self) -> str:
        """The address that pip names in its help."""
        asked = (sys.executable, "-I", "-m", "pip", "install", "--help")
        usage = " ".join(self._programs.run(asked, folder=Path("/")).stdout.split())
        found = re.search(r"\(default (https://[^\s)]+)\)", usage)
        if found is None:
            action = "find it"
            raise self._failed(action, "pip does not name its default index")
        return found[1]

    def _failed(self, what: str, problem: str) -> ServiceFailed:
        return ServiceFailed(
            service="package index",
            action=what,
            problem=problem,
            remedy="check the index in a browser, or name another as [hosts] packages",
        )


def _normal(project: str) -> str:
    """The name as addresses have it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", project).lower()


def _is_wheel_of(project: str, version: str, name: str) -> bool:
    """Whether a file of this name is a wheel of the version (binary distribution format)."""
    words = name.removesuffix(".whl").split("-")
    return name.endswith(".whl") and (_normal(words[0]), words[1:2]) == (
        _normal(project),
        [version],
    )
