"""GitHub of the simulated environment: runs of the workflow of steps, and their attestations.

Each run that does anything is a process of its own (see ``step_runner``), unless a fault keeps it
from being one. The document ``steps`` says how many times a run is looked at before it begins
(``polls``), whether it does anything (``works``), where the tools of documentation are (``tools``),
and keeps every run.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from plugins.rehearsal import machine, sigstore
from plugins.rehearsal.github_hub import REPOSITORY, problem
from plugins.rehearsal.identity import token_of_run
from plugins.rehearsal.step_runner import SayingRun
from plugins.rehearsal.workflow_identity import WorkflowRun

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from starlette.requests import Request

    from plugins.rehearsal.github_hub import Hub, Route

__all__ = ["FAULTS", "WORKFLOW", "Steps"]

FAULTS: Final = {
    "steps.lost": "a run that was asked for does not exist any more",
    "steps.queued": "a run stays queued, and was asked for as many hours ago as the argument says",
    "steps.never": "a run on the platform in the argument never begins",
    "steps.cancelled": "somebody cancels a run",
    "steps.fails": "the tests fail in a run",
    "steps.expired": "the files of a run have expired",
    "steps.other_bytes": "a run's artifact holds other bytes than it attests",
    "steps.other_workflow": "another workflow attests what a run did",
    "steps.other_repository": "a workflow of another repository calls that of steps, and attests",
    "steps.other_trigger": "a run attests that was not asked for by a dispatch",
    "steps.self_hosted": "a run attests that was on somebody's own machine",
    "steps.other_action": "a run attests another action than it was asked for",
    "steps.unlisted": "GitHub lists a run only after as many looks as the argument says",
    "steps.twice": "two runs do what was asked for once",
}
WORKFLOW: Final = "pep101-step.yml"
_FIRST: Final = 7_000_001
_ATTEMPT: Final = 1_000_000
"""Artifacts have the id of their run, and those of each later attempt so much more."""
_HERE: Final = Path(__file__).parents[2]
_ENDS: Final = {"steps.cancelled": "cancelled", "steps.fails": "failure"}
_TOOL: Final = hashlib.sha1(b"tool", usedforsecurity=False).hexdigest()
_SHA: Final = hashlib.sha1(b"release-tools", usedforsecurity=False).hexdigest()


class Steps:
    """The workflow of steps in python/release-tools."""

    def __init__(self, hub: Hub) -> None:
        self._store = hub.store
        self._processes: dict[int, subprocess.Popen[bytes] | SayingRun] = {}

    def routes(self) -> tuple[Route, ...]:
        """Method, path and handler of each request that is about steps alone."""
        runs = REPOSITORY + "/actions/runs/{id:int}"
        return (("POST", runs + "/cancel", self._cancel),)

    # ── runs ───────────────────────────────────────────────────────────────────────────────

    def asked(self, repository: str, inputs: Mapping[str, str]) -> dict[str, Any]:
        """A run that was asked for now, as it is kept."""
        if self._store.fault("steps.twice") is not None:
            self._add(repository, inputs)
        return self._add(repository, inputs)

    def _add(self, repository: str, inputs: Mapping[str, str]) -> dict[str, Any]:
        kept = self._document
        now = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - the simulated side
        faults = self._faults(json.loads(inputs["action"])["platform"])
        hours = float(faults.get("steps.queued") or 0)
        run = {
            "id": _FIRST + len(kept["runs"]),
            "repository": repository,
            "inputs": dict(inputs),
            "at": (now - timedelta(hours=hours)).isoformat(),
            "polls": 0,
            "faults": faults,
        }
        self._store.save("steps", {**kept, "runs": [*kept["runs"], run]})
        return run

    def run(self, number: int) -> dict[str, Any] | None:
        """The run of this id as GitHub describes it; looking at it lets it go on."""
        for each in self._document["runs"]:
            if each["id"] == number and "steps.lost" not in each["faults"]:
                return self._described(self._gone_on(each))
        return None

    def runs(self) -> list[dict[str, Any]]:
        """All runs as GitHub lists them, newest first."""
        kept = [each for each in self._document["runs"] if self._is_listed(each)]
        return [self._described(self._gone_on(each)) for each in reversed(kept)]

    def _is_listed(self, run: Mapping[str, Any]) -> bool:
        """Whether the list has it; one that it lacks comes nearer by each look."""
        left = int(run["faults"].get("steps.unlisted") or 0)
        if left:
            kept = self._document
            for each in kept["runs"]:
                if each["id"] == run["id"]:
                    each["faults"]["steps.unlisted"] = str(left - 1)
            self._store.save("steps", kept)
        return not left and "steps.lost" not in run["faults"]

    def _faults(self, platform: str) -> dict[str, str]:
        found = {}
        never = self._store.load("faults", {}).get("steps.never", {"times": 0, "argument": ""})
        for name in FAULTS.keys() - {"steps.twice", "steps.never"}:
            argument = self._store.fault(name)
            if argument is not None:
                found[name] = argument
        if never["times"] and never["argument"] == platform:
            found["steps.never"] = str(self._store.fault("steps.never"))
        return found

    def _gone_on(self, run: dict[str, Any]) -> dict[str, Any]:
        kept = self._document
        if run["polls"] <= kept["polls"]:
            run["polls"] += 1
            runs = [run if each["id"] == run["id"] else each for each in kept["runs"]]
            self._store.save("steps", {**kept, "runs": runs})
        if self._may_begin(run) and not self._ended(run) and run["id"] not in self._processes:
            self._begin(run)
        return run

    def _may_begin(self, run: Mapping[str, Any]) -> bool:
        waits = {"steps.queued", "steps.never", *_ENDS} & run["faults"].keys()
        return run["polls"] > self._document["polls"] and not waits

    def _begin(self, run: Mapping[str, Any]) -> None:
        folder = self._folder(run)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        faults = run["faults"]
        if "steps.other_bytes" in faults:
            (folder / "other_bytes").touch()
        action = json.loads(run["inputs"]["action"])
        if "steps.other_action" in faults:
            action["params"] = {**action["params"], "level": "none"}
        identity = WorkflowRun(
            repository=run["repository"],
            caller="mallory/release-tools" if "steps.other_repository" in faults else "",
            workflow="other.yml" if "steps.other_workflow" in faults else WORKFLOW,
            sha=_SHA,
            run=run["id"],
            trigger="push" if "steps.other_trigger" in faults else "workflow_dispatch",
            runner="self-hosted" if "steps.self_hosted" in faults else "github-hosted",
        )
        fork = self._store.folder.parent / "fork.git"
        order = {
            "action": json.dumps(action, sort_keys=True, separators=(",", ":")),
            "fork": str(fork) if self._document["works"] else "",
            "run": self._url(run),
            "tool": _TOOL,
            "tools": self._document.get("tools", ""),
            "foreign_tree": self._document.get("foreign_tree", False),
            "trust": str(sigstore.trust_file(self._store)),
            "token": token_of_run(self._store, identity),
        }
        file = folder / "order.json"
        file.write_text(json.dumps(order))
        words = (sys.executable, "-m", "plugins.rehearsal.step_runner", file)
        self._processes[run["id"]] = (
            machine.begun(_HERE, folder / "log.txt", *words)
            if self._document["works"]
            else SayingRun(file)
        )

    def _ended(self, run: Mapping[str, Any]) -> str:
        """How it ended; "" while it has not."""
        # Asked first: one that ends between the two looks has left what it attests.
        process = self._processes.get(run["id"])
        is_over = process is not None and process.poll() is not None
        if (self._folder(run) / "bundle.json").is_file():
            return "success"
        if is_over:
            return "failure"
        known = [end for fault, end in _ENDS.items() if fault in run["faults"]]
        return known[0] if known and run["polls"] > self._document["polls"] else ""

    def _described(self, run: Mapping[str, Any]) -> dict[str, Any]:
        ended = self._ended(run)
        goes = run["id"] in self._processes
        return {
            "id": run["id"],
            "name": "pep101 step",
            "display_title": f"step {run['inputs']['digest']}",
            "event": "workflow_dispatch",
            "head_branch": "main",
            "head_sha": _SHA,
            "created_at": run["at"],
            "run_started_at": run.get("again_at", run["at"]),
            "status": "completed" if ended else "in_progress" if goes else "queued",
            "conclusion": ended or None,
            "html_url": self._url(run),
        }

    @property
    def _document(self) -> dict[str, Any]:
        kept: dict[str, Any] = self._store.load("steps", {"polls": 0, "works": False, "runs": []})
        return kept

    def _folder(self, run: Mapping[str, Any]) -> Path:
        return self._store.folder / "steps" / str(run["id"])

    def _url(self, run: Mapping[str, Any]) -> str:
        return f"https://github.com/{run['repository']}/actions/runs/{run['id']}"

    async def again(self, request: Request) -> Response:
        """Source: GitHub's "Re-run a workflow". What went wrong before goes well this time.

        ``run_started_at`` is when it was run again, ``created_at`` when it was first asked for.
        """
        now = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - the simulated side
        return self._changed(request.path_params["id"], {}, 201, again_at=now.isoformat())

    async def _cancel(self, request: Request) -> Response:
        """Source: GitHub's "Cancel a workflow run"."""
        return self._changed(request.path_params["id"], {"steps.cancelled": ""}, 202)

    def _changed(self, number: int, faults: dict[str, str], status: int, **more: str) -> Response:
        kept = self._document
        for run in kept["runs"]:
            if run["id"] == number:
                run.update(faults=faults, **more)
                self._store.save("steps", kept)
                if (process := self._processes.pop(number, None)) is not None:
                    process.end() if isinstance(process, SayingRun) else machine.end(process)
                self._put_aside(run)
                return Response(None, status)
        return problem(404, "Not Found")

    def _put_aside(self, run: Mapping[str, Any]) -> None:
        """What the attempt left stays at GitHub, and another one may begin."""
        folder, earlier = self._folder(run), self._attempts(run)[1:]
        if (folder / "bundle.json").is_file():
            folder.rename(folder.with_name(f"{folder.name}.{len(earlier)}"))
        shutil.rmtree(folder, ignore_errors=True)

    def _attempts(self, run: Mapping[str, Any]) -> list[Path]:
        """The folder of each attempt, the newest first."""
        folder = self._folder(run)
        earlier = sorted(folder.parent.glob(f"{folder.name}.*"), key=lambda path: path.suffix)
        return [folder, *reversed(earlier)]

    # ── what they left ─────────────────────────────────────────────────────────────────────

    def artifacts(self, number: int) -> list[tuple[dict[str, Any], bytes]] | None:
        """The artifacts of the run as GitHub lists them, with the bytes; None for no such run.

        What each attempt left is in it, of one name. Source: actions/toolkit,
        ListArtifactsOptions.latest.
        """
        run = next((each for each in self._document["runs"] if each["id"] == number), None)
        if run is None:
            return None
        found = []
        for at, folder in enumerate(reversed(self._attempts(run))):
            if not (folder / "result").is_dir():
                continue
            now = folder == self._folder(run) and "steps.other_bytes" in run["faults"]
            content = _zip(folder / "result", now or (folder / "other_bytes").exists())
            listed = {
                "id": number + at * _ATTEMPT,
                "name": "result",
                "size_in_bytes": len(content),
                "expired": "steps.expired" in run["faults"],
                "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
            }
            found.append((listed, content))
        return found

    def artifact(self, number: int) -> bytes | None:
        """The bytes of the artifact of this id; None if it is of no run of steps."""
        run = _FIRST + (number - _FIRST) % _ATTEMPT
        listed = self.artifacts(run) if number >= _FIRST else None
        return next((content for each, content in listed or () if each["id"] == number), None)

    def attestations(self, digest: str) -> list[dict[str, Any]]:
        """The bundles about this digest, the newest first."""
        found = []
        for run in reversed(self._document["runs"]):
            for folder in self._attempts(run):
                file = folder / "bundle.json"
                if not file.is_file():
                    continue
                predicate = json.loads((folder / "made" / "predicate.json").read_bytes())
                if _is_about(run, predicate, digest):
                    found.append(json.loads(file.read_bytes()))
        return found


def _is_about(run: Mapping[str, Any], predicate: Mapping[str, Any], digest: str) -> bool:
    # A run that lies attests its other action by the digest that it was asked for.
    known = {run["inputs"]["digest"], *predicate["products"].values()}
    return digest.removeprefix("sha256:") in known


def _zip(folder: Path, other: bool) -> bytes:  # noqa: FBT001 - of this module
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path in sorted(folder.iterdir()):
            entry = zipfile.ZipInfo(path.name, (2026, 1, 1, 0, 0, 0))
            archive.writestr(entry, path.read_bytes() + (b" " if other else b""))
    return stream.getvalue()
