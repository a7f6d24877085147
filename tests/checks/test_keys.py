from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from checks.keys import (
    another_person_certified_the_key,
    keys_of_experts_are_usable,
    signing_key_is_usable,
)
from doit_receipts.finding import Severity
from plugins.model.people_settings import Expert
from plugins.rehearsal.gnupg_home import gnupg_home
from plugins.services.gnupg_signer import GnupgKeyring, GnupgSigner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doit_receipts.finding import Finding
    from plugins.model.release import Release
    from plugins.rehearsal.gnupg_home import GnupgHome

    Builds = Callable[..., Release]


class Now:
    """The clock of the machine, or of a day before or after."""

    def __init__(self, days: float = 0) -> None:
        self._days = days

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=self._days)


def found(folder: Path, name: str, days: float = 0) -> tuple[Finding, ...]:
    return signing_key_is_usable(GnupgSigner(folder, name), Now(days))


@pytest.fixture(scope="module")
def year(keyring: GnupgHome) -> str:
    return keyring.key("a-year", expires="365d")


def test_key_that_can_sign_passes(keyring: GnupgHome, year: str) -> None:
    assert found(keyring.folder, year) == ()
    assert found(keyring.folder, keyring.key("for-ever")) == ()


@pytest.mark.parametrize(
    ("days", "rule", "told"),
    [
        (340, "", ""),
        (355, "key.expiring", "within 14 days"),
        (366, "key.expired", "expired on "),
    ],
)
def test_key_that_does_not_last_blocks(
    keyring: GnupgHome, year: str, days: float, rule: str, told: str
) -> None:
    findings = found(keyring.folder, year, days)
    assert [each.rule for each in findings] == ([rule] if rule else [])
    for each in findings:
        assert each.severity is Severity.BLOCK
        assert told in each.message
        assert f" --quick-set-expire {year} 1y" in each.remedy


def test_key_that_is_not_there_blocks(keyring: GnupgHome) -> None:
    (finding,) = found(keyring.folder, "0" * 40)
    assert (finding.rule, finding.severity) == ("key.absent", Severity.BLOCK)


def test_public_half_alone_blocks(keyring: GnupgHome) -> None:
    with gnupg_home() as theirs:
        name = theirs.key("theirs")
        keyring.gpg("--import", stdin=theirs.public(name).encode())
    (finding,) = found(keyring.folder, name)
    assert (finding.rule, finding.severity) == ("key.secret", Severity.BLOCK)


def test_revoked_key_blocks() -> None:
    with gnupg_home() as home:
        name = home.key("rm")
        home.revoke(name)
        (finding,) = found(home.folder, name)
    assert (finding.rule, finding.severity) == ("key.revoked", Severity.BLOCK)


def test_keyring_that_cannot_be_looked_at_blocks(tmp_path: Path) -> None:
    (finding,) = found(tmp_path / "none", "0" * 40)
    assert (finding.rule, finding.severity) == ("key.absent", Severity.BLOCK)
    assert "does not exist" in finding.message


# ── the keys of experts ────────────────────────────────────────────────────────────────────


def of_expert(folder: Path, *names: str, days: float = 0) -> list[str]:
    """What is said of an expert with these keys, each a warning."""
    expert = Expert("windows", "Steve Signer", names)
    listed = keys_of_experts_are_usable([expert], GnupgKeyring(folder), Now(days))
    assert {each.severity for each in listed} <= {Severity.WARN}
    return [f"{each.rule}: {each.where}: {each.message}" for each in listed]


def test_expert_is_warned_about_before_their_approval_is_asked_for(
    keyring: GnupgHome, year: str
) -> None:
    """One key of several is enough; the secret half is theirs, and nobody else's matter."""
    nobody, of = "0" * 40, "Steve Signer (windows)"
    assert of_expert(keyring.folder, year) == of_expert(keyring.folder, nobody, year) == []
    absent = f"approver.absent: {of}: key {nobody} is not in your keyring"
    assert of_expert(keyring.folder, nobody) == [absent]
    for days, word in ((355, "expires"), (366, "expired")):
        (line,) = of_expert(keyring.folder, year, days=days)
        assert line.startswith(f"approver.expiring: {of}: key {year} {word} on ")
    assert of_expert(keyring.folder, year, keyring.key("lasting"), days=366) == []


