"""One walked release, which every test of this folder puts to the moment that it wants."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.publish.day import Day
from tests.publish.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEMORY: Final = Path("/dev/shm")
"""Where it is there, nobody waits for a disk, and the moments of a day are put back at once."""


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """An undisturbed release of the toy, and the moment before each of its tasks."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    folder = Path(tempfile.mkdtemp(prefix="day-", dir=_MEMORY if _MEMORY.is_dir() else base))
    day = Day(folder, shared / "docs-tools")
    try:
        yield Walk(day)
    finally:
        day.close()
        shutil.rmtree(folder)
