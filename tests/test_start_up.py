"""What a command loads before it says anything: listing a release has to be instant."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from plugins.rehearsal.toy_cpython import make_toy

PROJECT: Final = Path(__file__).resolve().parents[1]

# Beyond what doit itself loads. Everything else belongs inside the step that needs it.
OURS: Final = {"chapters", "checks", "dodo", "doit_receipts", "plugins", "toml"}

# Parts of Python that cost more than the rest of a listing together.
HEAVY: Final = {
    "asyncio", "difflib", "email", "http", "tarfile", "unittest", "urllib", "xml", "zipfile",
}  # fmt: skip

# Checks and steps that a chapter takes more from than functions to call when the time comes.
DECLARING: Final = {
    "plugins.steps.afterwards",
    "plugins.steps.announcement_draft",
    "plugins.steps.announcing",
    "plugins.steps.bundles",
    "plugins.steps.configure",
    "plugins.steps.drafts",
    "plugins.steps.email_drafts",
    "plugins.steps.emails",
    "plugins.steps.evidence",
    "plugins.steps.fork",
    "plugins.steps.forum_post",
    "plugins.steps.invitation",
    "plugins.steps.protection",
    "plugins.steps.published_tag",
    "plugins.steps.release_clone",
    "plugins.steps.signing",
    "plugins.steps.store_packages",
    "plugins.steps.summary",
    "plugins.steps.tiers",
}

# Parts of the model that only some releases, and some commands, need.
LATE: Final = {
    f"plugins.model.{name}"
    for name in ("attested", "gate_rules", "obligations", "report", "rules", "statement")
}

LOADED: Final = """\
import sys
from doit.doit_cmd import DoitMain
status = DoitMain().run(sys.argv[2:])
open(sys.argv[1], "w").write("\\n".join(sorted(sys.modules)))
sys.exit(status)
"""

# What a module does while it is imported: an expression compiled by it, or a file read.
DONE_AT_IMPORT: Final = """\
import os, re, sys
from doit.doit_cmd import DoitMain
record, project = open(sys.argv[1], "w", buffering=1), os.getcwd() + os.sep
plain = re.compile
def importing():
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    while frame is not None and frame.f_code.co_name != "<module>":
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return ""
        frame = frame.f_back
    name = frame.f_code.co_filename if frame is not None else ""
    ours = name.startswith(project) and not name.startswith(sys.prefix)
    return name.removeprefix(project) if ours and not name.endswith("dodo.py") else ""
def compile(pattern, flags=0):
    if found := importing():
        record.write(f"{found} compiles {pattern!r}\\n")
    return plain(pattern, flags)
def audit(event, arguments):
    if event == "open" and str(arguments[0]).endswith((".py", ".pyc")) is False:
        if found := importing():
            record.write(f"{found} reads {arguments[0]}\\n")
re.compile = compile
sys.addaudithook(audit)
sys.exit(DoitMain().run(sys.argv[2:]))
"""


def loaded_by(folder: Path, record: Path, *words: str | Path, program: str = LOADED) -> set[str]:
    """The modules that doit has loaded when it ends, or else the lines that ``program`` writes."""
    ended = subprocess.run(
        [sys.executable, "-c", program, record, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return set(record.read_text(encoding="utf-8").splitlines())


def packages(modules: set[str]) -> set[str]:
    """The top-level packages that these are of."""
    return {name.partition(".")[0] for name in modules}


@pytest.fixture(scope="module")
def declaration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release.toml of a release in which nothing is done yet."""
    folder = tmp_path_factory.mktemp("release")
    make_toy(folder)
    file = folder / "release.toml"
    file.write_text(
        'version = "3.13.6"\n[repository]\nclone = "cpython"\n'
        '[signing]\ngpg_key = "0123456789ABCDEF0123456789ABCDEF01234567"\n',
        encoding="utf-8",
    )
    return file


@pytest.fixture(scope="module")
def doit_alone(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What doit loads to list a dodo.py of one task."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "dodo.py").write_text("def task_one():\n    return {'actions': []}\n")
    return loaded_by(folder, folder / "loaded", "list")


@pytest.mark.parametrize("words", ["list", "list --status", "why --release {} build_docs"])
def test_a_question_loads_nothing_heavy(
    words: str, declaration: Path, doit_alone: set[str], tmp_path: Path
) -> None:
    words = words if "{}" in words else f"{words} --release {{}}"
    asked = [word.replace("{}", str(declaration)) for word in words.split()]
    loaded = packages(loaded_by(PROJECT, tmp_path / "loaded", *asked)) - packages(doit_alone)
    assert loaded - set(sys.stdlib_module_names) - OURS == set()
    assert loaded & HEAVY == set()


def test_a_listing_loads_no_check_and_no_step_but_those_whose_values_are_declared(
    declaration: Path, tmp_path: Path
) -> None:
    words = ("list", "--status", "--release", declaration)
    loaded = loaded_by(PROJECT, tmp_path / "loaded", *words)
    named = {each for each in loaded if each.startswith(("checks.", "plugins.steps."))}
    assert named - DECLARING == set()
    assert loaded & LATE == set()


def test_no_module_compiles_an_expression_or_reads_a_file_while_a_listing_imports_it(
    declaration: Path, tmp_path: Path
) -> None:
    words = ("list", "--status", "--release", declaration)
    done = loaded_by(PROJECT, tmp_path / "done", *words, program=DONE_AT_IMPORT)
    assert done == set()
