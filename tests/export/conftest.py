"""A finished bugfix release, made once for all tests of a session and copied by each."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.export.exporting import Place, a_place, lean
from tests.export.toy import Toy
from tests.export.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator


class Places(Protocol):
    def __call__(self, version: str = "3.13.6", name: str = "place") -> Place: ...


@pytest.fixture(scope="session")
def finished_place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """A bugfix release that was exported whole; it is copied and never changed.

    With pytest-xdist the workers of a run share it, and the last one clears it away.
    """
    base = tmp_path_factory.getbasetemp()
    room = base.parent if hasattr(request.config, "workerinput") else base
    place = Place(room / "exported", "3.13.6")
    with _shared(room / "exported.users") as users:
        if not users:
            _export(place, _kept_tools(request.config))
    yield place
    with _shared(room / "exported.users", -1) as users:
        if users == 1:
            place.forget_key()
            shutil.rmtree(place.folder)


@pytest.fixture(scope="session")
def lean_place(finished_place: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The finished release, then declared with less of what takes long: one format, no test."""
    place = finished_place.copied(tmp_path_factory.mktemp("lean") / "lean")
    lean(place)
    ended = place.export()
    assert ended.status == 0, ended
    return place


@contextmanager
def _shared(file: Path, change: int = 1) -> Iterator[int]:
    """How many use it before the change; nobody else enters the block meanwhile."""
    with file.open("a+") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        count = int(file.read_text() or 0)
        yield count
        file.write_text(str(count + change))


def _kept_tools(config: pytest.Config) -> Path | None:
    """Where the docs tools of an earlier session are: installing them takes a minute."""
    cache = getattr(config, "cache", None)  # there is none with -p no:cacheprovider
    return cache.mkdir("docs-tools") / "environment" if cache else None


def _export(place: Place, kept: Path | None) -> None:
    """Export for the first time, in the order of the outline.

    Kept tools are used; if they are not the right ones, steps say so.

    An environment can stand under two names: its Python is always called by its path.
    """
    a_place(place.folder, place.version)
    tools = place.work / "docs-tools"
    if kept is not None and kept.exists():
        shutil.copytree(kept, tools, symlinks=True)
    ended = place.doit("run", "-n1", "export")
    assert ended.status == 0, ended
    (place.folder / "first-run").write_text(ended.out, encoding="utf-8")
    if kept is not None:
        # Under its name there is never half an environment, whoever is killed when.
        made = Path(tempfile.mkdtemp(dir=kept.parent)) / "environment"
        shutil.copytree(tools, made, symlinks=True)
        shutil.rmtree(kept, ignore_errors=True)
        made.rename(kept)
        made.parent.rmdir()


@pytest.fixture
def done(lean_place: Place, tmp_path: Path) -> Place:
    """A finished bugfix release of the test's own."""
    return lean_place.copied(tmp_path / "done")


@pytest.fixture
def a_start(finished_place: Place, tmp_path: Path) -> Iterator[Places]:
    """Make a world in which nothing is done yet but the docs tools, with a lean declaration."""
    made = []

    def make(version: str = "3.13.6", name: str = "place") -> Place:
        place = a_place(tmp_path / name, version, finished_place.work / "docs-tools")
        lean(place)
        made.append(place)
        return place

    yield make
    for place in made:
        place.forget_key()


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
