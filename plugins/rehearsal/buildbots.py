"""Buildbots of the rehearsed world: the data API (version 2) of a Buildbot master, read only.

The document ``buildbots`` holds the builders: name, tags, the result of the last build that
ended (Buildbot's number) and whether a worker is connected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

    from plugins.rehearsal.store import Store

__all__ = ["FAULTS", "app", "seed"]

FAULTS: Final = {
    "buildbots.500": "the buildbots answer with status 500",
    "buildbots.red": "the first stable builder's last build failed",
    "buildbots.offline": "the first stable builder has no worker",
}


def seed(store: Store, branch: str) -> None:
    """The store has builders of the branch, all of them green, unless it has some already."""
    if store.load("buildbots", None) is not None:
        return
    names = ("AMD64 Debian", "ARM64 macOS", "AMD64 Windows11")
    stable = [
        {"name": f"{name} {branch}", "tags": [branch, "stable", f"tier-{tier}"], "result": 0,
         "online": True}
        for tier, name in enumerate(names, start=1)
    ]  # fmt: skip
    other = {"name": f"AMD64 Slackware {branch}", "tags": [branch, "unstable"], "result": 2,
             "online": True}  # fmt: skip
    store.save("buildbots", [*stable, other])


def app(store: Store) -> Starlette:
    """The data API over the builders that the store remembers."""

    def builders() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = store.load("buildbots", [])
        stable = [each for each in found if "stable" in each["tags"]]
        if stable and store.fault("buildbots.red") is not None:
            stable[0]["result"] = 2
        if stable and store.fault("buildbots.offline") is not None:
            stable[0]["online"] = False
        return found

    def told(key: str, found: list[dict[str, Any]]) -> Response:
        if store.fault("buildbots.500") is not None:
            return JSONResponse({"error": "Internal Server Error"}, 500)
        return JSONResponse({key: found, "meta": {"total": len(found)}})

    async def listed(request: Request) -> Response:
        wanted = request.query_params.getlist("tags__contains")
        found = [
            {"builderid": number, "name": each["name"], "tags": each["tags"], "masterids": [1],
             "description": None}
            for number, each in enumerate(store.load("buildbots", []), start=1)
            if set(wanted) <= set(each["tags"])
        ]  # fmt: skip
        return told("builders", found)

    async def builds(request: Request) -> Response:
        number = request.path_params["id"]
        each = builders()[number - 1]
        if each["result"] is None:
            return told("builds", [])
        build = {"buildid": number * 10, "builderid": number, "number": 7, "complete": True,
                 "results": each["result"], "complete_at": 1_790_000_000}  # fmt: skip
        return told("builds", [build])

    async def workers(request: Request) -> Response:  # noqa: ARG001 - as Starlette calls it
        found = [
            {"workerid": number, "name": f"worker-{number}", "paused": False,
             "connected_to": [{"masterid": 1}] if each["online"] else [],
             "configured_on": [{"builderid": number, "masterid": 1}]}
            for number, each in enumerate(builders(), start=1)
        ]  # fmt: skip
        return told("workers", found)

    return Starlette(
        routes=[
            Route("/api/v2/builders", listed),
            Route("/api/v2/builders/{id:int}/builds", builds),
            Route("/api/v2/workers", workers),
        ]
    )
