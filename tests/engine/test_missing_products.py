"""Files that are not there: what the error says brings them back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.engine.conftest import CHAIN

if TYPE_CHECKING:
    from tests.engine.conftest import Project


def test_file_that_no_task_makes_is_put_there_as_told(project: Project) -> None:
    project.declare(CHAIN)
    (project.folder / "input").rename(project.folder / "away")
    ended = project.doit("export")
    assert ended.status == 1
    assert "not there, and copy_a needs it; put it there, or see which task makes it:" in ended.said
    command = re.search(r"which task makes it: doit (list --status)", ended.said)
    assert command
    assert project.doit(*command[1].split()).status == 0
    (project.folder / "away").rename(project.folder / "input")
    assert project.doit("export").status == 0
