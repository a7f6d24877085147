from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from plugins.model.layout import Layout
from plugins.model.release import Release, type_of
from plugins.model.series import series_of
from plugins.model.version import Version
from plugins.rehearsal.gnupg_home import GnupgHome, gnupg_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Builds(Protocol):
    def __call__(self, version: str = "3.13.6") -> Release: ...


@pytest.fixture
def a_release(tmp_path: Path) -> Builds:
    """Make a release of any version whose files are below the test's own folder."""

    def build(version: str = "3.13.6") -> Release:
        parsed = Version.parse(version)
        layout = Layout(tmp_path / "build" / version, parsed)
        return Release(parsed, type_of(parsed), series_of(parsed), layout)

    return build


@pytest.fixture(scope="session")
def keyring() -> Iterator[GnupgHome]:
    """A GnuPG home that the tests of a session share; keys are added and never changed."""
    with gnupg_home() as made:
        yield made
