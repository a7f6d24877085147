"""GitHub of the simulated environment: runs of workflows, their artifacts, and checks of commits.

The document ``ci`` says how dispatched runs go and what they leave. Every commit of
python/cpython was tested on its branch, unless a fault says otherwise.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, RedirectResponse, Response

from plugins.rehearsal import blog, github_steps
from plugins.rehearsal.github_hub import REPOSITORY, page_of, problem, repository_of
from plugins.rehearsal.github_provenance import Provenance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from plugins.rehearsal.github_hub import Hub, Route

__all__ = ["Actions"]

_BRANCH_WORKFLOW: Final = "build.yml"
_BRANCH_RUN: Final = 8_000_001
_FIRST_RUN: Final = 9_000_001
_ARTIFACTS: Final = 100
"""Their ids are told apart by run: so many are kept free for each."""


class Actions:
    """Workflows by dispatch, and the one that every push to a branch starts."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._steps = github_steps.Steps(hub)
        self._provenance = Provenance(hub)

    def routes(self) -> tuple[Route, ...]:
        """Method, path and handler of each request."""
        actions = REPOSITORY + "/actions"
        return (
            ("POST", actions + "/workflows/{workflow}/dispatches", self._dispatch),
            ("GET", actions + "/workflows/{workflow}/runs", self._runs),
            ("GET", actions + "/runs/{id:int}", self._run),
            ("GET", actions + "/runs/{id:int}/jobs", self._jobs),
            ("GET", actions + "/runs/{id:int}/artifacts", self._artifacts),
            ("GET", actions + "/artifacts/{id:int}/zip", self._archive),
            ("GET", "/_storage/{id:int}", self._storage),
            ("GET", REPOSITORY + "/commits/{commit}/check-runs", self._check_runs),
            ("GET", REPOSITORY + "/attestations/{digest}", self._attestations),
            ("POST", actions + "/runs/{id:int}/rerun", self._again),
            *self._steps.routes(),
        )

    # ── of a commit ────────────────────────────────────────────────────────────────────────

    def _of_commit(self, commit: str) -> list[dict[str, Any]]:
        store = self._hub.store
        if store.fault("ci.base_untested") is not None:
            return []
        conclusion = store.fault("ci.base_red")
        running = store.fault("ci.base_running") is not None
        ended = "" if running else "success" if conclusion is None else conclusion or "failure"
        return [
            {"id": _BRANCH_RUN, "name": "Tests", "display_title": "gh-1: Spam", "event": "push",
             "head_branch": "main", "head_sha": commit, "conclusion": ended or None,
             "status": "in_progress" if running else "completed",
             "html_url": f"https://github.com/python/cpython/actions/runs/{_BRANCH_RUN}"}
        ]  # fmt: skip

    async def _check_runs(self, request: Request) -> Response:
        """Source: GitHub's "List check runs for a Git reference"."""
        if repository_of(request) == blog.REPOSITORY:
            of_blog = blog.checks(self._hub.store, request.path_params["commit"])
            return page_of(request, [_of_blog(*each) for each in of_blog], "check_runs")
        found = [
            {"id": 1, "name": "Hypothesis", "status": each["status"],
             "conclusion": each["conclusion"], "html_url": each["html_url"]}
            for each in self._of_commit(request.path_params["commit"])
        ]  # fmt: skip
        return page_of(request, found, "check_runs")

    # ── by dispatch ────────────────────────────────────────────────────────────────────────

    @property
    def _ci(self) -> dict[str, Any]:
        found: dict[str, Any] = self._hub.store.load("ci", {"polls": 0, "jobs": {}, "runs": []})
        return found

    async def _dispatch(self, request: Request) -> Response:
        asked = await request.json()
        if "ref" not in asked:
            return problem(422, 'Invalid request.\n\n"ref" wasn\'t supplied.')
        if request.path_params["workflow"] == github_steps.WORKFLOW:
            number = self._steps.asked(repository_of(request), asked.get("inputs", {}))["id"]
            return _asked(number, asked)
        ci = self._ci
        number = _FIRST_RUN + len(ci["runs"])
        run = {
            "id": number,
            "workflow": request.path_params["workflow"],
            "name": "Build release artifacts",
            "inputs": asked.get("inputs", {}),
            "polls": 0,
        }
        self._hub.store.save("ci", {**ci, "runs": [*ci["runs"], run]})
        return _asked(number, asked)

    async def _runs(self, request: Request) -> Response:
        commit = request.query_params.get("head_sha", "")
        if commit:
            is_ours = repository_of(request) == "python/cpython"
            known = is_ours and request.path_params["workflow"] == _BRANCH_WORKFLOW
            return page_of(request, self._of_commit(commit) if known else [], "workflow_runs")
        if request.path_params["workflow"] == github_steps.WORKFLOW:
            return page_of(request, self._steps.runs(), "workflow_runs")
        found = [
            self._described(each)
            for each in reversed(self._ci["runs"])
            if each["workflow"] == request.path_params["workflow"]
        ]
        return page_of(request, found, "workflow_runs")

    async def _run(self, request: Request) -> Response:
        step = self._steps.run(request.path_params["id"])
        if step is not None:
            return JSONResponse(step)
        ci = self._ci
        for each in ci["runs"]:
            if each["id"] == request.path_params["id"]:
                if self._hub.store.fault("ci.never_ends") is None:
                    each["polls"] += 1
                    self._hub.store.save("ci", ci)
                return JSONResponse(self._described(each))
        return problem(404, "Not Found")

    def _described(self, run: Mapping[str, Any]) -> dict[str, Any]:
        conclusion = self._conclusion(run)
        return {
            "id": run["id"],
            "name": run["name"],
            "display_title": run["name"],
            "event": "workflow_dispatch",
            "head_branch": "main",
            "head_sha": hashlib.sha1(b"release-tools", usedforsecurity=False).hexdigest(),
            "status": "completed" if conclusion else "in_progress",
            "conclusion": conclusion or None,
            "html_url": _run_url(run["id"]),
            "actor": {"login": self._hub.document["user"]},
        }

    def _conclusion(self, run: Mapping[str, Any]) -> str:
        if run["polls"] <= self._ci["polls"]:
            return ""
        good = all(each == "success" for each in self._jobs_of(run).values())
        return "success" if good else "failure"

    def _jobs_of(self, run: Mapping[str, Any]) -> dict[str, str]:
        ordered = self._hub.store.load("faults", {}).get("ci.fails", {"times": 0, "argument": ""})
        jobs: dict[str, str] = dict(self._ci["jobs"])
        if ordered["times"] and ordered["argument"] in jobs:
            jobs[ordered["argument"]] = "failure"
        ended = run["polls"] > self._ci["polls"]
        return (
            jobs if ended else {name: jobs[name] if not at else "" for at, name in enumerate(jobs)}
        )

    async def _jobs(self, request: Request) -> Response:
        for each in self._ci["runs"]:
            if each["id"] == request.path_params["id"]:
                found = [
                    {"id": number, "name": name, "conclusion": conclusion or None,
                     "status": "completed" if conclusion else "in_progress",
                     "html_url": f"{_run_url(each['id'])}/job/{number}"}
                    for number, (name, conclusion) in enumerate(self._jobs_of(each).items())
                ]  # fmt: skip
                return page_of(request, found, "jobs")
        return problem(404, "Not Found")

    async def _artifacts(self, request: Request) -> Response:
        of_step = self._steps.artifacts(request.path_params["id"])
        if of_step is not None:
            return page_of(request, [listed for listed, _ in of_step], "artifacts")
        found = []
        at = request.path_params["id"] - _FIRST_RUN
        files = self._files(at)
        names = sorted(files) * self._attempts(at)
        for number, name in enumerate(names, start=1 + at * _ARTIFACTS):
            content = self._zip(files[name])
            found.append(
                {"id": number, "name": name, "size_in_bytes": len(content), "expired": False,
                 "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
                 "archive_download_url": f"{request.base_url}_storage/{number}"}
            )  # fmt: skip
        return page_of(request, found, "artifacts")

    async def _archive(self, request: Request) -> Response:
        number = request.path_params["id"]
        # another host, as far as a client that guards its token can know
        other = str(request.base_url).replace("127.0.0.1", "localhost")
        return RedirectResponse(f"{other}_storage/{number}?sig=abc", 302)

    async def _storage(self, request: Request) -> Response:
        of_step = self._steps.artifact(request.path_params["id"])
        if of_step is not None:
            return Response(of_step, media_type="application/zip")
        at, number = divmod(request.path_params["id"] - 1, _ARTIFACTS)
        files = self._files(at)
        content = self._zip(files[sorted(files)[number % len(files)]])
        if self._hub.store.fault("github.artifact_other_bytes") is not None:
            content += b"\0"
        return Response(content, media_type="application/zip")

    async def _attestations(self, request: Request) -> Response:
        """Source: GitHub's "List attestations" of version 2022-11-28, the bundle in the list."""
        digest = request.path_params["digest"]
        if not digest.startswith("sha256:"):
            return problem(422, "Validation Failed")
        if request.query_params.get("predicate_type", "") != Provenance.TYPE:
            found = self._steps.attestations(digest)
        else:
            found = []
            for at, run in enumerate(self._ci["runs"]):
                made = {name: _contents(listed) for name, listed in self._files(at).items()}
                found += await self._provenance.attestations(digest, run, made)
        listed = [{"repository_id": 1, "bundle": each} for each in reversed(found)]
        return JSONResponse({"attestations": listed})

    async def _again(self, request: Request) -> Response:
        """Source: GitHub's "Re-run a workflow": one more attempt of the same run."""
        ci = self._ci
        for each in ci["runs"]:
            if each["id"] == request.path_params["id"]:
                each.update(polls=0, attempt=each.get("attempt", 1) + 1)
                self._hub.store.save("ci", ci)
                return Response(None, 201)
        return await self._steps.again(request)

    def _attempts(self, at: int) -> int:
        """How often the run of this number was run. What each left stays in its list.

        Source: actions/toolkit, ListArtifactsOptions.latest: in reruns a name comes again.
        """
        runs = self._ci["runs"]
        return runs[at].get("attempt", 1) if at < len(runs) else 1

    def _files(self, at: int) -> dict[str, Any]:
        """What the run of this number leaves: what its version has, or else what every run does."""
        ci = self._ci
        asked = ci["runs"][at]["inputs"].get("cpython_release") if at < len(ci["runs"]) else ""
        found: dict[str, Any] = ci.get("of", {}).get(asked) or ci.get("files", {})
        return found

    @staticmethod
    def _zip(listed: Mapping[str, str] | list[str]) -> bytes:
        """The zip of an artifact: texts, or files of this machine that its list names."""
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for path, content in _contents(listed):
                entry = zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0))
                archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
        return stream.getvalue()


def _asked(number: int, asked: Mapping[str, Any]) -> Response:
    """Source: GitHub's "Create a workflow dispatch event", with and without run details."""
    if asked.get("return_run_details"):
        return JSONResponse({"workflow_run_id": number, "html_url": _run_url(number)})
    return Response(None, 204)


def _of_blog(name: str, conclusion: str) -> dict[str, Any]:
    return {"id": 1, "name": name, "status": "completed" if conclusion else "in_progress",
            "conclusion": conclusion or None,
            "html_url": f"https://github.com/{blog.REPOSITORY}/actions/runs/1"}  # fmt: skip


def _run_url(number: int) -> str:
    return f"https://github.com/python/release-tools/actions/runs/{number}"


def _contents(listed: Mapping[str, str] | list[str]) -> list[tuple[str, bytes]]:
    if isinstance(listed, dict):
        return [(path, text.encode()) for path, text in sorted(listed.items())]
    paths = [Path(each) for each in listed]
    return [(path.name, path.read_bytes()) for path in paths if path.is_file()]
