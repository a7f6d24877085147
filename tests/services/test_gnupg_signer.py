from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed, StepFailed
from doit_receipts.judged import held_to
from plugins.ports.signing import Verdict
from plugins.rehearsal.gnupg_home import GnupgHome, gnupg_home
from plugins.services.gnupg_signer import GnupgKeyring, GnupgSigner, keyring_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSPHRASE = "canary-77d1"


@pytest.fixture
def home() -> Iterator[GnupgHome]:
    with gnupg_home() as made:
        yield made


@pytest.fixture
def other() -> Iterator[GnupgHome]:
    with gnupg_home() as made:
        yield made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Python-3.13.6.tgz"
    path.write_bytes(bytes(range(256)) * 4096)
    return path


def asc(file: Path) -> Path:
    return file.with_name(file.name + ".asc")


def test_signature_is_armoured_and_verifies_with_gpg_itself(home: GnupgHome, file: Path) -> None:
    signer = GnupgSigner(home.folder, home.key("rm"))
    signer.sign(file, asc(file))
    assert asc(file).read_text().startswith("-----BEGIN PGP SIGNATURE-----")
    home.gpg("--verify", str(asc(file)), str(file))
    assert signer.verify(file, asc(file)).problem == ""
    assert sorted(path.name for path in file.parent.iterdir()) == [file.name, asc(file).name]


def test_large_file_is_signed_to_its_last_byte(home: GnupgHome, file: Path) -> None:
    file.write_bytes(b"\0" * 40_000_000)
    signer = GnupgSigner(home.folder, home.key("rm"))
    signer.sign(file, asc(file))
    home.gpg("--verify", str(asc(file)), str(file))


def test_other_bytes_than_gates_judged_are_not_signed(home: GnupgHome, file: Path) -> None:
    """Also where some gates judged these very bytes, and another one those before."""
    good = hashlib.sha256(file.read_bytes()).hexdigest()
    evil = hashlib.sha256(b"evil").hexdigest()
    signer = GnupgSigner(home.folder, home.key("rm"))
    beside = file.with_name("Python-3.13.6.tar.xz")
    beside.write_bytes(b"what no gate judges")
    for content, judged in ((b"evil", [good]), (b"evil", [good, evil]), (b"", [good])):
        written = file.read_bytes()
        file.write_bytes(content)
        with (
            held_to({file: judged}),
            pytest.raises(StepFailed, match=r"3\.13\.6\.tgz: is not as it was judged in this run"),
        ):
            signer.sign(file, asc(file))
        assert not asc(file).exists()
        file.write_bytes(written)
    with held_to({file: [good]}):
        signer.sign(file, asc(file))
        signer.sign(beside, asc(beside))
    assert signer.verify(file, asc(file)).problem == ""


def test_the_key_that_was_named_signs_although_another_is_the_default(
    home: GnupgHome, file: Path
) -> None:
    """Gpg takes another key without a word if its --default-key cannot sign."""
    home.key("first")
    wanted = home.key("second")
    GnupgSigner(home.folder, wanted).sign(file, asc(file))
    assert GnupgSigner(home.folder, wanted).verify(file, asc(file)).fingerprint == wanted


def test_no_other_key_signs_for_one_that_cannot(home: GnupgHome, file: Path) -> None:
    home.key("able")
    expired = home.key("old", made="20200101T000000", expires="1d")
    with pytest.raises(ServiceFailed, match=rf"key {expired} expired on 2020-01-02; extend it"):
        GnupgSigner(home.folder, expired).sign(file, asc(file))
    assert not asc(file).exists()


def test_subkey_that_signs_counts_as_its_primary_key(home: GnupgHome, file: Path) -> None:
    name = home.key("rm")
    home.gpg("--passphrase", "", "--quick-add-key", name, "ed25519", "sign", "1y")
    signer = GnupgSigner(home.folder, name)
    signer.sign(file, asc(file))
    found = signer.verify(file, asc(file))
    assert (found.fingerprint, found.problem) == (name, "")
    (key,) = signer.keys()
    assert key.expires is None


def test_keyring_tells_what_each_key_can_do(home: GnupgHome, other: GnupgHome) -> None:
    mine = home.key("mine", expires="2099-12-31")
    theirs = other.key("theirs")
    home.gpg("--import", stdin=other.public(theirs).encode())
    revoked = home.key("revoked")
    home.revoke(revoked)
    listed = GnupgKeyring(home.folder).keys()
    keys = {key.fingerprint: key for key in listed}
    assert keys[mine].secret
    expires = keys[mine].expires
    assert expires is not None
    assert expires.year == 2099
    assert keys[mine].user_id == "mine <mine@example.org>"
    assert not keys[theirs].secret
    assert keys[theirs].expires is None
    assert keys[revoked].revoked
    assert not keys[mine].revoked


