"""Signed statements over real HTTP, against the rehearsed Sigstore: what is signed and refused."""

from __future__ import annotations

import base64
import json
from functools import reduce
from operator import getitem
from typing import TYPE_CHECKING, Any

import pytest
from sigstore.models import ClientTrustConfig
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity

from doit_receipts.errors import ServiceFailed
from plugins.model.envelope import as_kept
from plugins.model.secret import Secret
from plugins.model.series import SigstoreIdentity
from plugins.model.statement import Statement, Subject, read_statement
from plugins.model.strict_json import canonical
from plugins.ports.signing import Verdict
from plugins.rehearsal import rekor, sigstore
from plugins.rehearsal.identity import GITHUB, GOOGLE
from plugins.rehearsal.store import ALWAYS
from plugins.services.sigstore_client import SigstoreClient
from tests.rehearsal.sigstore_client import Client, a_client

if TYPE_CHECKING:
    from collections.abc import Iterator

RM = SigstoreIdentity("rm@example.org", GITHUB)
KIND = "https://example.org/kind/v1"
FIRST = Statement((Subject("Python-3.13.6.tgz", "a" * 64),), KIND, {"count": 1}).payload()
SECOND = Statement((Subject("Python-3.13.6.tgz", "a" * 64),), KIND, {"count": 2}).payload()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with a_client(tmp_path_factory.mktemp("sigstore") / "world") as made:
        yield made


@pytest.fixture
def client(lasting: Client) -> Client:
    """Of an environment in which the release manager has just logged in."""
    lasting.world.store.save("faults", {})
    sigstore.sign_in(lasting.world.store)
    return lasting


def signer_of(client: Client) -> SigstoreClient:
    store = client.world.store
    return SigstoreClient(
        sigstore.trust_file(store), Secret(f"file:{sigstore.token_file(store)}"), 60.0
    )


def anybody(client: Client) -> SigstoreClient:
    """Somebody without a token."""
    return SigstoreClient(sigstore.trust_file(client.world.store))


def signed(client: Client, payload: bytes = FIRST) -> bytes:
    ((_, bundle),) = signer_of(client).sign_statements([payload], RM)
    return bundle


def test_statements_are_signed_and_anybody_verifies_them(client: Client) -> None:
    before = len(rekor.entries(client.world.store))
    made = dict(signer_of(client).sign_statements([FIRST, SECOND], RM))
    assert set(made) == {FIRST, SECOND}
    for payload, bundle in made.items():
        found = anybody(client).verify_statement(bundle, RM)
        assert (found.signature.problem, found.payload) == ("", payload)
        assert found.log_index > 1000
        assert found.logged_s > 1_700_000_000
        assert read_statement(found.payload).predicate_type == KIND
    assert len(rekor.entries(client.world.store)) == before + 2


def test_the_bundle_is_one_that_the_client_itself_reads(client: Client) -> None:
    """Not only our reading of it: the library's, from the text of the file."""
    from sigstore.models import Bundle  # noqa: PLC0415 - beside what it is compared with

    trust = ClientTrustConfig.from_json(sigstore.trust_file(client.world.store).read_text())
    kind, payload = Verifier(trusted_root=trust.trusted_root).verify_dsse(
        Bundle.from_json(signed(client)), Identity(identity=RM.address, issuer=RM.issuer)
    )
    assert (kind, payload) == ("application/vnd.in-toto+json", FIRST)


@pytest.mark.parametrize(
    ("by", "verdict"),
    [
        (SigstoreIdentity("other@example.org", GITHUB), Verdict.OTHER_KEY),
        (SigstoreIdentity(RM.address, GOOGLE), Verdict.OTHER_KEY),
        (SigstoreIdentity("", ""), Verdict.OTHER_KEY),
    ],
)
def test_a_statement_by_somebody_else_is_refused(
    client: Client, by: SigstoreIdentity, verdict: Verdict
) -> None:
    found = anybody(client).verify_statement(signed(client), by)
    assert (found.signature.verdict, found.payload) == (verdict, b"")
    assert "was made by rm@example.org" in found.signature.problem


def test_a_claim_that_the_certificate_does_not_make_is_refused(client: Client) -> None:
    claims = {"GitHubWorkflowRepository": "python/release-tools"}
    found = anybody(client).verify_statement(signed(client), RM, claims)
    assert (found.signature.verdict, found.payload) == (Verdict.OTHER_KEY, b"")
    with pytest.raises(ValueError, match="not a policy"):
        anybody(client).verify_statement(signed(client), RM, {"UnsafeNoOp": "x"})


def test_a_statement_from_another_environment_is_refused(client: Client, tmp_path: Any) -> None:
    with a_client(tmp_path) as other:
        foreign = signed(other)
    found = anybody(client).verify_statement(foreign, RM)
    assert found.signature.verdict is Verdict.UNKNOWN_KEY


