"""Accidents of a release day: people. What a person reads, and what is so.

In none is anything lost, doubled or announced wrongly: when it is over, the next ``doit publish``
ends as a day without it, to the byte.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from plugins.rehearsal import experts
from plugins.rehearsal.gnupg_home import GnupgHome
from tests.publish.cases import TAG, assert_nothing_shown, assert_told, ends_alike
from tests.publish.day import FAILED, WAITING
from tests.source_world import git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.publish.cases import Observed
    from tests.publish.day import Day
    from tests.publish.walk import Walk

pytestmark = pytest.mark.slow


def manner(day: Day, role: str, how: str) -> None:
    """From now on the expert of this role does things in this way."""
    known = day.store.load("experts", {})
    known["manner"] = {**known["manner"], role: {"how": how}} if how else {}
    day.store.save("experts", known)


def put_on_roster(day: Day, name: str) -> None:
    """The release manager has the key, and release.toml says that it is the Windows expert's."""
    keys = day.store.load("experts", {})["keys"]
    theirs = GnupgHome(day.toy.home / "experts")
    GnupgHome(day.toy.home).gpg("--import", stdin=theirs.public(keys[name]).encode())
    day.declare(f'keys = ["{keys["windows"]}"]', f'keys = ["{keys["windows"]}", "{keys[name]}"]')


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ("other bytes", "approved other bytes"),
        ("unknown key", "key"),
        ("expired key", "expired"),
    ],
)
def test_approval_that_is_worth_nothing(
    walk: Walk, observed: Observed, how: str, word: str
) -> None:
    day = walk.day
    # Saved with the good approval given: it is taken away, and a bad one comes instead.
    day.restore("approve_windows")
    take_away(day)
    manner(day, "windows", how)
    if how == "expired key":
        put_on_roster(day, "expired")
    ended = day.publish()
    assert ended.status == WAITING, ended
    day.let_people_act()
    ended = day.publish()
    assert "approve_windows" in ended.waiting, ended
    line = ended.line_of("approve_windows")
    assert word in line, line
    assert_nothing_shown(day)
    take_away(day)
    manner(day, "windows", "")
    ends_alike(walk)
    observed(f"approval: {how}", line)


def take_away(day: Day) -> None:
    """The Windows expert has approved nothing."""
    for name in ("approve_windows.json", "approve_windows.json.asc"):
        (day.work / "approvals" / name).unlink()


@pytest.mark.parametrize("how", ["other bytes", "unknown key", "expired key", "half"])
def test_expert_who_answers_wrongly(walk: Walk, observed: Observed, how: str) -> None:
    day = walk.day
    day.restore("tell_experts")
    day.order(f"experts.{how.replace(' ', '_')}", "windows")
    if how == "expired key":
        put_on_roster(day, "expired")
    ended = day.publish()
    day.wait_for_experts()
    ended = day.publish()
    status = WAITING if how == "half" else FAILED
    word = {
        "other bytes": "does not match its digest",
        "unknown key": "not known",
        "half": "42 of 43 files are complete",
    }
    words = ("Wanda Windows", word.get(how, "expired"))
    line = assert_told(ended, "await_windows", *words, status=status)
    assert (day.work / "receipts" / "await_macos.json").exists()
    assert_nothing_shown(day)
    inbox = day.downloads / ".3.13.6.incoming" / "windows"
    brought = [f"3.13.6/{path.name}" for path in sorted((inbox / "3.13.6").iterdir())]
    day.store.save("faults", {})
    deliver_again(day, inbox, brought)
    ends_alike(walk)
    observed(f"expert answers wrongly: {how}", line)


def deliver_again(day: Day, inbox: Path, brought: list[str]) -> None:
    """The expert brings everything once more, rightly."""
    commit = git(day.work / "clone", "rev-parse", f"{TAG}^{{commit}}")
    order = [each for each in AWAITED if each in brought]
    experts.deliver(day.store, inbox, "windows", "3.13.6", commit, order)


AWAITED = tuple(
    f"3.13.6/{name}"
    for name in (
        "python-3.13.6-amd64.exe", "python-3.13.6-embed-amd64.zip", "python-3.13.6.exe",
        "python-3.13.6-embed-win32.zip", "python-3.13.6-arm64.exe",
        "python-3.13.6-embed-arm64.zip", "windows-3.13.6.json",
    )
)  # fmt: skip


def test_expert_who_never_answers(walk: Walk, observed: Observed) -> None:
    """The rest goes on; after the declared days it is a failure, and who comes then is in time."""
    day = walk.day
    day.restore("tell_experts")
    manner(day, "windows", "never")
    day.publish()
    day.wait_for_experts()
    ended = day.go_on(until=lambda each: "take_macos" in each.done)
    line = assert_told(ended, "await_windows", "Wanda Windows", "0 of 7", status=WAITING)
    assert_nothing_shown(day)
    later = day.publish(later=timedelta(days=9))
    late = assert_told(later, "await_windows", "has not supplied everything by")
    manner(day, "windows", "")
    ends_alike(walk)
    observed("expert who never answers", line)
    observed("expert who never answers, 9 days later", late)
