"""One bit of every file that is public, each at the same time: all of them are told by name."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.released import Released

pytestmark = pytest.mark.slow


def flip(path: Path) -> None:
    """One bit in the middle is another."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_one_bit_of_any_hosted_page_is_told(
    world: Released, count: Callable[[str, int], None]
) -> None:
    """Scripts and images of the theme, sources and the search index are pages as well."""
    pages = [
        each
        for each in sorted(world.docs.rglob("*"))
        if each.is_file() and not each.name.startswith(".") and each.stat().st_size
    ]
    for page in pages:
        flip(page)
    shutil.rmtree(world.world / "state" / "cdn" / "docs", ignore_errors=True)
    found = world.look().findings
    names = {each.relative_to(world.docs).as_posix() for each in pages}
    told = {each.where.partition(" at ")[0] for each in found if each.rule == "docs.hosted"}
    assert told == names
    assert {name.rpartition(".")[2] for name in names} >= {"html", "js", "css", "png", "txt", "inv"}
    count("hosted pages with another bit were told by name", len(names))
