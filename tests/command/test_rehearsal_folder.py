"""Where a rehearsal lands: below the folder that was typed, or beside dodo.py."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from tests.doit_section import DOIT_SECTION
from tests.warm_doit import doit

PROJECT: Final = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("version", ["3.13.6", "3.13.6,3.12.14"])
@pytest.mark.parametrize("folder", ["", "here"])
def test_only_a_folder_that_was_typed_is_below_the_one_where_the_person_stands(
    tmp_path: Path, folder: str, version: str
) -> None:
    """Whoever stands in a clone of CPython finds nothing new in it."""
    tool, clone = tmp_path / "pep101", tmp_path / "cpython"
    for each in (tool, clone):
        each.mkdir()
    (tool / "pyproject.toml").write_text(DOIT_SECTION)
    (tool / "dodo.py").write_text(
        "from doit_receipts.handover import go_on_with_own_commands\ngo_on_with_own_commands()\n"
    )
    words = ["--version", version, "--fault", "none.of.this"]
    words += ["--folder", folder] if folder else []
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    ended = doit("-f", str(tool / "dodo.py"), "rehearse", *words, folder=clone, env=environment)
    assert "none.of.this" in ended.err, ended
    made, empty = (clone / folder, tool) if folder else (tool / "rehearsal", clone)
    assert [each.name for each in made.iterdir()] == [version.replace(",", "-")]
    assert not [each for each in empty.iterdir() if each.is_dir()]
