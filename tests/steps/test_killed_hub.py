"""Kill tests of the hub: SIGKILL at every write to the world, then on, then the same world."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from plugins.rehearsal import hub, places, remotes
from plugins.rehearsal.gnupg_home import GnupgHome, gnupg_home
from plugins.rehearsal.serving import running_world
from plugins.rehearsal.store import Store
from tests.hub_world import a_hub_world
from tests.source_world import git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plugins.rehearsal.serving import Addresses

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def homes() -> Iterator[tuple[GnupgHome, GnupgHome]]:
    with gnupg_home() as mine, gnupg_home() as theirs:
        yield mine, theirs


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory, homes: tuple[GnupgHome, GnupgHome]) -> Path:
    """A tagged release, and a hub that nobody has done anything to."""
    mine, theirs = homes
    folder = tmp_path_factory.mktemp("morning")
    a_hub_world(folder, mine, mine.key("rm"))
    store = Store(folder / "hub" / "state")
    keys = hub.seed(store, a_version(), folder, theirs.folder, pep=719)
    for key in keys.values():
        mine.gpg("--import", stdin=theirs.public(key).encode())
    known = store.load("ci", {})
    source = {"Python-3.13.6.tgz": "gz", "Python-3.13.6.tar.xz": "xz"}
    store.save("ci", known | {"polls": 1, "files": {"source": source}})
    for name, secret in hub.SECRETS.items():
        file = folder / "secrets" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(secret)
        file.chmod(0o600)
    (folder / "keys").write_text(str(mine.folder))
    return folder


def a_version() -> Any:
    from plugins.model.version import Version  # noqa: PLC0415 - only a value

    return Version.parse("3.13.6")


@contextmanager
def a_day(morning: Path, folder: Path) -> Iterator[Addresses]:
    """The morning's copy in the folder, with its hub at work."""
    shutil.copytree(morning, folder, symlinks=True)
    store = Store(folder / "hub" / "state")
    for name in ("upstream", "fork"):
        remotes.guard(folder / f"{name}.git", store, name)
    places.put(store, downloads=folder / "ftp")
    (folder / "ftp").mkdir()
    with running_world(folder / "hub") as at:
        yield at


def started(folder: Path) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "tests.hub_walk", str(folder)]
    return subprocess.Popen(words, cwd=PROJECT, stderr=subprocess.PIPE)


def walked(folder: Path) -> None:
    with started(folder) as process:
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()


def evening(folder: Path, store: Store) -> dict[str, Any]:
    """The whole world as others see it, and the receipts."""
    documents = {name: store.load(name, None) for name in ("github", "protection", "forum")}
    emails = [
        {name: each for name, each in email.items() if name != "head"}  # it tells the time
        for email in sorted(store.load("mail", []), key=lambda email: email["message_id"])
    ]
    runs = [run["inputs"] for run in store.load("ci", {})["runs"]]
    # where its ports are is of no interest
    port = store.load("ports", {})["forum"]
    receipts = {
        file.stem: file.read_text().replace(f":{port}", ":PORT")
        for file in sorted((folder / "receipts").glob("*.json"))
    }
    return {
        **documents,
        "emails": emails,
        "receipts": receipts,
        "runs": runs,
        "refs": [git(folder / f"{name}.git", "for-each-ref") for name in ("upstream", "fork")],
        "files": {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in sorted((folder / "ftp").rglob("*"))
            if file.is_file() and file.suffix != ".asc"
        },
        "lease": (folder / "build/3.13.6/lease/protection.json").exists(),
    }


@pytest.mark.slow
def test_client_killed_at_every_write_leaves_the_world_of_an_undisturbed_day(
    morning: Path, tmp_path: Path, count: Callable[[str, int], None]
) -> None:
    """SIGKILL after each record of the world; each public act is done exactly once."""
    folder = tmp_path / "day"
    with a_day(morning, folder) as at:
        walked(folder)
        calm = evening(folder, at.store)
        writes = len(list(at.store.happened()))
    shutil.rmtree(folder)
    assert not calm["lease"]
    assert len(calm["runs"]) == 1
    assert writes > 15
    for number in range(1, writes + 1):
        with a_day(morning, folder) as at:
            process = started(folder)
            at.store.aim(process.pid, number)
            with process:
                process.wait(120)
            # the last records may be of others, after the client is done
            assert process.returncode in (-9, 0), process.returncode
            at.store.save("aim", {})
            walked(folder)
            now = evening(folder, at.store)
            assert {name: now[name] == calm[name] for name in calm} == dict.fromkeys(calm, True)
        count("kills of a client at the hub, each with an equal world after it", 1)
        shutil.rmtree(folder)
