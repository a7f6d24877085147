"""One walked release, which every test of this folder puts to the moment that it wants."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.export.toy import VERSION
from tests.in_memory import folder_in_memory
from tests.publish.day import Day, remove
from tests.publish.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.model.release import ReleaseType


@contextmanager
def a_day(
    tmp_path_factory: pytest.TempPathFactory,
    version: str = VERSION,
    habit: str = "manifests",
    kind: ReleaseType | None = None,
) -> Iterator[Day]:
    """A release of this version in the block, not begun, whose experts have this habit."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    folder = folder_in_memory("day", base)
    day = Day(folder, shared / "docs-tools", version, habit, kind)
    try:
        yield day
    finally:
        day.close()
        remove(folder)


@contextmanager
def a_walk(
    tmp_path_factory: pytest.TempPathFactory,
    version: str = VERSION,
    habit: str = "manifests",
    kind: ReleaseType | None = None,
) -> Iterator[Walk]:
    """The same, walked from its export to its announcement."""
    with a_day(tmp_path_factory, version, habit, kind) as day:
        yield Walk(day)


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """An undisturbed release of the toy, and the moment before each of its tasks."""
    with a_walk(tmp_path_factory) as made:
        yield made
