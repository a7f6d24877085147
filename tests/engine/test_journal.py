"""The journal keeps whole lines, whatever happened to the one before."""

from __future__ import annotations

import resource
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from doit_receipts.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_what_is_appended_is_read_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "work" / "journal.jsonl", Noon())
    journal.append("done", task="a", said="Łódź\nline")
    journal.append("intent", sealed=True, task="b")
    assert [(each["event"], each["task"]) for each in journal.entries()] == [
        ("done", "a"),
        ("intent", "b"),
    ]
    assert next(journal.entries())["at"] == "2026-11-22T12:00:00+00:00"


def test_a_line_that_a_crash_cut_short_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, Noon())
    journal.append("done", task="a", said="Łódź")
    whole = path.read_bytes()
    for cut in range(1, len(whole)):
        path.write_bytes(whole + whole[:cut])
        journal.append("done", task="b")
        told = [each["task"] for each in journal.entries()]
        assert told[0] == "a"
        assert told[-1] == "b"


@pytest.mark.parametrize("said", ["a\u2028b", "a\x85b", "a\x0cb", "\udcff.txt", "\ud83d"])
def test_whatever_is_said_stays_one_entry(said: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl", Noon())
    journal.append("intent", sealed=True, task="a", said=said)
    assert [(each["task"], each["said"]) for each in journal.entries()] == [("a", said)]


def test_a_line_that_the_disk_takes_in_part_is_refused_whole(tmp_path: Path) -> None:
    """A full disk takes what fits without an error; half an intent would count as none."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, Noon())
    journal.append("done", task="a")
    whole = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 20, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            journal.append("intent", sealed=True, task="b")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == whole
    journal.append("intent", sealed=True, task="b")
    assert [each["task"] for each in journal.entries()] == ["a", "b"]


def test_a_journal_of_years_is_read_line_by_line(tmp_path: Path) -> None:
    """It has 2 MB here, and a tenth of that is never in memory at once."""
    journal = Journal(tmp_path / "journal.jsonl", Noon())
    journal.append("intent", task="first")
    line = (tmp_path / "journal.jsonl").read_bytes()
    (tmp_path / "journal.jsonl").write_bytes(line * (2_000_000 // len(line)))
    tracemalloc.start()
    try:
        assert sum(each["task"] == "first" for each in journal.entries()) > 10_000
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 200_000


def test_no_journal_has_no_entries(tmp_path: Path) -> None:
    assert list(Journal(tmp_path / "journal.jsonl", Noon()).entries()) == []
