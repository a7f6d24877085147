"""Sigstore's client and statements: what it confirms of a signed statement, and for whom."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from plugins.model.envelope import read_envelope
from plugins.model.statement import PAYLOAD_TYPE
from plugins.model.strict_json import BrokenJson
from plugins.ports.signing import Signature, Verdict
from plugins.ports.statements import Stated
from plugins.services.sigstore_bundle import NoBundle, bundle_of, line_of, maker_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.series import SigstoreIdentity

__all__ = ["judged_statement"]

_CLAIMS: Final = frozenset({
    "GitHubWorkflowName", "GitHubWorkflowRef", "GitHubWorkflowRepository", "GitHubWorkflowSHA",
    "GitHubWorkflowTrigger", "OIDCBuildConfigDigest", "OIDCBuildConfigURI",
    "OIDCBuildSignerDigest", "OIDCBuildSignerURI", "OIDCBuildTrigger", "OIDCRunInvocationURI",
    "OIDCRunnerEnvironment", "OIDCSourceRepositoryDigest", "OIDCSourceRepositoryRef",
    "OIDCSourceRepositoryURI",
})  # fmt: skip
"""The policies of sigstore.verify.policy that take one text."""


def judged_statement(
    verifier: Any, text: bytes, by: SigstoreIdentity, claims: Mapping[str, str], *, ours: bool
) -> Stated:
    """What Sigstore confirms of this bundle; see StatementVerifier."""
    from sigstore.verify import policy

    unknown = claims.keys() - _CLAIMS
    if unknown:
        message = f"{min(unknown)} is not a policy of one text"
        raise ValueError(message)
    try:
        envelope = read_envelope(text, ours=ours)
        found = bundle_of(text)
        maker = maker_of(found.signing_certificate)
    except (BrokenJson, NoBundle) as error:
        return Stated(Signature("", f"is not a bundle: it {error}", Verdict.UNREADABLE))
    own = policy.Identity(identity=maker.address, issuer=maker.issuer)
    try:
        kind, payload = verifier.verify_dsse(found, own)
    except Exception as error:  # noqa: BLE001 - untrusted bytes are good only if this returns
        why = _outside(found.signing_certificate, envelope.logged_s) or line_of(error)
        problem = f"Sigstore does not confirm it: {why}"
        return Stated(Signature("", problem, Verdict.UNKNOWN_KEY))
    if kind != PAYLOAD_TYPE or payload != envelope.payload:
        problem = "what Sigstore verified is not the payload that the bundle shows"
        return Stated(Signature(str(maker), problem, Verdict.OTHER_BYTES))
    if maker != by or not by.address or not by.issuer:
        problem = f"was made by {maker}, wanted {by}"
        return Stated(Signature(str(maker), problem, Verdict.OTHER_KEY))
    for name, wanted in sorted(claims.items()):
        try:
            getattr(policy, name)(wanted).verify(found.signing_certificate)
        except Exception as error:  # noqa: BLE001 - as above
            problem = f"its certificate does not say {name} {wanted}: {line_of(error)}"
            return Stated(Signature(str(maker), problem, Verdict.OTHER_KEY))
    return Stated(Signature(str(by), ""), payload, envelope.log_index, envelope.logged_s)


def _outside(certificate: Any, logged_s: int) -> str:
    """That the log has it at a time when the certificate was not good; "" if it was."""
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not logged_s or first.timestamp() <= logged_s <= last.timestamp():
        return ""
    logged = datetime.fromtimestamp(logged_s, UTC)
    return (
        f"its certificate is good from {first:%Y-%m-%d %H:%M} to {last:%H:%M} UTC, and the public "
        f"log has it at {logged:%Y-%m-%d %H:%M}"
    )
