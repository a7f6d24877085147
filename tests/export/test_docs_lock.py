"""A whole export with a docs lock in force, and kills and full disks at the writes of the lock."""

from __future__ import annotations

import csv
import email
import json
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from plugins.model.docs_lock import read_docs_lock
from tests.export.exporting import Place, a_place, lean
from tests.export.toy import KILLER
from tests.export.walk import fatal, growing
from tests.moments import chosen, kind_of_write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.ended import Ended

pytestmark = pytest.mark.slow

LOCK: Final = "docs-tools-3.13.lock"
TASK: Final = "lock_docs_tools"
OF_PIP: Final = {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"}


def wheels_of(environment: Path, folder: Path) -> None:
    """What is installed there, as the wheels that it came from; so nothing is fetched."""
    folder.mkdir()
    (packages,) = environment.glob("lib/python3*/site-packages")
    for about in packages.glob("*.dist-info"):
        metadata = email.message_from_string((about / "METADATA").read_text("utf-8"))
        tags = email.message_from_string((about / "WHEEL").read_text()).get_all("Tag") or []
        tag = "py3-none-any" if "py3-none-any" in tags else tags[0]
        name = about.name.removesuffix(".dist-info")
        assert name.lower().replace("_", "-").startswith(metadata["Name"].lower().replace("_", "-"))
        record = list(csv.reader((about / "RECORD").read_text().splitlines()))
        files = [row[0] for row in record if ".." not in row[0] and "__pycache__" not in row[0]]
        kept = [file for file in files if not ("dist-info/" in file and Path(file).name in OF_PIP)]
        with zipfile.ZipFile(
            folder / f"{name}-{tag}.whl", "w", compression=zipfile.ZIP_STORED
        ) as made:
            for file in kept:
                made.write(packages / file, file)
            lines = [f"{','.join(row)}\n" for row in record if row[0] in kept]
            made.writestr(f"{about.name}/RECORD", "".join(lines))


@pytest.fixture(scope="module")
def locked(finished_place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A release with nothing done yet, whose declaration names a lock that is not there."""
    folder = tmp_path_factory.mktemp("locked")
    marker = json.loads((finished_place.work / "docs-tools/pep101.json").read_bytes())
    wheels_of(finished_place.work / "docs-tools" / marker["name"], folder / "wheels")
    (folder / "pip.conf").write_text(
        f"[global]\nno-index = true\nfind-links = {folder / 'wheels'}\n"
    )
    a_place(folder / "place", "3.13.6")
    env = {"PIP_CONFIG_FILE": str(folder / "pip.conf"), "PIP_FIND_LINKS": str(folder / "wheels")}
    made = Place(folder / "place", "3.13.6", env)
    lean(made)
    made.declare("[docs]\n", f'[docs]\nlock = "{LOCK}"\n')
    yield made
    made.forget_key()


def test_an_export_with_a_lock_stops_once_for_a_signature_and_installs_from_it_alone(
    locked: Place,
) -> None:
    waiting = locked.export()
    assert waiting.status == 1, waiting
    assert "docs.unapproved" in waiting.said
    assert not (locked.work / "docs-tools").exists(), "no package was installed, and none ran"
    said = next(line for line in waiting.said.splitlines() if "read it, then: " in line)
    command = said.partition("read it, then: ")[2]
    subprocess.run(["/bin/sh", "-c", command], check=True, capture_output=True, cwd=locked.folder)
    ended = locked.export()
    assert ended.status == 0, ended
    assert "nothing remains" in ended.out
    kept = read_docs_lock((locked.folder / LOCK).read_bytes())
    wanted = sorted(pin.sha256 for pin in kept.pins)
    for task in ("build_topics", "build_docs"):
        facts = json.loads((locked.work / f"receipts/{task}.json").read_bytes())["facts"]
        assert sorted(each.rpartition(":")[2] for each in facts["wheels"].split()) == wanted
    again = locked.export()
    assert (again.status, "nothing remains" in again.out) == (0, True)
    assert not re.search(r"^\+ (lock_docs_tools|build_)", again.out, re.MULTILINE)


def watched(place: Place, *options: str) -> Ended:
    """The making of the lock, with the writes below the work folder watched."""
    words = [sys.executable, str(KILLER), f"--below={place.work}/", *options]
    return place.program([*words, "run", f"--release={place.declaration}", TASK])


def forgotten(place: Place) -> None:
    """The lock of the series is kept, as for a second release; this one has not made its own."""
    (place.work / "receipts" / f"{TASK}.json").unlink(missing_ok=True)
    shutil.rmtree(place.work / "made")


def test_killed_or_full_at_any_write_of_the_lock_it_is_whole_or_not_there(
    locked: Place, count: Callable[[str, int], None]
) -> None:
    """The kept lock is taken over, so no pip is asked; what is written is the same."""
    wanted = (locked.folder / LOCK).read_bytes()
    made = locked.work / "made/docs-tools.lock"
    forgotten(locked)
    report = locked.folder / "instants"
    assert watched(locked, f"--report={report}").status == 0
    seen = report.read_text().splitlines()
    for option, select in (("--at", fatal), ("--full", growing)):
        found = [each for each in select(seen, first=False) if " made" in each]
        assert len(found) > 2, seen
        # The disk is full from there on, so the first and the last stand for all between.
        moments = chosen(found, kind_of_write) if option == "--at" else [found[0], found[-1]]
        for instant in moments:
            forgotten(locked)
            ended = watched(locked, f"{option}={instant}")
            assert ended.status == (-signal.SIGKILL if option == "--at" else 1), (instant, ended)
            assert not made.exists() or made.read_bytes() == wanted, instant
            if option == "--full":
                assert "Traceback" not in ended.said
                assert "no space left on device; see to the disk of" in ended.said.lower()
            assert watched(locked).status == 0, instant
            assert made.read_bytes() == wanted
            assert sorted(each.name for each in made.parent.iterdir()) == [made.name], instant
            count(f"{option} a write of the docs lock, each gone on to the same bytes", 1)