def test_key_that_is_not_there_is_told(home: GnupgHome, file: Path) -> None:
    home.key("able")
    with pytest.raises(ServiceFailed, match=r"key 0{40} is not in the keyring"):
        GnupgSigner(home.folder, "0" * 40).sign(file, asc(file))


def test_public_half_alone_cannot_sign(home: GnupgHome, other: GnupgHome, file: Path) -> None:
    theirs = other.key("theirs")
    home.gpg("--import", stdin=other.public(theirs).encode())
    with pytest.raises(
        ServiceFailed, match=f"the secret part of key {theirs} is not on this machine"
    ):
        GnupgSigner(home.folder, theirs).sign(file, asc(file))


def test_revoked_key_does_not_sign(home: GnupgHome, file: Path) -> None:
    name = home.key("rm")
    home.revoke(name)
    with pytest.raises(ServiceFailed, match=f"key {name} is revoked; name another"):
        GnupgSigner(home.folder, name).sign(file, asc(file))


def test_without_any_key_the_setting_is_named(tmp_path: Path, home: GnupgHome, file: Path) -> None:
    """From 3.14 on no file needs OpenPGP, and nothing else may have asked for the key."""
    with pytest.raises(
        ServiceFailed, match=r"names no key .*; write gpg_key = .* below \[signing\]"
    ):
        GnupgSigner(tmp_path, "")
    name = home.key("rm")
    GnupgSigner(home.folder, name).sign(file, asc(file))
    assert verdict(home, file, name) is Verdict.GOOD


@pytest.mark.parametrize("short", ["rm@example.org", "89ABCDEF", "0" * 39, "0" * 41])
def test_short_name_of_a_key_is_refused(home: GnupgHome, short: str) -> None:
    with pytest.raises(ServiceFailed, match="is not a full fingerprint; write the full"):
        GnupgSigner(home.folder, short)
    GnupgSigner(home.folder, home.key("rm"))


def test_missing_home_is_told(tmp_path: Path, home: GnupgHome, file: Path) -> None:
    name = home.key("rm")
    with pytest.raises(ServiceFailed, match=r"does not exist; set \[signing\] gnupg_home"):
        GnupgSigner(tmp_path / "none", name).sign(file, asc(file))
    GnupgSigner(home.folder, name).sign(file, asc(file))
    assert verdict(home, file, name) is Verdict.GOOD


PINENTRY = """#!/bin/sh
echo "OK ready"
while read -r line; do
  case "$line" in
    GETPIN*) {answer} ;;
    BYE*) echo OK; exit ;;
    *) echo OK ;;
  esac
done
"""


def pinentry(home: GnupgHome, answer: str) -> None:
    program = home.folder / "pinentry.sh"
    program.write_text(PINENTRY.format(answer=answer))
    program.chmod(0o755)
    home.agent(f"pinentry-program {program}")


def test_pinentry_of_the_agent_may_ask_a_person(home: GnupgHome, file: Path) -> None:
    name = home.key("rm", passphrase=PASSPHRASE)
    pinentry(home, f"echo 'D {PASSPHRASE}'; echo OK")
    GnupgSigner(home.folder, name).sign(file, asc(file))
    home.gpg("--verify", str(asc(file)), str(file))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("echo 'D canary-wrong'; echo OK", "the passphrase is wrong"),
        (
            "echo 'ERR 83886179 cancelled'",
            "the dialogue for the passphrase was cancelled",
        ),
        ("echo 'ERR 83918950 no terminal'", "no pinentry program can ask for the passphrase"),
    ],
)
def test_passphrase_that_does_not_come_is_told_and_leaves_nothing(
    home: GnupgHome, file: Path, answer: str, told: str
) -> None:
    name = home.key("rm", passphrase=PASSPHRASE)
    pinentry(home, answer)
    with pytest.raises(ServiceFailed, match=told) as raised:
        GnupgSigner(home.folder, name).sign(file, asc(file))
    assert list(file.parent.iterdir()) == [file]
    assert "canary" not in "\n".join([str(raised.value), *raised.value.details])


def test_agent_without_pinentry_fails_with_what_to_do(home: GnupgHome, file: Path) -> None:
    name = home.key("rm", passphrase=PASSPHRASE)
    home.agent("pinentry-program /nonexistent/pinentry")
    with pytest.raises(ServiceFailed, match=r"no pinentry .*unlock the key first"):
        GnupgSigner(home.folder, name).sign(file, asc(file))


