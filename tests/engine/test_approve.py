"""The approve command: a green light for exactly what is there, by a key of the roster."""

from __future__ import annotations

import re
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


def test_every_command_names_the_digest_of_what_is_to_be_approved(awaiting: Project) -> None:
    early = awaiting.doit("plan").out
    assert "approve_a waits for RM: doit approve approve_a\n" in early
    assert awaiting.doit("run", "copy_a").status == 0
    for words in (("plan",), ("list", "--status"), ("next",), ("why", "approve_a")):
        said = awaiting.doit(*words).out
        assert len(set(re.findall(r"approve approve_a [0-9a-f]{16}\b", said))) == 1, said
        # A cell of the table is cut where the line ends.
        assert not re.search(r"approve approve_a(?! [0-9a-f]{16}\b| [0-9a-f]*…)", said), said


def test_approval_of_bytes_that_changed_since_is_void(awaiting: Project) -> None:
    awaiting.doit("export")
    awaiting.doit("approve", "approve_a")
    awaiting.write("input", "other bytes")
    again = awaiting.doit("export")
    assert again.status == 4
    assert awaiting.standing("approve_a").startswith("waiting approval")


def test_what_changed_since_it_was_shown_is_not_signed(awaiting: Project) -> None:
    """Somebody reads it; meanwhile it is made again, and nobody was asked about that."""
    awaiting.doit("export")
    awaiting.write("input", "other bytes")
    assert awaiting.doit("run", "copy_a").status == 0
    refused = awaiting.doit("approve", "approve_a")
    assert refused.status == 1
    assert re.search(
        "is about [0-9a-f]{16} now, and the last run showed [0-9a-f]{16}; nothing was signed",
        refused.out,
    )
    assert "src/a " in refused.out
    assert not (awaiting.work / "approvals" / "approve_a.json").exists()
    (command,) = re.findall("doit (approve approve_a [0-9a-f]{16})", refused.out)
    assert awaiting.doit(*command.split()).status == 0
    assert awaiting.doit("export").status == 0


def test_an_approval_that_stands_is_given_again_with_another_note(awaiting: Project) -> None:
    """The first note was wrong; what was shown is still what is there."""
    awaiting.doit("export")
    assert awaiting.doit("approve", "approve_a", "--note", "raed it").status == 0
    assert awaiting.doit("approve", "approve_a", "--note", "read it").status == 0
    assert awaiting.doit("export").status == 0
    assert awaiting.receipt("approve_a")["facts"]["note"] == "read it"
    again = awaiting.doit("approve", "approve_a", "--note", "read it twice")
    assert again.status == 0, again


def test_a_statement_without_a_good_signature_shows_nothing_and_hides_nothing(
    awaiting: Project,
) -> None:
    """A statement that somebody put there is no proof that it was shown, nor of the contrary."""
    awaiting.doit("export")
    statement = awaiting.doit("approve", "approve_a", "--statement").out
    approvals = awaiting.work / "approvals"
    approvals.mkdir(exist_ok=True)
    (approvals / "approve_a.json").write_text(statement, encoding="utf-8")
    given = awaiting.doit("approve", "approve_a")
    assert given.status == 0, given
    (approvals / "approve_a.json.asc").unlink()
    refused = awaiting.doit("approve", "approve_a")
    assert refused.status == 1
    assert "it is not known what was shown; nothing was signed" in refused.out


def test_what_another_run_asked_for_while_a_person_read_is_not_signed(awaiting: Project) -> None:
    """A run of somebody else, or of a timer, came between what was read and the word."""
    awaiting.doit("export")
    awaiting.write("input", "slipped in")
    assert awaiting.doit("export").status == 4
    refused = awaiting.doit("approve", "approve_a")
    assert refused.status == 1
    assert re.search("is about [0-9a-f]{16} now, and [0-9a-f]{16} was shown before", refused.out)
    (command,) = re.findall("doit (approve approve_a [0-9a-f]{16})", refused.out)
    assert awaiting.doit(*command.split()).status == 0
    assert awaiting.doit("approve", "approve_a", "--note", "it stands").status == 0


