"""The checklist of a release: Markdown for an issue, in which nothing is more than text."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from doit_receipts.checklist import checklist
from doit_receipts.lock import holding
from tests.engine.released_thing import HOSTILE, do, released
from tests.waiting import wait_until

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
    assert "wants a file: add --output FILE" in refused.err


def test_it_follows_and_names_its_file_whenever_it_says_something_else(chain: Project) -> None:
    """A program that reads along puts it where others see it."""
    file = chain.folder / "list.md"
    with subprocess.Popen(
        [sys.executable, "-m", "doit", "report", "--markdown", "--follow", "--output", "list.md"],
        cwd=chain.folder, stdout=subprocess.PIPE, text=True,
    ) as following:  # fmt: skip
        try:
            assert following.stdout is not None
            assert following.stdout.readline() == f"{file}\n"
            assert "0 of 3 tasks are done." in file.read_text()
            assert chain.doit("export").status == 0
            assert following.stdout.readline() == f"{file}\n"
            wait_until(lambda: "3 of 3 tasks are done." in file.read_text(), "it is written again")
        finally:
            following.send_signal(signal.SIGINT)
            status = following.wait(timeout=60)
    assert status == 0


def test_what_cannot_be_read_is_told_on_top_and_of_a_full_disk_to_people(chain: Project) -> None:
    """The program that reads along gets names of files, and nothing else."""
    file, folder = chain.folder / "list" / "list.md", chain.folder / "list"
    folder.mkdir()
    with subprocess.Popen(
        [sys.executable, "-m", "doit", "report", "--markdown", "--follow", "--output", str(file)],
        cwd=chain.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as following:  # fmt: skip
        try:
            assert following.stdout is not None
            assert following.stderr is not None
            assert following.stdout.readline() == f"{file}\n"
            before, declared = file.read_text(), (chain.folder / "release.toml").read_text()
            chain.write("release.toml", f"{declared}\nthis is = = *nothing*")
            assert following.stdout.readline() == f"{file}\n"
            told = "**this is as it was declared before; what is declared now cannot be read: "
            assert file.read_text().startswith(told)
            assert file.read_text().endswith(f"**\n\n{before}")
            folder.rename(chain.folder / "away")
            folder.touch()
            chain.write("release.toml", declared)
            assert "cannot be written: " in following.stderr.readline()
            folder.unlink()
            (chain.folder / "away").rename(folder)
            assert following.stdout.readline() == f"{file}\n"
            assert file.read_text() == before
        finally:
            following.send_signal(signal.SIGINT)
            out, err = following.communicate(timeout=60)
    assert (following.returncode, out, err) == (0, "", "")


def test_a_task_that_runs_is_the_same_at_each_look(tmp_path: Path) -> None:
    plan = released(tmp_path)
    with holding(plan.folder.lock), plan.context.running.of("make_a", 0.0):
        plan.folder.log("make_a").parent.mkdir(parents=True, exist_ok=True)
        plan.folder.log("make_a").write_text("line 1\n")
        first = checklist(plan)
        plan.folder.log("make_a").write_text("line 2\n")
        assert checklist(plan) == first
    plan.state.close()
    assert "`make_a` Write a. **running**\n" in first
    assert "line 1" not in first


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


def test_an_address_comes_through_as_it_is_and_what_is_beside_it_is_text(tmp_path: Path) -> None:
    """Nobody is led by text after ``https://`` to where it does not say."""
    plan = released(tmp_path)
    told = "red (https://x.example/a_b/#/c~d*e): *you* @me https://![x](https://y_/z_)"
    shown = (
        "**red (<https://x.example/a_b/#/c~d*e>): \\*you\\* @\u200bme "
        "<https://![x](https://y_/z_)>**\n"
    )
    assert checklist(plan, told).startswith(shown)
    plan.state.close()


def test_an_address_that_is_cut_is_no_link(tmp_path: Path) -> None:
    """It would lead to a page that does not exist; GitHub links what has no brackets as well."""
    plan = released(tmp_path)
    told = f"see https://h.example/a: {'x' * 900} https://h.example/{'a' * 80}"
    shown = checklist(plan, told).splitlines()[0]
    plan.state.close()
    assert shown.startswith("**see <https://h.example/a>: xxx")
    assert shown.endswith("x https:\u200b//h.example/" + "a" * 55 + "…**")
