"""Tests of the next series' schedule: its days, its PEP, and what is added to the PEPs' files."""

from __future__ import annotations

from datetime import date

import pytest

from doit_receipts.errors import StepFailed
from plugins.model.next_schedule import following, planned, with_owner, with_series
from plugins.model.release import Phase
from plugins.model.schedule import Branch, Schedule, Stage, read_schedule, stage_version
from plugins.model.version import Version
from tests.schedule_world import real_schedule

RUNNING = Version.parse("3.15.0a6")
# What python/peps f29099efb^ had of 3.15, and what f29099efb planned for 3.16 from that.
KNOWN = {
    "alpha 1": "2025-10-14", "alpha 2": "2025-11-19", "alpha 3": "2025-12-16",
    "alpha 4": "2026-01-13", "alpha 5": "2026-01-14", "alpha 6": "2026-02-11",
    "alpha 7": "2026-03-10", "alpha 8": "2026-04-07", "beta 1": "2026-05-05",
    "beta 2": "2026-05-26", "beta 3": "2026-06-16", "beta 4": "2026-07-14",
    "candidate 1": "2026-07-28", "candidate 2": "2026-09-01", "final": "2026-10-01",
}  # fmt: skip
BY_PEOPLE = {
    "alpha 1": "2026-10-13", "alpha 2": "2026-11-10", "alpha 3": "2026-12-15",
    "alpha 4": "2027-01-12", "alpha 5": "2027-02-09", "alpha 6": "2027-03-09",
    "alpha 7": "2027-04-13", "beta 1": "2027-05-04", "beta 2": "2027-05-25",
    "beta 3": "2027-06-15", "beta 4": "2027-07-13", "candidate 1": "2027-07-27",
    "candidate 2": "2027-08-31", "final": "2027-10-05",
}  # fmt: skip


def a_schedule(days: dict[str, str] = KNOWN) -> Schedule:
    """What is known of 3.15, and of nothing else."""
    stages = []
    for name, day in days.items():
        version = stage_version(f"3.15.0 {name}")
        assert version is not None
        stages.append(Stage(version, f"3.15.0 {name}", actual=False, day=date.fromisoformat(day)))
    some = date(2026, 5, 5)
    branch = Branch("3.15", 790, Phase.FEATURE, "main", "Somebody", some, some, some, some, some)
    return Schedule({"3.15": branch}, {"3.15": tuple(stages)})


def test_days_are_those_that_people_planned_but_for_two_that_they_moved_by_a_week() -> None:
    plan = planned(a_schedule(), RUNNING, "Nina Next", 826)
    found = {each.name.removeprefix("3.16.0 "): f"{each.day}" for each in plan.stages}
    assert list(found) == list(BY_PEOPLE)
    moved = {name: (day, BY_PEOPLE[name]) for name, day in found.items() if day != BY_PEOPLE[name]}
    assert moved == {
        "alpha 2": ("2026-11-17", "2026-11-10"),
        "alpha 7": ("2027-04-06", "2027-04-13"),
    }
    assert {each.day.weekday() for each in plan.stages} == {1}


def test_days_of_the_branch_are_those_of_pep_602() -> None:
    branch = planned(a_schedule(), RUNNING, "Nina Next", 826).branch
    assert (branch.series, branch.pep, branch.phase, branch.branch) == ("3.16", 826, None, "")
    assert branch.start_of_development == date(2026, 5, 5)
    assert branch.feature_freeze == date(2027, 5, 4)
    assert branch.first_release == date(2027, 10, 5)
    assert branch.end_of_bugfix == date(2029, 10, 5)
    assert branch.end_of_life == date(2032, 10, 1)


def test_running_series_that_is_not_planned_to_its_end_is_refused() -> None:
    fewer = {name: day for name, day in KNOWN.items() if name != "final"}
    with pytest.raises(StepFailed, match=r"does not have all of 3\.15\.0"):
        planned(a_schedule(fewer), RUNNING, "Nina Next", 826)


def test_final_that_is_nowhere_near_october_keeps_its_tuesday() -> None:
    plan = planned(a_schedule({**KNOWN, "final": "2026-12-03"}), RUNNING, "Nina Next", 826)
    assert plan.stages[-1].day == date(2027, 11, 30)


def test_real_schedule_gets_the_series_after_3_16_at_its_end() -> None:
    text = real_schedule()
    plan = planned(read_schedule(text), Version.parse("3.16.0a5"), "Nina Next", 845)
    found = with_series(text, plan)
    assert found.startswith(text.rstrip("\n"))
    assert following(Version.parse("3.16.0a5")) == "3.17"
    assert read_schedule(found).stages["3.17"] == plan.stages
    assert plan.stages[-1].day == date(2028, 10, 3)
    with pytest.raises(StepFailed, match=r"3\.17 can't be added safely"):
        with_series(found, plan)


def test_pep_has_the_crew_of_the_series_before() -> None:
    before = (
        "- 3.15 release manager: Somebody\n- Windows installers: Wanda\n- Documentation: Dora\n"
        "- 3.15.0 alpha 1: Tuesday, 2025-10-14\n"
    )
    text = planned(a_schedule(), RUNNING, "Nina Next", 826).pep(before, date(2026, 2, 23))
    assert text.startswith("PEP: 826\nTitle: Python 3.16 Release Schedule\nAuthor: Nina Next\n")
    assert "\nCreated: 23-Feb-2026\nPython-Version: 3.16\n" in text
    crew = ("3.16 release manager: Nina Next", "Windows installers: Wanda", "Documentation: Dora")
    assert "\n- {}\n- {}\n- {}\n\n".format(*crew) in text
    assert "Somebody" not in text
    assert "\n3.16.0\n------\n" in text
    assert max(map(len, text.splitlines())) < 80


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("*  @a\npeps/pep-0822.rst  @b\n# ...\npeps/pep-2026.rst  @c\n",
         "*  @a\npeps/pep-0822.rst  @b\npeps/pep-0826.rst  @nina\n# ...\npeps/pep-2026.rst  @c\n"),
        ("peps/pep-0817/  @b\n# peps/pep-0820.rst",
         "peps/pep-0817/  @b\n# peps/pep-0820.rst\npeps/pep-0826.rst  @nina\n"),
        ("", "peps/pep-0826.rst  @nina\n"),
        ("peps/pep-0826.rst  @other\n", "peps/pep-0826.rst  @other\n"),
    ],
)  # fmt: skip
def test_owner_is_named_in_the_order_of_numbers(text: str, wanted: str) -> None:
    assert with_owner(text, 826, "nina") == wanted
