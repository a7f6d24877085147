"""Documentation built on another machine, in a whole release: the same bytes, kills, adoption."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

import pytest

from tests.export.walk import fatal
from tests.moments import chosen, kind_of_write
from tests.publish.conftest import a_day
from tests.publish.day import DONE, FAILED, WAITING
from tests.publish.evening import receipts
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.publish.day import Day

pytestmark = pytest.mark.slow

FARM: Final = '\n[farm]\nengine = "github"\nsteps = ["build_docs"]\n'
ASKING: Final = "start_docs"
ONLY_ELSEWHERE: Final = {"start_docs", "fetch_docs", "check_fetched_docs"}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """A release whose tag is on the fork, and moments before each task that is about docs."""
    with a_day(tmp_path_factory) as made:
        made.declaration.write_text(made.declaration.read_text() + FARM)
        steps = made.store.load("steps", {})
        made.store.save("steps", {**steps, "polls": 0})
        made.start_world()
        # Signed once: OpenPGP signatures have a time in them.
        assert made.done("sign_archives", "push_fork").status == DONE
        made.save(ASKING)
        # It is waited for as long as its run has not begun; one that has may be over by now.
        made.store.save("steps", {**steps, "polls": 1000})
        assert made.doit("run", ASKING).status == DONE
        assert made.doit("run", "fetch_docs").status == WAITING
        made.restore(ASKING)
        assert made.doit("run", ASKING).status == DONE
        folder = made.store.folder / "steps"
        wait_until(lambda: list(folder.glob("*/bundle.json")), "the run attests")
        made.save("fetch_docs")
        assert made.doit("run", "check_fetched_docs").status == DONE
        made.save("build_docs")
        assert made.doit("run", "export").status == DONE
        made.save("exported")
        yield made


def archives(work: Path) -> dict[str, bytes]:
    """All that the export is for, by name."""
    return {
        f"{folder}/{path.name}": path.read_bytes()
        for folder in ("src", "docs")
        for path in sorted((work / folder).iterdir())
    }


def test_docs_made_there_leave_the_same_archives_and_receipts_as_docs_made_here(day: Day) -> None:
    day.restore("exported")
    there, made_there = archives(day.work), receipts(day)
    day.restore(ASKING)
    day.declare(FARM, "")
    assert day.doit("run", "export").status == DONE
    assert (day.work / "scratch" / "docs").exists()
    assert archives(day.work) == there
    assert len([name for name in there if name.startswith("docs/")]) == 2
    made_here = receipts(day)
    assert set(made_there) - set(made_here) == ONLY_ELSEWHERE
    assert {name: made_there[name] for name in made_here} == made_here


def test_where_and_by_which_run_stands_in_the_journal_and_in_no_receipt(day: Day) -> None:
    day.restore("exported")
    assert not [name for name, raw in receipts(day).items() if b"actions/runs" in raw and
                name != "check_fetched_docs"]  # fmt: skip
    journal = (day.work / "journal.jsonl").read_text()
    (line,) = [each for each in journal.splitlines() if '"elsewhere"' in each]
    assert f"actions/runs/{day.runs[0]['id']}" in line
    assert '"fetch_docs"' in line


@pytest.mark.parametrize(
    ("task", "where"),
    [(ASKING, " elsewhere"), ("fetch_docs", " elsewhere"), ("build_docs", " docs/")],
)
def test_killed_at_any_write_it_goes_on_and_asks_for_no_second_run(
    day: Day, task: str, where: str, count: Callable[[str, int], None]
) -> None:
    day.restore(task)
    assert day.doit("run", task, seen=True).status == DONE
    whole = receipts(day)[task]
    written = [each for each in fatal(tuple(day.writes), first=False) if where in each]
    instants = chosen(written, kind_of_write)
    assert instants
    for instant in instants:
        day.restore(task)
        assert day.doit("run", task, at=instant).status == -signal.SIGKILL, instant
        ended = day.doit("run", task)
        assert ended.status == DONE, (instant, ended)
        assert receipts(day)[task] == whole, instant
        assert len(day.runs) == 1, instant
        count("kills at writes about docs elsewhere, gone on after", 1)


def test_a_second_clone_on_another_path_adopts_the_run_and_leaves_the_same(day: Day) -> None:
    day.restore("exported")
    first, made = receipts(day), archives(day.work)
    day.take_work(ASKING)
    other = day.folder / "another" / "place"
    other.mkdir(parents=True)
    day.declare('folder    = "build"', 'folder    = "another/place"')
    moved = other / day.work.name
    day.work.rename(moved)
    try:
        assert day.doit("run", "export").status == DONE
        assert len(day.runs) == 1
        assert archives(moved) == made
        second = {path.stem: path.read_bytes() for path in (moved / "receipts").glob("*.json")}
        assert b'"adopted": true' in second.pop(ASKING)
        assert second == {name: raw for name, raw in first.items() if name != ASKING}
    finally:
        moved.rename(day.work)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("steps.other_bytes", "holds other files than it attests"),
        ("steps.expired", "GitHub has no files of https://github.com/"),
    ],
)
def test_nothing_unproved_reaches_docs(day: Day, fault: str, message: str) -> None:
    day.restore("fetch_docs")
    kept = day.store.load("steps", {})
    kept["runs"][0]["faults"] = {fault: ""}
    day.store.save("steps", kept)
    ended = day.doit("run", "export")
    assert ended.status == FAILED
    assert message in ended.said
    assert not list((day.work / "docs").glob("*"))
    assert not (day.work / "elsewhere" / "build_docs" / "result").exists()


def test_what_was_fetched_and_then_changed_is_fetched_again(day: Day) -> None:
    day.restore("build_docs")
    archive = next((day.work / "elsewhere" / "build_docs" / "result").glob("*.zip"))
    good = archive.read_bytes()
    archive.write_bytes(good + b" ")
    (day.work / "receipts" / "check_fetched_docs.json").unlink()
    ended = day.doit("run", "build_docs")
    assert ended.status == FAILED
    assert f"{archive.name} has other bytes than attested" in ended.said
    assert not list((day.work / "docs").glob("*"))
    (day.work / "receipts" / "fetch_docs.json").unlink()
    assert day.doit("run", "build_docs").status == DONE
    assert archive.read_bytes() == good


def test_what_was_changed_behind_the_gate_reaches_no_docs(day: Day) -> None:
    day.restore("build_docs")
    archive = next((day.work / "elsewhere" / "build_docs" / "result").glob("*.zip"))
    good = archive.read_bytes()
    archive.write_bytes(good + b" ")
    ended = day.doit("run", "build_docs")
    assert ended.status == FAILED
    assert f"{archive.name}: is not what was attested" in ended.said
    assert not list((day.work / "docs").glob(archive.name))
    (day.work / "receipts" / "fetch_docs.json").unlink()
    assert day.doit("run", "build_docs").status == DONE
    assert (day.work / "docs" / archive.name).read_bytes() == good


def test_where_nobody_answers_in_time_it_is_built_here_if_the_settings_say_so(day: Day) -> None:
    day.restore(ASKING)
    day.declare(FARM, FARM + 'then = "here"\nwait_hours = 1\n')
    day.order("steps.queued", argument="2")
    assert day.doit("run", "export").status == DONE
    made = archives(day.work)
    day.restore("exported")
    assert archives(day.work) == made
