"""Tests of recording releases in the schedule, over every release of the real file."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doit_receipts.errors import StepFailed
from plugins.model.release import Phase
from plugins.model.schedule import read_schedule
from plugins.model.schedule_edit import (
    Recorded,
    ends_bugfix,
    is_recorded,
    phase_entered,
    recorded,
)
from plugins.model.version import Version
from tests.schedule_world import real_schedule

if TYPE_CHECKING:
    from plugins.model.schedule import Stage

DAY = date(2026, 10, 6)


@pytest.fixture(scope="module")
def text() -> str:
    return real_schedule()


def parts(text: str) -> list[str]:
    """The file cut at the headings of its series, each part a schedule of its own."""
    found = re.split(r"(?=^# -- Python )", text, flags=re.MULTILINE)
    assert "".join(found) == text
    return found[1:]


def stages(text: str) -> tuple[Stage, ...]:
    """The releases of a text of one series."""
    (listed,) = read_schedule(text).stages.values()
    return listed


def entry(stage: Stage, *, state: str = "", day: date | None = None) -> str:
    """The lines of a release in the file, or as they would be with another state or day."""
    told = state or ("actual" if stage.actual else "expected")
    return f'stage = "{stage.name}"\nstate = "{told}"\ndate = {day or stage.day}\n'


def changed_lines(before: str, after: str) -> list[tuple[str, str]]:
    """The lines that differ between two texts of equally many lines."""
    pairs = zip(before.splitlines(), after.splitlines(), strict=True)
    return [pair for pair in pairs if pair[0] != pair[1]]


def a_record(version: str, day: date = DAY, *, unplanned: bool = False) -> Recorded:
    parsed = Version.parse(version)
    return Recorded(parsed, day, phase_entered(parsed), is_unplanned=unplanned)


@pytest.mark.slow
def test_every_release_is_recorded_by_its_own_lines(text: str) -> None:
    """As if each had been expected on another day: the file comes back byte for byte."""
    other = date(1999, 12, 31)
    count = 0
    for part in parts(text):
        for stage in stages(part):
            expected = part.replace(entry(stage), entry(stage, state="expected", day=other))
            wanted = part.replace(entry(stage), entry(stage, state="actual"))
            assert recorded(expected, [Recorded(stage.version, stage.day)]) == wanted, stage
            count += 1
    assert count == 651


def test_what_is_recorded_stays_as_it_is(text: str) -> None:
    for part in parts(text):
        schedule = read_schedule(part)
        out = [Recorded(each.version, each.day) for each in stages(part) if each.actual]
        assert all(is_recorded(schedule, each) for each in out)
        assert recorded(part, out[:1] + out[-1:]) == part
    assert recorded(text, [a_record("3.14.7", date(2026, 8, 5))]) == text


@pytest.mark.slow
def test_every_release_is_inserted_where_it_was(text: str) -> None:
    """As if nobody had expected it: the same releases in the same order, all other lines kept."""
    for part in parts(text):
        listed = stages(part)
        for stage in listed if len(listed) > 1 else ():
            head = re.escape(f'[[release."{stage.version.series}"]]\n{entry(stage)}')
            without = re.sub(rf"{head}(note.*\n)?\n?", "", part)
            made = recorded(without, [Recorded(stage.version, stage.day)])
            versions = [each.version for each in stages(made)]
            assert versions == [each.version for each in listed], stage
            rest = iter(made.splitlines())
            assert all(line in rest for line in without.splitlines()), stage


@settings(max_examples=60)
@given(st.data())
def test_any_day_changes_the_lines_of_that_release_alone(text: str, data: st.DataObject) -> None:
    part = next(each for each in parts(text) if each.startswith("# -- Python 3.14"))
    stage = data.draw(st.sampled_from([each for each in stages(part) if not each.actual]))
    limit = (date(2027, 10, 7) - date(2024, 1, 1)).days
    day = date(2024, 1, 1) + timedelta(days=data.draw(st.integers(0, limit)))
    changed = changed_lines(part, recorded(part, [Recorded(stage.version, day)]))
    wanted = [('state = "expected"', 'state = "actual"')]
    if day != stage.day:
        wanted.append((f"date = {stage.day}", f"date = {day}"))
    assert changed == wanted


def test_several_releases_of_a_day_are_one_change(text: str) -> None:
    both = [a_record("3.14.8"), a_record("3.13.16")]
    assert recorded(text, both) == recorded(recorded(text, both[:1]), both[1:])
    assert recorded(text, both) == recorded(text, both[::-1])


# ── what a branch becomes ──────────────────────────────────────────────────────────────────


def with_next_series(text: str) -> str:
    """The file as it is before a first beta: the series after main is planned."""
    about = re.search(r'\[metadata\."3\.16"\].*?\n\n', text, flags=re.DOTALL)
    assert about is not None
    planned = about[0].replace("3.16", "3.17").replace("826", "9999")
    planned = planned.replace('"feature"', '"planned"').replace('"main"', '""')
    first = 'stage = "3.17.0 alpha 1"\nstate = "expected"\ndate = 2027-10-12\n'
    return f'{text}\n{planned}[[release."3.17"]]\n{first}'


def test_first_beta_moves_both_branches(text: str) -> None:
    """Source: python/peps #4961 and #4962, which mended what the first had forgotten."""
    day = date(2027, 5, 6)
    before = with_next_series(text)
    assert changed_lines(before, recorded(before, [a_record("3.16.0b1", day)])) == [
        ('status = "feature"', 'status = "prerelease"'),
        ('branch = "main"', 'branch = "3.16"'),
        ("feature-freeze = 2027-05-04", "feature-freeze = 2027-05-06"),
        ('state = "expected"', 'state = "actual"'),
        ("date = 2027-05-04", "date = 2027-05-06"),
        ('status = "planned"', 'status = "feature"'),
        ('branch = ""', 'branch = "main"'),
        ("start-of-development = 2026-05-07", "start-of-development = 2027-05-06"),
    ]


