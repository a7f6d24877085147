"""What a command says and ends with when its words, its folder or the tool itself are wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.engine.conftest import CHAIN, PROJECT, RELEASE
from tests.engine.test_approve import APPROVAL
from tests.waiting import wait_until

if TYPE_CHECKING:
    from plugins.rehearsal.gnupg_home import GnupgHome
    from tests.engine.conftest import Project


def test_a_name_that_no_task_has_is_told_with_the_nearest_one(chain: Project) -> None:
    for words in (
        ("run", "exprot"),
        ("exprot",),
        ("why", "exprot"),
        ("list", "--status", "exprot"),
    ):
        ended = chain.doit(*words)
        assert ended.status == 3
        assert ended.err == "ERROR: 'exprot' is not a task of this release; did you mean export?\n"
    assert "is not a task of this release; doit list shows them" in chain.doit("run", "zzzzz").err
    assert chain.ran() == []


@pytest.mark.parametrize("words", [("why", ""), ("",), ("run", "", "export"), ("list", "")])
def test_an_empty_word_is_refused_in_one_line(chain: Project, words: tuple[str, ...]) -> None:
    """As a script has it whose variable is empty; doit makes a traceback of it."""
    ended = chain.doit(*words)
    assert (ended.status, ended.out) == (3, "")
    assert ended.err == "ERROR: one of the words of the command is empty; leave it out\n"
    assert chain.ran() == []


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--backend", "json", "export"),
        ("--db-file", "other", "export"),
        ("list", "--status", "--check_file_uptodate", "timestamp"),
    ],
)
def test_an_option_of_doits_database_is_refused(chain: Project, words: tuple[str, ...]) -> None:
    """Receipts are what is on record; another backend made a traceback, the others did nothing."""
    ended = chain.doit(*words)
    option = next(word for word in words if word.startswith("--") and word != "--status")
    told = f"{option} is not supported: a release keeps receipts and no database; leave it out\n"
    assert (ended.status, ended.err, chain.ran()) == (3, f"ERROR: {told}", [])


@pytest.mark.parametrize("form", ["--status", "--json"])
@pytest.mark.parametrize("other", [("--deps",), ("--template", "{name}")])
def test_a_list_of_the_status_has_a_form_of_its_own(
    chain: Project, other: tuple[str, ...], form: str
) -> None:
    """One of the two would be left out without a word."""
    ended = chain.doit("list", form, *other)
    told = f"doit list {form} has a form of its own; leave {other[0]} out, or {form}\n"
    assert (ended.status, ended.out, ended.err) == (3, "", f"ERROR: {told}")


def test_only_the_named_tasks_are_listed_and_judged_together(chain: Project) -> None:
    chain.doit()
    chain.write("input", "jelly")
    out = chain.doit("list", "--status", "copy_c", "export").out
    assert [line.split()[:2] for line in out.splitlines()] == [
        ["stale", "copy_c"],
        ["stale", "export"],
    ]


def test_a_folder_that_cannot_be_written_is_one_line(project: Project) -> None:
    (project.folder / "taken").write_text("a file")
    project.declare(CHAIN, release=RELEASE + '[work]\nfolder = "taken"\n')
    ended = project.doit("run", "export")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err == (
        f"{project.folder}/taken/3.13.6: the work folder cannot be written to: Not a directory;"
        " give yourself write permission there, or name another work folder\n"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_of_somebody_else_is_one_line(chain: Project) -> None:
    chain.folder.chmod(0o500)
    try:
        ended = chain.doit("run", "export")
    finally:
        chain.folder.chmod(0o700)
    assert ended.status == 1
    assert "cannot be written to: Permission denied" in ended.err


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="no /sys, which even root cannot fill")
def test_looking_writes_nothing_and_needs_no_right_to(project: Project) -> None:
    project.declare(CHAIN, release=RELEASE + '[work]\nfolder = "/sys/pep101"\n')
    for words in (("list", "--status"), ("why", "copy_a")):
        ended = project.doit(*words)
        assert (ended.status, ended.err) == (0, "")


def test_looking_makes_no_folder(chain: Project) -> None:
    assert chain.doit("list", "--status").status == 0
    assert chain.doit("why", "copy_a").status == 0
    assert not chain.work.parent.exists()


@pytest.mark.parametrize("words", [("run", "export"), ("list", "--status"), ("why", "copy_a")])
def test_a_bug_of_dodo_py_is_status_2_with_its_traceback(
    words: tuple[str, ...], project: Project
) -> None:
    """Status 3 is for settings: whoever made a bug is not sent to release.toml."""
    project.declare(CHAIN + "\n\nraise KeyError('surprise')\n")
    ended = project.doit(*words)
    assert ended.status == 2
    assert "bug" in ended.err
    assert "KeyError: 'surprise'" in ended.err


def test_an_error_that_a_person_can_act_on_is_status_1_without_a_traceback(
    project: Project, keyring: GnupgHome
) -> None:
    project.declare(APPROVAL, RELEASE + f'gnupg_home = "{keyring.folder}"\n')
    assert project.doit().status == 4
    ended = project.doit("approve", "approve_a")
    assert ended.status == 1
    assert "gpg --list-secret-keys has to show one of 0123456789" in ended.out
    assert "Traceback" not in ended.err


def test_a_terminal_of_another_alphabet_is_spoken_to_all_the_same(chain: Project) -> None:
    """A line that is cut ends with a character that ASCII does not have."""
    release = RELEASE + (
        '[[waivers]]\nrule = "builders.red"\nreason = "{}"\nby = "Zoë"\nuntil = 2999-01-01\n'
    )
    chain.declare(CHAIN, release=release.format("a long story " * 9))
    ended = chain.doit("list", "--status", env={"PYTHONIOENCODING": "ascii"})
    assert (ended.status, ended.err) == (0, "")
    assert "waived: builders.red by Zo\\xeb until 2999-01-01: a long" in ended.out


def test_a_gate_that_passed_and_looks_again_is_not_called_stale(project: Project) -> None:
    project.declare(
        CHAIN.replace(
            '@plan.step(reads=[HERE / "input"]',
            '@plan.gate(volatile=True)\ndef task_look():\n    """Look."""\n'
            '    return call(tuple)\n\n@plan.step(after=[task_look], reads=[HERE / "input"]',
        )
    )
    project.doit("look")
    assert project.standing("look") == "ready gate passed; checked again in every run"


def test_a_reader_that_has_seen_enough_is_no_bug(chain: Project) -> None:
    """`doit list --status | head` ends without a word, whatever Python holds back until its end."""
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(
        [sys.executable, "-m", "doit", "list", "--status"],
        cwd=chain.folder, stdout=write, stderr=subprocess.PIPE, text=True, check=False,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
    )  # fmt: skip
    os.close(write)
    assert (ended.returncode, ended.stderr) == (141, "")


@pytest.mark.parametrize("words", [("list", "--status"), ("why", "copy_a"), ("run", "export")])
def test_a_ctrl_c_before_anything_was_done_is_no_bug(
    words: tuple[str, ...], project: Project
) -> None:
    # Python sees a signal that comes just before a long wait begins only when that is over.
    waits = "for _ in range(1200):\n    time.sleep(0.05)\n"
    project.declare(f"import time\n(HERE / 'began').touch()\n{waits}" + CHAIN)
    with subprocess.Popen(
        [sys.executable, "-m", "doit", *words],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        began = (project.folder / "began").exists
        wait_until(began, "dodo.py is read", of=process, said=process.communicate)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=300)
    assert (process.returncode, out, err) == (130, "", "\nstopped by Ctrl-C\n")


LABELLED: Final = '''
@plan.step(reads=[HERE / "input"], writes=[at.src / "a"], wanted="A1 A2")
def task_copy_a():
    """Copy the input to a."""
    return call(copy, HERE / "input", at.src / "a")
'''


def test_why_a_label_shows_the_tasks_that_have_it(project: Project) -> None:
    project.declare(LABELLED)
    dodo = project.folder / "dodo.py"
    labels = 'labels={"wanted": "asked for"},\n    chapters='
    dodo.write_text(dodo.read_text().replace("chapters=", labels, 1))
    assert "  asked for     A1, A2\n" in project.doit("why", "copy_a").out
    assert project.doit("why", "A2").out == (
        "A2\n  done by       copy_a (ready): Copy the input to a.\n"
    )
    assert "'A3' is not a task of this release" in project.doit("why", "A3").err


def test_a_pattern_that_no_task_matches_is_refused(chain: Project) -> None:
    """Nothing to do would be taken for done."""
    for words in (("zzz*",), ("run", "copy_a", "zzz*"), ("zzz*", "-n2")):
        ended = chain.doit(*words)
        assert (ended.status, ended.out) == (3, ""), ended
        assert ended.err == "ERROR: 'zzz*' is not a task of this release; doit list shows them\n"
    assert chain.ran() == []
    assert chain.doit("copy_*").status == 0


def test_help_of_what_is_neither_a_command_nor_a_task_is_refused(chain: Project) -> None:
    ended = chain.doit("help", "aprove")
    assert (ended.status, ended.out) == (3, "")
    assert ended.err == "ERROR: 'aprove' is neither a command nor a task; did you mean approve?\n"
    ended = chain.doit("help", "copy_b")
    assert "'copy_b' is neither a command nor a task; did you mean copy_" in ended.err
    assert chain.doit("help", "copy_a").status == 0
    assert chain.doit("help").status == 0
