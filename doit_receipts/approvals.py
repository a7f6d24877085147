"""Approvals: green lights written with a key and judged by the roster of who may give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.approval import Approval, BrokenApproval, Judgement, Validity, approval_file
from doit_receipts.durable import write_whole
from plugins.ports.signing import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from plugins.model.layout import Layout
    from plugins.ports.signing import Signer, Verifier

__all__ = ["judge", "write"]

_SHOWN = 24  # of a digest, or of a name
_VALIDITIES = {
    Verdict.GOOD: Validity.GOOD,
    Verdict.EXPIRED: Validity.EXPIRED_KEY,
    Verdict.REVOKED: Validity.UNKNOWN_KEY,
    Verdict.OTHER_KEY: Validity.UNKNOWN_KEY,
    Verdict.UNKNOWN_KEY: Validity.UNKNOWN_KEY,
    Verdict.OTHER_BYTES: Validity.BAD_SIGNATURE,
    Verdict.UNREADABLE: Validity.BAD_SIGNATURE,
    Verdict.MISSING: Validity.BAD_SIGNATURE,
}


def write(layout: Layout, approval: Approval, signer: Signer) -> dict[str, str]:
    """The approval and its signature stand under ``approvals/``; an older one is replaced.

    The signature is made of a draft first: a statement without one is never left where it
    counts, and one that stands is not touched if the key cannot sign.
    """
    statement = approval_file(layout, approval.task)
    draft = statement.with_name(statement.name + ".draft")
    write_whole(draft, approval.to_bytes())
    try:
        signer.sign(draft, signature_of(draft))
        # The old pair is broken for a moment; a broken pair is a bad signature, never a good one.
        signature_of(draft).replace(signature_of(statement))
        draft.replace(statement)
    finally:
        draft.unlink(missing_ok=True)
        signature_of(draft).unlink(missing_ok=True)
    return {
        "task": approval.task,
        "subject": approval.subject,
        "by": approval.by,
        "key": signer.fingerprint,
    }


def judge(
    layout: Layout, wanted: Approval, roster: Collection[str], verifier: Verifier
) -> Judgement:
    """What the approval of a task is worth for what is ``wanted`` now.

    Task, version and subject have to be those wanted; ``by`` and ``note`` are the approver's
    own. The signature has to be by exactly one key of the roster.
    """
    statement = approval_file(layout, wanted.task)
    try:
        raw = statement.read_bytes()
    except FileNotFoundError:
        return Judgement(Validity.ABSENT, "nobody has approved it yet")
    signature = verifier.verify_by(statement, signature_of(statement), roster)
    key = signature.fingerprint
    if signature.verdict is not Verdict.GOOD:
        return Judgement(_VALIDITIES[signature.verdict], _reason(signature.problem), key)
    try:
        found = Approval.from_bytes(raw, statement.name)
    except BrokenApproval as error:
        return Judgement(Validity.BAD_SIGNATURE, error.problem, key)
    for name, here, there in (
        ("task", found.task, wanted.task),
        ("version", found.version, wanted.version),
        ("bytes", found.subject, wanted.subject),
    ):
        if here != there:
            reason = f"{found.by} approved other {name}: {here[:_SHOWN]}, now {there[:_SHOWN]}"
            return Judgement(Validity.OTHER_BYTES, reason, key, found)
    note = f": {found.note}" if found.note else ""
    return Judgement(Validity.GOOD, f"approved by {found.by}{note}", key, found)


def signature_of(statement: Path) -> Path:
    """Where the signature of a statement stands."""
    return statement.with_name(statement.name + ".asc")


def _reason(problem: str) -> str:
    if problem.endswith("is not there"):
        return f"its signature is missing: {problem}"
    return f"its signature: {problem}"
