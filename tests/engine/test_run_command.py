"""What a run does, told by the steps that ran and the words and status it ended with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Final

import pytest

from tests.engine.conftest import CHAIN, RELEASE, Project
from tests.waiting import wait_until


def test_everything_runs_once_in_order(chain: Project) -> None:
    ended = chain.doit()
    assert ended.status == 0, ended
    assert chain.ran() == ["a", "b", "c"]
    assert "3 tasks run" in ended.out
    assert "nothing remains" in ended.out


def test_a_second_run_does_nothing(chain: Project) -> None:
    chain.doit()
    chain.ran()
    ended = chain.doit()
    assert (ended.status, chain.ran()) == (0, [])
    assert "0 tasks run, 3 of 3 done" in ended.out


def test_a_touched_input_runs_nothing(chain: Project) -> None:
    chain.doit()
    chain.ran()
    os.utime(chain.folder / "input", (1, 1))
    assert chain.standing("copy_a") == "done LOCAL"
    chain.doit()
    assert chain.ran() == []


def test_an_edit_that_keeps_size_and_time_is_seen(chain: Project) -> None:
    """Content counts: the same mtime and size do not hide other bytes."""
    chain.doit()
    chain.ran()
    before = (chain.folder / "input").stat()
    chain.write("input", "jelly")
    os.utime(chain.folder / "input", ns=(before.st_atime_ns, before.st_mtime_ns))
    chain.doit()
    assert chain.ran() == ["a", "b", "c"]


def test_the_cascade_stops_at_an_equal_result(chain: Project) -> None:
    """Same inputs, same bytes: a step that gives the same result wakes nothing behind it."""
    chain.doit()
    chain.ran()
    chain.write("input", "hallo")
    chain.doit()
    assert chain.ran() == ["a", "b"]


def test_a_deleted_truncated_or_edited_product_is_made_again(chain: Project) -> None:
    chain.doit()
    chain.ran()
    for spoil in (b"", b"other", None):
        product = chain.work / "src" / "a"
        product.unlink() if spoil is None else product.write_bytes(spoil)
        assert "stale" in chain.standing("copy_a")
        assert "src/a" in chain.standing("copy_a")
        assert chain.doit().status == 0
        assert chain.ran() == ["a"]
        assert product.read_bytes() == b"hello"


def test_a_deleted_receipt_has_its_step_done_again_and_nothing_behind_it(chain: Project) -> None:
    chain.doit()
    chain.ran()
    (chain.work / "receipts" / "halve_b.json").unlink()
    chain.doit()
    assert chain.ran() == ["b"]


def test_a_receipt_edited_by_hand_is_known_as_such(chain: Project) -> None:
    chain.doit()
    chain.ran()
    receipt = chain.work / "receipts" / "copy_a.json"
    receipt.write_text(receipt.read_text().replace('"bytes": "5"', '"bytes": "6"'))
    assert "seal" in chain.doit("why", "copy_a").out
    assert chain.doit().status == 0
    assert chain.ran() == ["a"]
    assert chain.receipt("copy_a")["facts"] == {"bytes": "5"}


def test_a_lost_or_broken_database_costs_no_step(chain: Project) -> None:
    """The state file is a cache: without it, digests are taken again and nothing runs."""
    chain.doit()
    chain.ran()
    state = chain.work / "state.sqlite3"
    for spoil in (None, b"this is no database, " * 100):
        for left in chain.work.glob("state.sqlite3*"):
            left.unlink()
        if spoil is not None:
            state.write_bytes(spoil)
        ended = chain.doit()
        assert (ended.status, chain.ran()) == (0, []), ended


def test_changed_arguments_run_the_step_again(chain: Project) -> None:
    chain.doit()
    chain.ran()
    dodo = chain.folder / "dodo.py"
    dodo.write_text(
        dodo.read_text().replace(
            'at.src / "b")\n\n@plan.step(after=[task_halve_b]',
            'at.src / "b", 2)\n\n@plan.step(after=[task_halve_b]',
        )
    )
    chain.doit()
    assert chain.ran() == ["b", "c"]


def test_a_waiver_changes_nothing_behind_it(chain: Project) -> None:
    chain.doit()
    chain.ran()
    with (chain.folder / "release.toml").open("a") as file:
        file.write(
            '[[waivers]]\nrule = "builders.red"\nreason = "r"\nby = "me"\nuntil = 2999-01-01\n'
        )
    chain.doit()
    assert chain.ran() == []
    assert "waived: builders.red by me until 2999-01-01" in chain.doit("list", "--status").out


def test_receipts_hold_no_clock_and_no_place(chain: Project) -> None:
    """What stands in a receipt is equal in another hour and in another work folder."""
    chain.doit()
    first = chain.receipt("halve_b")
    (chain.work / "receipts" / "halve_b.json").unlink()
    chain.doit()
    assert chain.receipt("halve_b") == first
    text = (chain.work / "receipts" / "halve_b.json").read_text()
    assert str(chain.folder) not in text
    assert str(time.gmtime().tm_year) not in text


FAILING = '''
@plan.step(reads=[HERE / "mood"])
def task_try_it():
    """Do as the file says."""
    return call(fail, HERE / "mood")

@plan.step(after=[task_try_it])
def task_go_on():
    """What stands behind it."""
    return call(dict)

@plan.step(reads=[HERE / "input"], writes=[at.src / "a"])
def task_copy_a():
    """Something else."""
    return call(copy, HERE / "input", at.src / "a")

@plan.group(of=[task_go_on, task_copy_a])
def task_export():
    """Everything local."""
'''


def test_a_failed_step_is_one_line_and_the_rest_goes_on(project: Project) -> None:
    project.declare(FAILING)
    project.write("mood", "fail")
    ended = project.doit()
    assert ended.status == 1
    assert "thing: broke; mend it" in ended.out
    assert "line 2" in ended.out
    assert f"    log: {project.work / 'logs' / 'try_it.log'}\n" in ended.out
    assert "Traceback" not in ended.out + ended.err
    assert sorted(project.ran()) == ["a", "fail"]
    assert project.standing("try_it") == "failed LOCAL thing: broke; mend it"
    assert project.standing("go_on") == "later LOCAL after try_it"


def test_waiting_is_not_failing(project: Project) -> None:
    project.declare(FAILING)
    project.write("mood", "wait")
    ended = project.doit()
    assert ended.status == 4
    standing = project.standing("try_it")
    assert standing.startswith("waiting LOCAL windows since ")
    assert " UTC: 2 of 3 files" in standing
    project.write("mood", "good")
    assert project.standing("try_it") == "ready LOCAL Do as the file says."
    assert project.doit().status == 0


def test_a_bug_shows_its_traceback(project: Project) -> None:
    project.declare(FAILING)
    project.write("mood", "bug")
    ended = project.doit()
    assert ended.status == 2
    assert "KeyError: 'surprise'" in ended.out


def test_an_input_edited_during_the_step_is_not_taken_as_built(project: Project) -> None:
    project.declare(FAILING)
    project.write("mood", "edit")
    ended = project.doit()
    assert ended.status == 1
    assert "mood changed while it ran" in ended.out
    assert project.doit().status == 0


SWAP = '''
def swap(source, target):
    ran(target.name)
    write_whole(target, source.read_bytes())
    write_whole(source, b"swapped")
    return {}

@plan.step(reads=[HERE / "input"], writes=[at.src / "a"])
def task_copy_a():
    """Copy the input to a."""
    return call(copy, HERE / "input", at.src / "a")

@plan.step(after=[task_copy_a], writes=[at.src / "b"])
def task_judge_a():
    """Judge a, while something swaps it."""
    return call(swap, at.src / "a", at.src / "b")

@plan.step(after=[task_judge_a], reads=[at.src / "a"], writes=[at.src / "c"])
def task_sign_a():
    """Sign a."""
    return call(copy, at.src / "a", at.src / "c")

@plan.group(of=[task_sign_a])
def task_export():
    """Everything local."""
'''


def test_a_product_swapped_in_the_middle_of_a_run_is_not_taken(project: Project) -> None:
    """Doit saw that it was as its maker left it, long before the step that signs it."""
    project.declare(SWAP)
    ended = project.doit()
    assert ended.status == 1
    assert (
        "src/a: is not as copy_a left it: it was changed in the middle of this run; find out what "
        "writes there, then run the same command again"
    ) in " ".join(ended.out.split())
    assert project.ran() == ["a", "b"]
    assert not (project.work / "src" / "c").exists()
    # The remedy: what wrote there is found, and writes no more.
    project.declare(SWAP.replace("call(swap, ", "call(copy, "))
    assert project.doit().status == 0


GATE = '''
@plan.gate(reads=[HERE / "bad"])
def task_check_it():
    """Stop while the file names rules."""
    return call(judge, HERE / "bad")

@plan.step(after=[task_check_it], reads=[HERE / "input"], writes=[at.src / "a"])
def task_copy_a():
    """Copy the input to a."""
    return call(copy, HERE / "input", at.src / "a")

@plan.group(of=[task_copy_a])
def task_export():
    """Everything local."""
'''
WAIVER = '[[waivers]]\nrule = "{}"\nreason = "r"\nby = "me"\nuntil = {}\n'


def test_a_finding_shuts_the_gate_until_it_is_mended(project: Project) -> None:
    project.declare(GATE)
    project.write("bad", "tree.dirty tree.old")
    ended = project.doit()
    assert ended.status == 1
    assert "tree.dirty: is bad (and 1 more); mend it" in ended.out
    assert project.ran() == ["judge"]
    assert project.standing("check_it").startswith("blocked gate tree.dirty")
    project.write("bad", "")
    assert project.doit().status == 0


def test_a_gate_tells_what_it_judges_while_it_does(project: Project) -> None:
    """Not what a program that it asks says meanwhile."""
    project.declare(GATE)
    project.write("bad", "")
    assert project.doit().status == 0
    log = project.work / "logs" / "check_it.log"
    assert log.read_text().splitlines()[0] == "whether judge"


def test_a_waiver_opens_the_gate_and_shows(project: Project) -> None:
    project.declare(GATE, release=RELEASE + WAIVER.format("tree.dirty", "2999-01-01"))
    project.write("bad", "tree.dirty")
    ended = project.doit()
    assert ended.status == 0, ended
    assert "tree.dirty BLOCK: is bad" in ended.out
    assert "waived" in ended.out


def test_a_waiver_that_ended_shuts_the_gate_again_and_rebuilds_nothing(project: Project) -> None:
    project.declare(GATE, release=RELEASE + WAIVER.format("tree.dirty", "2999-01-01"))
    project.write("bad", "tree.dirty")
    project.doit()
    project.ran()
    project.declare(GATE, release=RELEASE + WAIVER.format("tree.dirty", "2020-01-01"))
    assert project.doit().status == 1
    assert project.ran() == ["judge"]
    project.declare(GATE, release=RELEASE + WAIVER.format("tree.dirty", "2999-01-02"))
    assert project.doit().status == 0
    assert project.ran() == ["judge"]


def test_a_volatile_gate_looks_until_what_it_guards_has_happened(project: Project) -> None:
    text = GATE.replace('@plan.gate(reads=[HERE / "bad"])', "@plan.gate(volatile=True)")
    text += FAILING.split("@plan.step(after", maxsplit=1)[0]
    text = text.replace("task_copy_a]", "task_copy_a]", 1)
    project.declare(text.replace("after=[task_check_it], reads", "after=[task_check_it], reads"))
    project.write("bad", "")
    project.write("mood", "good")
    project.doit()
    assert project.ran() == ["judge", "a"]
    project.write("bad", "tree.dirty")
    assert project.doit().status == 0
    assert project.ran() == []
    (project.work / "receipts" / "copy_a.json").unlink()
    assert project.doit().status == 1
    assert project.ran() == ["judge"]


PUBLIC = '''
from doit_receipts.probe import absent, identical

def look(world):
    return identical({}) if world.exists() else absent()

@plan.step(reads=[HERE / "input"], writes=[at.src / "a"])
def task_copy_a():
    """Copy the input to a."""
    return call(copy, HERE / "input", at.src / "a")

@plan.step(effect=Effect.PUBLIC, after=[task_copy_a], look=look)
def task_publish_a():
    """Users see a. Cannot be taken back."""
    return call(publish, HERE / "world")

@plan.group(of=[task_publish_a])
def task_export():
    """Everything."""
'''


LACKING = PUBLIC.replace(
    "@plan.step(effect=Effect.PUBLIC, after=[task_copy_a], look=look)",
    """@plan.gate(after=[task_copy_a], volatile=True)
