"""SIGKILL after every change that a release makes on a host, then the same command again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.host_world import ROOT, Rehearsed, a_rehearsed_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROJECT = Path(__file__).parents[2]
STEPS = 7  # every seventh instant is tried in each test, so that they run side by side


class Client:
    """The process that publishes, again and again."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def publish(self, world: Rehearsed, source: Path, *, killed_after: int = 0) -> int:
        """The exit status, or minus the signal."""
        asked = {"ssh_config": str(world.ssh_config), "source": str(source), "root": ROOT}
        number = int(self._tell(json.dumps(asked)))
        if killed_after:
            world.store.aim(number, killed_after)
        return int(self._tell("go"))

    def _tell(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.host_client"],
        cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    ) as process:  # fmt: skip
        yield Client(process)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a small release."""
    folder = tmp_path_factory.mktemp("release")
    for name in ("src", "docs"):
        (folder / name).mkdir()
    for name in ("Python-3.13.6.tgz", "Python-3.13.6.tgz.asc", "SHA256SUMS"):
        (folder / "src" / name).write_bytes(name.encode() * 9000)
    top = "python-3.13.6-docs-html"
    with zipfile.ZipFile(folder / "docs" / f"{top}.zip", "w") as archive:
        for name in ("index.html", "library/spam.html"):
            archive.writestr(f"{top}/{name}", f"<p>{name}</p>")
    return folder


@contextmanager
def a_world(folder: Path, *, folder_is_there: bool) -> Iterator[Rehearsed]:
    """A host on which the last release stands, and perhaps an expert's file of this one."""
    with a_rehearsed_host(folder) as world:
        disk = world.server.disk
        disk.prepare(f"{ROOT}/doc/3.13.5", "steve", "downloads", 0o2775)
        disk.link("steve", f"{ROOT}/doc/current", "3.13.5")
        if folder_is_there:
            disk.prepare(f"{ROOT}/3.13.6", "steve", "downloads", 0o2775)
            (world.files / "3.13.6/python-3.13.6.exe").write_bytes(b"exe")
            disk.own(f"{ROOT}/3.13.6/python-3.13.6.exe", "steve", "downloads")
        yield world


def tree(world: Rehearsed) -> dict[str, tuple[object, ...]]:
    """All that stands on the host: bytes, modes, owners, groups."""
    found: dict[str, tuple[object, ...]] = {}
    disk = world.server.disk
    for path, each in disk.walk("rm", ROOT):
        real = disk.real(path)
        content = str(real.readlink()) if real.is_symlink() else b""
        if real.is_file() and not real.is_symlink():
            content = real.read_bytes()
        found[path] = (each.mode, each.owner, each.group, content)
    return found


def shown(world: Rehearsed) -> Counter[str]:
    """How often each name became one that users see."""
    return Counter(
        event
        for event in world.events()
        if event.startswith(("rename /3", "rename /doc/3", "rename /release/3", "replace"))
    )


@pytest.mark.slow
@pytest.mark.parametrize("part", range(STEPS))
@pytest.mark.parametrize("folder_is_there", [False, True], ids=["new folder", "experts' folder"])
def test_a_client_killed_after_any_change_finishes_the_same_release(
    tmp_path: Path, client: Client, source: Path, folder_is_there: bool, part: int,  # noqa: FBT001
    count: Callable[[str, int], None],
) -> None:  # fmt: skip
    with a_world(tmp_path / "undisturbed", folder_is_there=folder_is_there) as world:
        before = len(list(world.store.happened()))
        assert client.publish(world, source) == 0
        expected, expected_shown = tree(world), shown(world)
        changes = len(list(world.store.happened())) - before
    assert changes > 30
    assert set(expected_shown.values()) == {1}
    for instant in range(1 + part, changes + 1, STEPS):
        with a_world(tmp_path / str(instant), folder_is_there=folder_is_there) as world:
            ended = client.publish(world, source, killed_after=instant)
            assert ended == -signal.SIGKILL, f"not killed after change {instant}"
            assert client.publish(world, source) == 0, f"killed after change {instant}"
            assert tree(world) == expected, f"killed after change {instant}"
            assert shown(world) == expected_shown, f"killed after change {instant}"
            count("kills of a release on a host, survived", 1)