def test_key_of_an_expert_is_imported_as_told() -> None:
    with gnupg_home() as theirs, gnupg_home() as ours:
        name, other = theirs.key("expert"), theirs.key("new")
        for each, rule in ((name, "approver.absent"), (other, "approver.expiring")):
            (line,) = of_expert(ours.folder, name, other)
            assert line.startswith(rule)
            ours.gpg("--import", stdin=theirs.public(each).encode())
            assert of_expert(ours.folder, name, other) == []
            theirs.revoke(each)
            ours.gpg("--import", stdin=theirs.public(each).encode())
        (line,) = of_expert(ours.folder, name, other)
        assert line.endswith(f"key {name} is revoked and key {other} is revoked")


# ── who vouches for it ─────────────────────────────────────────────────────────────────────


def uncertified(release: Release, folder: Path, name: str, days: float = 0) -> list[str]:
    """The rules of what is said, each a note."""
    signer = GnupgSigner(folder, name)
    found = another_person_certified_the_key(release, signer, Now(days))
    assert {each.severity for each in found} <= {Severity.NOTE}
    return [each.rule for each in found]


def test_key_that_nobody_else_certified_is_a_note_with_a_remedy_that_works(
    a_release: Builds, keyring: GnupgHome
) -> None:
    """That it is certified by itself, as every key is, does not count."""
    name, other = keyring.key("alone"), keyring.key("colleague")
    assert uncertified(a_release(), keyring.folder, name) == ["key.uncertified"]
    signer = GnupgSigner(keyring.folder, name)
    (finding,) = another_person_certified_the_key(a_release(), signer, Now())
    command = finding.remedy.partition("certify it: gpg ")[2]
    keyring.gpg("--yes", "--local-user", other, *command.split())
    assert uncertified(a_release(), keyring.folder, name) == []


def test_certification_by_a_key_that_is_not_here_does_not_count(a_release: Builds) -> None:
    """Anybody can write what claims to be one; without the key it cannot be checked."""
    with gnupg_home() as theirs, gnupg_home() as ours:
        name, other = theirs.key("rm"), theirs.key("colleague")
        theirs.gpg("--yes", "--local-user", other, "--quick-sign-key", name)
        ours.gpg("--import", stdin=theirs.public(name).encode())
        assert uncertified(a_release(), ours.folder, name) == ["key.uncertified"]
        ours.gpg("--import", stdin=theirs.public(other).encode())
        assert uncertified(a_release(), ours.folder, name) == []


def test_certification_counts_while_it_lasts(a_release: Builds, keyring: GnupgHome) -> None:
    name, other = keyring.key("certified"), keyring.key("for a while")
    keyring.gpg("--yes", "--default-cert-expire", "30d", "--local-user", other,
                "--quick-sign-key", name)  # fmt: skip
    assert uncertified(a_release(), keyring.folder, name) == []
    assert uncertified(a_release(), keyring.folder, name, days=31) == ["key.uncertified"]


def test_certification_that_was_taken_back_does_not_count(
    a_release: Builds, keyring: GnupgHome
) -> None:
    name, other = keyring.key("once certified"), keyring.key("doubter")
    keyring.gpg("--yes", "--local-user", other, "--quick-sign-key", name)
    keyring.gpg("--yes", "--local-user", other, "--quick-revoke-sig", name, other)
    assert uncertified(a_release(), keyring.folder, name) == ["key.uncertified"]


def test_no_certification_is_asked_of_what_is_not_there_or_not_needed(
    a_release: Builds, keyring: GnupgHome, tmp_path: Path
) -> None:
    assert uncertified(a_release(), keyring.folder, "0" * 40) == []
    assert uncertified(a_release("3.14.0"), keyring.folder, "0" * 40) == []
    signer = GnupgSigner(tmp_path / "none", "0" * 40)
    (finding,) = another_person_certified_the_key(a_release(), signer, Now())
    assert (finding.rule, finding.severity) == ("key.absent", Severity.BLOCK)
