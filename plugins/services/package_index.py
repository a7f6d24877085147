"""Package index: where the wheel of a project is, and what its bytes are, by the index's JSON API.

The index is the one that pip has as its default, unless release.toml names another: this tool
knows no address of its own.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from doit_receipts.errors import ServiceFailed
from plugins.ports.sbom import Wheel
from plugins.services.web import Web

if TYPE_CHECKING:
    from plugins.ports.programs import Programs

__all__ = ["JsonIndex"]


class JsonIndex:
    """The PackageIndex port over the index at ``address``; "" for pip's own default."""

    def __init__(self, address: str, programs: Programs) -> None:
        self._address = address
        self._programs = programs
        self._web: Web | None = None

    def __repr__(self) -> str:
        return f"index({self._address})"

    def wheel(self, project: str, version: str, file_name: str = "") -> Wheel:
        """See the port. Of several wheels the first that the index lists, as upstream takes it."""
        action = f"look up {project} {version}"
        answer = self._opened().get(f"/pypi/{project}/{version}/json", action)
        try:
            files: list[dict[str, Any]] = answer.json()["urls"]
            for each in files:
                if each["filename"] == file_name or (
                    not file_name and each["packagetype"] == "bdist_wheel"
                ):
                    return Wheel(str(each["url"]), str(each["digests"]["sha256"]))
        except (ValueError, LookupError, TypeError) as error:
            raise self._failed(action, "the answer is not what its API promises") from error
        raise self._failed(action, f"it has no {file_name or 'wheel'} of this version")

    def _opened(self) -> Web:
        if self._web is None:
            parts = urlsplit(self._address or self._default())
            self._web = Web("package index", f"{parts.scheme}://{parts.netloc}", dict)
        return self._web

    def _default(self) -> str:
        """The address that pip tells of in its help."""
        asked = (sys.executable, "-m", "pip", "install", "--help")
        told = " ".join(self._programs.run(asked, folder=Path("/")).stdout.split())
        found = re.search(r"\(default (https://[^\s)]+)\)", told)
        if found is None:
            action = "find it"
            raise self._failed(action, "pip does not say where its index is")
        return found[1]

    def _failed(self, what: str, problem: str) -> ServiceFailed:
        return ServiceFailed(
            service="package index",
            action=what,
            problem=problem,
            remedy="look at the index in a browser; [hosts] packages names another",
        )