def test_where_it_is_not_known_what_was_shown_it_is_shown(awaiting: Project) -> None:
    """The state is a cache, which may be deleted."""
    awaiting.doit("export")
    for file in awaiting.work.glob("state.sqlite3*"):
        file.unlink()
    refused = awaiting.doit("approve", "approve_a")
    assert refused.status == 1
    assert "it is not known what was shown; nothing was signed" in refused.out
    assert "src/a " in refused.out
    (command,) = re.findall("doit (approve approve_a [0-9a-f]{16})", refused.out)
    assert awaiting.doit(*command.split()).status == 0


def test_a_trial_judges_as_the_signing_does_and_signs_nothing(awaiting: Project) -> None:
    awaiting.doit("export")
    tried = awaiting.doit("approve", "approve_a", "--trial")
    assert tried.status == 0, tried
    assert not (awaiting.work / "approvals" / "approve_a.json").exists()
    awaiting.write("input", "other bytes")
    assert awaiting.doit("run", "copy_a").status == 0
    for words in ((), ("--trial",)):
        refused = awaiting.doit("approve", "approve_a", *words)
        assert (refused.status, "nothing was signed" in refused.out) == (1, True), refused


def test_the_command_that_was_shown_signs_what_was_shown_and_nothing_else(
    awaiting: Project,
) -> None:
    """Another run may have asked again meanwhile, in another terminal."""
    shown = re.findall("doit (approve approve_a [0-9a-f]{16})", awaiting.doit("export").out)
    assert shown
    awaiting.write("input", "other bytes")
    awaiting.doit("export")
    for command in shown:
        refused = awaiting.doit(*command.split())
        assert refused.status == 1
        assert f"{command.split()[-1]} was looked at; nothing was signed" in refused.out
        assert awaiting.doit(*command.split(), "--statement").status == 1
    for short in ("", "a", "0" * 15):
        assert awaiting.doit("approve", "approve_a", short or "-").status == 1
    (now,) = set(re.findall("doit (approve approve_a [0-9a-f]{16})", awaiting.doit("next").out))
    assert awaiting.doit(*now.split()).status == 0
    assert awaiting.doit("export").status == 0


def test_nothing_is_approved_before_it_is_done(awaiting: Project) -> None:
    early = awaiting.doit("approve", "approve_a")
    assert early.status == 1
    assert "copy_a not done, so there is nothing to approve yet" in early.out


def test_approve_without_a_name_names_what_there_is_to_approve(awaiting: Project) -> None:
    listed = awaiting.doit("approve")
    assert (listed.status, listed.out) == (3, ""), listed
    assert "wants the name of one approval: approve_a\n" in listed.err


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


def test_an_approval_that_was_refused_is_not_called_given(awaiting: Project) -> None:
    """The list is where people see that they have to sign again."""
    awaiting.doit("export")
    assert awaiting.doit("approve", "approve_a").status == 0
    assert awaiting.standing("approve_a").startswith("ready approval approved by RM")
    signature = awaiting.work / "approvals" / "approve_a.json.asc"
    good = signature.read_bytes()
    signature.write_text("no signature")
    assert awaiting.doit("export").status == 4
    standing = awaiting.standing("approve_a")
    assert standing.startswith("waiting approval RM since ")
    assert " UTC: its signature" in standing
    signature.write_bytes(good)
    assert awaiting.standing("approve_a").startswith("ready approval approved by RM")
    assert awaiting.doit("export").status == 0


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
    (command,) = set(re.findall("doit (approve approve_a [0-9a-f]{16})", stopped.out))
    assert approved.doit(*command.split()).status == 0
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


