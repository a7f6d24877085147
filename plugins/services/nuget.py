"""NuGet: the Packages port over NuGet's public index of versions (v3-flatcontainer)."""

from __future__ import annotations

import re
from typing import Final

from plugins.services.bounds import Bounds
from plugins.services.http_client import HttpClient

__all__ = ["NuGet"]

_MOST_BYTES: Final = 1 << 22
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}")


class NuGet:
    """The index at ``address``, such as https://api.nuget.org; no login."""

    def __init__(self, address: str, bounds: Bounds | None = None) -> None:
        self._address = address
        limits = bounds or Bounds(size_bytes=_MOST_BYTES)
        self._web = HttpClient("NuGet", address, bounds=limits)

    def __repr__(self) -> str:
        return f"nuget({self._address})"

    def versions(self, name: str) -> tuple[str, ...]:
        """See the port."""
        action = f"list the versions of {name}"
        if not _NAME.fullmatch(name):
            raise self._web.failed(action, "this is not the name of a package")
        path = f"/v3-flatcontainer/{name}/index.json"
        answer = self._web.get(path, action, may_miss=True)
        if answer.status_code == 404:
            return ()
        listed = self._web.json(answer, action).parts("versions")
        return tuple(each.line() for each in listed)
