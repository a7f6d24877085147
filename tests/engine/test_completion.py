"""Completion: the script of each shell knows everything itself, and starts no program."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from tests.engine.conftest import CHAIN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.conftest import Project

APPROVAL: Final = '''
@plan.gate(after=[task_copy_c])
def check_c():
    """Judge c."""
    return call(judge, HERE / "input")

@plan.approval(of=[check_c], who="RM")
def approve_c():
    """Approve c's bytes: it is 'final'."""
'''
TRY: Final = """
source "$1"; shift
PATH=  # nothing can be started from here on
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
_doit_of_a_release
echo "${COMPREPLY[@]}"
"""
TRY_ZSH: Final = """
compdef() { : }
compadd() { print -r -- ${(P)2} }
words=(doit cop) CURRENT=2 PREFIX=cop
fpath=($1 $fpath); autoload -Uz _doit
_doit
_doit
source $1/_doit; print
"""


@pytest.fixture
def script(project: Project, tmp_path: Path) -> Path:
    project.declare(CHAIN + APPROVAL)
    ended = project.doit("tabcompletion")
    assert (ended.status, ended.err) == (0, "")
    file = tmp_path / "completion.bash"
    file.write_text(ended.out)
    return file


def offered(script: Path, *words: str) -> list[str]:
    """What bash offers behind these words, the last of which is begun."""
    ended = subprocess.run(
        ["bash", "--norc", "-c", TRY, "bash", script, *words],
        capture_output=True, text=True, check=True, cwd=script.parent,
    )  # fmt: skip
    assert ended.stderr == ""
    return ended.stdout.split()


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("doit", "cop"), ["copy_a", "copy_c"]),
        (("doit", "wh"), ["why"]),
        (("doit", "why", "hal"), ["halve_b"]),
        (("doit", "approve", ""), ["approve_c"]),
        (("doit", "check", ""), ["check_c"]),
        (("doit", "copy_a", "--wait"), ["--wait", "--wait-hours"]),
        (("doit", "list", "--js"), ["--json"]),
        (("doit", "--file=x", "list", "--stat"), ["--status"]),
        (("doit", "report", "--output", "inp"), ["input"]),
        (("doit", "ignor"), []),
        (("doit", "list", "cop"), ["copy_a", "copy_c"]),
        (("doit", "board", "cop"), []),
        (("doit", "next", ""), []),
        (("doit", "help", "wh"), ["why"]),
        (("doit", "help", "cop"), ["copy_a", "copy_c"]),
        (("doit", "list", "--ba"), []),
        (("doit", "copy_a", "--db"), []),
        (("doit", "nonsense", "--nonsense"), []),
    ],
)
def test_bash_offers_what_can_stand_there(
    script: Path, words: tuple[str, ...], wanted: list[str]
) -> None:
    assert offered(script, *words) == wanted


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_is_one(project: Project, shell: str, tmp_path: Path) -> None:
    """Its syntax is judged by the shell itself, where it is installed."""
    project.declare(CHAIN + APPROVAL)
    ended = project.doit("tabcompletion", "--shell", shell)
    assert (ended.status, ended.err) == (0, "")
    for word in ("copy_a", "approve_c", "wait-hours", "why"):
        assert word in ended.out
    file = tmp_path / "script"
    file.write_text(ended.out)
    if shutil.which(shell):
        judged = subprocess.run([shell, "-n", file], capture_output=True, text=True, check=False)
        assert (judged.returncode, judged.stderr) == (0, "")


def test_zsh_offers_at_the_first_tab_what_it_has_loaded_by_it(
    project: Project, tmp_path: Path
) -> None:
    project.declare(CHAIN)
    file = tmp_path / "_doit"
    file.write_text(project.doit("tabcompletion", "--shell", "zsh").out)
    assert file.read_text().endswith(
        '\n[[ ${funcstack[1]-} != _doit ]] || _doit_of_a_release "$@"\n'
    )
    if shutil.which("zsh"):
        ended = subprocess.run(
            ["zsh", "-f", "-c", TRY_ZSH, "zsh", tmp_path],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (ended.returncode, ended.stderr) == (0, "")
        first, loaded, sourced = ended.stdout.splitlines()
        assert {"copy_a", "copy_c"} <= set(first.split())
        assert (loaded, sourced) == (first, "")


def test_another_shell_is_one_line(chain: Project) -> None:
    ended = chain.doit("tabcompletion", "--shell", "tcsh")
    assert (ended.status, ended.out) == (3, "")
    assert "--shell takes one of bash, zsh, fish" in ended.err
