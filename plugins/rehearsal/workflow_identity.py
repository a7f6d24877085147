"""Simulated identity of a run at GitHub: what its token says, and what a certificate says.

Source: Fulcio's documentation "OID information" and GitHub's "OpenID Connect" reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ISSUER", "WorkflowRun"]

ISSUER: Final = "https://token.actions.githubusercontent.com"
_ARC: Final = "1.3.6.1.4.1.57264.1"
_UTF8_STRING: Final = 0x0C
_GITHUB: Final = "https://github.com"


@frozen
class WorkflowRun:
    """A run that asks for a certificate; ``email`` is empty, since it is nobody's."""

    repository: str
    workflow: str
    sha: str
    run: int
    ref: str = "refs/heads/main"
    trigger: str = "workflow_dispatch"
    runner: str = "github-hosted"
    connector: str = ISSUER
    caller: str = ""
    """The repository whose workflow calls this one, and where the run is; "" for its own."""

    @property
    def _runs_in(self) -> str:
        return self.caller or self.repository

    @property
    def uri(self) -> str:
        """Its name in a certificate: the workflow file at its ref."""
        return f"{_GITHUB}/{self._job_workflow_ref}"

    @property
    def email(self) -> str:
        """What the log of the simulated authority calls it."""
        return self.uri

    @property
    def _job_workflow_ref(self) -> str:
        return f"{self.repository}/.github/workflows/{self.workflow}@{self.ref}"

    def claims(self) -> dict[str, Any]:
        """What its token says."""
        return {
            "sub": f"repo:{self._runs_in}:ref:{self.ref}",
            "repository": self._runs_in,
            "job_workflow_ref": self._job_workflow_ref,
            "job_workflow_sha": self.sha,
            "workflow": self.workflow,
            "sha": self.sha,
            "ref": self.ref,
            "event_name": self.trigger,
            "runner_environment": self.runner,
            "run_id": str(self.run),
            "run_attempt": "1",
        }

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> WorkflowRun:
        """The run that these claims are of. Raises KeyError or ValueError."""
        path, _, ref = claims["job_workflow_ref"].partition("@")
        return cls(
            repository=path.partition("/.github/")[0],
            caller=claims["repository"],
            workflow=path.rpartition("/")[2],
            sha=claims["sha"],
            run=int(claims["run_id"]),
            ref=ref,
            trigger=claims["event_name"],
            runner=claims["runner_environment"],
        )

    def extensions(self) -> tuple[x509.UnrecognizedExtension, ...]:
        """What a certificate says of it besides its name and issuer."""
        repository = f"{_GITHUB}/{self._runs_in}"
        old = {2: self.trigger, 3: self.sha, 4: "pep101 step", 5: self._runs_in, 6: self.ref}
        new = {
            9: self.uri, 10: self.sha, 11: self.runner, 12: repository, 13: self.sha, 14: self.ref,
            18: self.uri, 19: self.sha, 20: self.trigger,
            21: f"{repository}/actions/runs/{self.run}/attempts/1", 22: "public",
        }  # fmt: skip
        found = {f"{_ARC}.{number}": text.encode() for number, text in old.items()}
        found |= {f"{_ARC}.{number}": _text(text) for number, text in new.items()}
        return tuple(
            x509.UnrecognizedExtension(ObjectIdentifier(oid), raw) for oid, raw in found.items()
        )


def _text(text: str) -> bytes:
    """A DER UTF8String."""
    raw = text.encode()
    size = len(raw)
    if size < 0x80:
        return bytes((_UTF8_STRING, size)) + raw
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((_UTF8_STRING, 0x80 | len(length))) + length + raw
