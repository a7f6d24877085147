"""Provenance: what GitHub states of files that the build workflow of CPython's releases made.

The statement says which run made them, and not from which commit: the workflow checks CPython out
by itself. Which commit that run was asked to build is known from its start.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.printable import printable
from plugins.model.attested import workflow_claims, workflow_signer
from plugins.model.statement import read_statement
from plugins.model.strict_json import BrokenJson

if TYPE_CHECKING:
    from plugins.model.statement import Statement

__all__ = ["BUILDER", "CLAIMS", "PREDICATE_TYPE", "SIGNER", "WORKFLOW", "made_by", "run_url"]

BUILDER: Final = "python/release-tools"
WORKFLOW: Final = "build-release.yml"
PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
"""What actions/attest states where it is given no predicate. Source: its src/detect.ts, 2026."""
SIGNER: Final = workflow_signer(BUILDER, WORKFLOW, "main")
CLAIMS: Final = workflow_claims(BUILDER)


def run_url(run: str) -> str:
    """The address of the run with this id."""
    return f"https://github.com/{BUILDER}/actions/runs/{run}"


def made_by(payload: bytes, run: str) -> Statement:
    """The statement, if it is of this run. Raises BrokenJson, whose text says what is missing.

    Each attempt of the run counts: jobs that failed are run again there. Source of
    ``invocationId``: actions/toolkit, packages/attest/src/provenance.ts.
    """
    statement = read_statement(payload, ours=False)
    if statement.predicate_type != PREDICATE_TYPE:
        message = f"has the predicate {statement.predicate_type}, wanted {PREDICATE_TYPE}"
        raise BrokenJson(message)
    found = _inside(statement.predicate, "runDetails", "metadata", "invocationId")
    if not re.fullmatch(rf"{re.escape(run_url(run))}/attempts/[0-9]{{1,6}}", found):
        shown = printable(found)[:120] or "no run"
        message = f"is of {shown}, wanted {run_url(run)}"
        raise BrokenJson(message)
    return statement


def _inside(found: Any, *keys: str) -> str:
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""