def leaves(found: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each text of the bundle is."""
    if isinstance(found, dict | list):
        pairs = found.items() if isinstance(found, dict) else enumerate(found)
        for key, value in list(pairs):
            yield from leaves(value, (*place, key))
    else:
        yield place


def alterations(bundle: bytes) -> Iterator[tuple[tuple[Any, ...], int, bytes]]:
    """The bundle with one character of one text changed, or (-1) without that text."""
    for place in leaves(json.loads(bundle)):
        value: str = reduce(getitem, place, json.loads(bundle))
        # Of long ones some, with the first and the last ones, where formats keep their marks.
        step = max(1, len(value) // 24)
        chosen = {*range(0, len(value), step), *range(len(value))[-6:], *range(len(value))[:6]}
        for at in (-1, *sorted(chosen)):
            found = json.loads(bundle)
            holder = reduce(getitem, place[:-1], found)
            if at < 0:
                del holder[place[-1]]
            else:
                other = "7" if value[at].isdigit() and value[at] != "7" else "B"
                other = "C" if value[at] == other else other
                holder[place[-1]] = value[:at] + other + value[at + 1 :]
            yield place, at, canonical(found)


def test_no_field_of_a_bundle_can_be_changed_or_left_out(client: Client) -> None:
    signed(client)
    bundle = signed(client, SECOND)
    verifier = anybody(client)
    tried, missed = 0, []
    for place, at, spoiled in alterations(bundle):
        tried += 1
        if not verifier.verify_statement(spoiled, RM).signature.problem:
            missed.append((place, at))
    assert missed == []
    assert tried > 300


def test_no_byte_of_a_bundle_can_be_added(client: Client) -> None:
    bundle = signed(client)
    verifier = anybody(client)
    for spoiled in (
        bundle + b"\n",
        b" " + bundle,
        bundle.replace(b'":', b'": ', 1),
        bundle[:-1] + b',"note":"x"}',
        bundle.replace(b'"sig":', b'"keyid":"x","sig":'),
        json.dumps(dict(reversed(json.loads(bundle).items()))).encode(),
    ):
        found = verifier.verify_statement(spoiled, RM)
        assert found.signature.verdict is Verdict.UNREADABLE, spoiled[:200]
    relaxed = verifier.verify_statement(json.dumps(json.loads(bundle)).encode(), RM, ours=False)
    assert relaxed.payload == FIRST


def test_the_payload_of_one_statement_is_not_good_with_the_signature_of_another(
    client: Client,
) -> None:
    first, second = json.loads(signed(client)), json.loads(signed(client, SECOND))
    first["dsseEnvelope"]["payload"] = second["dsseEnvelope"]["payload"]
    found = anybody(client).verify_statement(canonical(first), RM)
    assert found.signature.verdict is Verdict.UNKNOWN_KEY


def test_a_bundle_of_a_file_is_no_statement(client: Client) -> None:
    (bundle,) = client.sign(b"a tarball")
    found = anybody(client).verify_statement(bundle.to_json().encode(), RM)
    assert found.signature.verdict is Verdict.UNREADABLE


def test_a_log_that_is_down_is_reported_with_what_to_do(client: Client) -> None:
    client.world.store.order_fault("sigstore.503", times=ALWAYS)
    with pytest.raises(ServiceFailed, match="503"):
        signed(client)


# ── the log itself ───────────────────────────────────────────────────────────────────────────


def proposal_of(bundle: bytes) -> dict[str, Any]:
    """What a client proposes for the envelope of this bundle."""
    found = json.loads(bundle)
    raw = found["verificationMaterial"]["certificate"]["rawBytes"]
    lines = "\n".join(raw[at : at + 64] for at in range(0, len(raw), 64))
    pem = f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
    content = {
        "envelope": json.dumps(found["dsseEnvelope"]),
        "verifiers": [base64.b64encode(pem.encode()).decode()],
    }
    return {"apiVersion": "0.0.1", "kind": "dsse", "spec": {"proposedContent": content}}


def test_the_log_takes_only_envelopes_whose_signature_is_right(client: Client) -> None:
    """Source: sigstore/rekor, pkg/types/dsse/v0.0.1/entry.go."""
    proposal = proposal_of(signed(client))
    content = proposal["spec"]["proposedContent"]
    assert client.post("log/entries", proposal).status_code == 201
    assert client.post("log/entries", proposal).status_code == 409
    envelope = json.loads(content["envelope"])
    changes: dict[str, Any]
    for changes in (
        {"payload": base64.b64encode(SECOND).decode()},
        {"payloadType": "text/plain"},
        {"signatures": []},
        {"signatures": [{"sig": "AAAA"}]},
        {"signatures": "x"},
    ):
        text = json.dumps({**envelope, **changes})
        spec = {"proposedContent": {**content, "envelope": text}}
        assert client.post("log/entries", {**proposal, "spec": spec}).status_code == 400
    computed = {"payloadHash": {"algorithm": "sha256", "value": "a" * 64}}
    lone = {"proposedContent": {**content, "verifiers": []}}
    for spec in ({}, lone, {**proposal["spec"], **computed}):
        assert client.post("log/entries", {**proposal, "spec": spec}).status_code == 400


def test_the_log_finds_a_statement_by_its_payload(client: Client) -> None:
    signed(client)
    assert len(client.logged(FIRST)) > 0


def test_a_kept_bundle_is_the_same_bytes_if_it_is_kept_again(client: Client) -> None:
    bundle = signed(client)
    assert as_kept(bundle) == bundle
