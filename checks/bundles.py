"""Bundles: whether Sigstore says of each file that its release manager signed it (PEP 761)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ReleaseError
from plugins.model.published_file import DETACHED_SUFFIXES, Kind
from plugins.model.rules import breach
from plugins.ports.signing import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from doit_receipts.finding import Finding
    from plugins.model.contract import Contract
    from plugins.model.found_files import FoundFiles
    from plugins.model.published_file import PublishedFile
    from plugins.model.series import SigstoreIdentity
    from plugins.ports.sigstore import BundleVerifier, DetachedVerifier

__all__ = ["bundles_are_good", "detached_are_good"]

_RULES: Final[Mapping[Verdict, str]] = {
    Verdict.OTHER_KEY: "bundle.identity",
    Verdict.UNKNOWN_KEY: "bundle.untrusted",
    Verdict.OTHER_BYTES: "bundle.bytes",
    Verdict.UNREADABLE: "bundle.unreadable",
    Verdict.MISSING: "bundle.missing",
}


def bundles_are_good(
    contract: Contract, found_files: FoundFiles, by: SigstoreIdentity, verifier: BundleVerifier
) -> tuple[Finding, ...]:
    """Every bundle of the contract is of the file beside it, by this identity and this issuer."""
    return tuple(
        finding
        for file in contract.files
        if file.kind is Kind.BUNDLE
        for finding in _judged(file, found_files, by, verifier)
    )


def detached_are_good(
    contract: Contract, found_files: FoundFiles, by: SigstoreIdentity, verifier: DetachedVerifier
) -> tuple[Finding, ...]:
    """Where a file has a detached signature it has its certificate too, and both are right."""
    signature, certificate = DETACHED_SUFFIXES
    signed = dict.fromkeys(f.beside for f in contract.files if f.kind is Kind.DETACHED)
    found: list[Finding] = []
    for remote in signed:
        there = [found_files.files.get(f"{remote}{suffix}") for suffix in ("", *DETACHED_SUFFIXES)]
        lacking = [
            suffix
            for suffix, each in zip(("", *DETACHED_SUFFIXES), there, strict=True)
            if each is None or each.source is None
        ]
        if lacking:
            message = f"is not there, and {signature} needs {certificate} and the file"
            found += [breach("bundle.missing", f"{remote}{suffix}", message) for suffix in lacking]
            continue
        file, *both = (each for each in there if each is not None)
        paths = [each.source for each in both if each.source is not None]
        try:
            result = verifier.verify_detached(paths[0], paths[1], file.content.sha256, by)
        except ReleaseError as error:
            found.append(breach("bundle.unseen", f"{remote}{signature}", str(error)))
            continue
        if result.problem:
            found.append(breach(_RULES[result.verdict], f"{remote}{signature}", result.problem))
    return tuple(found)


def _judged(
    file: PublishedFile, found_files: FoundFiles, by: SigstoreIdentity, verifier: BundleVerifier
) -> Iterator[Finding]:
    there, signed = found_files.files.get(file.remote), found_files.files.get(file.beside)
    if there is None:
        yield breach("bundle.missing", file.beside, "has no bundle beside it")
        return
    if signed is None:
        yield breach("bundle.missing", file.remote, "is the bundle of a file that does not exist")
        return
    if there.source is None or not signed.content.sha256:
        yield breach("bundle.unseen", file.remote, "its bytes are not on this machine")
        return
    try:
        result = verifier.verify_bundle(there.source, signed.content.sha256, by)
    except ReleaseError as error:
        yield breach("bundle.unseen", file.remote, str(error))
        return
    if result.problem:
        yield breach(_RULES[result.verdict], file.remote, result.problem)
