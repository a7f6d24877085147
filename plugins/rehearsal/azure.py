"""Azure of the simulated environment: runs of the Windows pipeline, over the REST API 7.1.

The document ``azure`` holds the runs; each look at a run's timeline brings it one stage further
(``speed`` of them), until it puts its files straight into the folder that users see, as
the real one does, and leaves its tables of digests. What it answers is read in Azure's own
specification and in python/release-tools (windows-release/); it was not tried on the real service.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import re
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from plugins.model.version import Version
from plugins.model.windows_build import DEFINITION, parameters_of
from plugins.rehearsal import windows_files

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from starlette.requests import Request

    from plugins.model.windows_build import Box
    from plugins.rehearsal.store import Store

__all__ = ["FAULTS", "LOGIN", "STAGES", "app", "queue_by_hand", "seed"]

FAULTS: Final = {
    "azure.500": "Azure answers with status 500",
    "azure.login": "Azure answers with its login page",
    "azure.hangs": "Azure sends a byte now and then and never finishes its answer",
    "azure.malformed": "Azure answers with invalid JSON",
    "azure.endless": "Azure answers without end",
    "azure.fails": "the stage in the argument fails (Sign)",
    "azure.pending_approval": "nobody approves the use of the certificate",
    "azure.skips_tests": "the run skips its tests, and makes no package for NuGet",
    "azure.deleted_run": "the run was deleted",
    "azure.expired_artifact": "the artifacts of the run have expired",
    "azure.other_bytes": "the table of digests does not match the uploaded files",
    "azure.never_uploads": "the run ends without uploading anything",
    "azure.no_feed": "the install manager's feed does not get the entries of this release",
    "azure.feed_other_bytes": "the install manager's feed has another digest for one package",
    "azure.shuts_folders": "nobody can look into the folders that the upload makes for parts",
    "azure.forgets_parameters": "the list of runs lacks the parameters that they were started with",
}
LOGIN: Final = "rehearsal-azure-token"
STAGES: Final = ("Build", "Sign", "Layout", "Pack", "Test", "Publish")
"""The pipeline's stages, in their order; the certificate is used in these three."""
_SIGNING: Final = ("Sign", "Layout", "Pack")
# The jobs of a stage, the box that they need and what each is repeated for; others have one.
_JOBS: Final = {
    "Build": (("Python build", "", "win32 win32_d amd64_d arm64_d"),
              ("Python PGO build", "", "amd64 arm64")),
    "Pack": (("Pack MSIX bundles", "DoMSIX", "amd64 amd64_store arm64 arm64_store"),
             ("Pack Nuget bundles", "DoNuget", "amd64 win32 arm64")),
    "Test": (("Test Embed", "", "win32 amd64"),
             ("Test MSI", "DoMSI", "win32_User win32_Machine amd64_User amd64_Machine"),
             ("Test Nuget", "", "win32 amd64"), ("Test PyManager", "", "win32 amd64")),
}  # fmt: skip
_APPROVERS: Final = ("Steve Signer", "Ned Notary")
_BEGUN: Final = "2026-01-15T10:00:00.1234567Z"
_ENDED: Final = "2026-01-15T12:10:00.1234567Z"
_LONG: Final = "2999-12-31T00:00:00Z"


def seed(store: Store) -> None:
    """There are runs of another release, and none of ours, unless there are some already."""
    if store.load("azure", None) is not None:
        return
    other = {"SourceTag": "v3.12.1", "SourceCommit": "1" * 40, "DoPublish": "True"}
    store.save("azure", {"runs": [_run(41, other, stage=len(STAGES))], "leases": []})


def queue_by_hand(store: Store, form: tuple[Box, ...], **changes: str) -> int:
    """A person has filled in the form, with these ``changes``, and started a run; its id."""
    return _queue(store, {**parameters_of(form), **changes})


def _queue(store: Store, given: Mapping[str, str]) -> int:
    known = store.load("azure", {"runs": [], "leases": []})
    number = max((each["id"] for each in known["runs"]), default=40) + 1
    # Azure reports a box with a capital letter, whatever it was given.
    parameters = {
        name: text.capitalize() if text in ("true", "false") else text
        for name, text in given.items()
    }
    made = _run(number, parameters)
    if store.fault("azure.skips_tests") is not None:
        made["given"] |= {"DoNuget": "False", "SkipTests": "True"}
    store.save("azure", {**known, "runs": [*known["runs"], made]})
    store.record("azure", "queued", run=number, tag=parameters.get("SourceTag", ""))
    return number