def test_first_beta_without_a_next_series_is_refused(text: str) -> None:
    with pytest.raises(
        StepFailed, match=r"does not have series 3\.17, which is main from 3\.16\.0b1 on"
    ):
        recorded(text, [a_record("3.16.0b1")])
    recorded(with_next_series(text), [a_record("3.16.0b1")])


def test_first_final_begins_bugfixes(text: str) -> None:
    assert changed_lines(text, recorded(text, [a_record("3.15.0", date(2026, 10, 3))])) == [
        ('status = "prerelease"', 'status = "bugfix"'),
        ("first-release = 2026-10-01", "first-release = 2026-10-03"),
        ('state = "expected"', 'state = "actual"'),
        ("date = 2026-10-01", "date = 2026-10-03"),
    ]


def test_last_bugfix_release_ends_bugfixes_if_it_is_declared(text: str) -> None:
    version = Version.parse("3.13.16")
    assert ends_bugfix(read_schedule(text), version)
    assert not ends_bugfix(read_schedule(text), Version.parse("3.14.8"))
    assert not ends_bugfix(read_schedule(text), Version.parse("3.12.14"))
    late = Recorded(version, date(2026, 10, 8), Phase.SECURITY)
    assert changed_lines(text, recorded(text, [late])) == [
        ('status = "bugfix"', 'status = "security"'),
        ("end-of-bugfix = 2026-10-07", "end-of-bugfix = 2026-10-08"),
        ('state = "expected"', 'state = "actual"'),
        ("date = 2026-10-06", "date = 2026-10-08"),
    ]
    due = Recorded(version, DAY, Phase.SECURITY)
    assert changed_lines(text, recorded(text, [due]))[0] == (
        'status = "bugfix"',
        'status = "security"',
    )


def test_end_of_life_is_the_day_of_the_last_release(text: str) -> None:
    """Source: python/peps #4694."""
    made = recorded(text, [Recorded(Version.parse("3.10.21"), date(2026, 10, 31),
                                    Phase.END_OF_LIFE)])  # fmt: skip
    branch = read_schedule(made).branches["3.10"]
    assert (branch.phase, branch.end_of_life) == (Phase.END_OF_LIFE, date(2026, 10, 31))


@pytest.mark.parametrize(
    ("version", "enters", "words"),
    [
        ("3.14.8", Phase.END_OF_LIFE, "says that 3.14 is bugfix; before 3.14.8 it is security"),
        ("3.16.0", Phase.BUGFIX, "says that 3.16 is feature; before 3.16.0 it is prerelease"),
        ("3.9.26", Phase.SECURITY, "says that 3.9 is end-of-life; before 3.9.26 it is bugfix"),
    ],
)
def test_phase_that_does_not_follow_is_refused(
    text: str, version: str, enters: Phase, words: str
) -> None:
    with pytest.raises(StepFailed, match=re.escape(words)):
        recorded(text, [Recorded(Version.parse(version), DAY, enters)])


