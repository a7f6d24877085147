"""Signatures: whether what is beside a file is a signature of it, by one who may sign it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ReleaseError
from plugins.model.published_file import Kind
from plugins.model.rules import breach
from plugins.ports.signing import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.verify_context import Signers
    from doit_receipts.finding import Finding
    from plugins.model.contract import Contract
    from plugins.model.found_files import FoundFiles
    from plugins.model.published_file import PublishedFile
    from plugins.ports.signing import Verifier

__all__ = ["RULE_OF", "signatures_are_good"]

RULE_OF: Final[Mapping[Verdict, str]] = {
    Verdict.EXPIRED: "signature.expired",
    Verdict.REVOKED: "signature.revoked",
    Verdict.OTHER_KEY: "signature.identity",
    Verdict.UNKNOWN_KEY: "signature.identity",
    Verdict.OTHER_BYTES: "signature.bytes",
    Verdict.UNREADABLE: "signature.unreadable",
    Verdict.MISSING: "signature.missing",
}


def signatures_are_good(
    contract: Contract, found_files: FoundFiles, signers: Signers, verifier: Verifier
) -> tuple[Finding, ...]:
    """Every signature of the contract is good, and by a key that may sign what it signs.

    A signature that is missing is reported here as well as in the set, for its file is then
    unsigned (cpython#123807).
    """
    return tuple(
        finding
        for file in contract.files
        if file.kind is Kind.SIGNATURE
        for finding in _judged(file, contract, found_files, signers, verifier)
    )


def _judged(
    file: PublishedFile,
    contract: Contract,
    found_files: FoundFiles,
    signers: Signers,
    verifier: Verifier,
) -> Iterator[Finding]:
    there, signed = found_files.files.get(file.remote), found_files.files.get(file.beside)
    if there is None:
        yield breach("signature.missing", file.beside, "has no signature beside it")
        return
    if signed is None:
        yield breach("signature.missing", file.remote, "signs a file that is not there")
        return
    subject = contract.find(file.beside)
    origin = subject.origin if subject is not None else file.origin
    if there.source is None or signed.source is None:
        yield breach("signature.unseen", file.remote, "its bytes are not on this machine")
        return
    try:
        result = verifier.verify_by(signed.source, there.source, signers.of(origin))
    except ReleaseError as error:
        yield breach("signature.unseen", file.remote, str(error))
        return
    if result.problem:
        yield breach(RULE_OF[result.verdict], file.remote, result.problem)