def _run(number: int, given: Mapping[str, str], stage: int = 0) -> dict[str, Any]:
    day = f"{datetime.now(UTC):%Y%m%d}"  # noqa: TID251 - the simulated side
    name = f"Release_{given.get('SourceTag', 'main')}_{day}.{number:02}"
    return {"id": number, "name": name, "given": dict(given), "stage": stage, "failed": "",
            "approved": [], "asked": 0}  # fmt: skip


class _Azure:
    """What the routes do, over the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # ── state ──────────────────────────────────────────────────────────────────────────────

    def _all(self) -> dict[str, Any]:
        found: dict[str, Any] = self._store.load("azure", {"runs": [], "leases": []})
        return found

    def _find(self, request: Request) -> dict[str, Any] | None:
        number = request.path_params["id"]
        found = [each for each in self._all()["runs"] if each["id"] == number]
        if not found or self._store.fault("azure.deleted_run") is not None:
            return None
        run: dict[str, Any] = found[0]
        return run

    def _keep(self, run: dict[str, Any]) -> None:
        known = self._all()
        runs = [run if each["id"] == run["id"] else each for each in known["runs"]]
        self._store.save("azure", {**known, "runs": runs})

    def _step(self, run: dict[str, Any]) -> None:
        """One stage more, unless it failed, ended or waits for an approval."""
        if run["failed"] or run["stage"] >= len(STAGES):
            return
        stage = STAGES[run["stage"]]
        if stage in _SIGNING and stage not in run["approved"]:
            run["asked"] += 1
            if run["asked"] > 1 and self._store.fault("azure.pending_approval") is None:
                run["approved"].append(stage)
                run["asked"] = 0
            self._keep(run)
            return
        fails = self._store.fault("azure.fails")
        if fails is not None:
            if stage == (fails or "Sign"):
                run["failed"] = stage
                self._keep(run)
                return
            self._store.order_fault("azure.fails", argument=fails)
        if stage == "Publish":
            self._publish(run)
        run["stage"] += 1
        self._keep(run)

    def _publish(self, run: dict[str, Any]) -> None:
        given = run["given"]
        if given.get("DoPublish") != "True":
            return
        if given.get("SigningCertificate") != "PythonSoftwareFoundation":
            return
        version = Version.parse(given["SourceTag"].removeprefix("v"))
        files = windows_files.made(version, given)
        run["tables"] = {
            name: windows_files.table(brought)
            for name, brought in windows_files.tables(version, files).items()
        }
        # Where experts sign manifests, they fetch what was built and bring it themselves.
        brought = self._store.load("experts", {}).get("habit", "uploads") == "manifests"
        if not brought and self._store.fault("azure.never_uploads") is None:
            windows_files.upload(
                self._store, version, windows_files.signed(self._store, files, given)
            )
        if self._store.fault("azure.no_feed") is None:
            wrong = self._store.fault("azure.feed_other_bytes") is not None
            windows_files.write_feed(self._store, version, files, wrong=wrong)
        if self._store.fault("azure.other_bytes") is not None:
            for name, text in run["tables"].items():
                run["tables"][name] = re.sub(r"\b[0-9A-F]{64}\b", "0" * 64, text)
        self._store.record("azure", "published", run=run["id"], files=len(files))

    # ── answers ────────────────────────────────────────────────────────────────────────────

    def _described(self, run: dict[str, Any], *, listed: bool = False) -> dict[str, Any]:
        ended = bool(run["failed"]) or run["stage"] >= len(STAGES)
        answer = {
            "id": run["id"], "buildNumber": run["name"],
            "status": "completed" if ended else "inProgress",
            "definition": {"id": DEFINITION, "name": "Windows-Release"},
            "requestedFor": {"displayName": "Release Manager"},
            "sourceBranch": "refs/heads/main",
        }  # fmt: skip
        if ended:
            answer["result"] = "failed" if run["failed"] else "succeeded"
            answer |= {"startTime": _BEGUN, "finishTime": _ENDED}
        if not (listed and self._store.fault("azure.forgets_parameters") is not None):
            answer["templateParameters"] = run["given"]
        return answer

    async def runs(self, request: Request) -> Response:
        if request.query_params.get("definitions") != str(DEFINITION):
            return JSONResponse({"count": 0, "value": []})
        found = [self._described(each, listed=True) for each in reversed(self._all()["runs"])]
        return JSONResponse({"count": len(found), "value": found})

    async def run(self, request: Request) -> Response:
        found = self._find(request)
        return _missing("build") if found is None else JSONResponse(self._described(found))

    async def start(self, request: Request) -> Response:
        if not _may_act(request):
            return _login()
        content = json.loads(await request.body())
        given = content.get("templateParameters") or {}
        number = _queue(self._store, given)
        found = next(each for each in self._all()["runs"] if each["id"] == number)
        return JSONResponse(
            {"id": number, "name": found["name"], "state": "inProgress",
             "pipeline": {"id": DEFINITION, "name": "Windows-Release"}}
        )  # fmt: skip

    async def timeline(self, request: Request) -> Response:
        found = self._find(request)
        if found is None:
            return _missing("build")
        for _ in range(self._all().get("speed", 1)):
            self._step(found)
        return JSONResponse({"id": "t", "records": _records(found)})

    async def approvals(self, request: Request) -> Response:
        steps = [
            {"assignedApprover": {"displayName": name}, "status": "pending"} for name in _APPROVERS
        ]
        asked = request.query_params.get("approvalIds", "")
        return JSONResponse(
            {"count": 1, "value": [{"id": asked, "status": "pending", "steps": steps}]}
        )

    async def artifacts(self, request: Request) -> Response:
        found, name = self._find(request), request.query_params.get("artifactName", "")
        gone = self._store.fault("azure.expired_artifact") is not None
        if found is None or gone or name not in found.get("tables", {}):
            return _missing("artifact")
        url = f"{request.base_url}_content/{found['id']}/{name}"
        resource = {"type": "PipelineArtifact", "downloadUrl": f"{url}?format=zip"}
        return JSONResponse({"id": 1, "name": name, "resource": resource})

    async def content(self, request: Request) -> Response:
        found, name = self._find(request), request.path_params["name"]
        if found is None or name not in found.get("tables", {}):
            return _missing("artifact")
        room = io.BytesIO()
        with zipfile.ZipFile(room, "w", zipfile.ZIP_DEFLATED) as opened:
            opened.writestr(f"{name}/hashes.txt", found["tables"][name])
        return Response(room.getvalue(), media_type="application/zip")

    async def leases(self, request: Request) -> Response:
        found = self._find(request)
        if found is None:
            return _missing("build")
        kept = [each for each in self._all()["leases"] if each["runId"] == found["id"]]
        return JSONResponse({"count": len(kept), "value": kept})

    async def retain(self, request: Request) -> Response:
        if not _may_act(request):
            return _login()
        known = self._all()
        made = [
            {"leaseId": len(known["leases"]) + 1, "runId": each["runId"],
             "definitionId": each["definitionId"], "ownerId": each["ownerId"],
             "createdOn": "2026-11-29T00:00:00Z", "validUntil": _LONG, "protectPipeline": False}
            for each in json.loads(await request.body())
        ]  # fmt: skip
        self._store.save("azure", {**known, "leases": [*known["leases"], *made]})
        self._store.record("azure", "retained", runs=[each["runId"] for each in made])
        return JSONResponse({"count": len(made), "value": made})


def _records(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Stages, their one job each, and the approvals that they wait for."""
    found: list[dict[str, Any]] = []
    for order, stage in enumerate(STAGES, start=1):
        failed = run["failed"] == stage
        done = order <= run["stage"] or failed
        begun = order == run["stage"] + 1 and not run["failed"]
        waits = begun and stage in _SIGNING and stage not in run["approved"]
        state = "completed" if done else "inProgress" if begun and not waits else "pending"
        result = ("failed" if failed else "succeeded") if done else None
        base: dict[str, Any] = {"state": state, "result": result, "order": order, "issues": []}
        found.append({"id": stage, "parentId": None, "type": "Stage", "name": stage, **base})
        if stage in _SIGNING and (waits or done or stage in run["approved"]):
            checkpoint = {"id": f"{stage}-c", "parentId": stage, "type": "Checkpoint",
                          "name": "Checkpoint", "order": order}  # fmt: skip
            approval = {"id": f"{stage}-a", "parentId": f"{stage}-c", "order": order,
                        "type": "Checkpoint.Approval", "name": "Checkpoint.Approval"}  # fmt: skip
            now = {"state": "inProgress" if waits else "completed",
                   "result": None if waits else "succeeded"}  # fmt: skip
            found += [{**checkpoint, **now}, {**approval, **now}]
        if done or (begun and not waits):
            issue = {"type": "error", "category": "General",
                     "message": f"{stage}: the process exited with code 1."}  # fmt: skip
            job = {"id": f"{stage}-j", "parentId": stage, "type": "Job", "name": f"{stage} job"}
            found.append({**job, **base, "issues": [issue] if failed else None})
            found += _matrix(run["given"], stage, base)
    return found


