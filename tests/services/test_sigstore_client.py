"""Our client of Sigstore over real HTTP, against the rehearsed one: what it signs and refuses."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sigstore.errors import TUFError
from sigstore.models import ClientTrustConfig

from doit_receipts.errors import ServiceFailed, SettingsError, Waiting
from plugins.model.secret import Secret
from plugins.model.series import SigstoreIdentity
from plugins.ports.signing import Verdict
from plugins.rehearsal import rekor, sigstore
from plugins.rehearsal.identity import GITHUB, GOOGLE, Account
from plugins.rehearsal.store import ALWAYS
from plugins.services.sigstore_client import SigstoreClient
from plugins.services.sigstore_signing import SigstoreSigning
from tests.rehearsal.sigstore_client import a_client
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plugins.rehearsal.store import Store

RM = SigstoreIdentity("rm@example.org", GITHUB)
DIGESTS = [sha256(bytes([number])).hexdigest() for number in range(12)]
SOON = timedelta(hours=1)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with a_client(tmp_path_factory.mktemp("sigstore") / "world") as made:
        yield made.world.store


@pytest.fixture
def store(lasting: Store) -> Store:
    """A world in which no fault is ordered, and the release manager has just logged in."""
    lasting.save("faults", {})
    sigstore.sign_in(lasting)
    return lasting


def client_of(store: Store, timeout_s: float = 60.0) -> SigstoreClient:
    token = Secret(f"file:{sigstore.token_file(store)}")
    return SigstoreClient(sigstore.trust_file(store), token, timeout_s)


def signed(store: Store, tmp_path: Path, digest: str = DIGESTS[0]) -> Path:
    """A good bundle of the file with this digest."""
    ((_, bundle),) = client_of(store).sign([digest], RM)
    file = tmp_path / "it.sigstore"
    file.write_bytes(bundle)
    return file


def judged(store: Store, file: Path, digest: str = DIGESTS[0]) -> Verdict:
    """What somebody without a token says."""
    found = SigstoreClient(sigstore.trust_file(store)).verify_bundle(file, digest, RM)
    assert (found.problem == "") is (found.verdict is Verdict.GOOD)
    return found.verdict


# ── signing ──────────────────────────────────────────────────────────────────────────────────


def test_many_files_are_signed_side_by_side_and_each_bundle_is_good(
    store: Store, tmp_path: Path
) -> None:
    before = len(rekor.entries(store))
    made = dict(client_of(store).sign(DIGESTS, RM))
    assert set(made) == set(DIGESTS)
    for digest, bundle in made.items():
        file = tmp_path / digest
        file.write_bytes(bundle)
        assert judged(store, file, digest) is Verdict.GOOD
    assert len(rekor.entries(store)) == before + len(DIGESTS)


@pytest.mark.parametrize("fault", ["sigstore.503", "sigstore.drop_after_write"])
def test_a_log_that_fails_once_is_asked_again(store: Store, fault: str) -> None:
    store.order_fault(fault)
    assert len(dict(client_of(store).sign(DIGESTS[:3], RM))) == 3


def test_a_log_that_is_down_keeps_what_was_signed_and_says_so(store: Store) -> None:
    signing = client_of(store).sign(DIGESTS, RM)
    next(signing)
    store.order_fault("sigstore.503", times=ALWAYS)
    with pytest.raises(ServiceFailed, match=r"503.*finished bundles are kept"):
        list(client_of(store).sign(DIGESTS, RM))


def test_a_log_that_never_answers_is_given_up(store: Store) -> None:
    store.order_fault("sigstore.slow", argument="20", times=ALWAYS)
    with pytest.raises(ServiceFailed, match=r"no answer for 1 s"):
        list(client_of(store, timeout_s=1.0).sign(DIGESTS[:2], RM))


def test_a_sigstore_that_is_not_there_is_an_error_in_one_line(store: Store, tmp_path: Path) -> None:
    text = sigstore.trust_file(store).read_text()
    trust = tmp_path / "trust.json"
    trust.write_text(text.replace("http://127.0.0.1:", "http://127.0.0.2:"))
    client = SigstoreClient(trust, Secret(f"file:{sigstore.token_file(store)}"))
    with pytest.raises(ServiceFailed, match=r"sign: .*127\.0\.0\.2"):
        list(client.sign(DIGESTS[:1], RM))


@pytest.mark.parametrize(
    ("account", "good_for", "told"),
    [
        (Account(RM.address, GOOGLE), SOON, "for rm@example.org at https://accounts.google.com"),
        (Account("other@example.org", GITHUB), SOON, "for other@example.org at https://github"),
        (Account(RM.address, GITHUB), -SOON, "expired, or is not one for Sigstore"),
    ],
)
def test_a_token_that_signs_nothing_for_users_waits_for_another_login(
    store: Store, account: Account, good_for: timedelta, told: str
) -> None:
    """release-tools#161: bundles by the wrong identity provider, found after the release."""
    sigstore.write_token(store, account, datetime.now(UTC) + good_for)
    before = len(rekor.entries(store))
    with pytest.raises(Waiting, match=r"waiting for RM.*start the rehearsal again") as caught:
        list(client_of(store).sign(DIGESTS[:1], RM))
    assert told in str(caught.value)
    assert len(rekor.entries(store)) == before


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda file: file.unlink(), "cannot be read"),
        (lambda file: file.write_text(""), "is empty"),
        (lambda file: file.write_text("no token"), "not one for Sigstore"),
        (lambda file: file.chmod(0o644), "others may read it"),
    ],
)
def test_a_token_that_is_no_token_waits_and_is_told_nowhere(
    store: Store, spoil: Callable[[Path], object], told: str
) -> None:
    file = sigstore.token_file(store)
    token = file.read_text().strip()
    spoil(file)
    with pytest.raises(Waiting, match=r"waiting for RM") as caught:
        list(client_of(store).sign(DIGESTS[:1], RM))
    assert told in str(caught.value)
    assert token not in repr(caught.value) + str(caught.value.__cause__)