SHOWN = (
    SERVED.replace(
        """@plan.approval(who="RM", of=copy_a)
def approve_a""",
        """@plan.gate(after=copy_a, volatile=True)
def check_a():
    \"\"\"Stop while something is wrong.\"\"\"
    return call(judge, HERE / "findings")

@plan.step(after=[copy_a, check_a], writes=[at.src / "shown"], only_shown=True)
def show_a():
    \"\"\"Show what is before it.\"\"\"
    return call(show, deferred(plan.on_record, "show_a"), at.src / "shown")

@plan.approval(who="RM", of=show_a)
def approve_a""",
    ).replace("after=approve_a, look", "after=[approve_a, check_a], look")
    + """
plan.renamed("say_go", now=approve_a)
"""
)
SHOW = """
from doit_receipts.calls import deferred

def show(record, target):
    ran(target.name)
    write_whole(target, "\\n".join(each.name for each in record).encode())
    return {"of": "".join(each.facts.get("bytes", "") for each in record)}
"""


@pytest.fixture
def shown(awaiting: Project) -> Project:
    """A release that is shown as a whole, and approved, right before it is published."""
    release = (awaiting.folder / "release.toml").read_text(encoding="utf-8")
    awaiting.declare(SHOW + SHOWN, release)
    awaiting.write("findings", "")
    awaiting.doit("export")
    return awaiting


def test_what_is_shown_names_all_that_is_on_record_before_it(shown: Project) -> None:
    assert (shown.work / "src" / "shown").read_text(encoding="utf-8") == "copy_a\ncheck_a"
    assert shown.receipt("show_a")["facts"] == {"of": "5"}
    assert "look at:" in shown.doit("next").out


def test_a_change_of_what_is_shown_is_approved_again(shown: Project) -> None:
    assert shown.doit("approve", "approve_a").status == 0
    shown.write("input", "other")
    assert shown.doit("export").waiting == []  # as long as what is shown is the same
    shown.write("input", "of another length")
    assert shown.standing("publish_a").startswith("stale")


def test_a_gate_that_shuts_after_the_approval_holds_the_act_up(shown: Project) -> None:
    assert shown.doit("approve", "approve_a").status == 0
    shown.write("findings", "late")
    ended = shown.doit("export")
    assert (ended.status, ended.failed) == (1, ["check_a"])
    assert not (shown.folder / "world").exists()
    shown.write("findings", "")
    assert shown.doit("export").status == 0
    assert (shown.folder / "world").exists()


def test_what_was_shown_and_approved_stays_as_it_was_once_it_is_public(shown: Project) -> None:
    shown.doit("approve", "approve_a")
    assert shown.doit("export").status == 0
    shown.ran()
    shown.write("input", "changed much")
    shown.write("findings", "late")
    assert shown.doit("export").status == 0
    assert shown.ran() == ["a", "b"]


def test_a_release_that_published_before_there_was_an_approval_is_not_asked_for_one(
    shown: Project,
) -> None:
    """It was begun by an earlier version, in which publishing waited for nobody."""
    later = (shown.folder / "dodo.py").read_text(encoding="utf-8")
    (shown.folder / "dodo.py").write_text(later.replace("[approve_a, check_a]", "copy_a"))
    assert shown.doit("publish_a").status == 0
    (shown.folder / "dodo.py").write_text(later)
    for name in ("check_a", "show_a"):
        (shown.work / "receipts" / f"{name}.json").unlink()
    shown.write("findings", "late")
    shown.ran()
    ended = shown.doit("export")
    assert (ended.status, shown.ran()) == (0, ["b"]), ended
    assert shown.standing("approve_a").startswith("done")


def test_a_receipt_that_was_lost_after_its_act_is_written_again(shown: Project) -> None:
    shown.doit("approve", "approve_a")
    assert shown.doit("export").status == 0
    for name in ("show_a", "approve_a"):
        (shown.work / "receipts" / f"{name}.json").unlink()
    ended = shown.doit("export")
    assert (ended.status, ended.done) == (0, ["show_a", "approve_a"])


