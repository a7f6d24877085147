"""What comes up after the tag was handed over and everything was approved still stops a release.

Before each act that cannot be taken back a release manager would look once more; so does the tool,
at that moment. When what came up is over, the same command goes on and ends as any other day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from plugins.rehearsal import remotes
from plugins.rehearsal.store import ALWAYS
from tests.publish.day import DONE, FAILED, WAITING
from tests.publish.evening import differences, world_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.publish.day import Day
    from tests.publish.walk import Walk

    Observed = Callable[[str, str], None]

pytestmark = pytest.mark.slow

# The gate, and what it holds up; the moment is right before the first of that, all approvals given.
MOMENTS: Final = {
    "check_before_switch": ("switch_files", "switch_docs"),
    "check_before_upstream": ("push_upstream",),
    "check_before_page": ("publish_page", "post_forum", "date_pep"),
}
NUMBER: Final = 4242
COMES_UP: Final = {
    "an issue": "issue 4242: spam burns",
    "a pull request": "pull request 4242 into 3.13: spam burns",
    "a red builder": "AMD64 Debian root 3.13",
    "another phase": "security at peps.python.org",
}


def comes_up(day: Day, what: str) -> None:
    """Somebody files it, or it happens."""
    found = day.store.load("github", {})
    issue = {
        "number": NUMBER,
        "title": "spam burns",
        "state": "open",
        "labels": ["release-blocker"],
    }
    match what:
        case "an issue":
            day.store.save("github", {**found, "issues": [*found["issues"], issue]})
        case "a pull request":
            pull = {**issue, "base": "3.13"}
            day.store.save("github", {**found, "issues": [*found["issues"], pull]})
        case "a red builder":
            day.order("buildbots.red", times=ALWAYS)
        case _:
            day.order("peps.other_phase", times=ALWAYS)


def is_over(day: Day) -> None:
    """It was resolved, and nothing tells of it any more."""
    found = day.store.load("github", {})
    issues = [each for each in found["issues"] if each["number"] != NUMBER]
    day.store.save("github", {**found, "issues": issues})
    day.store.save("faults", {})


@pytest.mark.parametrize("gate", MOMENTS)
@pytest.mark.parametrize("what", COMES_UP)
def test_what_comes_up_late_stops_what_users_have_not_seen(
    walk: Walk, observed: Observed, gate: str, what: str
) -> None:
    day = walk.day
    day.restore(MOMENTS[gate][0])
    assert (day.work / "receipts/approve_release.json").exists()
    comes_up(day, what)
    ended = day.publish()
    assert ended.status == FAILED, ended
    assert ended.failed == [gate], ended
    line = ended.line_of(gate)
    assert COMES_UP[what] in line, ended
    assert not [each for each in MOMENTS[gate] if (day.work / f"receipts/{each}.json").exists()]
    is_over(day)
    ended = day.go_on()
    assert ended.status == DONE, ended
    assert differences(world_of(day), walk.world) == {}
    observed(f"{what} that came up late, {gate}", line)


def test_a_late_blocker_can_be_waived_with_a_reason(walk: Walk) -> None:
    """The remedy of last resort: it is in release.toml, with a name, and ends by itself."""
    day = walk.day
    day.restore("push_upstream")
    comes_up(day, "an issue")
    assert day.publish().failed == ["check_before_upstream"]
    text = day.declaration.read_text()
    until = f"{walk.day.toy.now:%Y-%m-%d}"
    day.declaration.write_text(
        f'{text}\n[[waivers]]\nrule = "blockers.release"\nreason = "only spam"\nby = "rm"\n'
        f"until = {until}\n"
    )
    ended = day.go_on()
    assert ended.status == DONE, ended
    assert "push_upstream" in {path.stem for path in (day.work / "receipts").iterdir()}


def test_what_changes_after_the_last_approval_is_approved_again(walk: Walk) -> None:
    """Another title of the announcement: the summary shows it, so the go was for something else."""
    day = walk.day
    day.restore("switch_files")
    texts = day.work / "texts"
    texts.mkdir()
    draft = (day.work / "made" / "announcement.md").read_text()
    (texts / "announcement.md").write_text(draft.replace("available", "out and available", 1))
    ended = day.publish()
    assert (ended.status, ended.waiting) == (WAITING, ["approve_announcement"]), ended
    assert not (day.work / "receipts/switch_files.json").exists()
    day.let_people_act()
    ended = day.publish()
    assert (ended.status, ended.waiting) == (WAITING, ["approve_release"]), ended
    assert "is now out and available" in (day.work / "made/summary.txt").read_text()
    assert not (day.work / "receipts/switch_files.json").exists()
    ended = day.go_on()
    assert ended.status == DONE, ended


def test_upstream_that_moves_after_the_switch_asks_for_no_second_go(walk: Walk) -> None:
    """The merge is made again, and approved again if it changed; what was shown stays."""
    day = walk.day
    day.restore("push_upstream")
    shown = (day.work / "made/summary.txt").read_bytes()
    remotes.colleague_pushes(day.upstream, "3.13")
    ended = day.publish()
    assert ended.failed == ["push_upstream"], ended
    ended = day.go_on()
    assert ended.status == DONE, ended
    assert (day.work / "made/summary.txt").read_bytes() == shown