def test_where_no_place_of_a_token_is_declared_the_line_to_write_is_told(store: Store) -> None:
    with pytest.raises(SettingsError, match=r"\[credentials\] sigstore: is missing"):
        list(SigstoreClient(sigstore.trust_file(store)).sign(DIGESTS[:1], RM))


def test_a_trust_file_that_is_none_is_a_mistake_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_text("{}")
    for file in (tmp_path / "trust.json", tmp_path / "nowhere.json"):
        with pytest.raises(SettingsError, match="is not a client trust configuration"):
            SigstoreClient(file).ready()


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_the_command_that_is_told_puts_the_token_where_it_is_looked_for(
    tmp_path: Path, mode: int
) -> None:
    """Whatever stood there, and whatever the folder is called."""
    file = tmp_path / "my secrets" / "token"
    file.parent.mkdir()
    file.write_text("old")
    file.chmod(mode)
    signing = SigstoreSigning("sigstore(public)", Secret(f"file:{file}"), 1.0, rehearsed=False)
    with pytest.raises(Waiting) as caught:
        list(signing.sign(DIGESTS[:1], RM, None))
    told = caught.value.remedy.partition(": ")[2].partition("; then run the same")[0]
    assert "python -m sigstore get-identity-token" in told
    command = told.replace("python -m sigstore get-identity-token", "echo new")
    subprocess.run(["sh", "-c", command], check=True)
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new\n", 0o600)
    assert Secret(f"file:{file}").reveal() == "new"


def test_a_token_behind_the_question_for_its_code_is_found(store: Store) -> None:
    """Without a browser the client asks on its output, which is the file."""
    file = sigstore.token_file(store)
    file.write_text(f"Enter verification code: {file.read_text()}")
    assert dict(client_of(store).sign(DIGESTS[:1], RM))


def test_one_file_that_cannot_be_signed_keeps_no_other_from_its_bundle(store: Store) -> None:
    made = set()

    def sign() -> None:
        for digest, _ in client_of(store).sign(["no digest", *DIGESTS], RM):
            made.add(digest)

    with pytest.raises(ServiceFailed, match="finished bundles are kept"):
        sign()
    assert made == set(DIGESTS)


