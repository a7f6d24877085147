"""One release for all tests of `doit verify`, made once: a whole rehearsal takes its minute."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.released import Released, rehearse

if TYPE_CHECKING:
    from collections.abc import Iterator


_MEMORY: Final = Path("/dev/shm")
"""Where it is there, nobody waits for a disk: each test puts back thousands of small files."""


@pytest.fixture(scope="session")
def released() -> Iterator[Released]:
    """A release that is out. Whoever works on the checks may name one that was made before:
    PEP101_REHEARSED=FOLDER/3.13.6, which is only read.
    """
    before = os.environ.get("PEP101_REHEARSED", "")
    folder = Path(tempfile.mkdtemp(prefix="verify-", dir=_MEMORY if _MEMORY.is_dir() else None))
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
