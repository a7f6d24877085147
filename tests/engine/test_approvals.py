from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doit_receipts import approvals as steps
from doit_receipts.approval import Approval, Validity
from doit_receipts.errors import ServiceFailed
from plugins.command.approval_keys import KeyringOfApprovals
from plugins.model.layout import Layout
from plugins.model.version import Version
from plugins.rehearsal.gnupg_home import GnupgHome, gnupg_home
from plugins.services.gnupg_signer import GnupgKeyring, GnupgSigner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WANTED = Approval("approve_windows", "3.13.6", "ab" * 32, by="Ada", note="installed and ran")


@pytest.fixture(scope="module")
def home() -> Iterator[GnupgHome]:
    with gnupg_home() as made:
        for name in ("ada", "bob"):
            made.key(name)
        yield made


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path, Version.parse("3.13.6"))


def key_of(home: GnupgHome, name: str) -> str:
    keys = GnupgKeyring(home.folder).keys()
    return next(key.fingerprint for key in keys if key.user_id.startswith(name))


def approve(
    home: GnupgHome, layout: Layout, approval: Approval = WANTED, name: str = "ada"
) -> None:
    steps.write(layout, approval, KeyringOfApprovals(home.folder), [key_of(home, name)])


def validity(home: GnupgHome, layout: Layout, wanted: Approval = WANTED) -> Validity:
    roster = (key_of(home, "ada"),)
    found = steps.judge(layout, wanted, roster, KeyringOfApprovals(home.folder))
    assert "\n" not in found.reason
    assert found.is_good is (found.validity is Validity.GOOD)
    return found.validity


def test_approval_by_the_roster_over_the_same_bytes_is_good(
    home: GnupgHome, layout: Layout
) -> None:
    key = steps.write(layout, WANTED, KeyringOfApprovals(home.folder), [key_of(home, "ada")])
    assert key == key_of(home, "ada")
    found = steps.judge(layout, WANTED, (key_of(home, "ada"),), KeyringOfApprovals(home.folder))
    assert found.is_good
    assert found.reason == "approved by Ada: installed and ran"
    assert found.fingerprint == key_of(home, "ada")
    names = sorted(path.name for path in layout.approvals.iterdir())
    assert names == ["approve_windows.json", "approve_windows.json.asc"]


def test_no_approval_is_absent(home: GnupgHome, layout: Layout) -> None:
    assert validity(home, layout) is Validity.ABSENT


def test_who_approved_and_why_are_the_approvers_own_words(home: GnupgHome, layout: Layout) -> None:
    approve(home, layout)
    assert validity(home, layout, replace(WANTED, by="", note="")) is Validity.GOOD


@pytest.mark.parametrize(
    "now", [replace(WANTED, subject="cd" * 32), replace(WANTED, version="3.13.7")]
)
def test_approval_of_what_has_changed_since_is_known(
    home: GnupgHome, layout: Layout, now: Approval
) -> None:
    approve(home, layout)
    assert validity(home, layout, now) is Validity.OTHER_BYTES


def test_approval_of_another_task_opens_nothing(home: GnupgHome, layout: Layout) -> None:
    other = replace(WANTED, task="approve_macos")
    approve(home, layout, other)
    statement = layout.approval(other.task)
    for path in (statement, steps.signature_of(statement)):
        path.rename(path.with_name(path.name.replace("macos", "windows")))
    assert validity(home, layout) is Validity.OTHER_BYTES


def test_approval_by_a_key_that_is_not_on_the_roster_is_known(
    home: GnupgHome, layout: Layout
) -> None:
    approve(home, layout, name="bob")
    assert validity(home, layout) is Validity.UNKNOWN_KEY


def test_approval_by_a_stranger_is_known(home: GnupgHome, layout: Layout) -> None:
    with gnupg_home() as theirs:
        theirs.key("ada")
        approve(theirs, layout)
    assert validity(home, layout) is Validity.UNKNOWN_KEY


def test_approval_by_a_key_that_has_expired_is_known(home: GnupgHome, layout: Layout) -> None:
    name = home.key("old", made="20200101T000000", expires="1d")
    statement = layout.approval(WANTED.task)
    statement.parent.mkdir()
    statement.write_bytes(WANTED.to_bytes())
    home.gpg(
        "--faked-system-time", "20200101T010000!", "--local-user", name, "--armor",
        "--output", str(steps.signature_of(statement)), "--detach-sign", str(statement),
    )  # fmt: skip
    found = steps.judge(layout, WANTED, (name,), KeyringOfApprovals(home.folder))
    assert found.validity is Validity.EXPIRED_KEY


def test_edited_statement_is_a_bad_signature(home: GnupgHome, layout: Layout) -> None:
    approve(home, layout, replace(WANTED, subject="cd" * 32))
    statement = layout.approval(WANTED.task)
    statement.write_bytes(WANTED.to_bytes())
    assert validity(home, layout) is Validity.BAD_SIGNATURE


def test_statement_without_its_signature_is_worth_nothing(home: GnupgHome, layout: Layout) -> None:
    approve(home, layout)
    steps.signature_of(layout.approval(WANTED.task)).unlink()
    assert validity(home, layout) is Validity.BAD_SIGNATURE


def test_signed_file_that_says_nothing_is_worth_nothing(home: GnupgHome, layout: Layout) -> None:
    statement = layout.approval(WANTED.task)
    statement.parent.mkdir()
    statement.write_text("I approve of everything\n")
    signer = GnupgSigner(home.folder, key_of(home, "ada"))
    signer.sign(statement, steps.signature_of(statement))
    assert validity(home, layout) is Validity.BAD_SIGNATURE


def test_approval_given_again_replaces_the_older_one(home: GnupgHome, layout: Layout) -> None:
    approve(home, layout, replace(WANTED, subject="cd" * 32))
    approve(home, layout)
    assert validity(home, layout) is Validity.GOOD


def test_key_that_cannot_sign_leaves_the_older_approval(home: GnupgHome, layout: Layout) -> None:
    approve(home, layout)
    with pytest.raises(ServiceFailed):
        steps.write(layout, replace(WANTED, note="x"), KeyringOfApprovals(home.folder), ["0" * 40])
    assert validity(home, layout) is Validity.GOOD
    assert len(list(layout.approvals.iterdir())) == 2
