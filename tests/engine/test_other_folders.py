"""doit from any folder, a path with spaces, two checkouts, and doit's own commands in a release."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.engine.conftest import CHAIN, RELEASE, Project
from tests.waiting import wait_until
from tests.warm_doit import doit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.ended import Ended

MIXED = (
    CHAIN
    + '''
@plan.public(look=lambda: None, after=[task_copy_c])
def announce():
    """Announce it."""
    return call(print)

def task_mine():
    """A task of my own."""
    return {"actions": [(ran, ["mine"])], "file_dep": [str(HERE / "input")]}
'''
)


def doit_in(folder: Path, *words: str) -> Ended:
    return doit(*words, folder=folder, env=os.environ)


@pytest.fixture
def elsewhere(chain: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that has nothing to do with the release; nothing is left in it."""
    del chain
    folder = tmp_path_factory.mktemp("else where")
    yield folder
    assert list(folder.iterdir()) == []


def test_the_list_is_the_same_from_any_folder(chain: Project, elsewhere: Path) -> None:
    dodo = str(chain.folder / "dodo.py")
    here = chain.doit("list", "--status")
    for words in (
        ("-f", dodo, "list", "--status"),
        (f"--file={dodo}", "list", "--status"),
        ("list", "-f", dodo, "--status"),
        ("list", "--status", "-f", dodo),
        ("-f", os.path.relpath(dodo, elsewhere), "list", "--status"),
        ("-f", dodo, "-d", str(elsewhere), "list", "--status"),
    ):
        there = doit_in(elsewhere, *words)
        assert there.status == 0, (words, there)
        assert there.err == ""
        assert there.out == here.out.replace("doit export", f"doit -f {dodo} export"), words


def test_a_run_from_elsewhere_is_a_run_of_the_release(chain: Project, elsewhere: Path) -> None:
    dodo = str(chain.folder / "dodo.py")
    assert doit_in(elsewhere, "-f", dodo).done == ["copy_a", "halve_b", "copy_c"]
    assert doit_in(elsewhere, "-f", dodo, "copy_c").out.endswith("nothing remains\n")
    assert doit_in(elsewhere, "-f", dodo, "why", "copy_a").out.startswith("copy_a: Copy the input")
    assert doit_in(elsewhere, "-f", dodo, "why", "copy_x").status == 3
    assert chain.doit().done == []


def test_from_below_the_release_the_file_is_sought(chain: Project) -> None:
    below = chain.folder / "some where" / "below"
    below.mkdir(parents=True)
    assert doit_in(below, "-k", "copy_a").done == ["copy_a"]
    assert not list(below.iterdir())


def test_a_remedy_that_is_told_elsewhere_works_there(tmp_path: Path, elsewhere: Path) -> None:
    """In a folder with a space in its name, too."""
    folder = tmp_path / "my release"
    folder.mkdir()
    made = Project(folder)
    (folder / "pyproject.toml").write_text((tmp_path / "pyproject.toml").read_text())
    made.declare(CHAIN)
    made.write("input", "hello")
    shown = doit_in(elsewhere, "-f", str(folder / "dodo.py"), "list", "--status").out
    _, *words = shlex.split(shown.splitlines()[-1].partition("next: ")[2])
    assert doit_in(elsewhere, *words).done == ["copy_a", "halve_b", "copy_c"]


