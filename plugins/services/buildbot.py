"""Buildbot: the Builders port over the data API (version 2) of CPython's buildbots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from plugins.ports.builders import Builder
from plugins.services.http_client import HttpClient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.secret import Secret

__all__ = ["Buildbot"]

_STABLE: Final = "stable"
# Source: the constants of Buildbot's module of results. Only these say something of the code, as
# CPython's release dashboard has it; skipped, exception, retry and cancelled builds do not.
_RESULTS: Final[Mapping[int, str]] = {0: "success", 1: "warnings", 2: "failure"}
_LOOKED_BACK: Final = 30
_AT_ONCE: Final = 8


class Buildbot:
    """The Builders port over one Buildbot master."""

    def __init__(self, address: str, token: Secret | None = None) -> None:
        self._address = address
        self._token = token
        self._web = HttpClient("buildbots", address, self._login)

    def __repr__(self) -> str:
        return f"buildbots({self._address})"

    def _login(self) -> Mapping[str, str]:
        return {} if self._token is None else {"authorization": f"Bearer {self._token.reveal()}"}

    def stable(self, branch: str) -> tuple[Builder, ...]:
        """See the port. One request for each builder, a few of them at the same time."""
        from concurrent.futures import ThreadPoolExecutor

        action = "list builders"
        answer = self._web.get("/api/v2/builders", action)
        workers = self._workers()
        listed = [
            _Listed(number, builder.line("name"), tags)
            for builder in self._web.json(answer, action).parts("builders")
            # judged here: how several tags are asked for differs between Buildbot's versions
            if {branch, _STABLE} <= set(tags := tuple(tag.line() for tag in builder.parts("tags")))
            # one that no worker is configured for is left over from an earlier configuration
            and (number := builder.number("builderid")) in workers
        ]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            results = list(pool.map(self._result, (builder.number for builder in listed)))
        found = [
            Builder(
                builder.name,
                builder.tags,
                f"{self._address}/#/builders/{builder.number}",
                workers[builder.number],
                result,
            )
            for builder, result in zip(listed, results, strict=True)
        ]
        return tuple(sorted(found, key=lambda builder: builder.name))

    def _workers(self) -> dict[int, bool]:
        """The builders that have a worker, and whether one of theirs could build now."""
        answer = self._web.get("/api/v2/workers", "list workers")
        found: dict[int, bool] = {}
        for worker in self._web.json(answer, "list workers").parts("workers"):
            ready = bool(worker.parts("connected_to")) and not worker.flag("paused", may_miss=True)
            for builder in worker.parts("configured_on"):
                number = builder.number("builderid")
                found[number] = found.get(number, False) or ready
        return found

    def _result(self, builder: int) -> str:
        action = f"read the last build of builder {builder}"
        path = f"/api/v2/builders/{builder}/builds"
        answer = self._web.get(path, action, complete="true", order="-number", limit=_LOOKED_BACK)
        builds = self._web.json(answer, action).parts("builds")
        results = (_RESULTS.get(build.number("results", may_miss=True)) for build in builds)
        return next(filter(None, results), "")


class _Listed(NamedTuple):
    """A builder of the branch, before its builds were looked at."""

    number: int
    name: str
    tags: tuple[str, ...]
