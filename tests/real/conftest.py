"""The real CPython for tests marked ``real``; tests/real/fetch brings it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

collect_ignore = ["cache"]  # CPython has tests of its own

_FETCH = Path(__file__).with_name("fetch")
_NOT_ON_THIS_MACHINE = 3


@dataclass(frozen=True, slots=True)
class Upstream:
    """What upstream published of 3.13.5, and what Debian keeps beside it."""

    source: Path
    """The archive, unpacked."""
    archive: Path
    """The ``.tar.xz`` as published."""
    signature: Path
    """The release manager's detached signature of it."""
    packaging: Path
    """Debian's own part of the source package; it holds the release manager's key."""


@pytest.fixture(scope="session")
def upstream() -> Upstream:
    """Upstream's 3.13.5; the test is skipped where Debian's archive cannot be had at all."""
    fetched = subprocess.run([sys.executable, _FETCH], capture_output=True, text=True, check=False)
    if fetched.returncode == _NOT_ON_THIS_MACHINE:
        pytest.skip(fetched.stderr.strip())
    assert fetched.returncode == 0, fetched.stderr
    source = Path(fetched.stdout.strip())
    cache = source.parent
    (archive,) = cache.glob("*.orig.tar.xz")
    (packaging,) = cache.glob("*.debian.tar.xz")
    return Upstream(source, archive, archive.with_name(f"{archive.name}.asc"), packaging)
