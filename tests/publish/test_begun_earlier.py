"""A release that commit 1dae947 began is gone on with: nothing of it is stale for a renaming.

``begun-by-1dae947.tar.xz`` holds the declaration, the receipts and the journal of a rehearsal
which that commit stopped just after the switch. ``tests/moving/trial`` makes a whole one and
finishes it (see CONTRIBUTING.md).
"""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
import tarfile
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import pytest

from doit_receipts.acting import doubt
from doit_receipts.errors import AlreadyPublished, ReleaseError
from doit_receipts.intents import intent_of
from doit_receipts.receipt import Receipt
from doit_receipts.task import Kind
from plugins.command.release_file import RELEASE_FILE

if TYPE_CHECKING:
    from doit_receipts.plan import Plan

# Inputs and products that came later or went, of steps that may be done again at any time and of a
# gate: each is a choice made here.
LATER_INPUTS: Final[dict[str, str | tuple[str, ...]]] = {
    "compare_configure": "the autoconf is now ",
    "check_lights": (
        "check_brought is not done",
        "await_windows_build is not done",
        # which it waits for all the same, by way of others
        "build_docs is not done",
        "check_docs is not done",
    ),
}

PROJECT: Final = Path(__file__).resolve().parents[2]
KEPT: Final = Path(__file__).with_name("begun-by-1dae947.tar.xz")


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """The release.toml of the release that was begun."""
    with tarfile.open(KEPT) as kept:
        # Python 3.11.2, as in Debian 12, knows no filters yet, and 3.12 warns where none is set.
        kept.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        kept.extractall(tmp_path)
    # What was simulated later has an address of its own, as tests/moving/trial.py gives it one.
    declaration = tmp_path / "release.toml"
    names = ("peps", "blog", "azure", "nuget")
    later = "".join(f'{name} = "http://127.0.0.1:9"\n' for name in names)
    text = declaration.read_text().replace("[credentials]\n", f"{later}[credentials]\n")
    declaration.write_text(text)
    return declaration


@pytest.fixture
def plan(begun: Path) -> Plan:
    def read() -> Plan:
        RELEASE_FILE.set(begun)
        return cast("Plan", runpy.run_path(str(PROJECT / "dodo.py"))["plan"])

    return copy_context().run(read)


def is_done(plan: Plan, name: str) -> bool:
    return plan.tasks[name].kind is not Kind.GROUP and plan.receipts.receipt(name) is not None


def test_every_receipt_is_read_and_is_of_a_task_that_there_is(plan: Plan) -> None:
    left = {path.stem for path in plan.folder.receipts.iterdir()}
    assert len(left) > 50
    former = set(plan.former_names)
    assert {name for name in plan.tasks if is_done(plan, name)} == left - former
    assert left & former == {"approve_news"}


def test_no_task_is_stale_but_for_what_was_not_kept(plan: Plan) -> None:
    """Products and clone are not in the archive; whatever else is told would be a renaming."""
    told = {
        name: [
            each
            for each in plan.receipts.reasons(task)
            if not each.startswith(LATER_INPUTS.get(name, "\n"))
            and not each.endswith(("is gone", "gives no commit", "needs it"))
            and "not there" not in each
        ]
        for name, task in plan.tasks.items()
        if is_done(plan, name)
    }
    volatile = "checked again until the tasks after it are done"
    base = [each for name in ("check_base", "make_clone") for each in told.pop(name)]
    assert {name: each for name, each in told.items() if each not in ([], [volatile])} == {}
    assert all("clone" in each or "base" in each or each == volatile for each in base), base


def test_no_public_act_would_be_refused_or_done_again(plan: Plan) -> None:
    public = [name for name, task in plan.tasks.items() if task.is_public and is_done(plan, name)]
    assert {"switch_files", "tell_experts"} <= set(public)
    for name in public:
        task = plan.tasks[name]
        try:
            plan.receipts.refuse_second_time(task, plan.receipts.inputs(task))
        except AlreadyPublished as error:
            pytest.fail(f"{name}: {error}")
        except ReleaseError as error:
            if "not there" not in str(error):  # a file that it reads is not kept
                raise


def test_what_would_come_before_a_switch_that_has_happened_is_not_asked_for(plan: Plan) -> None:
    """A last approval of what users see already could not be refused by anybody."""
    asked = ("check_before_switch", "write_summary", "approve_release")
    assert {plan.receipts.reasons(plan.tasks[name]) for name in asked} == {("not done yet",)}
    for name in ("switch_files", "switch_docs"):
        step = Receipt(name, plan.project.version, {}, {}, {}, rehearsal=True)
        if plan.receipts.receipt(name) is None:
            plan.receipts.leave(step)
    assert {plan.receipts.reasons(plan.tasks[name]) for name in asked} == {()}


def test_what_the_journal_of_then_says_still_counts(plan: Plan) -> None:
    """A mail that was begun, and whose receipt is lost, is not sent on a guess."""
    task = plan.tasks["tell_experts"]
    assert intent_of(plan.context.journal, task.name) is not None
    plan.receipts.receipt_path(task.name).unlink()
    assert doubt(plan, task) == "an earlier run started it and left no receipt"


def test_why_says_what_cannot_be_compared(begun: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "doit", "why", "switch_files", "--release", begun],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "written by a version before 0.2: whether its settings have changed" in ended.stdout


def test_the_archive_names_no_machine_and_no_person(begun: Path) -> None:
    for path in begun.parent.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert "root" not in text.replace("scratch/root", ""), path
            assert "/home/" not in text, path
    lines = (begun.parent / "build/3.13.6/journal.jsonl").read_text().splitlines()
    assert {json.loads(line)["by"] for line in lines} == {"rm@machine"}