def _matrix(given: Mapping[str, str], stage: str, base: dict[str, Any]) -> list[dict[str, Any]]:
    """The jobs of the stage that are repeated for each architecture, and the tests in them."""
    found: list[dict[str, Any]] = []
    result = "succeeded" if base["result"] else None  # the job of the stage's own is what fails
    for kind, box, keys in _JOBS.get(stage, ()):
        for key in keys.split() if given.get(box, "True") == "True" else ():
            job = {"id": f"{kind}-{key}", "parentId": stage, "type": "Job", "name": f"{kind} {key}"}
            found.append({**job, **base, "result": result})
            if stage == "Test":
                skipped = result and given.get("SkipTests") == "True"
                task = {"id": f"{kind}-{key}-t", "parentId": f"{kind}-{key}", "type": "Task",
                        "name": "Collect version number"}  # fmt: skip
                found.append({**task, **base, "result": "skipped" if skipped else result})
    return found


def _may_act(request: Request) -> bool:
    wanted = base64.b64encode(f":{LOGIN}".encode()).decode()
    return request.headers.get("authorization") == f"Basic {wanted}"


def _login() -> Response:
    return HTMLResponse("<html><title>Azure DevOps Services | Sign In</title></html>", 203)


def _missing(what: str) -> Response:
    problem = {"$id": "1", "message": f"The requested {what} was not found.", "typeKey": "NotFound"}
    return JSONResponse(problem, 404)


