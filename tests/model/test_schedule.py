"""Tests of reading the schedule: the real file, its JSON, and everything that neither may hold."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doit_receipts.errors import ReleaseError, StepFailed
from plugins.model.release import Phase
from plugins.model.schedule import (
    read_cycle_entry,
    read_published_schedule,
    read_schedule,
    stage_version,
)
from plugins.model.version import Version
from tests.schedule_world import real_schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugins.model.schedule import Schedule

WHERE = "https://peps.example/api/x.json"
SMALL = """\
[metadata."3.14"]
pep = 745
status = "bugfix"
branch = "3.14"
release-manager = "Hugo"
start-of-development = 2024-05-08
feature-freeze = 2025-05-07
first-release = 2025-10-07
end-of-bugfix = 2027-10-07
end-of-life = 2030-10-01

[[release."3.14"]]
stage = "3.14.0 final"
state = "actual"
date = 2025-10-07

[[release."3.14"]]
stage = "3.14.1"
state = "expected"
date = 2025-12-02
note = "hotfix"
"""


def published(schedule: Schedule) -> dict[str, Any]:
    """The JSON that peps.python.org makes of a schedule."""
    about = {
        each.series: {
            "pep": each.pep, "status": each.phase.value if each.phase else "planned",
            "branch": each.branch, "release_manager": each.manager,
            "start_of_development": f"{each.start_of_development}",
            "feature_freeze": f"{each.feature_freeze}", "first_release": f"{each.first_release}",
            "end_of_bugfix": f"{each.end_of_bugfix}", "end_of_life": f"{each.end_of_life}",
        }
        for each in schedule.branches.values()
    }  # fmt: skip
    releases = {
        series: [
            {"stage": each.name, "state": "actual" if each.actual else "expected",
             "date": f"{each.day}", "note": each.note}
            for each in listed
        ]
        for series, listed in schedule.stages.items()
    }  # fmt: skip
    return {"metadata": about, "releases": releases}


def test_real_schedule_is_read_and_its_json_tells_the_same() -> None:
    schedule = read_schedule(real_schedule())
    assert len(schedule.branches) == 26
    assert sum(map(len, schedule.stages.values())) == 651
    due = schedule.stage(Version.parse("3.14.8"))
    assert due is not None
    assert (due.actual, due.day, due.bullet) == (
        False, date(2026, 10, 6), "- 3.14.8: Tuesday, 2026-10-06",
    )  # fmt: skip
    assert schedule.branches["3.16"].phase is Phase.FEATURE
    assert read_published_schedule(published(schedule), WHERE) == schedule


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("3.15.0 alpha 1", "3.15.0a1"),
        ("3.15.0 beta 12", "3.15.0b12"),
        ("3.14.5 candidate 1", "3.14.5rc1"),
        ("3.14.0 final", "3.14.0"),
        ("3.9.13 final", "3.9.13"),
        ("3.14.10", "3.14.10"),
    ],
)
def test_stages_name_versions(name: str, version: str) -> None:
    assert str(stage_version(name)) == version


@pytest.mark.parametrize(
    "name",
    [
        "", "3.14", "3.14.0 gamma 1", "3.14.0 beta 0", "3.14.0  final", "3.14.0a1", "3.14.01",
        " 3.14.0", "3.14.0\n", "٣.14.0",
    ],
)  # fmt: skip
def test_other_words_are_no_stages(name: str) -> None:
    assert stage_version(name) is None


BAD = [
    ('status = "bugfix"', 'status = "hibernating"', "status is the text 'hibernating', wanted one"),
    ('status = "bugfix"', "status = 3", "status is the number 3, wanted text"),
    ('status = "bugfix"\n', "", 'metadata."3.14" status is missing'),
    ("pep = 745", "pep = true", "pep is the boolean true, wanted the number of a PEP"),
    ("pep = 745", "pep = 0", "pep is the number 0"),
    ("pep = 745", 'pep = "745"', "pep is the text '745'"),
    ("pep = 745", f"pep = {'9' * 5000}", "is not TOML"),
    ('branch = "3.14"', "branch = []", "branch is a list, wanted text"),
    ('branch = "3.14"', 'branch = "a\\u0007"', "branch holds a control character"),
    ('release-manager = "Hugo"', 'manager = "Hugo"', "has the unknown key the text 'manager'"),
    ("end-of-life = 2030-10-01", 'end-of-life = "2030-10-01"', "wanted a date such as"),
    ("end-of-life = 2030-10-01", "end-of-life = 2030-10-01T00:00:00", "wanted a date such as"),
    ("end-of-life = 2030-10-01", "end-of-life = 2030-13-01", "is not TOML"),
    ('stage = "3.14.1"', 'stage = "3.13.1"', 'release 2 of "3.14" has the stage'),
    ('stage = "3.14.1"', 'stage = "3.14.1 soon"', "wanted one such as 3.14.0 beta 1"),
    ('stage = "3.14.1"', 'stage = "3.14.0"', "3.14.0 is listed twice"),
    ('stage = "3.14.1"\n', "", 'release 2 of "3.14" stage is missing'),
    ('state = "expected"', 'state = "likely"', "3.14.1 state is the text 'likely'"),
    ('state = "expected"\n', "", "3.14.1 state is missing"),
    ("date = 2025-12-02", "date = 20251202", "3.14.1 date is the number 20251202"),
    ("date = 2025-12-02\n", "", "3.14.1 date is missing"),
    ('note = "hotfix"', "note = 1", "3.14.1 note is the number 1"),
    ('note = "hotfix"', 'colour = "red"', "the unknown key the text 'colour'"),
    ('[[release."3.14"]]', '[[release."3.15"]]', 'release."3.14" is missing'),
    ('[metadata."3.14"]', '[metadata."3.14.0"]', "the text '3.14.0' is not a series such as 3.14"),
    ('[metadata."3.14"]', '[about."3.14"]', "the top has the unknown key the text 'about'"),
    ('[[release."3.14"]]', '[release."3.14"]', "is not TOML"),
    (SMALL, "", "metadata is missing"),
    (SMALL, "metadata = 1", "metadata is the number 1, wanted a table"),
    (SMALL, 'metadata."3.14" = 1\nrelease."3.14" = []', 'metadata."3.14" is the number 1'),
    (SMALL, "a = " + "[" * 3000, "nested too deeply"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words"), BAD, ids=[each[2][:50] for each in BAD])
def test_schedule_that_is_not_understood_is_one_line(old: str, new: str, words: str) -> None:
    assert old in SMALL
    with pytest.raises(StepFailed) as caught:
        read_schedule(SMALL.replace(old, new))
    told = str(caught.value)
    assert words in told
    assert "\n" not in told
    assert len(told) < 600
    assert told.startswith("release_management/python-releases.toml: ")


def refusal(read: Callable[[], object]) -> str:
    """What the refusal says; "" if it was read."""
    try:
        read()
    except ReleaseError as error:
        return str(error)
    return ""


def assert_one_line(told: str) -> None:
    assert "\n" not in told
    assert len(told) < 600


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)  # fmt: skip
_PLACES = (
    (), ("metadata",), ("releases",), ("metadata", "3.14"), ("releases", "3.14"),
    ("releases", "3.14", 0), *(("metadata", "3.14", key) for key in (
        "pep", "status", "branch", "release_manager", "start_of_development", "feature_freeze",
        "first_release", "end_of_bugfix", "end_of_life")),
    *(("releases", "3.14", 1, key) for key in ("stage", "state", "date", "note")),
)  # fmt: skip


@pytest.mark.parametrize("place", _PLACES, ids=lambda place: ".".join(map(str, place)) or "whole")
@given(value=_JSON)
def test_any_value_in_any_field_is_read_or_refused_in_one_line(
    place: tuple[str | int, ...], value: object
) -> None:
    content: Any = published(read_schedule(SMALL))
    if place:
        inner = content
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = value
    else:
        content = value
    assert_one_line(refusal(lambda: read_published_schedule(content, WHERE)))


ENTRY = {"3.14": {"branch": "3.14", "pep": 745, "status": "bugfix", "first_release": "2025-10-07",
                  "end_of_life": "2030-10", "release_manager": "Hugo"}}  # fmt: skip


def test_release_cycle_tells_phase_pep_and_end_of_life() -> None:
    found = read_cycle_entry(ENTRY, "3.14", WHERE)
    assert found is not None
    assert (found.phase, found.pep, found.end_of_life) == (Phase.BUGFIX, 745, "2030-10")
    assert read_cycle_entry(ENTRY, "3.40", WHERE) is None
    assert read_cycle_entry({**ENTRY, "3.13": None}, "3.14", WHERE) == found


@pytest.mark.parametrize("key", ["pep", "status", "end_of_life"])
@given(value=_JSON)
def test_any_value_in_the_release_cycle_is_read_or_refused(key: str, value: object) -> None:
    for content in ({"3.14": {**ENTRY["3.14"], key: value}}, {"3.14": value}, value):
        assert_one_line(refusal(lambda content=content: read_cycle_entry(content, "3.14", WHERE)))  # type: ignore[misc]


@pytest.mark.parametrize("key", ["pep", "status", "end_of_life"])
def test_release_cycle_without_a_field_is_refused_by_its_name(key: str) -> None:
    entry = {name: value for name, value in ENTRY["3.14"].items() if name != key}
    with pytest.raises(StepFailed, match=f"3.14 {key} is missing"):
        read_cycle_entry({"3.14": entry}, "3.14", WHERE)


@given(st.text(max_size=300))
def test_any_text_is_a_schedule_or_one_line(text: str) -> None:
    with pytest.raises(StepFailed) as caught:
        read_schedule(text)
    assert "\n" not in str(caught.value)


def test_published_schedule_is_plain_json() -> None:
    content = published(read_schedule(SMALL))
    assert read_published_schedule(json.loads(json.dumps(content)), WHERE) == read_schedule(SMALL)