# ── what nobody planned ────────────────────────────────────────────────────────────────────


def numbered(text: str, series: str) -> dict[str, str]:
    """What is expected in a series: the day of each release."""
    listed = read_schedule(text).stages[series]
    return {each.name: f"{each.day}" for each in listed if not each.actual}


def test_hotfix_moves_numbers_and_no_days(text: str) -> None:
    """Source: python/peps #4731, which is reproduced by it byte for byte."""
    made = recorded(text, [a_record("3.14.8", date(2026, 8, 9), unplanned=True)])
    days = list(numbered(text, "3.14").values())
    assert list(numbered(made, "3.14").values()) == days
    assert list(numbered(made, "3.14")) == [f"3.14.{micro}" for micro in range(9, 16)]
    assert is_recorded(read_schedule(made), a_record("3.14.8", date(2026, 8, 9), unplanned=True))
    again = [a_record("3.14.8", date(2026, 8, 9), unplanned=True)]
    assert recorded(made, again) == made


def test_extra_alpha_moves_the_alphas_alone(text: str) -> None:
    """Source: python/peps #4780."""
    made = recorded(text, [a_record("3.16.0a2", date(2026, 10, 14), unplanned=True)])
    before, after = numbered(text, "3.16"), numbered(made, "3.16")
    assert after["3.16.0 alpha 3"] == before["3.16.0 alpha 2"]
    assert after["3.16.0 alpha 8"] == before["3.16.0 alpha 7"]
    assert after["3.16.0 beta 1"] == before["3.16.0 beta 1"]


def test_candidate_that_nobody_expected_is_inserted(text: str) -> None:
    made = recorded(text, [a_record("3.15.0rc3", date(2026, 9, 20))])
    names = [each.name for each in read_schedule(made).stages["3.15"]]
    assert names[-3:] == ["3.15.0 candidate 2", "3.15.0 candidate 3", "3.15.0 final"]


# ── forms ──────────────────────────────────────────────────────────────────────────────────


def test_other_day_that_was_recorded_is_refused(text: str) -> None:
    with pytest.raises(
        StepFailed, match=r"says that 3\.14\.7 was released on 2026-08-05, and it is"
    ):
        recorded(text, [a_record("3.14.7")])


def test_unknown_series_is_refused(text: str) -> None:
    with pytest.raises(StepFailed, match=r"does not have series 3\.40"):
        recorded(text, [a_record("3.40.0a1")])


def test_comments_spaces_and_line_ends_stay(text: str) -> None:
    plain = 'stage = "3.14.8"\nstate = "expected"\ndate = 2026-10-06\n'
    told = 'stage  =  "3.14.8" # soon\nstate="expected"  # ?\n  date = 2026-10-05\n'
    odd = text.replace(plain, told)
    odd = odd.replace("\n", "\r\n")
    assert changed_lines(odd, recorded(odd, [a_record("3.14.8")])) == [
        ('state="expected"  # ?', 'state="actual"  # ?'),
        ("  date = 2026-10-05", "  date = 2026-10-06"),
    ]
    made = recorded(odd, [a_record("3.10.21")])
    assert made.count("\n") == made.count("\r\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('[[release."3.14"]]\nstage = "3.14.8"', "[[release.'3.14']]\nstage = \"3.14.8\""),
        ('stage = "3.14.8"', "stage = '3.14.8'"),
        ('stage = "3.14.8"\nstate = "expected"', 'stage = "3.14.8"\nstate = """expected"""'),
        ('stage = "3.14.8"\nstate = "expected"', 'stage = "3.14.8"\n"state" = "expected"'),
    ],
)
def test_unusual_form_is_refused_and_not_spoiled(text: str, old: str, new: str) -> None:
    assert text.count(old) == 1
    odd = text.replace(old, new)
    read_schedule(odd)
    with pytest.raises(StepFailed, match=r"usual form|recorded safely"):
        recorded(odd, [a_record("3.14.8")])
