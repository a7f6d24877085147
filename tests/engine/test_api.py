"""API.md has every public name of the engine, and what each raises is told where it is declared."""

from __future__ import annotations

import runpy
import tomllib

from tests.engine.conftest import DOIT, PROJECT

MADE = runpy.run_path(str(PROJECT / "docs" / "generate_engine.py"))
PAGE = (PROJECT / "doit_receipts" / "API.md").read_text(encoding="utf-8")


def test_every_public_name_is_on_the_page_of_the_api() -> None:
    names = MADE["public_names"](PROJECT)
    assert len(names) > 30
    missing = {
        f"{module}.{name}"
        for module, public in names.items()
        for name in public
        if not any(f"{mark}{name}{end}" in PAGE for mark in ("**`", "#### `") for end in "(`")
    }
    assert missing == set()


def test_every_module_has_a_place_of_its_own_on_the_page() -> None:
    assert "## More" not in PAGE


def test_the_block_of_the_readme_names_what_is_there() -> None:
    plugins = tomllib.loads(DOIT)["tool"]["doit"]["plugins"]
    names = MADE["public_names"](PROJECT)
    for kind in plugins.values():
        for place in kind.values():
            module, _, name = place.removeprefix("doit_receipts.").partition(":")
            assert name in names[module.replace(".", "/")], place


def test_the_readme_is_one_screen_and_begins_with_what_people_ask_for() -> None:
    lines = (PROJECT / "doit_receipts" / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 75
    first = "\n".join(lines[:12])
    for asked in ("kill -9", "corrupt", "why does this run", "run again after half of it failed"):
        assert asked in first
