"""Toy exports for the tests of this folder: one for each process that runs tests."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.export.toy import Toy
from tests.export.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toy]:
    """A toy release with nothing done; each test puts it to the moment that it wants."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    folder = Path(tempfile.mkdtemp(prefix="toy-", dir=base))
    made = Toy(folder, shared / "docs-tools")
    yield made
    made.close()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def walk(toy: Toy) -> Walk:
    """An undisturbed export of the toy, and the moment before each of its tasks."""
    return Walk(toy)
