"""CI attested: GitHub states of each file of CI's own build which run of which workflow made it.

Nobody who only stores or moves a file can state that. Today's workflow states nothing, so this is
asked for artifacts that ``[farm] attested`` names, and none by default.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import counted
from plugins.model.provenance import (
    BUILDER,
    CLAIMS,
    PREDICATE_TYPE,
    SIGNER,
    WORKFLOW,
    made_by,
    run_url,
)
from plugins.model.strict_json import BrokenJson

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plugins.model.layout import Layout
    from plugins.model.statement import Statement
    from plugins.ports.github import Workflows
    from plugins.ports.statements import StatementVerifier

__all__ = ["ci_build_is_attested"]

_MOST_SHOWN: Final = 3
_AGAIN: Final = "doit forget await_build fetch_build, then the same command"


@judges("ci.attested", blind="ci.attested")
def ci_build_is_attested(
    layout: Layout,
    artifacts: Sequence[str],
    workflows: Workflows,
    sigstore: StatementVerifier,
    run: str,
) -> tuple[Finding, ...]:
    """Every file of these artifacts is attested by the workflow that builds, in this run of it.

    For one that is not, the message names the proof that is missing: Sigstore's, the workflow's
    identity, a claim of its certificate, the predicate, the run or the file.
    """
    counts: list[Statement] = []
    found: list[Finding] = []
    for artifact in artifacts:
        files = sorted(path for path in (layout.ci / artifact).glob("**/*") if path.is_file())
        remedy = f"run its job again at {run_url(run)}, then {_AGAIN}; or take {artifact} out of"
        remedy += " [farm] attested"
        problems = {
            path.relative_to(layout.ci).as_posix(): why
            for path in files
            if (why := _missing(path, workflows, sigstore, run, counts))
        }
        if not files:
            problems = {artifact: "CI left no artifact of this name"}
        found += [
            Finding("ci.attested", Severity.BLOCK, why, where, remedy)
            for where, why in problems.items()
        ]
        if not problems:
            message = f"{counted(len(files), 'file')} attested by {BUILDER} in {run_url(run)}"
            found.append(Finding("ci.attested", Severity.NOTE, message, artifact))
    return tuple(found)


def _missing(
    file: Path,
    workflows: Workflows,
    sigstore: StatementVerifier,
    run: str,
    counts: list[Statement],
) -> str:
    """Why no attestation of the file counts; "" if one does, which is among ``counts`` then."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if any(each.digest_of(file.name) == digest for each in counts):
        return ""
    refused = []
    for bundle in workflows.attestations(digest, PREDICATE_TYPE):
        stated = sigstore.verify_statement(bundle, SIGNER, CLAIMS, ours=False)
        if stated.signature.problem:
            refused.append(stated.signature.problem)
            continue
        try:
            statement = made_by(stated.payload, run)
        except BrokenJson as error:
            refused.append(str(error))
            continue
        if statement.digest_of(file.name) == digest:
            counts.append(statement)
            return ""
        refused.append(f"is not about {file.name} with sha256 {digest[:16]}…")
    if not refused:
        return f"has no attestation of {WORKFLOW}"
    reasons = list(dict.fromkeys(refused))
    more = f"; {len(reasons) - _MOST_SHOWN} more do not either" if reasons[_MOST_SHOWN:] else ""
    return f"no attestation of it counts: {'; '.join(reasons[:_MOST_SHOWN])}{more}"
