"""Approvals signed and verified by the real gpg, without another package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from doit_receipts.approval import Validity
from doit_receipts.errors import ServiceFailed
from doit_receipts.openpgp import GnuPG
from plugins.rehearsal.gnupg_home import GnupgHome, gnupg_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STATEMENT: Final = b'{"approved": "yes"}\n'
CANCELS: Final = """#!/bin/sh
echo OK at your service
while read -r word rest; do
    case $word in
    GETPIN) echo "ERR 83886179 Operation cancelled" ;;
    BYE) echo OK; exit ;;
    *) echo OK ;;
    esac
done
"""


@pytest.fixture(scope="module")
def home() -> Iterator[GnupgHome]:
    with gnupg_home() as made:
        yield made


@pytest.fixture(scope="module")
def ada(home: GnupgHome) -> str:
    return home.key("ada")


@pytest.fixture(scope="module")
def bob(home: GnupgHome) -> str:
    return home.key("bob")


@pytest.fixture
def gpg(home: GnupgHome) -> GnuPG:
    return GnuPG(home.folder)


def test_what_a_key_of_the_roster_signed_is_good(gpg: GnuPG, ada: str) -> None:
    key, signature = gpg.sign(STATEMENT, [ada])
    assert key == ada
    found = gpg.verify(STATEMENT, signature, [ada])
    assert (found.validity, found.fingerprint, found.problem) == (Validity.GOOD, ada, "")


def test_a_fingerprint_may_be_written_in_groups_and_small(gpg: GnuPG, ada: str) -> None:
    spaced = " ".join(ada[at : at + 4] for at in range(0, 40, 4)).lower()
    _, signature = gpg.sign(STATEMENT, [spaced])
    assert gpg.verify(STATEMENT, signature, [spaced]).validity is Validity.GOOD


def test_the_first_key_whose_secret_half_is_here_signs(gpg: GnuPG, ada: str) -> None:
    assert gpg.sign(STATEMENT, ["0" * 40, ada])[0] == ada


def test_a_key_that_is_not_on_the_roster_is_named(gpg: GnuPG, ada: str, bob: str) -> None:
    _, signature = gpg.sign(STATEMENT, [bob])
    found = gpg.verify(STATEMENT, signature, [ada])
    assert (found.validity, found.fingerprint) == (Validity.UNKNOWN_KEY, bob)
    assert found.problem == "by a key that is not on the roster"


def test_a_key_that_is_not_in_the_keyring_is_unknown(gpg: GnuPG, ada: str) -> None:
    with gnupg_home() as theirs:
        key = theirs.key("stranger")
        _, signature = GnuPG(theirs.folder).sign(STATEMENT, [key])
    found = gpg.verify(STATEMENT, signature, [ada, key])
    assert found.validity is Validity.UNKNOWN_KEY
    assert found.problem == "by a key that is not in the keyring"


def test_other_bytes_are_a_bad_signature(gpg: GnuPG, ada: str) -> None:
    _, signature = gpg.sign(STATEMENT, [ada])
    found = gpg.verify(STATEMENT + b"\n", signature, [ada])
    assert (found.validity, found.problem) == (Validity.BAD_SIGNATURE, "of other bytes")


def test_an_expired_key_is_told_as_such(home: GnupgHome, gpg: GnuPG, tmp_path: Path) -> None:
    key = home.key("old", made="20200101T000000", expires="1d")
    file = tmp_path / "statement"
    file.write_bytes(STATEMENT)
    home.gpg(
        "--faked-system-time", "20200101T010000!", "--local-user", key, "--armor",
        "--output", str(tmp_path / "signature"), "--detach-sign", str(file),
    )  # fmt: skip
    found = gpg.verify(STATEMENT, (tmp_path / "signature").read_bytes(), [key])
    assert (found.validity, found.problem) == (Validity.EXPIRED_KEY, "by a key that has expired")


def test_a_revoked_key_is_worth_nothing(home: GnupgHome, gpg: GnuPG) -> None:
    key = home.key("gone")
    _, signature = gpg.sign(STATEMENT, [key])
    home.revoke(key)
    found = gpg.verify(STATEMENT, signature, [key])
    assert (found.validity, found.problem) == (Validity.UNKNOWN_KEY, "by a key that was revoked")
    with pytest.raises(ServiceFailed):
        gpg.sign(STATEMENT, [key])


def test_two_signatures_are_one_too_many(
    home: GnupgHome, gpg: GnuPG, ada: str, bob: str, tmp_path: Path
) -> None:
    """Whoever adds a second one to an approval does not make it theirs."""
    file = tmp_path / "statement"
    file.write_bytes(STATEMENT)
    home.gpg(
        "--local-user", ada, "--local-user", bob, "--armor",
        "--output", str(tmp_path / "both"), "--detach-sign", str(file),
    )  # fmt: skip
    found = gpg.verify(STATEMENT, (tmp_path / "both").read_bytes(), [ada, bob])
    assert found.validity is Validity.BAD_SIGNATURE
    assert found.problem == "not one signature that gpg can read"


@pytest.mark.parametrize("options", [("--textmode",), ("--digest-algo", "SHA1")])
def test_a_signature_of_text_or_by_a_weak_digest_is_none(
    home: GnupgHome, gpg: GnuPG, ada: str, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """What such a one was made for is also what others can be made to look like."""
    file, signature = tmp_path / "statement", tmp_path / "signature"
    file.write_bytes(STATEMENT)
    words = ("--local-user", ada, "--allow-weak-digest-algos", *options)
    home.gpg(*words, "--output", str(signature), "--detach-sign", str(file))
    found = gpg.verify(STATEMENT, signature.read_bytes(), [ada])
    assert found.validity is Validity.BAD_SIGNATURE


@pytest.mark.parametrize("signature", [b"", b"no signature", b"\x00" * 40, STATEMENT])
def test_what_is_no_signature_is_bad(gpg: GnuPG, ada: str, signature: bytes) -> None:
    assert gpg.verify(STATEMENT, signature, [ada]).validity is Validity.BAD_SIGNATURE


def test_without_gpg_it_says_what_is_missing(
    gpg: GnuPG, ada: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceFailed, match="not installed; install GnuPG"):
        gpg.sign(STATEMENT, [ada])


def test_a_person_who_cancels_is_told_what_was_asked(tmp_path: Path) -> None:
    pinentry = tmp_path / "pinentry"
    pinentry.write_text(CANCELS)
    pinentry.chmod(0o755)
    with gnupg_home() as home:
        key = home.key("locked", passphrase="secret")
        home.agent(f"pinentry-program {pinentry}")
        with pytest.raises(ServiceFailed) as failed:
            GnuPG(home.folder).sign(STATEMENT, [key])
    assert "signing failed" in str(failed.value)
    assert "ancel" in str(failed.value)
    assert f"gpg --list-secret-keys has to show one of {key}" in str(failed.value)


def test_nobody_on_the_roster_is_one_line(gpg: GnuPG) -> None:
    with pytest.raises(ServiceFailed, match="the roster names no key"):
        gpg.sign(STATEMENT, [])


def test_what_gpg_was_asked_is_named_where_there_is_no_gpg(
    gpg: GnuPG, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by the first option that it is given."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceFailed, match=r"^gpg: sign: not installed; install GnuPG$"):
        gpg.sign(STATEMENT, ["0" * 40])
    with pytest.raises(ServiceFailed, match=r"^gpg: verify: not installed; install GnuPG$"):
        gpg.verify(STATEMENT, b"", [])
