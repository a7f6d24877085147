"""The revision of the tool that made a release, as its journal records it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.tools import tool_is_as_committed
from plugins.command.revision import tool_revision
from plugins.services.programs import MachinePrograms
from tests.source_world import git

if TYPE_CHECKING:
    from pathlib import Path

FILES = ("release.toml", "dodo.py")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of a tool, in which release.toml is tracked, as it is in ours."""
    folder = tmp_path / "a tool"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text("first\n")
    (folder / "pyproject.toml").write_text('[project]\nversion = "1.2"\n')
    return folder


def committed(folder: Path) -> str:
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "first")
    return git(folder, "rev-parse", "HEAD").strip()


def test_an_edit_of_the_declaration_is_no_change_of_the_tool(checkout: Path) -> None:
    """README says to edit it; a warning that nobody knows the tool then would be noise."""
    head = committed(checkout)
    assert tool_revision(MachinePrograms(), checkout) == head
    (checkout / "release.toml").write_text("another\n")
    revision = tool_revision(MachinePrograms(), checkout)
    assert revision == head
    assert tool_is_as_committed(revision) == ()


def test_an_edit_of_anything_else_is_marked_and_told(checkout: Path) -> None:
    head = committed(checkout)
    (checkout / "dodo.py").write_text("another\n")
    revision = tool_revision(MachinePrograms(), checkout)
    assert revision == f"{head}+"
    assert [each.rule for each in tool_is_as_committed(revision)] == ["tools.changed"]


def test_a_tool_without_a_checkout_has_a_version(checkout: Path) -> None:
    assert tool_revision(MachinePrograms(), checkout) == "pep101 1.2"
