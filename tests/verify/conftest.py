"""One release for all tests of `doit verify`, made once: a whole rehearsal takes its minute."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.in_memory import folder_in_memory
from tests.released import Released, rehearse

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def released() -> Iterator[Released]:
    """A release that is out. Whoever works on the checks may name one that was made before:
    PEP101_REHEARSED=FOLDER/3.13.6, which is only read.
    """
    before = os.environ.get("PEP101_REHEARSED", "")
    folder = folder_in_memory("verify")
    made = Path(before) if before else rehearse(folder / "rehearsal")
    world = Released(made, folder / "copy")
    yield world
    world.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def world(released: Released) -> Iterator[Released]:
    """The release as it is out; whatever a test does to it is mended behind it."""
    yield released
    released.restore()