def app(store: Store) -> Starlette:
    """The API of one project, over the runs that the store remembers."""
    azure = _Azure(store)

    def guarded(
        answer: Callable[[Request], Awaitable[Response]],
    ) -> Callable[[Request], Awaitable[Response]]:
        async def with_faults(request: Request) -> Response:
            for name, other in _OTHERS.items():
                if store.fault(name) is not None:
                    return other()
            return await answer(request)

        return with_faults

    build = "/_apis/build/builds"
    routes = (
        ("GET", build, azure.runs),
        ("GET", build + "/{id:int}", azure.run),
        ("GET", build + "/{id:int}/timeline", azure.timeline),
        ("GET", build + "/{id:int}/artifacts", azure.artifacts),
        ("GET", build + "/{id:int}/leases", azure.leases),
        ("GET", "/_content/{id:int}/{name}", azure.content),
        ("GET", "/_apis/pipelines/approvals", azure.approvals),
        ("POST", f"/_apis/pipelines/{DEFINITION}/runs", azure.start),
        ("POST", "/_apis/build/retention/leases", azure.retain),
    )
    return Starlette(
        routes=[Route(path, guarded(answer), methods=[method]) for method, path, answer in routes]
    )


async def _slowly() -> AsyncIterator[bytes]:
    for _ in range(10_000):
        yield b" "
        await asyncio.sleep(0.05)


async def _endlessly() -> AsyncIterator[bytes]:
    for _ in range(100_000):
        yield b"[" * 65_536


_OTHERS: Final[Mapping[str, Callable[[], Response]]] = {
    "azure.500": lambda: JSONResponse({"message": "Internal Server Error"}, 500),
    "azure.login": _login,
    "azure.malformed": lambda: Response(b'{"value": [', media_type="application/json"),
    "azure.hangs": lambda: StreamingResponse(_slowly(), media_type="application/json"),
    "azure.endless": lambda: StreamingResponse(_endlessly(), media_type="application/json"),
}
