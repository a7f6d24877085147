"""The checklist of a release: Markdown for an issue, in which nothing is more than text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.checklist import checklist
from tests.engine.released_thing import HOSTILE, do, released

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.conftest import Project


def test_each_task_has_a_box_and_who_is_waited_for_is_told(chain: Project) -> None:
    before = chain.doit("report", "--markdown").out
    assert "0 of 3 tasks are done." in before
    assert "- next: doit export\n" in before
    assert "### 1 before anything\n\n- [ ] `copy_a` Copy the input to a.\n" in before
    assert not chain.work.exists()
    chain.doit()
    after = chain.doit("report", "--markdown").out
    assert "<summary>1 before anything: all 3 done</summary>\n\n- [x] `copy_a`" in after
    assert chain.doit("report", "--markdown").out == after


def test_it_is_written_to_a_file_too(chain: Project) -> None:
    ended = chain.doit("report", "--markdown", "--output", "list.md")
    assert (ended.status, ended.out) == (0, f"{chain.folder / 'list.md'}\n")
    assert (chain.folder / "list.md").read_text() == chain.doit("report", "--markdown").out
    refused = chain.doit("report", "--markdown", "--follow")
    assert refused.status == 3
    assert "is written once" in refused.err


def test_what_others_wrote_is_text_and_calls_nobody(tmp_path: Path) -> None:
    plan = released(tmp_path)
    do(plan, "make_a", "check_a", "await_ci", "break_b")
    text = checklist(plan)
    plan.state.close()
    assert "**waiting** for CI: 2 of 3 jobs ended" in text
    assert "**failed**: b: broke; mend it" in text
    assert HOSTILE not in text
    assert "<script" not in text
    assert "\x1b" not in text
