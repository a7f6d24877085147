"""Buildbots of the simulated environment: the data API (version 2) of a master, read only.

The document ``buildbots`` holds the builders: name, tags, the results of their builds, newest
first (Buildbot's numbers), how many builds others had since the last one (``idle``), and whether
a worker is connected. A builder without a worker is left
over from an earlier configuration, which Buildbot never forgets.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from plugins.rehearsal.store import Store

__all__ = ["FAULTS", "add", "app", "configure", "seed"]

FAULTS: Final = {
    "buildbots.500": "the buildbots answer with status 500",
    "buildbots.red": "the first stable builder's last build failed",
    "buildbots.red_tier_3": "the last build of the stable builder of tier 3 failed",
    "buildbots.exception": "the first stable builder's last build ended in an exception",
    "buildbots.offline": "the first stable builder has no worker",
    "buildbots.new_tier": "the first stable builder is of an unknown tier",
}

_REPOSITORY: Final = "python/buildmaster-config"
_CONFIGURATION: Final = f"{_REPOSITORY}/master/custom/branches.py"
# Source of the form: python/buildmaster-config 7e8da94.
_BRANCHES: Final = """\
def generate_branches():
    yield BranchInfo(
        '3.x',
        version_tuple=(3, {minor}),
        git_branch='main',
    )
    yield _maintenance_branch(3, {older})
    yield _maintenance_branch(3, {oldest})
"""
_MOST: Final = 100
_EACH_OF: Final = "builderid__eq"
_RESULTS: Final = (
    ("buildbots.red", "stable", 2),
    ("buildbots.red_tier_3", "tier-3", 2),
    ("buildbots.exception", "stable", 4),
)
"""Faults, whose builder it is, and Buildbot's number of how its last build ended."""


def seed(store: Store, branch: str) -> None:
    """The store has builders of the branch, all of them green, unless it has some already."""
    if store.load("buildbots", None) is None:
        store.save("buildbots", _of_branch(branch))


def add(store: Store, branch: str) -> None:
    """There are such builders of this branch besides, unless there are some already."""
    known = store.load("buildbots", [])
    if not any(branch in each["tags"] for each in known):
        store.save("buildbots", [*known, *_of_branch(branch)])


def configure(store: Store, series: str) -> None:
    """The configuration of the buildbots has main as this series, and two older branches."""
    minor = int(series.partition(".")[2])
    text = _BRANCHES.format(minor=minor, older=minor - 1, oldest=minor - 2)
    hub = store.load("github", {})
    store.save("github", {**hub, "texts": {**hub["texts"], _CONFIGURATION: text}})


def _reconfigure(store: Store) -> None:
    """Who looks after the buildbots has merged what adds builders, and these have built once."""
    hub = store.load("github", {})
    for pull in hub.get("pulls", []):
        added = re.fullmatch(r"Add builders for the branch (3\.\d+)", pull["title"])
        if added is None or pull["repository"] != _REPOSITORY or pull["state"] != "open":
            continue
        owner, _, branch = pull["head"].partition(":")
        texts = hub["branches"][f"{owner}/{_REPOSITORY.partition('/')[2]}:{branch}"]
        hub["texts"].update({f"{_REPOSITORY}/{path}": text for path, text in texts.items()})
        pull |= {"state": "closed", "merged_at": "2026-01-01T00:00:00Z"}
        store.save("github", hub)
        store.record("buildbots", "configured", branch=added[1])
        add(store, added[1])


def _of_branch(branch: str) -> list[dict[str, Any]]:
    # Source: buildmaster-config, master/custom/builders.py: a builder without a tier has no tag.
    stable = (
        ("AMD64 Debian root", "tier-1"), ("AMD64 Windows11 Non-Debug", "tier-1"),
        ("ARM64 macOS", "tier-2"), ("s390x Fedora Stable", "tier-3"), ("AMD64 Alpine Linux", ""),
    )  # fmt: skip
    made: list[dict[str, Any]] = [
        {"name": f"{name} {branch}", "tags": [branch, "stable", *([tier] if tier else [])],
         "results": [0], "online": True}
        for name, tier in stable
    ]  # fmt: skip
    unstable = {"name": f"AMD64 Fedora Rawhide {branch}", "tags": [branch, "unstable", "tier-1"],
                "results": [2], "online": True}  # fmt: skip
    gone = {"name": f"x86 Gentoo {branch}", "tags": [branch, "stable", "tier-1"],
            "results": [2], "online": None}  # fmt: skip
    return [*made, unstable, gone]


