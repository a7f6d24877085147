"""``[notify] command``, from release.toml to the program that somebody wrote."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.command.test_release_option import RELEASE, PythonProject
from tests.doit_section import DOIT_SECTION
from tests.engine.conftest import CHAIN

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM: Final = """\
import json, os, sys
inherited = [number for number in range(3, 256) if os.path.exists(f"/dev/fd/{number}")]
with open("told", "a") as file:
    json.dump({"argv": sys.argv[1:], "stdin": sys.stdin.read(), "inherited": inherited}, file)
    file.write("\\n")
"""


@pytest.mark.parametrize("at_once", ["1", "2"])
def test_the_command_hears_of_a_run_and_inherits_nothing(at_once: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(DOIT_SECTION)
    project = PythonProject(tmp_path)
    project.write("input", "hello")
    project.write("tell.py", PROGRAM)
    declared = json.dumps([sys.executable, str(tmp_path / "tell.py")])
    project.declare(CHAIN, f"{RELEASE}[notify]\ncommand = {declared}\n")
    ended = project.doit("copy_a", "-n", at_once)
    assert (ended.status, ended.err) == (0, "")
    told = project.folder / "build" / "3.13.6" / "told"
    (line,) = told.read_text().splitlines()
    assert json.loads(line) == {
        "argv": ["Python 3.13.6: copy_a done"],
        "stdin": "copy_a: 1 task is done\n",
        "inherited": [],
    }
