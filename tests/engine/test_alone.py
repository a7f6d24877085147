"""The engine alone: what it imports, what it names, and what it leaves as it is for others."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Final

import pytest

from tests.engine.conftest import PROJECT
from tests.engine.test_example import engine_alone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENGINE: Final = PROJECT / "doit_receipts"
# What this repository releases with it, and what no other project would understand.
FOREIGN: Final = re.compile(
    r"cpython|python\.org|\bPEPs?\b|pep101|pep=|\bblurb\b|sphinx|pydoc|release\.toml|patchlevel|"
    r"\btarballs?\b|\bwindows\b|buildbot|\bNEWS\b|\bcore dev|\bexpert's\b|discourse",
    re.IGNORECASE,
)
PLAIN: Final = """\
def task_compile():
    \"\"\"Compile it.\"\"\"
    return {"actions": ["cp source object"], "file_dep": ["source"], "targets": ["object"]}

def task_many():
    for name in ("a", "b"):
        yield {"name": name, "actions": [f"echo {name}"], "verbosity": 2}

def task_fails():
    return {"actions": ["false"], "task_dep": ["compile"]}
"""
COMMANDS: Final = (
    "list", "list --all --status", "help", "help run", "help list", "help compile", "run compile",
    "run compile", "list --status", "run many", "run fails", "info compile", "forget compile",
    "ignore compile", "run compile", "run nobody", "clean compile", "dumpdb", "reset-dep", "--help",
    "--version", "why compile", "next", "tabcompletion --hardcode-tasks", "list --help", "run -x",
)  # fmt: skip


def sources() -> Iterator[Path]:
    yield from sorted(ENGINE.glob("*.py"))
    yield from sorted(ENGINE.glob("command/*.py"))


def test_the_engine_imports_doit_and_the_standard_library_and_nothing_else() -> None:
    found = set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                found |= {each.name.partition(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, path
                found.add((node.module or "").partition(".")[0])
    assert found - sys.stdlib_module_names == {"doit", "doit_receipts"}


def test_doit_is_its_one_dependency_and_nothing_is_registered_for_everybody() -> None:
    declared = tomllib.loads((ENGINE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [each.partition(">")[0] for each in declared["dependencies"]] == ["doit"]
    assert "entry-points" not in declared
    assert "scripts" not in declared


@pytest.mark.parametrize(
    "path", [*sources(), ENGINE / "README.md", ENGINE / "API.md"], ids=lambda path: path.name
)
def test_the_engine_names_nothing_of_what_is_released_with_it(path: Path) -> None:
    told = [
        f"{path.name}:{number}: {line.strip()}"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if FOREIGN.search(line)
    ]
    assert not told, "\n".join(told)


def said(folder: Path, python: str) -> dict[str, tuple[int, bytes, bytes]]:
    """What doit says to each command in a folder that has nothing to do with a release."""
    folder.mkdir()
    (folder / "dodo.py").write_text(PLAIN)
    (folder / "source").write_text("a")
    (folder / "pyproject.toml").write_text('[project]\nname = "other"\n')
    found = {}
    for number, words in enumerate(COMMANDS):
        ended = subprocess.run(
            [python, "-m", "doit", *words.split()], cwd=folder, capture_output=True, check=False,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"},
        )  # fmt: skip
        lines = b"".join(
            each for each in ended.stderr.splitlines(keepends=True) if b"  File " not in each
        )
        found[f"{number} {words}"] = (ended.returncode, ended.stdout, lines)
    return found


@pytest.mark.slow
def test_another_project_of_the_same_environment_has_doit_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte, with the engine installed and after it was taken out."""
    python = engine_alone(tmp_path, monkeypatch)
    with_it = said(tmp_path / "here", python)
    subprocess.run(
        [python, "-m", "pip", "uninstall", "--quiet", "--yes", "doit-receipts"], check=True
    )
    (tmp_path / "here").rename(tmp_path / "before")
    without = said(tmp_path / "here", python)
    assert subprocess.run(
        [python, "-c", "import doit_receipts"],
        check=False,
        capture_output=True,
        cwd=tmp_path / "here",  # beside it is the copy of the source that was installed
    ).returncode
    assert with_it == without
    assert with_it["6 run compile"][:2] == (0, b".  compile\n")
