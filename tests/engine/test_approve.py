"""The approve command: a green light for exactly what is there, by a key of the roster."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doit_receipts.receipt import Receipt

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.rehearsal.gnupg_home import GnupgHome
    from tests.engine.conftest import Project

APPROVAL = '''
@plan.step(reads=[HERE / "input"], writes=[at.src / "a"])
def task_copy_a():
    """Copy the input to a."""
    return call(copy, HERE / "input", at.src / "a")

@plan.approval(who="RM", of=[task_copy_a])
def task_approve_a():
    """Somebody has read a."""

@plan.group(of=[task_approve_a])
def task_export():
    """Everything local."""
'''


@pytest.fixture
def awaiting(project: Project, keyring: GnupgHome, tmp_path: Path) -> Project:
    """A release that waits for its manager, whose key is one of several."""
    fingerprint = keyring.key(tmp_path.name)
    project.declare(
        APPROVAL,
        'version = "3.13.6"\n[repository]\nclone = "cpython"\n[signing]\n'
        f'gpg_key = "{fingerprint}"\ngnupg_home = "{keyring.folder}"\n',
    )
    return project


def test_release_waits_until_it_is_approved_and_then_goes_on(awaiting: Project) -> None:
    waiting = awaiting.doit("export")
    assert waiting.status == 4
    assert "RM: not approved yet; look, then doit approve approve_a" in waiting.out
    approved = awaiting.doit("approve", "approve_a", "--note", "read it twice")
    assert approved.status == 0, approved.out + approved.err
    assert "RM approves approve_a of Thing 3.13.6: Somebody has read a." in approved.out
    assert "src/a" in approved.out
    # without another run: nobody is waited for any more
    assert awaiting.standing("approve_a").startswith("ready approval")
    assert "RM" not in awaiting.doit("next").out
    done = awaiting.doit("export")
    assert done.status == 0, done.out
    assert awaiting.receipt("approve_a")["facts"]["note"] == "read it twice"


def test_approval_of_bytes_that_changed_since_is_void(awaiting: Project) -> None:
    awaiting.doit("export")
    awaiting.doit("approve", "approve_a")
    awaiting.write("input", "other bytes")
    again = awaiting.doit("export")
    assert again.status == 4
    assert awaiting.standing("approve_a").startswith("waiting approval")


def test_nothing_is_approved_before_it_is_done(awaiting: Project) -> None:
    early = awaiting.doit("approve", "approve_a")
    assert early.status == 1
    assert "copy_a not done, so there is nothing to approve yet" in early.out


def test_what_is_no_approval_is_told_with_those_that_are(awaiting: Project) -> None:
    wrong = awaiting.doit("approve", "copy_a")
    assert wrong.status == 3
    assert "'copy_a' is not an approval of this release: approve_a" in wrong.err


def test_a_statement_that_is_signed_elsewhere_counts(
    awaiting: Project, keyring: GnupgHome, tmp_path: Path
) -> None:
    awaiting.doit("export")
    told = awaiting.doit("approve", "approve_a", "--statement", "--note", "on my machine")
    assert told.status == 0, told.err
    approvals = awaiting.work / "approvals"
    assert not approvals.exists() or not any(approvals.iterdir())
    approvals.mkdir(exist_ok=True)
    statement = approvals / "approve_a.json"
    statement.write_text(told.out, encoding="utf-8")
    keyring.gpg("--armor", "--local-user", tmp_path.name, "--detach-sign", str(statement))
    assert awaiting.doit("export").status == 0
    assert awaiting.receipt("approve_a")["facts"]["note"] == "on my machine"


SERVED = '''
from doit_receipts.probe import absent, identical

def look(world):
    return identical({}) if world.exists() else absent()

@plan.step(reads=[HERE / "input"], writes=[at.src / "a"])
def copy_a():
    """Copy the input to a."""
    return call(copy, HERE / "input", at.src / "a")

@plan.approval(who="RM", of=copy_a)
def approve_a():
    """The release manager has looked at a."""

@plan.public(after=approve_a, look=look)
def publish_a():
    """Publish a. Cannot be taken back."""
    return call(publish, HERE / "world")

@plan.step(after=publish_a, reads=[at.src / "a"], writes=[at.src / "b"])
def copy_b():
    """Copy a to b."""
    return call(copy, at.src / "a", at.src / "b")

@plan.group(of=copy_b)
def export():
    """Everything."""
'''


def test_an_approval_whose_act_has_happened_is_not_asked_for_again(awaiting: Project) -> None:
    """What was published stays done when something before it changes afterwards."""
    release = (awaiting.folder / "release.toml").read_text(encoding="utf-8")
    awaiting.declare(SERVED, release)
    awaiting.doit("export")
    assert awaiting.doit("approve", "approve_a").status == 0
    assert awaiting.doit("export").status == 0
    awaiting.ran()
    awaiting.write("input", "changed")
    assert awaiting.doit("export").status == 0
    assert awaiting.ran() == ["a", "b"]


JUDGED_AGAIN = SERVED.replace(
    "@plan.public(after=approve_a,",
    '''@plan.step(after=approve_a)
def last_step():
    """Fail until the file says otherwise."""
    return call(fail, HERE / "mood")

@plan.public(after=last_step,''',
)


@pytest.fixture
def approved(awaiting: Project) -> Project:
    """A release that is approved, and stopped right before what cannot be taken back."""
    release = (awaiting.folder / "release.toml").read_text(encoding="utf-8")
    awaiting.declare(JUDGED_AGAIN, release)
    awaiting.write("mood", "fail")
    awaiting.doit("export")
    assert awaiting.doit("approve", "approve_a").status == 0
    assert awaiting.doit("export").status == 1
    assert awaiting.standing("approve_a").startswith("done")
    awaiting.write("mood", "good")
    awaiting.ran()
    return awaiting


def test_what_was_approved_is_published(approved: Project) -> None:
    assert approved.doit("export").status == 0
    assert approved.ran() == ["fail", "publish", "b"]


@pytest.mark.parametrize("gone", ["approve_a.json", "approve_a.json.asc"])
def test_an_approval_that_is_gone_publishes_nothing(approved: Project, gone: str) -> None:
    """The receipt alone is no proof: whoever can write here can write one."""
    (approved.work / "approvals" / gone).unlink()
    stopped = approved.doit("export")
    assert stopped.status == 4
    assert "approve_a was given according to its receipt, but" in stopped.out
    assert "doit approve approve_a" in stopped.out
    assert approved.ran() == ["fail"]
    assert approved.doit("approve", "approve_a").status == 0
    assert approved.doit("export").status == 0


def test_a_receipt_that_somebody_wrote_for_other_bytes_publishes_nothing(
    approved: Project,
) -> None:
    approved.write("input", "never approved")
    assert approved.doit("copy_a").status == 0
    receipts = approved.work / "receipts"
    made = Receipt.read(receipts / "copy_a.json")
    found = Receipt.read(receipts / "approve_a.json")
    assert made is not None
    assert found is not None
    forged = replace(found, inputs={**found.inputs, "after copy_a": made.result})
    forged.write(receipts / "approve_a.json")
    assert approved.standing("approve_a").startswith("done")
    approved.ran()
    stopped = approved.doit("export")
    assert stopped.status == 4
    assert "approved other bytes" in stopped.out
    assert approved.ran() == ["fail"]