def test_pinentry_that_nobody_answers_ends_in_bounded_time(home: GnupgHome, file: Path) -> None:
    name = home.key("rm", passphrase=PASSPHRASE)
    pinentry(home, "sleep 30; echo OK")
    with pytest.raises(ServiceFailed, match=r"did not end within 1\.5 s and was stopped"):
        GnupgSigner(home.folder, name, timeout_s=1.5).sign(file, asc(file))
    assert list(file.parent.iterdir()) == [file]


def verdict(home: GnupgHome, file: Path, *fingerprints: str) -> Verdict:
    found = GnupgKeyring(home.folder).verify_by(file, asc(file), fingerprints)
    assert (found.problem == "") is (found.verdict is Verdict.GOOD)
    assert "\n" not in found.problem
    return found.verdict


def test_signature_over_other_bytes_is_known(home: GnupgHome, file: Path) -> None:
    name = home.key("rm")
    GnupgSigner(home.folder, name).sign(file, asc(file))
    file.write_bytes(file.read_bytes() + b"x")
    assert verdict(home, file, name) is Verdict.OTHER_BYTES


def test_signature_by_a_key_that_was_not_asked_for_is_known(home: GnupgHome, file: Path) -> None:
    name, wanted = home.key("rm"), home.key("wanted")
    GnupgSigner(home.folder, name).sign(file, asc(file))
    assert verdict(home, file, wanted) is Verdict.OTHER_KEY
    assert verdict(home, file) is Verdict.OTHER_KEY
    assert verdict(home, file, wanted, name) is Verdict.GOOD


def test_signature_by_a_stranger_is_known(home: GnupgHome, other: GnupgHome, file: Path) -> None:
    home.key("rm")
    name = other.key("stranger")
    GnupgSigner(other.folder, name).sign(file, asc(file))
    found = GnupgKeyring(home.folder).verify_by(file, asc(file), (name,))
    assert found.verdict is Verdict.UNKNOWN_KEY
    assert name in found.problem


def test_good_signature_by_a_key_that_expired_since_is_told_apart(
    home: GnupgHome, file: Path
) -> None:
    name = home.key("rm", made="20200101T000000", expires="1d")
    home.gpg(
        "--faked-system-time", "20200101T010000!", "--local-user", name, "--armor",
        "--output", str(asc(file)), "--detach-sign", str(file),
    )  # fmt: skip
    found = GnupgKeyring(home.folder).verify_by(file, asc(file), (name,))
    assert found.verdict is Verdict.EXPIRED
    assert found.fingerprint == name
    assert found.problem == f"good, but key {name} has expired"


def test_signature_by_a_key_that_was_revoked_is_known(home: GnupgHome, file: Path) -> None:
    name = home.key("rm")
    GnupgSigner(home.folder, name).sign(file, asc(file))
    home.revoke(name)
    assert verdict(home, file, name) is Verdict.REVOKED


@pytest.mark.parametrize("content", [b"", b"no signature\n", b"-----BEGIN PGP SIGNATURE-----\n"])
def test_file_that_holds_no_signature_is_known(home: GnupgHome, file: Path, content: bytes) -> None:
    name = home.key("rm")
    asc(file).write_bytes(content)
    assert verdict(home, file, name) is Verdict.UNREADABLE


def test_signed_message_in_place_of_a_detached_signature_is_no_signature(
    home: GnupgHome, file: Path
) -> None:
    """Gpg would verify the message in it and never look at the file."""
    name = home.key("rm")
    asc(file).write_text(home.gpg("--local-user", name, "--clear-sign", stdin=b"hello\n"))
    assert verdict(home, file, name) is Verdict.UNREADABLE
    asc(file).write_text(home.gpg("--local-user", name, "--armor", "--sign", stdin=b"hello\n"))
    assert verdict(home, file, name) is Verdict.UNREADABLE


def test_two_signatures_in_one_file_are_refused(home: GnupgHome, file: Path) -> None:
    good, bad = home.key("good"), home.key("bad")
    for name in (good, bad):
        home.gpg("--local-user", name, "-o", f"{asc(file)}.{name}", "--detach-sign", str(file))
    both = [asc(file).with_name(f"{asc(file).name}.{name}") for name in (good, bad)]
    asc(file).write_bytes(b"".join(each.read_bytes() for each in both))
    assert verdict(home, file, good) is Verdict.UNREADABLE


def test_signature_of_text_or_by_a_weak_hash_is_refused(home: GnupgHome, file: Path) -> None:
    name = home.key("rm")
    home.gpg("--local-user", name, "--textmode", "-o", str(asc(file)), "--detach-sign", str(file))
    assert verdict(home, file, name) is Verdict.UNREADABLE
    asc(file).unlink()
    home.gpg(
        "--local-user", name, "--digest-algo", "SHA1", "--allow-weak-digest-algos",
        "-o", str(asc(file)), "--detach-sign", str(file),
    )  # fmt: skip
    assert verdict(home, file, name) is Verdict.UNREADABLE


