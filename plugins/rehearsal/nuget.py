"""NuGet of the simulated environment: which versions its packages have, by what was published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from plugins.model.binaries import nuget_packages, nuget_version
from plugins.model.version import Version

if TYPE_CHECKING:
    from starlette.requests import Request

    from plugins.rehearsal.store import Store

__all__ = ["FAULTS", "app"]

FAULTS: Final = {
    "nuget.500": "NuGet answers with status 500",
    "nuget.late": "the package in the argument (python) does not have the version yet",
    "nuget.malformed": "NuGet answers with invalid JSON",
}
_OLD: Final = ("3.12.1", "3.12.0")


def app(store: Store) -> Starlette:
    """The index of versions, over the runs that the pipeline published."""

    async def versions(request: Request) -> Response:
        if store.fault("nuget.500") is not None:
            return JSONResponse({"error": "Internal Server Error"}, 500)
        if store.fault("nuget.malformed") is not None:
            return Response(b"{", media_type="application/json")
        name = request.path_params["name"]
        late = store.fault("nuget.late")
        found = list(_OLD)
        for run in store.load("azure", {}).get("runs", []):
            if not run.get("tables") or (late is not None and name == (late or "python")):
                continue
            version = Version.parse(run["given"]["SourceTag"].removeprefix("v"))
            if name in nuget_packages(version):
                found.append(nuget_version(version))
        return JSONResponse({"versions": found})

    return Starlette(routes=[Route("/v3-flatcontainer/{name}/index.json", versions)])