def test_two_checkouts_beside_each_other_stay_apart(
    chain: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Project(tmp_path_factory.mktemp("second"))
    (other.folder / "pyproject.toml").write_text((chain.folder / "pyproject.toml").read_text())
    other.declare(CHAIN, RELEASE.replace("3.13.6", "3.13.7"))
    other.write("input", "other")
    assert (
        "Thing 3.13.7"
        in doit_in(chain.folder, "-f", f"{other.folder}/dodo.py", "list", "--status").out
    )
    doit_in(chain.folder, "-f", f"{other.folder}/dodo.py", "copy_a")
    assert (other.folder / "build/3.13.7/src/a").read_text() == "other"
    assert not (chain.folder / "build").exists()


@pytest.mark.parametrize("section", ["", "[tool.doit]\nverbosity = 1\n"])
def test_a_release_whose_loader_nobody_named_is_refused(
    chain: Project, elsewhere: Path, section: str
) -> None:
    """By doit's own loader every step would be done without a look, a lock or a receipt."""
    (chain.folder / "pyproject.toml").write_text(section)
    for ended in (chain.doit(), doit_in(elsewhere, "-f", f"{chain.folder}/dodo.py")):
        assert (ended.status, ended.out) == (3, "")
        (line,) = ended.err.splitlines()
        assert "names no loader of doit, so steps would be done without looking" in line
    assert chain.ran() == []


# doit's own commands


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ignore", "copy_a"), "doit ignore is not offered for tasks of a release; what is to be"),
        (("reset-dep",), "doit reset-dep is not offered for tasks of a release; a receipt is left"),
        (("reset-dep", "copy_a"), "see doit why copy_a"),
        (("strace", "copy_a"), "doit strace is not offered for tasks of a release"),
        (("clean",), "doit clean is not offered for tasks of a release; nothing of a release is"),
        (
            ("info", "copy_a"),
            "doit info is not offered for tasks of a release; see doit why copy_a",
        ),
        (("dumpdb",), "doit dumpdb is not offered for a release, which keeps no database"),
        (("forget", "--all"), "doit forget: --all is not offered for a release"),
        (("forget",), "doit forget: export is a group: name the tasks"),
        (("forget", "announce"), "users have seen what announce did, and its receipt stays"),
    ],
)
def test_a_command_that_can_do_nothing_here_is_refused_in_one_line(
    project: Project, words: tuple[str, ...], said: str
) -> None:
    project.declare(MIXED)
    project.doit("copy_c")
    project.ran()
    before = {path.name: path.read_bytes() for path in (project.work / "receipts").iterdir()}
    ended = project.doit(*words)
    assert (ended.status, ended.out) == (3, ""), ended
    (line,) = ended.err.splitlines()
    assert said in line
    assert {
        path.name: path.read_bytes() for path in (project.work / "receipts").iterdir()
    } == before
    assert project.ran() == []


def test_plain_tasks_beside_a_plan_have_the_commands_that_doit_has(project: Project) -> None:
    project.declare(MIXED)
    assert project.doit("mine").status == 0
    project.ran()
    assert project.doit("ignore", "mine").out == "ignoring mine\n"
    project.write("input", "other")
    project.doit("mine")
    assert project.ran() == []
    assert project.doit("forget", "mine").out == "forgetting mine\n"
    project.doit("mine")
    assert project.ran() == ["mine"]


def test_forgetting_waits_for_nobody_and_changes_nothing_under_a_run(project: Project) -> None:
    slow = (
        "import time\n"
        + CHAIN.replace(
            '    return call(copy, HERE / "input", at.src / "a")',
            '    return call(sleep, at.src / "a")',
        )
        + (
            "\ndef sleep(target):\n    (HERE / 'began').touch()\n    for _ in range(6000):\n"
            "        if (HERE / 'go').exists():\n            break\n"
            "        time.sleep(0.05)\n"
            "    write_whole(target, b'a')\n    return {}\n"
        )
    )
    # The function has to be there before the task that names it.
    head, _, tail = slow.partition("\ndef sleep")
    project.declare("import time\ndef sleep" + tail + head.removeprefix("import time\n"))
    process = subprocess.Popen(
        [sys.executable, "-m", "doit", "copy_a"], cwd=project.folder, stdout=subprocess.DEVNULL
    )
    try:
        wait_until((project.folder / "began").exists, "it has begun", of=process)
        ended = project.doit("forget", "copy_a")
        assert (ended.status, ended.out) == (3, "")
        assert f"this release is being worked on by process {process.pid}" in ended.err
    finally:
        (project.folder / "go").touch()
        assert process.wait(120) == 0
    assert (project.work / "receipts" / "copy_a.json").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_the_tasks_of_the_plan(chain: Project, shell: str) -> None:
    ended = chain.doit("tabcompletion", "--hardcode-tasks", "--shell", shell)
    assert (ended.status, ended.err) == (0, "")
    assert "copy_a" in ended.out


@pytest.mark.parametrize(
    "command", ["list", "run", "why", "forget", "approve", "adopt", "help", "dumpdb"]
)
@pytest.mark.parametrize("word", ["-h", "--help"])
def test_each_of_our_commands_tells_of_itself(chain: Project, command: str, word: str) -> None:
    asked = chain.doit(command, word)
    assert (asked.status, asked.err) == (0, "")
    assert asked.out.splitlines() == chain.doit("help", command).out.splitlines()


def test_the_help_of_a_run_tells_what_a_release_has_use_for(chain: Project) -> None:
    told = chain.doit("run", "--help").out
    assert told.startswith("usage: doit run [OPTION ...] [TASK ...]\n")
    for option in ("--wait", "--wait-hours", "--process", "--file"):
        assert f"{option}" in told
    for option in ("--always-execute", "--single", "--parallel-type", "--reporter"):
        assert option not in told
    assert "the longest chain behind them start first" in " ".join(told.split())
    assert chain.doit("run", "-a", "copy_a").status == 3
