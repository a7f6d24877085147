"""GitHub of the simulated environment: what its build workflow attests of the files that it made.

As ``actions/attest`` does where it is given paths alone: one statement for each artifact, about all
of its files. It is made when somebody first asks for it, and kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.durable import write_whole
from plugins.rehearsal import sigstore, step_runner
from plugins.rehearsal.identity import Account, token, token_of_run
from plugins.rehearsal.workflow_identity import WorkflowRun

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plugins.rehearsal.github_hub import Hub

__all__ = ["FAULTS", "Provenance"]

FAULTS: Final = {
    "ci.unattested": "the build of an artifact makes no attestation of its files",
    "ci.falsely_attested": "what is attested of an artifact is false in what the argument says:"
    " issuer, workflow, trigger, runner, predicate, run or files",
}
_BUILDER: Final = "python/release-tools"
_PLACE: Final = f"https://github.com/{_BUILDER}"
_WORKFLOW: Final = "build-release.yml"
_REF: Final = "refs/heads/main"
_SHA: Final = hashlib.sha1(b"release-tools", usedforsecurity=False).hexdigest()


class Provenance:
    """The attestations of each attempt of each run of the build workflow."""

    TYPE: Final = "https://slsa.dev/provenance/v1"

    def __init__(self, hub: Hub) -> None:
        self._store = hub.store

    async def attestations(
        self, digest: str, run: Mapping[str, Any], made: Mapping[str, Sequence[tuple[str, bytes]]]
    ) -> list[dict[str, Any]]:
        """The bundles about this digest that the run left, as ``sha256:…``, the oldest first."""
        if run["workflow"] != _WORKFLOW:
            return []
        found = []
        for artifact, files in made.items():
            sums = {path.rpartition("/")[2]: _sha256(content) for path, content in files}
            if digest.removeprefix("sha256:") in sums.values():
                bundle = await self._bundle(run, artifact, sums)
                found += [bundle] if bundle else []
        return found

    async def _bundle(
        self, run: Mapping[str, Any], artifact: str, sums: Mapping[str, str]
    ) -> dict[str, Any] | None:
        attempt = run.get("attempt", 1)
        made = _sha256(json.dumps([artifact, sums]).encode())[:16]
        file = self._store.folder / "provenance" / f"{run['id']}-{attempt}-{made}.json"
        if not file.is_file():
            withheld = self._store.fault("ci.unattested") is not None
            false = self._store.fault("ci.falsely_attested") or ""
            # In a thread: Fulcio and Rekor answer in this very loop.
            text = "null" if withheld else await asyncio.to_thread(
                step_runner.signed, _statement(run["id"], attempt, sums, false),
                sigstore.trust_file(self._store), self._token(run["id"], false),
            )  # fmt: skip
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, text.encode())
        found: dict[str, Any] | None = json.loads(file.read_bytes())
        return found

    def _token(self, run: int, false: str) -> str:
        if false == "issuer":
            until = datetime.now(UTC) + timedelta(minutes=5)  # noqa: TID251 - the simulated side
            return token(self._store, Account("somebody@example.org"), until)
        return token_of_run(self._store, WorkflowRun(
            repository=_BUILDER,
            workflow="other.yml" if false == "workflow" else _WORKFLOW,
            sha=_SHA,
            run=run,
            trigger="push" if false == "trigger" else "workflow_dispatch",
            runner="self-hosted" if false == "runner" else "github-hosted",
        ))  # fmt: skip


def _statement(run: int, attempt: int, sums: Mapping[str, str], false: str) -> dict[str, Any]:
    """Source: actions/toolkit, packages/attest/src/provenance.ts."""
    number = run + 1 if false == "run" else run
    subjects = {name: _sha256(b"other") for name in sums} if false == "files" else sums
    workflow = {"ref": _REF, "repository": _PLACE, "path": f".github/workflows/{_WORKFLOW}"}
    github = {"event_name": "workflow_dispatch", "repository_id": "1", "repository_owner_id": "1",
              "runner_environment": "github-hosted"}  # fmt: skip
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": name, "digest": {"sha256": sha256}} for name, sha256 in subjects.items()
        ],
        "predicateType": f"{Provenance.TYPE}.1" if false == "predicate" else Provenance.TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": "https://actions.github.io/buildtypes/workflow/v1",
                "externalParameters": {"workflow": workflow},
                "internalParameters": {"github": github},
                "resolvedDependencies": [
                    {"uri": f"git+{_PLACE}@{_REF}", "digest": {"gitCommit": _SHA}}
                ],
            },
            "runDetails": {
                "builder": {"id": f"{_PLACE}/.github/workflows/{_WORKFLOW}@{_REF}"},
                "metadata": {"invocationId": f"{_PLACE}/actions/runs/{number}/attempts/{attempt}"},
            },
        },
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