def task_check_it():
    \"\"\"Stop while the file names rules.\"\"\"
    return call(judge, HERE / "bad")

@plan.step(effect=Effect.PUBLIC, after=[task_check_it], look=look)""",
).replace(
    "@plan.group(of=[task_publish_a])",
    """@plan.step(after=[task_check_it], only=False)
def task_publish_b():
    \"\"\"What this release lacks.\"\"\"
    return call(publish, HERE / "world")

@plan.gate(after=[task_publish_a, task_publish_b], volatile=True)
def task_check_public():
    \"\"\"Stop unless users see it.\"\"\"
    return call(judge, HERE / "mood")

@plan.step(after=[task_check_public], reads=[HERE / "late"], writes=[at.src / "late"])
def task_wait_for_others():
    \"\"\"What others do later.\"\"\"
    return call(copy, HERE / "late", at.src / "late")

@plan.group(of=[task_wait_for_others])""",
)


def test_a_gate_is_not_asked_again_for_what_only_a_left_out_task_led_to(project: Project) -> None:
    """What comes up after the public act stops nothing that only waits for others."""
    project.declare(LACKING)
    project.write("bad", "")
    project.write("mood", "")
    assert project.doit().status != 0  # others are not done yet
    assert (project.work / "receipts" / "publish_a.json").exists()
    project.ran()
    project.write("bad", "tree.dirty")
    project.write("late", "of others")
    ended = project.doit()
    assert ended.status == 0, ended
    assert "tree.dirty" not in ended.out


LAST: Final = """
@plan.step(after=plan.ends(), writes=[at.src / "closed"])
def task_close():
    \"\"\"Close it when all is over.\"\"\"
    return call(copy, HERE / "input", at.src / "closed")

