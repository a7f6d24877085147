"""Buildbot: the Builders port over the data API (version 2) of CPython's buildbots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plugins.ports.builders import Builder
from plugins.services.web import Web

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.secret import Secret

__all__ = ["Buildbot"]

_TAG: Final = "stable"
# Source: the constants of Buildbot's module of results, in their order.
_RESULTS: Final = (
    "success", "warnings", "failure", "skipped", "exception", "retry", "cancelled",
)  # fmt: skip
_AT_ONCE: Final = 8


class Buildbot:
    """The Builders port over one Buildbot master."""

    def __init__(self, address: str, token: Secret | None = None) -> None:
        self._address = address
        self._token = token
        self._web = Web("buildbots", address, self._headers)

    def __repr__(self) -> str:
        return f"buildbots({self._address})"

    def _headers(self) -> Mapping[str, str]:
        return {} if self._token is None else {"authorization": f"Bearer {self._token.reveal()}"}

    def stable(self, branch: str) -> tuple[Builder, ...]:
        """See the port. One request for each builder, a few of them at the same time."""
        from concurrent.futures import ThreadPoolExecutor

        action = "list builders"
        answer = self._web.get("/api/v2/builders", action)
        listed = [
            each
            for each in self._web.json(answer, action)["builders"]
            # judged here: how several tags are asked for differs between Buildbot's versions
            if {branch, _TAG} <= set(each["tags"])
        ]
        online = self._online()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            results = list(pool.map(self._result, (each["builderid"] for each in listed)))
        found = [
            Builder(
                each["name"],
                tuple(each["tags"]),
                f"{self._address}/#/builders/{each['builderid']}",
                each["builderid"] in online,
                result,
            )
            for each, result in zip(listed, results, strict=True)
        ]
        return tuple(sorted(found, key=lambda builder: builder.name))

    def _online(self) -> set[int]:
        """The builders that some worker could build for now."""
        answer = self._web.get("/api/v2/workers", "list workers")
        return {
            builder["builderid"]
            for worker in self._web.json(answer, "list workers")["workers"]
            if worker["connected_to"] and not worker.get("paused")
            for builder in worker["configured_on"]
        }

    def _result(self, builder: int) -> str:
        action = f"read the last build of builder {builder}"
        # skipped, retry and cancelled builds say nothing of the code: the newest that does counts
        answer = self._web.get(
            f"/api/v2/builders/{builder}/builds", action, complete="true", order="-number", limit=10
        )
        builds: list[Mapping[str, Any]] = self._web.json(answer, action)["builds"]
        for build in builds:
            number = build["results"]
            name = _RESULTS[number] if number in range(len(_RESULTS)) else str(number)
            if name not in ("skipped", "retry", "cancelled"):
                return name
        return ""
