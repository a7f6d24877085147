"""The rehearsed Sigstore under the real client: what it signs is verified, and nothing else is."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests
from sigstore._internal.fulcio.client import FulcioClientError
from sigstore._internal.rekor import RekorClientError
from sigstore.errors import VerificationError
from sigstore.models import Bundle, TransparencyLogEntry
from sigstore.oidc import IdentityError, IdentityToken

from plugins.rehearsal import identity, rekor, sigstore
from plugins.rehearsal.identity import GITHUB, GOOGLE, Account
from plugins.rehearsal.store import Store
from tests.rehearsal.sigstore_client import RM, Client, a_client, a_request
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

TOMORROW = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with a_client(tmp_path_factory.mktemp("sigstore") / "world") as made:
        yield made


@pytest.fixture
def client(lasting: Client) -> Client:
    """A client of the one world, in which no fault is ordered."""
    lasting.world.store.save("faults", {})
    sigstore.sign_in(lasting.world.store)
    return lasting


def entry_of(bundle: Bundle) -> dict[str, Any]:
    """The entry of the log that the bundle shows."""
    found: dict[str, Any] = json.loads(bundle.to_json())["verificationMaterial"]["tlogEntries"][0]
    return found


# ── signing and verifying ──────────────────────────────────────────────────────────────────


def test_what_the_release_manager_signs_is_verified(client: Client) -> None:
    contents = (b"a tarball", b"another tarball")
    for content, bundle in zip(contents, client.sign(*contents), strict=True):
        client.verify(content, bundle)


@pytest.mark.parametrize(
    ("email", "issuer"), [("other@example.org", GITHUB), (RM, GOOGLE), (RM, identity.ISSUER)]
)
def test_another_identity_is_not_the_one_that_signed(
    client: Client, email: str, issuer: str
) -> None:
    (bundle,) = client.sign(b"a tarball")
    with pytest.raises(VerificationError, match=r"Certificate's"):
        client.verify(b"a tarball", bundle, email, issuer)


def test_another_file_is_not_what_was_signed(client: Client) -> None:
    (bundle,) = client.sign(b"a tarball")
    with pytest.raises(VerificationError, match="digest mismatch"):
        client.verify(b"a tarbalL", bundle)


def test_the_place_in_the_tree_is_not_the_index_in_the_log(client: Client) -> None:
    """Clients that take one for the other are found out here and not at the real log."""
    (bundle,) = client.sign(b"a tarball")
    told = entry_of(bundle)
    assert int(told["logIndex"]) - int(told["inclusionProof"]["logIndex"]) > 1000


def test_eight_who_sign_at_once_all_get_entries_that_are_verified(client: Client) -> None:
    contents = [f"file {number}".encode() for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        signed = list(pool.map(lambda each: client.sign(each)[0], contents))
    for content, bundle in zip(contents, signed, strict=True):
        client.verify(content, bundle)
    places = {entry["logIndex"] for entry in map(entry_of, signed)}
    assert len(places) == len(contents)


def test_signatures_outlive_a_restart_and_new_ones_are_verified(tmp_path: Path) -> None:
    with a_client(tmp_path) as before:
        (old,) = before.sign(b"old")
        token = before.token
        trusted = before.trust.trusted_root
    with a_client(tmp_path) as after:
        (new,) = after.sign(b"new")
        after.verify(b"old", old)
        after.verify(b"new", new)
        assert after.trust.trusted_root._inner == trusted._inner
        assert after.token != token
        sizes = [int(entry_of(each)["inclusionProof"]["treeSize"]) for each in (old, new)]
        assert sizes == [1, 2]


def test_trust_follows_the_world_to_other_ports(tmp_path: Path) -> None:
    with a_client(tmp_path) as before:
        (old,) = before.sign(b"old")
        where = before.world["rekor"]
    Store(tmp_path / "state").save("ports", {})
    with a_client(tmp_path) as after:
        assert after.world["rekor"] != where
        after.verify(b"old", old)
        (new,) = after.sign(b"new")
        after.verify(b"new", new)


def test_another_world_is_not_trusted(client: Client, tmp_path: Path) -> None:
    with a_client(tmp_path) as other:
        (foreign,) = other.sign(b"a tarball")
    with pytest.raises(VerificationError):
        client.verify(b"a tarball", foreign)


# ── who may sign ───────────────────────────────────────────────────────────────────────────


def test_only_its_owner_may_read_the_token_and_nothing_else_holds_it(client: Client) -> None:
    client.sign(b"a tarball")
    store = client.world.store
    assert sigstore.token_file(store).stat().st_mode & 0o777 == 0o600
    others = [path for path in store.folder.parent.rglob("*") if path.is_file()]
    others.remove(sigstore.token_file(store))
    assert [path for path in others if client.token.encode() in path.read_bytes()] == []


def test_private_keys_are_read_by_their_owner_only(client: Client) -> None:
    keys = list((client.world.store.folder / "sigstore").glob("*.key"))
    assert len(keys) == 5
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}


def test_the_token_is_good_for_a_day_and_says_who_and_where(client: Client) -> None:
    told = IdentityToken(client.token)
    assert (told.identity, told.federated_issuer, told.issuer) == (RM, GITHUB, identity.ISSUER)
    left = told._unverified_claims["exp"] - time.time()
    assert 23 * 3600 < left <= 24 * 3600


def bad_tokens(client: Client, elsewhere: Path) -> dict[str, str]:
    store, account = client.world.store, Account(RM)
    good = identity.token(store, account, TOMORROW)
    head, body, signature = good.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    other = identity.token(store, Account("other@example.org"), TOMORROW).split(".")[1]
    return {
        "none": "",
        "no token": "nonsense",
        "expired": identity.token(store, account, datetime.now(UTC) - timedelta(seconds=1)),
        "of another provider": identity.token(Store(elsewhere), account, TOMORROW),
        "for somebody else": identity.token(store, account, TOMORROW, audience="pypi"),
        "of another issuer": identity.token(store, account, TOMORROW, iss=GITHUB),
        "changed": f"{head}.{other}.{signature}",
        "not signed": f"{none}.{body}.",
        "cut": good[:-8],
    }


def test_a_token_that_is_not_to_be_believed_gets_no_certificate(
    client: Client, tmp_path: Path
) -> None:
    assert client.certify(client.token).status_code == 200
    for name, token in bad_tokens(client, tmp_path).items():
        answer = client.certify(token)
        told = answer.json()
        wanted = (400, 3, "There was an error processing the identity token")
        assert (answer.status_code, told["code"], told["message"]) == wanted, name
    with pytest.raises(FulcioClientError):
        client.sign(b"a tarball", token=bad_tokens(client, tmp_path)["of another provider"])


def test_a_request_that_is_none_gets_no_certificate(client: Client) -> None:
    for request in ("", "%%%", base64.b64encode(b"nonsense").decode()):
        answer = client.certify(client.token, request or "=")
        assert answer.status_code == 400
        assert answer.json()["message"] == "The certificate signing request could not be parsed"
    # The signature stands at the end of what the text holds.
    lines = base64.b64decode(a_request()).decode().splitlines()
    lines[1:-1] = [_other_end("".join(lines[1:-1]))]
    forged = base64.b64encode("\n".join(lines).encode()).decode()
    answer = client.certify(client.token, forged)
    assert answer.json()["message"] == "The signature supplied in the request could not be verified"


def _other_end(text: str) -> str:
    raw = bytearray(base64.b64decode(text))
    raw[-1] ^= 1
    return base64.b64encode(raw).decode()


# ── the log ────────────────────────────────────────────────────────────────────────────────


def test_every_entry_is_proven_while_the_log_grows_to_twenty(tmp_path: Path) -> None:
    with a_client(tmp_path) as client:
        contents: list[bytes] = []
        bundles: list[Bundle] = []
        for size in range(1, 21):
            contents.append(f"file {size}".encode())
            bundles += client.sign(contents[-1])
            client.verify(contents[-1], bundles[-1])
            indexes = [int(entry_of(each)["logIndex"]) for each in bundles]
            for content, bundle, told in zip(
                contents, bundles, shown(client, indexes), strict=True
            ):
                entry = TransparencyLogEntry._from_v1_response(told)
                assert entry._inner.inclusion_proof.tree_size == size
                signature = bundle._inner.message_signature
                assert signature is not None
                again = Bundle.from_parts(bundle.signing_certificate, signature.signature, entry)
                client.verify(content, again)


def shown(client: Client, indexes: list[int]) -> list[dict[str, Any]]:
    """The entries as the log shows them now; it takes ten questions at once."""
    return [
        entry
        for start in range(0, len(indexes), 10)
        for entry in client.post(
            "log/entries/retrieve", {"logIndexes": indexes[start : start + 10]}
        ).json()
    ]


def test_an_entry_that_is_there_already_is_refused_with_its_place(client: Client) -> None:
    proposal = client.proposal(b"twice")
    first = client.post("log/entries", proposal)
    (uuid,) = client.logged(b"twice")
    assert (first.status_code, list(first.json())) == (201, [uuid])
    answer = client.post("log/entries", proposal)
    assert answer.status_code == 409
    assert answer.json()["code"] == 409
    assert uuid in answer.json()["message"]
    assert answer.headers["location"] == f"/api/v1/log/entries/{uuid}"
    found = client.get(f"log/entries/{uuid}").json()
    assert found[uuid]["logIndex"] == first.json()[uuid]["logIndex"]
    assert client.logged(b"twice") == [uuid]


def test_a_digest_is_found_that_was_ever_signed(client: Client) -> None:
    assert client.logged(b"never") == []
    client.sign(b"often", b"often")
    assert len(client.logged(b"often")) == 2
    assert set(client.logged(b"often")) <= set(client.post("index/retrieve", {"email": RM}).json())
    assert client.post("index/retrieve", {}).status_code == 400


def test_entries_are_found_by_content_name_and_index(client: Client) -> None:
    proposal = client.proposal(b"sought")
    ((uuid, entry),) = client.post("log/entries", proposal).json().items()
    asked: tuple[dict[str, list[Any]], ...] = (
        {"entries": [proposal]},
        {"entryUUIDs": [uuid]},
        {"logIndexes": [entry["logIndex"]]},
    )
    for each in asked:
        (found,) = client.post("log/entries/retrieve", each).json()
        assert list(found) == [uuid]
    assert client.post("log/entries/retrieve", {"entryUUIDs": ["0" * 80]}).json() == []
    assert client.post("log/entries/retrieve", {"entryUUIDs": [uuid] * 11}).status_code == 422
    (found,) = client.get(f"log/entries?logIndex={entry['logIndex']}").json()
    assert found == uuid
    assert client.get("log/entries?logIndex=1").status_code == 404
    assert client.get(f"log/entries/{'0' * 80}").status_code == 404
    assert client.get("log/entries").status_code == 422


def test_the_log_tells_its_size_and_its_key(client: Client) -> None:
    client.sign(b"one more")
    told = client.get("log").json()
    assert told["treeSize"] == len(rekor.entries(client.world.store))
    assert told["signedTreeHead"].startswith(f"rekor.rehearsal - {told['treeID']}\n")
    assert client.get("log/publicKey").text.startswith("-----BEGIN PUBLIC KEY-----\n")


def test_an_entry_that_proves_nothing_is_refused(client: Client) -> None:
    first, second = client.proposal(b"one"), client.proposal(b"two")
    client.sign(b"three")
    size = client.get("log").json()["treeSize"]
    of_other = json.loads(json.dumps(first))
    of_other["spec"]["signature"]["content"] = second["spec"]["signature"]["content"]
    short = json.loads(json.dumps(first))
    short["spec"]["data"]["hash"]["value"] = "00ff"
    bare = json.loads(json.dumps(first))
    bare["spec"]["signature"]["publicKey"]["content"] = base64.b64encode(b"none").decode()
    wrongs: tuple[Any, ...] = (
        of_other, short, bare, {**first, "kind": "dsse"}, {"kind": "x"}, [], "text",
    )  # fmt: skip
    for wrong in wrongs:
        answer = client.post("log/entries", wrong)
        assert answer.status_code == 400, wrong
        assert answer.json()["message"].startswith("error processing entry: ")
    assert client.get("log").json()["treeSize"] == size


def test_the_page_of_the_world_shows_what_was_signed_by_whom(client: Client) -> None:
    client.sign(b"shown")
    page = httpx.get(client.world["world"]).text
    assert sha256(b"shown").hexdigest() in page
    assert f"{RM}<br>{GITHUB}" in page


# ── faults ─────────────────────────────────────────────────────────────────────────────────


def test_a_log_that_is_down_has_nothing_and_answers_the_next_time(client: Client) -> None:
    client.world.store.order_fault("sigstore.503")
    with pytest.raises(RekorClientError, match="503"):
        client.sign(b"while down")
    assert client.logged(b"while down") == []
    client.verify(b"while down", client.sign(b"while down")[0])


def test_a_lost_answer_leaves_an_entry_that_can_be_found(client: Client) -> None:
    client.world.store.order_fault("sigstore.drop_after_write")
    with pytest.raises(requests.ConnectionError):
        client.sign(b"lost")
    assert len(client.logged(b"lost")) == 1
    client.verify(b"lost", client.sign(b"lost")[0])
    assert len(client.logged(b"lost")) == 2


def test_a_slow_log_has_the_entry_before_it_answers(client: Client) -> None:
    proposal = client.proposal(b"slow")
    client.world.store.order_fault("sigstore.slow", argument="2")
    with pytest.raises(httpx.ReadTimeout):
        client.post("log/entries", proposal, timeout_s=0.5)
    # A busy machine comes to it after nobody waits for the answer any more.
    wait_until(lambda: client.logged(b"slow"), "the log has it")
    assert len(client.logged(b"slow")) == 1
    client.world.store.order_fault("sigstore.slow", argument="0.5")
    started = time.monotonic()
    client.verify(b"slower", client.sign(b"slower")[0])
    assert time.monotonic() - started >= 0.5


@pytest.mark.parametrize(
    ("argument", "email", "issuer"),
    [("", RM, GOOGLE), ("other@example.org", "other@example.org", GITHUB)],
)
def test_who_signed_in_elsewhere_signs_as_somebody_else(
    client: Client, argument: str, email: str, issuer: str
) -> None:
    """Releases were signed with another provider than users were told, and nobody could verify."""
    client.world.store.order_fault("sigstore.foreign_identity", argument=argument)
    sigstore.sign_in(client.world.store)
    told = IdentityToken(client.token)
    assert (told.identity, told.federated_issuer) == (email, issuer)
    (bundle,) = client.sign(b"a tarball")
    client.verify(b"a tarball", bundle, email, issuer)
    with pytest.raises(VerificationError):
        client.verify(b"a tarball", bundle)
    sigstore.sign_in(client.world.store)
    client.verify(b"a tarball", client.sign(b"a tarball")[0])


def test_who_signed_in_too_long_ago_signs_nothing(client: Client) -> None:
    client.world.store.order_fault("sigstore.expired_token")
    sigstore.sign_in(client.world.store)
    with pytest.raises(IdentityError):
        client.sign(b"a tarball")
    assert client.certify(client.token).status_code == 400
    sigstore.sign_in(client.world.store)
    client.verify(b"a tarball", client.sign(b"a tarball")[0])


def test_an_accident_of_signing_in_happens_when_the_world_starts(tmp_path: Path) -> None:
    Store(tmp_path / "state").order_fault("sigstore.expired_token")
    with a_client(tmp_path) as client, pytest.raises(IdentityError):
        IdentityToken(client.token)
    with a_client(tmp_path) as client:
        assert IdentityToken(client.token).identity == RM