@plan.group(of=[task_close])
"""


def test_a_last_task_may_wait_for_all_that_nothing_waits_for(project: Project) -> None:
    """A task that this release lacks is passed over."""
    project.declare(LACKING.replace("@plan.group(of=[task_wait_for_others])", LAST.lstrip()))
    for name, text in {"bad": "", "mood": "", "late": "of others"}.items():
        project.write(name, text)
    assert project.doit().status == 0
    made_of = json.loads((project.work / "receipts" / "close.json").read_text())["inputs"]
    assert set(made_of) == {"after wait_for_others", "call"}


def test_a_public_step_is_never_done_twice(project: Project) -> None:
    project.declare(PUBLIC)
    assert project.doit().status == 0
    (project.work / "state.sqlite3").unlink()
    project.doit()
    project.write("input", "changed")
    ended = project.doit()
    assert ended.status == 1
    assert "receipts/publish_a.json: done already, and users have seen it" in ended.out
    assert (project.folder / "world").read_text() == "published\n"
    project.doit("forget", "publish_a")
    assert project.doit().status == 1
    assert (project.folder / "world").read_text() == "published\n"


def test_nothing_of_the_book_can_be_ignored(project: Project) -> None:
    """Letting a gate pass takes a waiver with a reason, never a switch of doit."""
    project.declare(GATE)
    project.write("bad", "tree.dirty")
    project.doit("ignore", "check_it")
    assert project.doit().status == 1


def test_two_runs_at_once_are_refused(project: Project) -> None:
    project.declare(CHAIN.replace("return call(copy, HERE", "return call(wait_for_go, HERE", 1))
    dodo = project.folder / "dodo.py"
    dodo.write_text(
        dodo.read_text().replace(
            'plan.chapter("before")',
            "def wait_for_go(source, target):\n"
            "    (HERE / 'started').touch()\n"
            "    while not (HERE / 'go').exists():\n"
            "        import time; time.sleep(0.01)\n"
            '    return copy(source, target)\n\nplan.chapter("before")',
        )
    )
    first = subprocess.Popen(
        [sys.executable, "-m", "doit"], cwd=project.folder, stdout=subprocess.DEVNULL
    )
    try:
        wait_until((project.folder / "started").exists, "it has started", of=first)
        second = project.doit()
        assert second.status == 1
        assert f"process {first.pid} on " in second.err
        assert project.doit("list", "--status").status == 0
    finally:
        (project.folder / "go").touch()
        assert first.wait(120) == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stop_ends_in_good_order_and_the_next_run_goes_on(
    project: Project, number: signal.Signals, status: int
) -> None:
    project.declare(CHAIN.replace("return call(halve, at", "return call(hang, at"))
    dodo = project.folder / "dodo.py"
    text = dodo.read_text()
    dodo.write_text(
        text.replace(
            'plan.chapter("before")',
            "def hang(source, target):\n"
            "    (HERE / 'started').touch()\n"
            '    import time; time.sleep(60)\n\nplan.chapter("before")',
        )
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "doit"],
        cwd=project.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until((project.folder / "started").exists, "it has started", of=process)
    process.send_signal(number)
    _, err = process.communicate(timeout=300)
    assert process.returncode == status
    assert "Traceback" not in err
    assert "stopped by" in err
    assert "a" in project.ran()
    (project.folder / "started").unlink()
    project.declare(CHAIN)
    assert project.doit().status == 0
    assert project.ran() == ["b", "c"]


def test_rehearsal_receipts_are_refused_by_a_real_release(chain: Project) -> None:
    rehearsed = RELEASE + "sigstore_trust = 'trust.json'\n[work]\nrehearsal = true\n"
    chain.declare(CHAIN, release=rehearsed)
    assert "REHEARSAL" in chain.doit("list", "--status").out
    assert chain.doit().status == 0
    chain.declare(CHAIN)
    ended = chain.doit()
    assert ended.status == 1
    assert "made in a rehearsal, and this is a real release" in ended.out


def test_always_and_single_are_refused_with_the_reason(chain: Project) -> None:
    for options in (("-a",), ("-s",), ("-n2", "--pdb"), ("-n2", "-r", "console")):
        ended = chain.doit("run", *options)
        assert ended.status == 3
        assert "not supported" in ended.err


def test_a_gate_of_a_newer_version_leaves_what_is_done_behind_it_done(project: Project) -> None:
    """Else a finished release would look as if its announcement were to be made again."""
    gate = GATE.replace('gate(reads=[HERE / "bad"])', "gate(volatile=True)")
    assert gate != GATE
    project.declare(gate)
    project.write("bad", "")
    assert project.doit().status == 0
    project.ran()
    project.declare(gate.replace('call(judge, HERE / "bad")', 'call(judge, HERE / "other")'))
    project.write("other", "")
    assert project.standing("copy_a").startswith("done")
    assert project.standing("check_it").startswith("ready gate passed; checked again: what it is")
    assert project.doit().status == 0
    assert project.ran() == ["judge"]
    assert project.standing("check_it").startswith("done")


ASK: Final = """
@plan.step()
def task_ask():
    "Ask somebody else."
    return call(fail, HERE / "input")

"""


def test_what_a_step_is_only_after_is_done_before_and_no_part_of_its_receipt(
    chain: Project,
) -> None:
    chain.doit()
    chain.ran()
    receipt = chain.work / "receipts" / "copy_c.json"
    before = receipt.read_bytes()
    receipt.unlink()
    last = "@plan.step(after=[task_halve_b]"
    chain.declare(CHAIN.replace(last, f"{ASK}{last}, only_after=[task_ask]"))
    assert chain.doit().status == 0
    assert chain.ran() == ["fail", "c"]
    assert receipt.read_bytes() == before
