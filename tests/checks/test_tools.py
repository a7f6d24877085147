from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from checks.tools import foreign_code_is_confined, tool_is_as_committed, tools_are_ready
from doit_receipts.finding import Severity, Waiver, blocking
from plugins.model.local_settings import SourceTest
from plugins.services.programs import MachinePrograms
from tests.confining import needs_confinement

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doit_receipts.finding import Finding
    from plugins.model.release import Release

    Builds = Callable[..., Release]

BEFORE = os.environ["PATH"]
BLURB_HELP = "subcommands\\n  release  x\\n  merge  x\\n  export  x\\n"
NEEDED = {
    "git": "git version 2.39.5",
    "gpg": "gpg (GnuPG) 2.2.40",
    "gzip": "gzip 1.12",
    "xz": "xz (XZ Utils) 5.4.1",
    "make": "GNU Make 4.3",
    "makeinfo": "texi2any (GNU texinfo) 6.8",
    "cc": "cc 12.2.0",
    "autoconf": "autoconf (GNU Autoconf) 2.71",
    "blurb": "blurb version 2.3.0",
}


class Machine:
    """A PATH with exactly these programs, and a Python with no blurb beside it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "bin"
        self.folder.mkdir()
        monkeypatch.setenv("PATH", str(self.folder))
        monkeypatch.setattr(sys, "executable", str(folder / "elsewhere" / "python"))
        for name, told in NEEDED.items():
            self.has(name, told)

    def has(self, name: str, told: str, helped: str = BLURB_HELP, status: int = 0) -> None:
        program = self.folder / name
        program.write_text(
            f"#!/bin/sh\ncase $1 in --help) printf '{helped}';; *) echo '{told}';; esac\n"
            f"exit {status}\n"
        )
        program.chmod(0o755)

    def lacks(self, name: str) -> None:
        (self.folder / name).unlink()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def found(
    release: Release,
    formats: tuple[str, ...] = ("html", "texinfo"),
    test: SourceTest = SourceTest.QUICK,
) -> dict[str, Finding]:
    findings = tools_are_ready(release, MachinePrograms(), formats, test)
    return {f"{each.rule} {each.where}": each for each in findings}


@pytest.mark.usefixtures("machine")
def test_machine_with_everything_passes(a_release: Builds) -> None:
    assert found(a_release()) == {}


def test_this_very_machine_has_what_the_tests_need(a_release: Builds) -> None:
    findings = found(a_release(), formats=(), test=SourceTest.NONE)
    assert [each for each in findings.values() if each.severity is Severity.BLOCK] == []


@pytest.mark.parametrize("name", ["git", "gpg", "gzip", "xz", "make", "makeinfo", "cc", "blurb"])
def test_program_that_is_not_here_blocks_and_names_what_to_install(
    a_release: Builds, machine: Machine, name: str
) -> None:
    machine.lacks(name)
    (finding,) = found(a_release()).values()
    rule = "tools.compiler" if name == "cc" else "tools.missing"
    assert (finding.rule, finding.where) == (rule, name)
    assert finding.severity is Severity.BLOCK
    assert finding.remedy.startswith("install ")
    machine.has(name, NEEDED[name])
    assert found(a_release()) == {}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("git", "git version 2.17.1"),
        ("gpg", "gpg (GnuPG) 1.4.23"),
        ("gpg", "gpg (GnuPG) 2.2.4"),
        ("xz", "xz (XZ Utils) 5.2.10"),
        ("make", "GNU Make 3.80"),
        ("blurb", "blurb version 1.3.0"),
    ],
)
def test_program_that_is_too_old_blocks(
    a_release: Builds, machine: Machine, name: str, told: str
) -> None:
    machine.has(name, told)
    (finding,) = found(a_release()).values()
    assert (finding.rule, finding.where) == ("tools.old", name)
    assert finding.severity is Severity.BLOCK
    assert told.rsplit(maxsplit=1)[-1] in finding.message
    wanted = re.search(r"install ([\d.]+) or later of it", finding.remedy)
    assert wanted, finding.remedy
    machine.has(name, told.replace(told.rsplit(maxsplit=1)[-1], wanted[1]))
    assert found(a_release()) == {}


def test_gzip_of_another_maker_warns(a_release: Builds, machine: Machine) -> None:
    machine.has("gzip", "Apple gzip 430")
    assert found(a_release())["tools.old gzip"].severity is Severity.WARN


def test_blurb_without_a_command_blocks(a_release: Builds, machine: Machine) -> None:
    """P04: release, merge and export are what a release asks of it."""
    machine.has("blurb", "blurb version 2.3.0", helped="  release  x\\n  exports  x\\n")
    finding = found(a_release())["tools.old blurb"]
    assert finding.severity is Severity.BLOCK
    assert finding.message == "does not offer merge, export"


def test_blurb_that_cannot_be_asked_blocks(a_release: Builds, machine: Machine) -> None:
    machine.has("blurb", "blurb version 2.3.0", status=1)
    assert found(a_release())["tools.missing blurb"].severity is Severity.BLOCK


def test_blurb_beside_this_python_is_taken_first(
    a_release: Builds, machine: Machine, tmp_path: Path
) -> None:
    machine.lacks("blurb")
    beside = tmp_path / "elsewhere" / "blurb"
    beside.parent.mkdir()
    beside.write_text(f"#!/bin/sh\nprintf 'blurb version 2.3.0\\n{BLURB_HELP}'\n")
    beside.chmod(0o755)
    assert found(a_release()) == {}


@pytest.mark.parametrize("there", ["autoconf (GNU Autoconf) 2.72", ""])
def test_autoconf_of_another_version_only_warns(
    a_release: Builds, machine: Machine, there: str
) -> None:
    machine.lacks("autoconf")
    if there:
        machine.has("autoconf", there)
    finding = found(a_release())["tools.missing autoconf"]
    assert finding.severity is Severity.WARN
    assert "install autoconf 2.71" in finding.remedy


def test_autoconf_of_the_series_may_have_its_version_in_its_name(
    a_release: Builds, machine: Machine
) -> None:
    machine.has("autoconf2.69", "autoconf (GNU Autoconf) 2.69")
    assert found(a_release("3.11.14")) == {}


def test_gpg_that_only_tells_of_itself_warns(a_release: Builds, machine: Machine) -> None:
    machine.has("gpg", "gpg of a strange maker")
    assert found(a_release())["tools.old gpg"].severity is Severity.WARN


def test_what_this_release_does_not_run_is_not_asked_for(
    a_release: Builds, machine: Machine
) -> None:
    for name in ("gpg", "makeinfo", "cc"):
        machine.lacks(name)
    machine.has("autoconf", "autoconf (GNU Autoconf) 2.72")
    assert found(a_release("3.14.0"), formats=("html",), test=SourceTest.NONE) == {}
    assert "tools.missing makeinfo" not in found(a_release("3.14.0b2"), test=SourceTest.NONE)


def test_everything_that_is_missing_is_told_at_once(a_release: Builds, machine: Machine) -> None:
    for name in ("gpg", "xz", "blurb"):
        machine.lacks(name)
    assert set(found(a_release())) == {
        "tools.missing gpg",
        "tools.missing xz",
        "tools.missing blurb",
    }


def test_tool_with_local_changes_warns() -> None:
    assert tool_is_as_committed("a" * 40) == ()
    (finding,) = tool_is_as_committed("a" * 40 + "+")
    assert (finding.rule, finding.severity) == ("tools.changed", Severity.WARN)


@needs_confinement
def test_machine_that_confines_passes(a_release: Builds) -> None:
    assert foreign_code_is_confined(a_release(), MachinePrograms()) == ()


@pytest.mark.usefixtures("machine")
def test_machine_without_bubblewrap_blocks_and_says_what_to_install(a_release: Builds) -> None:
    (finding,) = foreign_code_is_confined(a_release(), MachinePrograms())
    assert (finding.rule, finding.severity) == ("tools.unconfined", Severity.BLOCK)
    assert "is not installed, so the tree's own programs would run with all your" in str(finding)
    assert "waive tools.unconfined" in finding.remedy
    waiver = Waiver("tools.unconfined", "a machine for this alone", "rm", date(2026, 12, 1))
    assert blocking([finding], [waiver]) == ()


@needs_confinement
def test_machine_that_gets_bubblewrap_confines(
    a_release: Builds, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where bubblewrap is what confines; a Mac has its own."""
    real = shutil.which("bwrap", path=BEFORE)
    if real is None:
        pytest.skip("something else confines here")
    (finding,) = foreign_code_is_confined(a_release(), MachinePrograms())
    assert finding.remedy.startswith("install bubblewrap")
    monkeypatch.setenv("PATH", f"{machine.folder}:{BEFORE}")
    assert foreign_code_is_confined(a_release(), MachinePrograms()) == ()


def test_machine_that_refuses_namespaces_blocks_with_its_reason(
    a_release: Builds, machine: Machine
) -> None:
    machine.has("bwrap", "bwrap: no namespaces here >&2", status=1)
    machine.has("sandbox-exec", "no sandbox here", status=1)
    (finding,) = foreign_code_is_confined(a_release(), MachinePrograms())
    assert "is refused here" in finding.message
    assert "namespaces" in finding.remedy


@pytest.mark.usefixtures("machine")
def test_rehearsal_runs_unconfined_and_says_so(a_release: Builds) -> None:
    (finding,) = foreign_code_is_confined(replace(a_release(), rehearsal=True), MachinePrograms())
    assert finding.severity is Severity.NOTE
    assert "the toy tree of a rehearsal is our own and runs unconfined" in finding.message


@pytest.mark.usefixtures("machine")
def test_a_clone_that_is_rehearsed_with_is_not_ours_and_blocks(a_release: Builds) -> None:
    theirs = replace(a_release(), rehearsal=True, foreign_tree=True)
    (finding,) = foreign_code_is_confined(theirs, MachinePrograms())
    assert finding.severity is Severity.BLOCK
    assert "would run with all your rights" in finding.message
    assert finding.remedy