def test_who_asks_for_no_more_bundles_gets_none_into_the_log(store: Store) -> None:
    digests = [sha256(b"many %d" % number).hexdigest() for number in range(60)]
    before = len(rekor.entries(store))
    signing = client_of(store).sign(digests, RM)
    next(signing)
    signing.close()  # type: ignore[attr-defined]
    # Those that were under way at that moment come to their end.
    wait_until(lambda: len(rekor.entries(store)) > before, "the first is in the log")
    assert len(rekor.entries(store)) - before < 30


# ── whom to trust ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("failures", "asked"), [(2, 3), (9, 3)])
def test_whom_to_trust_is_asked_for_again_and_once_for_all_bundles(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failures: int,
    asked: int,
) -> None:
    """One bad answer at the start of a night must not leave every bundle unseen."""
    file = signed(store, tmp_path)
    calls: list[None] = []
    told = ClientTrustConfig.from_json(sigstore.trust_file(store).read_text())

    def production() -> ClientTrustConfig:
        calls.append(None)
        if len(calls) <= failures:
            message = "the mirror is away"
            raise TUFError(message)
        return told

    monkeypatch.setattr(ClientTrustConfig, "production", production)
    public = SigstoreClient(None)
    for _ in range(3):
        if failures < asked:
            assert public.verify_bundle(file, DIGESTS[0], RM).verdict is Verdict.GOOD
        else:
            with pytest.raises(ServiceFailed, match=r"fetch whom to trust: .*mirror is away"):
                public.verify_bundle(file, DIGESTS[0], RM)
    assert len(calls) == asked


# ── verifying ────────────────────────────────────────────────────────────────────────────────


def test_a_bundle_of_another_file_is_told_apart_from_one_of_another_signer(
    store: Store, tmp_path: Path
) -> None:
    file = signed(store, tmp_path)
    assert judged(store, file) is Verdict.GOOD
    assert judged(store, file, DIGESTS[1]) is Verdict.OTHER_BYTES
    client = SigstoreClient(sigstore.trust_file(store))
    for other in (SigstoreIdentity(RM.address, GOOGLE), SigstoreIdentity("x@example.org", GITHUB)):
        found = client.verify_bundle(file, DIGESTS[0], other)
        assert found.verdict is Verdict.OTHER_KEY
        assert found.problem == f"was made by {RM}, wanted {other}"


def test_a_bundle_that_another_sigstore_stands_for_is_not_trusted(
    store: Store, tmp_path: Path
) -> None:
    with a_client(tmp_path / "world") as elsewhere:
        file = signed(elsewhere.world.store, tmp_path)
        assert judged(elsewhere.world.store, file) is Verdict.GOOD
    assert judged(store, file) is Verdict.UNKNOWN_KEY
    # Nor is a word of it believed: a waiver of another identity, or of other bytes, lets none pass.
    client = SigstoreClient(sigstore.trust_file(store))
    other = SigstoreIdentity("other@example.org", GITHUB)
    assert client.verify_bundle(file, DIGESTS[0], other).verdict is Verdict.UNKNOWN_KEY
    assert client.verify_bundle(file, DIGESTS[1], RM).verdict is Verdict.UNKNOWN_KEY


