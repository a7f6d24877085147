"""The set-up that `make` does, on machines where something is missing.

Each test runs the real Makefile in a folder of its own, on a PATH that holds only what the
test names. That a bare machine is set up completely is tested by .ci/run, which is such a machine.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from checks.own_packages import packages_are_unchanged
from tests.checks.test_compiled import installed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Builds

PROJECT: Final = Path(__file__).resolve().parents[1]
FILES: Final = (
    "Makefile",
    "pyproject.toml",
    "requirements.lock",
    "doit_receipts/pyproject.toml",
)
TOOLS: Final = ("sh", "sed", "cat", "tail", "rm", "env", "id", "uname", "find", "test")
PROGRAMS: Final = ("git", "gpg", "gpg-agent", "xz", "gzip", "ssh-keygen")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with the project's Makefile, and ``bin`` with the programs of a complete machine."""
    project = tmp_path / "a folder"
    (project / "bin").mkdir(parents=True)
    (project / "doit_receipts").mkdir()
    for name in FILES:
        shutil.copy(PROJECT / name, project / name)
    for name in TOOLS:
        found = shutil.which(name)
        assert found, name
        (project / "bin" / name).symlink_to(found)
    for name in PROGRAMS:
        a_program(project, name)
    a_program(project, "python3", f'exec {sys.executable} "$@"')
    return project


def a_program(project: Path, name: str, body: str = "") -> None:
    """Put a program into the machine."""
    program = project / "bin" / name
    program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    program.chmod(0o755)


def make(project: Path, *words: str, env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Status and output of ``make`` on this machine."""
    program = shutil.which("make")
    assert program
    ended = subprocess.run(
        [program, *words],
        cwd=project,
        env={"PATH": str(project / "bin"), **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout


def test_make_alone_tells_what_there_is_and_sets_nothing_up(machine: Path) -> None:
    status, output = make(machine)
    assert status == 0
    assert output.startswith("make rehearse ")
    assert not (machine / ".venv").exists()


def test_a_python_that_is_too_old_is_told_with_its_version(machine: Path) -> None:
    a_program(machine, "python3", "case $1 in --version) echo Python 3.9.6;; *) exit 1;; esac")
    status, output = make(machine, "test")
    assert status == 2
    assert "Python 3.11 or later is needed, and python3 is Python 3.9.6" in output
    assert "make PYTHON=/path/to/python3.13 test" in output


def test_a_newer_python_beside_an_old_one_is_found(machine: Path) -> None:
    a_program(machine, "python3", "exit 1")
    a_program(machine, "python3.12", f'echo asked >&2; exec {sys.executable} "$@"')
    (machine / "bin" / "xz").unlink()
    _, output = make(machine, "setup")
    assert "Python 3.11 or later is needed" not in output
    assert "xz" in output


def test_a_python_that_was_named_is_not_silently_replaced(machine: Path) -> None:
    status, output = make(machine, "setup", "PYTHON=python3.99")
    assert status == 2
    assert "Python 3.11 or later is needed, and python3.99 is" in output


@pytest.mark.parametrize(
    ("manager", "line"),
    [
        ("dnf", "dnf install gnupg2 xz openssh-clients"),
        ("zypper", "zypper install gpg2 xz openssh"),
        ("pacman", "pacman -S gnupg xz openssh"),
        ("apk", "apk add gnupg xz openssh"),
        ("brew", "brew install gnupg xz openssh"),
        ("", "with the package manager of this system: gnupg xz openssh"),
    ],
)
def test_missing_programs_are_told_in_the_words_of_the_platform(
    manager: str, line: str, machine: Path
) -> None:
    for name in ("gpg-agent", "xz", "ssh-keygen"):
        (machine / "bin" / name).unlink()
    if manager:
        a_program(machine, manager)
    status, output = make(machine, "setup")
    assert status == 2
    assert line in output
    assert not (machine / ".venv").exists()


def test_debian_as_a_user_is_told_the_line_with_sudo(machine: Path) -> None:
    (machine / "bin" / "xz").unlink()
    a_program(machine, "apt-get", "echo changed the machine; exit 0")
    (machine / "bin" / "id").unlink()
    a_program(machine, "id", "echo 1000")
    status, output = make(machine, "setup")
    assert status == 2
    assert "sudo apt-get install xz-utils" in output
    assert "changed the machine" not in output


def test_debian_as_root_installs_what_is_missing_and_shows_why_that_failed(machine: Path) -> None:
    (machine / "bin" / "xz").unlink()
    a_program(machine, "apt-get", 'echo "E: no network for $1"; exit 100')
    (machine / "bin" / "id").unlink()
    a_program(machine, "id", "echo 0")
    status, output = make(machine, "setup")
    assert status == 2
    assert "make: installing xz-utils" in output
    assert "E: no network for update" in output
    assert ".venv.log" in output


def test_another_system_is_refused_by_name(machine: Path) -> None:
    (machine / "bin" / "uname").unlink()
    a_program(machine, "uname", "echo MINGW64_NT")
    status, output = make(machine, "rehearse")
    assert status == 2
    assert "pep101 runs on Linux and macOS; this is MINGW64_NT" in output


def test_packages_that_were_altered_are_as_they_were_once_they_are_installed_anew(
    machine: Path, a_release: Builds
) -> None:
    """Python and its pip are stand-ins here: what they install is one package."""
    (machine / "wheel").mkdir()
    installed(machine / "wheel")
    venv, copied = machine / ".venv", shutil.which("cp")
    a_program(
        machine,
        "python3",
        f"""case "$*" in
*"-m venv"*) {shutil.which("mkdir")} -p .venv/bin && {copied} bin/python3 .venv/bin/python ;;
*"pip install"*) {copied} -r wheel/. .venv ;;
*"pip uninstall"*) ;;
*) exec {sys.executable} "$@" ;;
esac""",
    )
    (machine / "bin" / "make").symlink_to(shutil.which("make") or "")
    assert make(machine, "setup")[0] == 0
    release = a_release()
    assert packages_are_unchanged(release, venv) == ()
    (venv / "good.py").write_text("answer = 'evil'\n")
    (finding,) = packages_are_unchanged(release, venv)
    assert finding.rule == "tools.packages"
    assert make(machine, "setup")[0] == 0
    assert packages_are_unchanged(release, venv) == (finding,), "not by make setup alone"
    words = finding.remedy.removeprefix("run ")
    path = {"PATH": str(machine / "bin")}
    subprocess.run(["/bin/sh", "-c", words], cwd=machine, env=path, check=True, capture_output=True)
    assert packages_are_unchanged(release, venv) == ()


@pytest.mark.slow
def test_packages_that_cannot_be_installed_leave_nothing_that_looks_ready(machine: Path) -> None:
    (machine / "requirements.lock").write_text("[broken", encoding="utf-8")
    status, output = make(machine, "setup")
    assert status == 2
    assert "requirements.lock" in output
    assert (machine / ".venv").exists()
    assert not (machine / ".venv" / "ready").exists()