def app(store: Store, *, window_s: float = 10.0) -> Starlette:
    """The data API over the builders that the store remembers, behind its limit of requests."""

    def answer(key: str, found: list[dict[str, Any]]) -> Response:
        if store.fault("buildbots.500") is not None:
            return JSONResponse({"error": "Internal Server Error"}, 500)
        return JSONResponse({key: found, "meta": {"total": len(found)}})

    async def listed(request: Request) -> Response:
        _reconfigure(store)
        wanted = request.query_params.getlist("tags__contains")
        known = store.load("buildbots", [])
        if known and store.fault("buildbots.new_tier") is not None:
            known[0]["tags"] = [*known[0]["tags"][:2], "tier-0"]
        found = [
            {"builderid": number, "name": each["name"], "tags": each["tags"], "masterids": [1],
             "description": None}
            for number, each in enumerate(known, start=1)
            if set(wanted) <= set(each["tags"])
        ]  # fmt: skip
        return answer("builders", found)

    async def builds(request: Request) -> Response:
        known = _builders(store)
        one = request.path_params.get("id")
        asked = [one] if one else [int(each) for each in request.query_params.getlist(_EACH_OF)]
        found = [build for number in asked for build in _builds(store, known, number)]
        newest = sorted(found, key=lambda build: build["buildid"], reverse=True)
        return answer("builds", newest[: int(request.query_params.get("limit", "200"))])

    async def workers(request: Request) -> Response:  # noqa: ARG001 - as Starlette calls it
        known = _builders(store)
        if known and store.fault("buildbots.offline") is not None:
            known[_first(known, "stable") - 1]["online"] = False
        found = [
            {"workerid": number, "name": f"worker-{number}", "paused": False,
             "connected_to": [{"masterid": 1}] if each["online"] else [],
             "configured_on": [{"builderid": number, "masterid": 1}]}
            for number, each in enumerate(known, start=1)
            if each["online"] is not None
        ]  # fmt: skip
        return answer("workers", found)

    return Starlette(
        routes=[
            Route("/api/v2/builders", listed),
            Route("/api/v2/builders/{id:int}/builds", builds),
            Route("/api/v2/builds", builds),
            Route("/api/v2/workers", workers),
        ],
        middleware=[Middleware(_Limited, window_s=window_s)],
    )


class _Limited:
    """What stands before the buildbots: whoever asks too often is denied, and that counts too.

    Source: python/psf-salt, pillar/base/haproxy.sls (rate_limit: 100, of July 2026); HAProxy says
    nothing of when to come back.
    """

    def __init__(self, app: ASGIApp, *, window_s: float) -> None:
        self._app = app
        self._window_s = window_s
        self._asked: list[float] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        now = time.monotonic()
        self._asked = [*(at for at in self._asked if at > now - self._window_s), now]
        denied = HTMLResponse("<html><body><h1>429 Too Many Requests</h1></body></html>", 429)
        await (denied if len(self._asked) > _MOST else self._app)(scope, receive, send)


def _builders(store: Store) -> list[dict[str, Any]]:
    """The builders; a document of an earlier form has one result and not a list."""
    return [
        {"results": [result for result in (each.get("result"),) if result is not None], **each}
        for each in store.load("buildbots", [])
    ]


def _builds(store: Store, known: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """The builds of the builder of this number, with what faults make of them."""
    results = known[number - 1]["results"]
    for fault, tag, result in _RESULTS:
        if number == _first(known, tag) and store.fault(fault) is not None:
            results = [result, *results]
    return [
        {"buildid": (1_000 - back) * 1_000 + number, "builderid": number, "number": 1_000 - back,
         "complete": True, "results": result, "complete_at": 1_790_000_000 - back}
        for back, result in enumerate(results, start=known[number - 1].get("idle", 0))
    ]  # fmt: skip


def _first(found: list[dict[str, Any]], tag: str) -> int:
    """The number of the first stable builder with this tag, 0 if there is none."""
    tags = [set(each["tags"]) for each in found]
    return next((at for at, each in enumerate(tags, start=1) if {"stable", tag} <= each), 0)