def test_a_bundle_of_the_years_without_proof_is_proven_by_the_log(
    store: Store, tmp_path: Path
) -> None:
    """Such is that of Python-3.12.5.tgz; today's client alone cannot read it."""
    file = signed(store, tmp_path)
    told = json.loads(file.read_bytes())
    material = told["verificationMaterial"]
    entry = material["tlogEntries"][0]
    told["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1"
    material["x509CertificateChain"] = {"certificates": [material.pop("certificate")]}
    del entry["inclusionProof"]["checkpoint"]
    file.write_text(json.dumps(told))
    assert judged(store, file) is Verdict.GOOD
    del entry["inclusionProof"]
    file.write_text(json.dumps(told))
    assert judged(store, file) is Verdict.GOOD
    lost = str(int(entry["logIndex"]) + 10_000)
    indexes: tuple[Any, ...] = (lost, 1e999, None, [], "1 or 2", -1)
    for index in indexes:
        entry["logIndex"] = index
        file.write_text(json.dumps(told))
        assert judged(store, file) is Verdict.UNREADABLE


def test_a_bundle_of_today_without_proof_is_none(store: Store, tmp_path: Path) -> None:
    """Whoever uses Sigstore's client could not verify it."""
    file = signed(store, tmp_path)
    told = json.loads(file.read_bytes())
    del told["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]
    file.write_text(json.dumps(told))
    assert judged(store, file) is Verdict.UNREADABLE


def test_a_bundle_without_proof_cannot_be_judged_without_the_log(
    store: Store, tmp_path: Path
) -> None:
    file = signed(store, tmp_path)
    told = json.loads(file.read_bytes())
    told["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1"
    del told["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]
    file.write_text(json.dumps(told))
    store.order_fault("sigstore.503", times=ALWAYS)
    with pytest.raises(ServiceFailed, match="Sigstore's log"):
        judged(store, file)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"<!doctype html><title>404</title>",
        b"[" * 60_000,
        b'{"messageSignature": ' * 3_000,
        b'{"messageSignature": {"messageDigest": {"digest": "====", "algorithm": "SHA2_256"}}}',
        b"x" * 100_000,
    ],
    ids=lambda each: repr(each[:24]),
)
def test_what_is_no_bundle_is_told_as_such(store: Store, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "it.sigstore"
    file.write_bytes(content)
    assert judged(store, file) is Verdict.UNREADABLE


def test_a_bundle_that_cannot_be_opened_is_told_as_such(store: Store, tmp_path: Path) -> None:
    assert judged(store, tmp_path / "nothing.sigstore") is Verdict.MISSING
    (tmp_path / "folder.sigstore").mkdir()
    assert judged(store, tmp_path / "folder.sigstore") is Verdict.UNREADABLE


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every text of a document."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, (*path, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from leaves(each, (*path, number))
    else:
        yield path


@pytest.mark.slow
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_bundle_with_another_value_in_it_is_good(
    lasting: Store, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """One value is dropped, emptied, replaced, or has one of its bytes flipped."""
    lasting.save("faults", {})
    folder = tmp_path_factory.getbasetemp() / "bundles"
    folder.mkdir(exist_ok=True)
    good = folder / "it.sigstore"
    if not good.exists():
        sigstore.sign_in(lasting)
        signed(lasting, folder)
    told = json.loads(good.read_bytes())
    way = data.draw(st.sampled_from(sorted(leaves(told), key=repr)))
    holder = told
    for key in way[:-1]:
        holder = holder[key]
    old = holder[way[-1]]
    # What the client reads past: which kind of bundle it is within those it knows.
    if way[-1] == "mediaType":
        return
    how = data.draw(st.sampled_from(["drop", "empty", "number", "flip"]))
    if how == "drop":
        holder.pop(way[-1])
    elif how == "flip" and isinstance(old, str) and len(old) > 8:
        place = data.draw(st.integers(0, len(old) - 5))
        other = "A" if old[place] != "A" else "B"
        holder[way[-1]] = old[:place] + other + old[place + 1 :]
    else:
        holder[way[-1]] = {"empty": "", "number": 7}.get(how, [])
    if told == json.loads(good.read_bytes()):
        return
    changed = folder / "changed.sigstore"
    changed.write_text(json.dumps(told))
    if judged(lasting, changed) is Verdict.GOOD:
        # A proof that is missing is asked of the log; a checkpoint's name for its key is a hint.
        assert {"inclusionProof", "inclusionPromise"} & set(way), (way, how)
        assert how == "drop" or way[-1] == "envelope", (way, how)


def test_two_that_verify_at_once_open_the_trust_once(store: Store, tmp_path: Path) -> None:
    file = signed(store, tmp_path)
    client = SigstoreClient(sigstore.trust_file(store))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: client.verify_bundle(file, DIGESTS[0], RM), range(32)))
    assert {each.verdict for each in found} == {Verdict.GOOD}
