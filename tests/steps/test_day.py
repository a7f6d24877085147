"""The day of a release: declared or today, and its first second."""

from __future__ import annotations

from datetime import UTC, date, datetime

from plugins.steps import day
from tests.source_world import FixedClock


def test_the_declared_day_goes_before_today() -> None:
    assert day.choose(date(2026, 12, 1), FixedClock()) == {
        "date": "2026-12-01",
        "epoch_s": "1796083200",
    }


def test_without_a_declaration_it_is_today_in_utc() -> None:
    assert day.choose(None, FixedClock())["date"] == "2026-11-22"


def test_the_deadline_is_the_end_of_the_last_day_that_is_waited() -> None:
    assert day.deadline(date(2026, 12, 1), 7) == datetime(2026, 12, 9, tzinfo=UTC)
