"""How ``doit list --status`` looks in 80 columns at the moments of a release.

What it should look like stands in ``golden/``. To change it on purpose, delete the file, run the
test, and look at what it wrote.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.export.exporting import PROJECT, Place, a_place, git, lean
from tests.json_schemas import described
from tests.moments import IN_ORDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.export.conftest import Places

GOLDEN: Final = Path(__file__).with_name("golden")

# What gates say of the machine and of the checkout that the tests run from.
_OF_THIS_MACHINE: Final = re.compile(
    r"^(?:check_tools: |check_source: source\.configure |waived: tools\.compiler ).*\n",
    flags=re.MULTILINE,
)


# How long something took, since when it waits, and what no longer fits behind that.
_OF_THIS_DAY: Final = re.compile(
    r"(?: +took|(?<=\d done),|(?<=again),|(?<= to)( \w+),) \d+ (?:s|min|h)\b.*"
)
_DIGEST: Final = re.compile(r"(doit approve \w+) [0-9a-f]{16}\b")
_SINCE: Final = re.compile(r" since (?:\d{4}-\d\d-\d\d )?\d\d:\d\d UTC: .*")


def shown(place: Place, *options: str) -> str:
    """What a person sees who has exported PEP101_RELEASE, as the tutorial says.

    Lines that were wrapped are whole again, for where they break hangs on the test's folder. Times
    and digests are left out.
    """
    ended = place.program(
        [sys.executable, "-m", "doit", "list", "--status", *options],
        env={"PEP101_RELEASE": str(place.declaration)},
    )
    assert (ended.status, ended.err) == (0, ""), ended
    wide = [line for line in ended.out.splitlines() if len(line) > 80]
    assert all(len(line.split()) == 1 for line in wide), wide
    whole = re.sub(r"\n {4}(?=\S)", " ", ended.out).replace(str(place.folder), "/rm")
    timeless = _SINCE.sub(" since …", _OF_THIS_DAY.sub(r"\1", whole))
    asked = _DIGEST.sub(r"\1 DIGEST", timeless)
    rows = _OF_THIS_MACHINE.sub("", asked).splitlines(keepends=True)
    return "".join(_nowhere(row, str(place.folder)) for row in rows)


def _nowhere(row: str, folder: str) -> str:
    """The row; where it was cut off within the name of the test's folder, all of that is gone."""
    shown, cut, rest = row.partition("\u2026\n")
    for count in range(len(folder), 1, -1):
        if cut and shown.endswith(folder[:count]):
            return f"{shown[:-count]}/rm{cut}{rest}"
    return row


def compare(place: Place, moment: str, *options: str) -> None:
    golden = GOLDEN / f"{moment}.txt"
    text = shown(place, *options)
    if not golden.exists():
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    told = described("status", place.doit("list", "--json").out)
    described("next", place.doit("next", "--json").out)
    names = [each["name"] for each in (*told["tasks"], *told["groups"])]
    described("why", place.doit("why", "--json", *names).out)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Place]:
    """A world in which nothing is done yet, and no docs tools are installed."""
    place = a_place(tmp_path / "place", "3.13.6")
    lean(place)
    yield place
    place.forget_key()


def test_nothing_is_done(start: Place) -> None:
    compare(start, "nothing-done")
    compare(start, "nothing-done-unfolded", "--all")


def test_nothing_is_done_of_a_new_branch(tmp_path: Path) -> None:
    place = a_place(tmp_path / "place", "3.15.0b1")
    try:
        lean(place)
        compare(place, "new-branch", "--all")
    finally:
        place.forget_key()


@pytest.mark.slow
def test_after_the_tag(a_start: Places) -> None:
    place = a_start()
    assert place.doit("run", "make_tag").status == 0
    compare(place, "after-the-tag")


@pytest.mark.slow
def test_a_person_is_waited_for(done: Place) -> None:
    assert done.doit("run", "approve_commit").status == 4
    assert re.search(r"RM since \d\d:\d\d UTC: not approved yet$", done.listed(), re.MULTILINE)
    compare(done, "waiting-for-a-person")


@pytest.mark.slow
def test_one_artifact_is_stale(done: Place) -> None:
    archive = done.work / "src" / "Python-3.13.6.tgz"
    archive.write_bytes(archive.read_bytes()[:1000])
    compare(done, "one-stale-artifact")


@pytest.mark.slow
def test_all_is_done(tmp_path: Path) -> None:
    """A whole rehearsed release, from nothing to the announcement, in one command."""
    ended = subprocess.run(
        [sys.executable, "-m", "doit", "rehearse", IN_ORDER, "--folder", tmp_path],
        cwd=PROJECT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    compare(Place(tmp_path / "3.13.6", "3.13.6"), "all-done")


def test_a_step_failed(start: Place) -> None:
    """The whole message stands at the end; in its row there is only its beginning."""
    start.declare("world/cpython", "world/cpythom")
    assert start.export().status == 1
    compare(start, "a-step-failed")


def test_a_gate_is_shut(start: Place) -> None:
    git(start.cpython, "tag", "v3.13.6", "upstream/main")
    assert start.export().status == 1
    text = re.sub(r"\b[0-9a-f]{12}\b", "0" * 12, shown(start))
    assert text.endswith(
        "check_base blocked: tag.exists: /rm/world/cpython has v3.13.6 already, on"
        " 000000000000, which does not follow the base; if that tag was never pushed,"
        " delete it there; if it was pushed, the version is taken\n"
        "next: mend that, then doit export\n"
        "more: doit why check_base\n"
    )


@pytest.mark.slow
def test_why_shows_all_that_the_list_cuts_off(done: Place) -> None:
    assert done.doit("run", "approve_commit").status == 4
    told = done.doit("why", "approve_commit").out
    assert "approval RM since" in shown(done)
    assert "said last     not approved yet; look, then doit approve approve_commit" in told
    command = (
        rf"with          doit approve approve_commit [0-9a-f]{{16}} --release {done.declaration}"
    )
    assert re.search(command, told)
