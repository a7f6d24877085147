"""Package index: where the wheel of a project is, and what its bytes are, by the index's JSON API.

The index is the one that pip has as its default, unless release.toml names another: this tool
knows no address of its own.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from doit_receipts.errors import ServiceFailed
from plugins.ports.sbom import Wheel
from plugins.services.http_client import HttpClient

if TYPE_CHECKING:
    from plugins.ports.programs import Programs

__all__ = ["JsonIndex"]


class JsonIndex:
    """The PackageIndex port over the index at ``address``; "" for pip's own default."""

    def __init__(self, address: str, programs: Programs) -> None:
        self._address = address
        self._programs = programs
        self._web: HttpClient | None = None

    def __repr__(self) -> str:
        return f"index({self._address})"

    def wheel(self, project: str, version: str, file_name: str = "") -> Wheel:
        """See the port. Of several wheels the first that the index lists, as upstream takes it."""
        action = f"look up {project} {version}"
        web = self._opened()
        answer = web.get(f"/pypi/{project}/{version}/json", action)
        for file in web.json(answer, action).parts("urls"):
            name, kind = file.line("filename"), file.line("packagetype")
            if name == file_name or (not file_name and kind == "bdist_wheel"):
                return Wheel(file.line("url"), file.part("digests").line("sha256"))
        raise self._failed(action, f"the index has no {file_name or 'wheel'} of this version")

    def _opened(self) -> HttpClient:
        if self._web is None:
            parts = urlsplit(self._address or self._default())
            self._web = HttpClient("package index", f"{parts.scheme}://{parts.netloc}")
        return self._web

    def _default(self) -> str:
        """The address that pip names in its help."""
        asked = (sys.executable, "-m", "pip", "install", "--help")
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
