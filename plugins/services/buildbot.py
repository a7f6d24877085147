"""Buildbot: the Builders port over the data API (version 2) of CPython's buildbots.

Source of what stands before them: python/psf-salt, pillar/base/haproxy.sls, of July 2026. An
address with more than 100 requests in 10 seconds is answered by 429, without Retry-After, and what
was refused counts as well.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from doit_receipts.errors import ReleaseError
from doit_receipts.printable import counted
from plugins.ports.builders import Builder
from plugins.services.bounds import Bounds
from plugins.services.http_client import HttpClient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.secret import Secret
    from plugins.services.answers import Part

__all__ = ["Buildbot"]

_STABLE: Final = "stable"
# Source: the constants of Buildbot's module of results. Only these say something of the code, as
# CPython's release dashboard has it; skipped, exception, retry and cancelled builds do not.
_RESULTS: Final[Mapping[int, str]] = {0: "success", 1: "warnings", 2: "failure"}
_LOOKED_BACK: Final = 30
_TOGETHER: Final = 20
"""Builders whose builds are asked for at once, as Buildbot's own page of builders does."""
_KEPT_S: Final = 30.0
_THROTTLED_S: Final = 11.0
"""A little longer than the time in which requests are counted."""


class Buildbot:
    """The Builders port over one Buildbot master.

    What a look found, or why it found nothing, is the answer for ``kept_s`` more seconds: the
    checks of a gate, which follow one another, share one look.
    """

    def __init__(
        self,
        address: str,
        token: Secret | None = None,
        *,
        kept_s: float = _KEPT_S,
        throttled_s: float = _THROTTLED_S,
    ) -> None:
        self._address = address
        self._token = token
        bounds = Bounds(throttled_s=throttled_s)
        self._web = HttpClient("buildbots", address, self._login, bounds=bounds)
        self._kept_s = kept_s
        self._kept: dict[str, _Kept] = {}

    def __repr__(self) -> str:
        return f"buildbots({self._address})"

    def _login(self) -> Mapping[str, str]:
        return {} if self._token is None else {"authorization": f"Bearer {self._token.reveal()}"}

    def stable(self, branch: str) -> tuple[Builder, ...]:
        """See the port. A few requests, one after another: the first that fails is the last."""
        kept = self._kept.get(branch)
        if kept is None or time.monotonic() > kept.until:
            found: tuple[Builder, ...] | ReleaseError
            try:
                found = self._look(branch)
            except ReleaseError as error:
                found = error
            kept = self._kept[branch] = _Kept(found, time.monotonic() + self._kept_s)
        if isinstance(kept.found, ReleaseError):
            raise kept.found
        return kept.found

    def _look(self, branch: str) -> tuple[Builder, ...]:
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
        results: dict[int, str] = {}
        for at in range(0, len(listed), _TOGETHER):
            results |= self._results([each.number for each in listed[at : at + _TOGETHER]])
        found = [
            Builder(
                builder.name,
                builder.tags,
                f"{self._address}/#/builders/{builder.number}",
                workers[builder.number],
                results[builder.number],
            )
            for builder in listed
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

    def _results(self, builders: list[int]) -> dict[int, str]:
        """What the last builds of these builders say, by one request.

        A builder that has few of the newest builds of all, and none that says something, is asked
        about alone.
        """
        action = f"read the last builds of {counted(len(builders), 'builder')}"
        # Filter and order as in www/base/src/views/BuildersView of buildbot/buildbot.
        answer = self._web.get(
            "/api/v2/builds",
            action,
            builderid__eq=builders,
            complete="true",
            order="-buildid",
            limit=_LOOKED_BACK * len(builders),
        )
        newest: dict[int, list[str]] = {number: [] for number in builders}
        for build in self._web.json(answer, action).parts("builds"):
            newest.get(build.number("builderid"), []).append(_result_of(build))
        return {
            number: self._alone(number)
            if not (said := _said_by(results)) and len(results) < _LOOKED_BACK
            else said
            for number, results in newest.items()
        }

    def _alone(self, builder: int) -> str:
        action = f"read the last builds of builder {builder}"
        path = f"/api/v2/builders/{builder}/builds"
        answer = self._web.get(path, action, complete="true", order="-number", limit=_LOOKED_BACK)
        return _said_by(
            [_result_of(each) for each in self._web.json(answer, action).parts("builds")]
        )


class _Listed(NamedTuple):
    """A builder of the branch, before its builds were looked at."""

    number: int
    name: str
    tags: tuple[str, ...]


class _Kept(NamedTuple):
    """What a look found, or why it found nothing, and until when that is the answer."""

    found: tuple[Builder, ...] | ReleaseError
    until: float


def _result_of(build: Part) -> str:
    """What the build says of the code; "" if nothing."""
    result = build.number("results", may_miss=True)
    # What has none is not 0, which would be a success.
    return "" if build.part().plain.get("results") is None else _RESULTS.get(result, "")


def _said_by(results: list[str]) -> str:
    """What the newest of these results says that says something."""
    return next(filter(None, results[:_LOOKED_BACK]), "")
