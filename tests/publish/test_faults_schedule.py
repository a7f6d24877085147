"""Accidents of a release day: the schedule of the PEPs. What a person reads, and what is so.

In none is anything lost, doubled or announced wrongly: when it is over, the next ``doit publish``
ends as a day without it, to the byte.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from plugins.rehearsal.store import ALWAYS
from tests.publish.cases import assert_nothing_told, assert_told, ends_alike
from tests.publish.day import WAITING

if TYPE_CHECKING:
    from tests.publish.cases import Observed
    from tests.publish.walk import Walk

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("peps.other_phase", ("release.phase", "security at peps.python.org")),
        ("peps.unknown_status", ("release.phase", "status is the text 'hibernating'")),
    ],
)
def test_branch_that_is_in_another_phase(
    walk: Walk, observed: Observed, fault: str, words: tuple[str, ...]
) -> None:
    day = walk.day
    day.restore("check_schedule")
    day.order(fault, times=ALWAYS)
    line = assert_told(day.publish(), "check_schedule", *words)
    assert_nothing_told(day)
    ends_alike(walk)
    observed(f"{fault}, check_schedule", line)


@pytest.mark.parametrize("fault", ["peps.500", "peps.malformed", "peps.endless"])
def test_schedule_that_cannot_be_looked_up_warns(
    walk: Walk, observed: Observed, fault: str
) -> None:
    day = walk.day
    day.restore("check_schedule")
    day.order(fault, times=ALWAYS)
    ended = day.publish()
    assert "Traceback" not in ended.said, ended
    assert "the phase of 3.13 can't be looked up" in ended.out
    ends_alike(walk)
    observed(f"{fault}, check_schedule", "warns, and goes on")


def test_schedule_that_somebody_changed_meanwhile(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("date_pep")
    store = day.store.load("github", {})
    path = "python/peps/release_management/python-releases.toml"
    due = 'stage = "3.13.6"\nstate = "expected"\ndate = '
    text = store["texts"][path]
    at = text.index(due)
    other = due.replace("expected", "actual") + "2001-02-03" + text[at + len(due) + 10 :]
    day.store.save("github", {**store, "texts": {**store["texts"], path: text[:at] + other}})
    line = assert_told(day.publish(), "date_pep", "says that 3.13.6 was released on 2001-02-03")
    assert not [each for each in day.store.load("github", {})["pulls"]
                if each["repository"] == "python/peps"]  # fmt: skip
    day.store.save("github", {**day.store.load("github", {}), "texts": store["texts"]})
    ends_alike(walk)
    observed("schedule changed meanwhile, date_pep", line)


def test_pull_request_of_the_schedule_that_nobody_merges(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("await_schedule")
    day.order("peps.never_merged", times=ALWAYS)
    line = assert_told(day.publish(), "await_schedule", "does not state yet", status=WAITING)
    late = day.publish(later=timedelta(days=9))
    assert_told(late, "await_schedule", "ask an editor of the PEPs to merge it")
    ends_alike(walk)
    observed("pull request that nobody merges, await_schedule", line)
