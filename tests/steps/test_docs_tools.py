from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed, StepFailed
from plugins.services.programs import MachinePrograms
from plugins.steps.docs_tools import DocsTools, make_environment
from tests.progress import Heard

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

# A backend of our own, so that nothing is asked of the network.
BACKEND = """
import zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "toy_tool-{version}-py3-none-any.whl"
    info = "toy_tool-{version}.dist-info"
    files = {
        "METADATA": "Metadata-Version: 2.1\\nName: toy_tool\\nVersion: {version}\\n",
        "WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(info + "/" + file, text)
    return name
"""


def a_tree(folder: Path, requirements: str) -> Path:
    doc = folder / "Doc"
    doc.mkdir(exist_ok=True)
    (doc / "requirements.txt").write_text(requirements)
    return doc


def make(
    folder: Path, doc: Path, said: Heard | None = None, constraints: Path | None = None
) -> DocsTools:
    return make_environment(
        folder / "docs-tools", doc, MachinePrograms(), said or Heard(), constraints=constraints
    )


def test_environment_holds_what_the_tree_requires_and_tells_its_version(tmp_path: Path) -> None:
    project = tmp_path / "Doc" / "toy_tool"
    project.mkdir(parents=True)
    (project / "pyproject.toml").write_text(PROJECT)
    (project / "backend.py").write_text(BACKEND.replace("{version}", "1.5"))
    tools = make(tmp_path, a_tree(tmp_path, f"{project.as_uri()}\n"))
    assert list(tools.installed) == ["toy_tool==1.5"]


def test_same_requirements_use_the_same_environment_again(tmp_path: Path) -> None:
    doc = a_tree(tmp_path, "# nothing\n")
    first = make(tmp_path, doc)
    said = Heard()
    assert make(tmp_path, doc, said) == first
    assert said.lines == []


def test_environment_is_made_again_when_requirements_or_constraints_change(tmp_path: Path) -> None:
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("# none\n")
    doc = a_tree(tmp_path, "-c pins.txt\n")
    (doc / "pins.txt").write_text("# none\n")
    before = make(tmp_path, doc, constraints=constraints)
    for changed in (doc / "requirements.txt", doc / "pins.txt", constraints):
        changed.write_text(changed.read_text() + "# changed\n")
        after = make(tmp_path, doc, constraints=constraints)
        assert after.python != before.python
        assert not before.python.exists()
        before = after


def test_half_made_environment_is_made_again(tmp_path: Path) -> None:
    doc = a_tree(tmp_path, "")
    first = make(tmp_path, doc)
    (tmp_path / "docs-tools" / "pep101.json").unlink()
    shutil.rmtree(first.python.parent)
    again = make(tmp_path, doc)
    assert again.installed == first.installed
    assert again.python.exists()
    assert len(list((tmp_path / "docs-tools").iterdir())) == 2


def test_what_pip_cannot_install_fails_with_its_last_lines(tmp_path: Path) -> None:
    doc = a_tree(tmp_path, "./is-not-there-1.0-py3-none-any.whl\n")
    with pytest.raises(ServiceFailed) as caught:
        make(tmp_path, doc)
    message = str(caught.value)
    assert message.startswith("pip: install the tree's Doc/requirements.txt: ended with status 1;")
    assert "[docs] constraints" in message
    assert any("is-not-there" in line for line in caught.value.details)
    # And the failure is not taken for an environment.
    with pytest.raises(ServiceFailed):
        make(tmp_path, doc)


def test_tree_without_requirements_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match=r"no Doc/requirements\.txt"):
        make(tmp_path, tmp_path)


def test_version_is_found_whatever_the_spelling_of_the_name(tmp_path: Path) -> None:
    tools = DocsTools(tmp_path, "CPython 3.13.5", ("python_docs_theme==2025.2", "Sphinx==8.2.3"))
    assert tools.version("python-docs-theme") == "2025.2"
    assert tools.version("sphinx") == "8.2.3"
    assert tools.version("blurb") == ""


def test_words_for_make_survive_its_shell(tmp_path: Path) -> None:
    tools = DocsTools(tmp_path / "it's $HOME" / "python", "CPython 3.13.5", ())
    tools.python.parent.mkdir()
    tools.python.write_text('#!/bin/sh\necho "$@"\n')
    tools.python.chmod(0o755)
    (tmp_path / "Makefile").write_text("all:\n\t@$(BLURB) merge\n")
    words = ["make", "-s", f"BLURB={tools.module_for_make('blurb')}"]
    assert MachinePrograms().run(words, folder=tmp_path).stdout == "-m blurb merge\n"


@pytest.mark.parametrize("name", ["with $HOME", "a folder"])
def test_tools_are_built_wherever_the_work_folder_is(tmp_path: Path, name: str) -> None:
    """As distutils does it, the backend takes a dollar in the environment's path for a variable."""
    folder = tmp_path / name
    project = folder / "Doc" / "toy_tool"
    project.mkdir(parents=True)
    (project / "pyproject.toml").write_text(PROJECT)
    strict = "import string, sys\nassert ' ' not in sys.prefix\n"
    strict += "string.Template(sys.prefix).substitute()\n"
    (project / "backend.py").write_text(strict + BACKEND.replace("{version}", "1.5"))
    tools = make(folder, a_tree(folder, f"{project.as_uri()}\n"))
    assert list(tools.installed) == ["toy_tool==1.5"]
    assert tools.python.is_relative_to(folder)


LOCK = """
lock-version = "1.0"
requires-python = ">=3.9"
[[packages]]
name = "alabaster"
version = "1.0.0"
wheels = [{{ url = "https://example.org/a.whl", hashes = {{ sha256 = "{}" }} }}]
"""
ALABASTER = "fc6786402dc3fcb2de3cabd5fe455a2db534b371124f1f21de8731783dec828b"


def test_a_tree_with_a_lock_gets_what_is_locked_by_its_hash(tmp_path: Path) -> None:
    """Trees of 3.15 and later; what requirements.txt says is only what the lock was made from."""
    doc = a_tree(tmp_path, "no-such-project-anywhere\n")
    (doc / "pylock.toml").write_text(LOCK.format(ALABASTER))
    assert make(tmp_path, doc).version("alabaster") == "1.0.0"
    (doc / "pylock.toml").write_text(LOCK.format("0" * 64))
    with pytest.raises(ServiceFailed, match=r"install the tree.s Doc/pylock\.toml"):
        make(tmp_path, doc)


def test_a_lock_that_is_none_or_that_no_python_here_meets_stops(tmp_path: Path) -> None:
    doc = a_tree(tmp_path, "# nothing\n")
    (doc / "pylock.toml").write_text("nonsense")
    with pytest.raises(StepFailed, match=r"Doc/pylock\.toml: cannot be read as a lock"):
        make(tmp_path, doc)
    (doc / "pylock.toml").write_text(LOCK.format(ALABASTER).replace("3.9", "3.99"))
    with pytest.raises(StepFailed, match=r"needs Python 3\.99 or later"):
        make(tmp_path, doc)