def test_a_former_name_is_that_of_the_task_on_every_command(shown: Project) -> None:
    assert shown.doit("say_go").waiting == ["approve_a"]
    assert shown.doit("why", "say_go").out.startswith("approve_a: ")
    assert shown.doit("list", "say_go").out.startswith("approve_a ")
    assert shown.doit("approve", "say_go", "--note", "go").status == 0
    assert shown.doit("run", "say_go").done[-1] == "approve_a"


ACTS = (
    SERVED.partition("@plan.public(after=approve_a")[0]
    + '''
def found(file):
    return identical({}) if file.exists() else absent()

def make(file):
    ran(file.name)
    if (HERE / "mood").read_text() == "down" and file.name == "second":
        raise StepFailed(problem="the host is down")
    file.write_text((at.src / "text").read_text())
    return {}

def edit():
    if (HERE / "mood").read_text() == "edit":
        (at.src / "text").write_text("evil")
    return ()

@plan.step(writes=[at.src / "text"])
def write_text():
    """Write the text that goes out."""
    return call(copy, HERE / "text", at.src / "text")

@plan.gate(after=[approve_a, write_text], volatile=True)
def check_it():
    """Let everything pass; and somebody edits the text meanwhile, if the file says so."""
    return call(edit)

@plan.shared(after=[approve_a, write_text, check_it], look=found)
def make_first():
    """Make the first thing, which is not public."""
    return call(make, HERE / "first")

@plan.public(after=[approve_a, write_text, check_it, make_first], look=found)
def make_second():
    """Make the second thing. Cannot be taken back."""
    return call(make, HERE / "second")

@plan.public(after=[approve_a, write_text, check_it], look=found)
def make_third():
    """Make the third thing. Cannot be taken back."""
    return call(make, HERE / "third")

@plan.group(of=[make_second, make_third])
def export():
    """Everything."""
'''
)


@pytest.fixture
def acts(awaiting: Project) -> Project:
    """A release with three acts behind an approval that is given."""
    release = (awaiting.folder / "release.toml").read_text(encoding="utf-8")
    awaiting.declare(ACTS, release)
    awaiting.write("text", "good")
    awaiting.write("mood", "good")
    awaiting.doit("approve_a")
    assert awaiting.doit("approve", "approve_a").status == 0
    awaiting.doit("approve_a")
    awaiting.ran()
    return awaiting


def test_an_act_that_is_done_is_not_undone_by_a_later_word_of_its_approval(acts: Project) -> None:
    """One of two acts failed, and what the approval is about changed before the second try."""
    acts.write("mood", "down")
    assert acts.doit("export").status == 1
    assert sorted(acts.ran()) == ["first", "second", "text", "third"]
    acts.write("mood", "good")
    acts.write("input", "changed")
    assert acts.doit("export").status == 4
    (command,) = re.findall("doit (approve approve_a [0-9a-f]{16})", acts.doit("next").out)
    assert acts.doit(*command.split()).status == 0
    ended = acts.doit("export")
    assert ended.status == 0, ended.out
    assert "third" not in acts.ran()


def test_an_act_that_users_do_not_see_waits_for_its_approval_as_well(acts: Project) -> None:
    """It may start what users see: a build that publishes, a push to a fork."""
    for file in (acts.work / "approvals").iterdir():
        file.unlink()
    stopped = acts.doit("export")
    assert stopped.status == 4
    assert "first" not in acts.ran()
    assert not (acts.folder / "first").exists()


def test_what_an_act_takes_from_the_step_before_it_is_compared_though_nobody_says_reads(
    acts: Project,
) -> None:
    acts.write("mood", "edit")
    stopped = acts.doit("export")
    assert stopped.status == 1
    assert "src/text: is not as write_text left it" in " ".join(stopped.out.split())
    assert not (acts.folder / "third").exists()
    acts.write("mood", "good")
    assert acts.doit("export").status == 0
    assert (acts.folder / "third").read_text() == "good"