def test_missing_file_or_signature_is_a_problem_and_no_error(home: GnupgHome, file: Path) -> None:
    name = home.key("rm")
    assert verdict(home, file, name) is Verdict.MISSING
    file.rename(asc(file))
    assert verdict(home, file, name) is Verdict.MISSING


def test_keyring_of_given_files_knows_no_other_keys(
    home: GnupgHome, file: Path, tmp_path: Path
) -> None:
    name, stranger = home.key("expert"), home.key("stranger")
    exported = tmp_path / "expert.asc"
    exported.write_text(home.public(name))
    GnupgSigner(home.folder, name).sign(file, asc(file))
    with keyring_of([exported]) as keyring:
        (known,) = keyring.keys()
        assert known.fingerprint == name
        assert keyring.verify_by(file, asc(file), (name,)).problem == ""
        GnupgSigner(home.folder, stranger).sign(file, asc(file))
        assert keyring.verify_by(file, asc(file), (name, stranger)).problem != ""


def test_file_without_a_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "expert.asc").write_text("nothing\n")
    with (
        pytest.raises(ServiceFailed, match=r"import expert\.asc: the file holds no OpenPGP key"),
        keyring_of([tmp_path / "expert.asc"]),
    ):
        pass


def test_file_of_keys_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(ServiceFailed, match=r"import expert\.asc: cannot be read: no such file"),
        keyring_of([tmp_path / "expert.asc"]),
    ):
        pass


def test_language_of_the_person_changes_nothing(
    home: GnupgHome, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")
    signer = GnupgSigner(home.folder, home.key("rm"))
    signer.sign(file, asc(file))
    assert signer.verify(file, asc(file)).problem == ""


# ── the remedy is that of the case, and gpg.conf is not ours ────────────────────────────────


def with_subkey(home: GnupgHome, primary: str, subkey: str) -> str:
    """A key that certifies and has one signing subkey; both end so long after being made."""
    # Frozen: a clock that starts there twice may be behind the key that it has made.
    at_that_time = ("--faked-system-time", "20240101T000000!", "--pinentry-mode", "loopback")
    home.gpg(
        *at_that_time, "--passphrase", "",
        "--quick-generate-key", "rm <rm@example.org>", "ed25519", "cert", primary,
    )  # fmt: skip
    listed = home.gpg("--with-colons", "--list-keys", "rm@example.org")
    name = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))
    home.gpg(
        *at_that_time, "--passphrase", "",
        "--quick-add-key", name, "ed25519", "sign", subkey,
    )  # fmt: skip
    return name


@pytest.mark.parametrize(
    ("primary", "subkey"), [("never", "1y"), ("1y", "1y"), ("1y", "never"), ("20y", "1y")]
)
def test_told_command_extends_what_has_expired(
    home: GnupgHome, file: Path, primary: str, subkey: str
) -> None:
    """Of a key whose subkey alone expired, extending the primary key helps nobody."""
    signer = GnupgSigner(home.folder, with_subkey(home, primary, subkey))
    with pytest.raises(ServiceFailed, match="expired on 202") as stopped:
        signer.sign(file, asc(file))
    for command in stopped.value.remedy.removeprefix("extend it: ").split(" && "):
        home.gpg("--pinentry-mode", "loopback", "--passphrase", "", *command.split()[1:])
    signer.sign(file, asc(file))
    assert signer.verify(file, asc(file)).problem == ""


def test_gpg_conf_of_the_person_shapes_no_signature(home: GnupgHome, file: Path) -> None:
    name = home.key("rm")
    (home.folder / "gpg.conf").write_text(
        "digest-algo SHA1\nsig-notation canary@example.org=yes\ndefault-sig-expire 1d\n"
        "textmode\ncomment canary\nlocal-user nobody\nno-armor\n"
    )
    signer = GnupgSigner(home.folder, name)
    signer.sign(file, asc(file))
    assert signer.verify(file, asc(file)).problem == ""
    (home.folder / "gpg.conf").unlink()
    told = home.gpg("--list-packets", str(asc(file)))
    assert "digest algo 2," not in told
    assert "canary" not in told + asc(file).read_text()
    assert "sig expires" not in told


def test_gpg_conf_of_the_person_breaks_nothing(home: GnupgHome, file: Path) -> None:
    signer = GnupgSigner(home.folder, home.key("rm"))
    (home.folder / "gpg.conf").write_text("an-option-that-nobody-knows\n")
    signer.sign(file, asc(file))
    assert signer.verify(file, asc(file)).problem == ""
