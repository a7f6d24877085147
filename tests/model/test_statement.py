"""Statements and envelopes: one spelling, one reading, and every other one refused in a line."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.model.envelope import as_kept, read_envelope
from plugins.model.statement import PAYLOAD_TYPE, Statement, Subject, read_statement
from plugins.model.strict_json import BrokenJson, canonical, read_object

KIND = "https://example.org/kind/v1"
NOTE = "log.example - 1\n8\nAAAA\n\n\N{EM DASH} log.example AAAA\n"
SUBJECTS = (Subject("3.13.6/Python-3.13.6.tgz", "a" * 64), Subject("doc/3.13.6/x.zip", "b" * 64))
STATEMENT = Statement(SUBJECTS, KIND, {"commit": "c" * 40, "count": 3, "whole": True})


def text_of(**changes: Any) -> bytes:
    """The statement with some of its fields set otherwise; None for a field that is left out."""
    found = {**json.loads(STATEMENT.payload()), **changes}
    return canonical({key: value for key, value in found.items() if value is not None})


def bundle_of(content: bytes, **envelope: Any) -> dict[str, Any]:
    """A bundle whose signature nobody judges here."""
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "certificate": {"rawBytes": "AAAA"},
            "tlogEntries": [
                {
                    "logIndex": "7",
                    "integratedTime": "11",
                    "inclusionProof": {"checkpoint": {"envelope": NOTE}},
                }
            ],
        },
        "dsseEnvelope": {
            "payload": base64.b64encode(content).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": "AAAA"}],
            **envelope,
        },
    }


def test_a_statement_is_read_as_it_was_written() -> None:
    assert read_statement(STATEMENT.payload()) == STATEMENT
    assert STATEMENT.digest_of("doc/3.13.6/x.zip") == "b" * 64
    assert STATEMENT.digest_of("doc/3.13.6/y.zip") == ""


def test_the_order_in_which_files_are_given_does_not_matter() -> None:
    other = Statement(SUBJECTS[::-1], KIND, STATEMENT.predicate)
    assert other.payload() == STATEMENT.payload()


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"", "is not JSON"),
        (b"\xff{}", "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b"[" * 5000, "is not JSON"),
        (b'{"a":' * 40 + b"{}" + b"}" * 40, "more than 32 levels"),
        (STATEMENT.payload() + b"\n", "not spelled as canonical JSON"),
        (STATEMENT.payload().replace(b'":3', b'": 3'), "not spelled as canonical JSON"),
        (STATEMENT.payload().replace(b'"count":3', b'"count":3,"count":3'), "count twice"),
        (STATEMENT.payload().replace(b'":3', b'":3.0'), "not whole"),
        (STATEMENT.payload().replace(b'":3', b'":NaN'), "not whole"),
        (STATEMENT.payload().replace(b'":3', b'":-0'), "not every reader"),
        (STATEMENT.payload().replace(b'":3', b'":90071992547409930'), "not every reader"),
        (STATEMENT.payload().replace(b'":3', b'":"\\ud800"'), "half a character"),
        (text_of(_type="https://in-toto.io/Statement/v0.1"), "not a statement of the kind"),
        (text_of(more=1), "unknown field more"),
        (text_of(predicate=None), "lacks predicate"),
        (text_of(predicate=[]), "predicate that is not an object"),
        (text_of(predicateType="http://example.org/kind"), "not an https address"),
        (text_of(subject=[]), "is not about 1 to"),
        (text_of(subject=["x"]), "subject that is not an object"),
        (text_of(subject=[{"name": "../x", "digest": {"sha256": "a" * 64}}]), "bad name: ../x"),
        (text_of(subject=[{"name": "x", "digest": {"sha256": "A" * 64}}]), "no sha256 of x"),
        (text_of(subject=[{"name": "x", "digest": {"sha512": "a" * 128}}]), "lacks sha256"),
        (text_of(subject=[{"name": "x", "digest": {"sha256": "a" * 64}}] * 2), "names x twice"),
        (
            text_of(subject=json.loads(STATEMENT.payload())["subject"][::-1]),
            "does not list its files by name",
        ),
        (b"{" + b" " * 600_000 + b"}", "more than"),
    ],
)
def test_another_reading_is_refused(payload: bytes, problem: str) -> None:
    with pytest.raises(BrokenJson) as refused:
        read_statement(payload)
    assert problem in str(refused.value)
    assert str(refused.value).isprintable()


def test_the_spelling_of_others_is_read_and_their_further_digests_too() -> None:
    found = json.loads(STATEMENT.payload())
    found["subject"][0]["digest"]["gitCommit"] = "c" * 40
    spelled = json.dumps(dict(reversed(found.items())), indent=1).encode()
    assert read_statement(spelled, ours=False) == STATEMENT
    with pytest.raises(BrokenJson):
        read_statement(spelled)


def test_an_envelope_is_read_and_kept_in_one_line() -> None:
    bundle = bundle_of(STATEMENT.payload())
    bundle["dsseEnvelope"]["signatures"][0]["keyid"] = ""
    entry = bundle["verificationMaterial"]["tlogEntries"][0]
    entry["inclusionProof"]["checkpoint"]["envelope"] += "\N{EM DASH} witness.example AAAA\n"
    kept = as_kept(json.dumps(bundle, indent=2).encode())
    assert b"\n" not in kept
    assert b"keyid" not in kept
    assert b"witness" not in kept
    found = read_envelope(kept)
    assert (found.payload, found.log_index, found.logged_s) == (STATEMENT.payload(), 7, 11)
    assert read_envelope(json.dumps(bundle, indent=2).encode(), ours=False) == found


SIGNATURE = {"sig": "AAAA"}


@pytest.mark.parametrize(
    ("envelope", "problem"),
    [
        ({"signatures": []}, "exactly one signature"),
        ({"signatures": [SIGNATURE, SIGNATURE]}, "exactly one signature"),
        ({"signatures": [{"sig": ""}]}, "has a sig that"),
        ({"signatures": [{"sig": "AB=="}]}, "canonical base64"),
        ({"signatures": [{"sig": "A A A A"}]}, "canonical base64"),
        ({"signatures": [{**SIGNATURE, "keyid": "x"}]}, "keyid"),
        ({"signatures": [{**SIGNATURE, "more": "x"}]}, "unknown field more"),
        ({"payloadType": "text/plain"}, "another type"),
        ({"payload": 3}, "has a payload"),
        ({"note": "x"}, "unknown field note"),
    ],
)
def test_an_envelope_with_anything_else_is_refused(envelope: dict[str, Any], problem: str) -> None:
    with pytest.raises(BrokenJson, match=problem):
        read_envelope(canonical(bundle_of(b"{}", **envelope)))


def test_a_field_that_no_client_verifies_is_refused() -> None:
    bundle = bundle_of(b"{}")
    bundle["verificationMaterial"]["tlogEntries"][0]["note"] = "x"
    with pytest.raises(BrokenJson, match="unknown field note in tlogEntries"):
        read_envelope(canonical(bundle))
    assert read_envelope(canonical(bundle), ours=False).payload == b"{}"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("logIndex", "07"),
        ("logIndex", 7),
        ("integratedTime", "1_1"),
        ("canonicalizedBody", "AB=="),
        ("logId", {"keyId": ""}),
        ("logId", "x"),
        ("inclusionProof", {"checkpoint": {"envelope": NOTE.replace("\N{EM DASH} log", "- log")}}),
        ("inclusionProof", {"checkpoint": {"envelope": NOTE.replace("log.example AA", "x AA")}}),
        ("inclusionProof", {"checkpoint": {"envelope": NOTE.replace(" AAAA", " AB==")}}),
        ("inclusionProof", {"hashes": "AAAA"}),
    ],
)
def test_a_spelling_that_a_client_only_tolerates_is_refused(field: str, value: Any) -> None:
    bundle = bundle_of(b"{}")
    bundle["verificationMaterial"]["tlogEntries"][0][field] = value
    with pytest.raises(BrokenJson):
        read_envelope(canonical(bundle))


@pytest.mark.parametrize("bundle", [b"{}", b"[]", b"null", b'{"dsseEnvelope":3}', b"x" * 900_000])
def test_what_is_no_bundle_of_a_statement_is_refused_in_a_line(bundle: bytes) -> None:
    for read in (read_envelope, as_kept):
        with pytest.raises(BrokenJson):
            read(bundle)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(value=JSON, spelled=st.booleans())
def test_no_value_at_any_place_is_an_error_of_another_kind(*, value: Any, spelled: bool) -> None:
    """A parser either reads it or refuses it: no traceback."""
    found = json.loads(STATEMENT.payload())
    places = [*found, "bundle", "dsseEnvelope", "signatures", "verificationMaterial", "tlogEntries"]
    for place in places:
        bundle = bundle_of(STATEMENT.payload())
        spoiled = {**found, place: value}
        outer = {**bundle, place: value}
        inner = {**bundle, "dsseEnvelope": {**bundle["dsseEnvelope"], place: value}}
        material = {**bundle["verificationMaterial"], place: value}
        for read, content in (
            (read_statement, spoiled),
            (read_envelope, outer),
            (read_envelope, inner),
            (read_envelope, {**bundle, "verificationMaterial": material}),
        ):
            raw = json.dumps(content, sort_keys=spelled).encode()
            for ours in (True, False):
                with suppress(BrokenJson):
                    read(raw, ours=ours)
            with suppress(BrokenJson):
                as_kept(raw)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_are_an_error_of_another_kind(raw: bytes) -> None:
    for read in (read_statement, read_envelope, as_kept, lambda it: read_object(it, 100)):
        with pytest.raises(BrokenJson):
            read(raw)
