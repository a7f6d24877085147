"""GitHub's machines: one workflow that runs steps, its runs, and the attestations of them.

Read in GitHub's REST documentation of version 2022-11-28: "Create a workflow dispatch event" with
``return_run_details`` (since February 2026) and "List workflow runs for a workflow". Not tried
against GitHub itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from plugins.ports.machines import StepRun
from plugins.services.github import GitHub

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plugins.model.secret import Secret
    from plugins.ports.github import Artifact
    from plugins.services.answers import Part

__all__ = ["GitHubMachines"]


class GitHubMachines:
    """The Machines port of one workflow file of one repository, on the branch ``ref``."""

    def __init__(
        self, api: str, repository: str, token: Secret | None, *, workflow: str, ref: str
    ) -> None:
        self._hub = GitHub(api, repository, token)
        self._web = self._hub._web  # noqa: SLF001 - the same client of the same server
        self._actions = f"/repos/{repository}/actions"
        self._workflow = workflow
        self._ref = ref

    def __repr__(self) -> str:
        return f"machines({self._hub!r}, {self._workflow})"

    def dispatch(self, inputs: Mapping[str, str]) -> int:
        """See the port."""
        return self._hub.dispatch(self._workflow, self._ref, inputs)

    def runs(self) -> tuple[StepRun, ...]:
        """See the port."""
        action = f"list runs of {self._workflow}"
        path = f"{self._actions}/workflows/{quote(self._workflow)}/runs"
        answer = self._web.get(path, action, event="workflow_dispatch", per_page=100)
        return tuple(map(_run, self._web.json(answer, action).parts("workflow_runs")))

    def run(self, number: int) -> StepRun | None:
        """See the port."""
        action = f"read run {number}"
        answer = self._web.get(f"{self._actions}/runs/{number}", action, may_miss=True)
        return None if answer.status_code == 404 else _run(self._web.json(answer, action))

    def attestations(self, sha256: str, predicate_type: str) -> tuple[bytes, ...]:
        """See the port."""
        return self._hub.attestations(sha256, predicate_type)

    def artifacts(self, number: int) -> tuple[Artifact, ...]:
        """See the port."""
        return self._hub.artifacts(number)

    def download(self, artifact: Artifact, file: Path) -> str:
        """See the port."""
        return self._hub.download(artifact, file)


def _run(part: Part) -> StepRun:
    status = part.line("status")
    return StepRun(
        part.number("id"),
        part.line("display_title", may_miss=True),
        status,
        part.line("conclusion", may_miss=True) if status == "completed" else "",
        part.url("html_url"),
        part.line("run_started_at", may_miss=True) or part.line("created_at"),
    )
