"""Accidents of a release day: upstream. What a person reads, and what is so.

In none is anything lost, doubled or announced wrongly: when it is over, the next ``doit publish``
ends as a day without it, to the byte.
"""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from plugins.model.settings import read_settings
from plugins.rehearsal import remotes
from plugins.rehearsal.store import ALWAYS
from tests.publish.cases import TAG, assert_nothing_told, assert_protected, assert_told, ends_alike
from tests.publish.conftest import a_day
from tests.publish.day import DONE, FAILED
from tests.publish.evening import acts, differences, world_of
from tests.publish.outside import seen_by_world, told
from tests.remedies import PROJECT
from tests.source_world import git

if TYPE_CHECKING:
    from tests.publish.cases import Observed
    from tests.publish.day import Day
    from tests.publish.walk import Walk

pytestmark = pytest.mark.slow


def test_upstream_moved_after_the_merge_was_made(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("push_upstream")
    theirs = remotes.colleague_pushes(day.upstream, "3.13")
    line = assert_told(day.publish(), "push_upstream", "3.13 moved", "nothing was pushed")
    assert git(day.upstream, "rev-parse", "3.13").strip() == theirs
    assert_protected(day)
    assert_nothing_told(day)
    ends_with_theirs(walk, theirs)
    observed("upstream moved after the merge", line)


def test_upstream_moves_in_the_very_moment_of_the_push(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("push_upstream")
    day.order("upstream.moved_while_pushed")
    line = assert_told(day.publish(), "push_upstream", "x ")
    theirs = git(day.upstream, "rev-parse", "3.13").strip()
    assert_protected(day)
    assert_nothing_told(day)
    ends_with_theirs(walk, theirs)
    observed("upstream moved while pushed", line)


def test_conflict_with_what_upstream_got_meanwhile_is_merged_by_hand_as_the_page_says(
    tmp_path_factory: pytest.TempPathFactory, observed: Observed
) -> None:
    """What the page has a person fetch is no new base: the release that was pushed stays."""
    topics = "Lib/pydoc_data/topics.py"
    with a_day(tmp_path_factory) as day:
        day.start_world()
        assert day.done("push_fork").status == DONE
        released = git(day.work / "clone", "rev-parse", f"refs/tags/{TAG}")
        theirs = remotes.colleague_pushes(day.upstream, "3.13", topics, first="# A colleague's")
        line = assert_told(day.doit("run", "merge_back"), "merge_back", topics)
        mine = read_settings(day.declaration).repository.clone
        git(mine, "fetch", "upstream", "3.13")
        git(mine, "fetch", str(day.work / "clone"), f"refs/tags/{TAG}")
        git(mine, "checkout", "--quiet", "--force", "--detach", "upstream/3.13")
        assert git(mine, "rev-parse", "HEAD") == theirs
        with pytest.raises(subprocess.CalledProcessError):
            git(mine, "merge", "--no-ff", "FETCH_HEAD")
        git(mine, "checkout", "--theirs", topics)
        git(mine, "commit", "--quiet", "--all", "--no-edit")
        merged = git(mine, "rev-parse", "HEAD")
        day.declare("[repository]", f'[repository]\nmerged_by_hand = "{merged}"')
        ended = day.done("write_merge")
        assert ended.status == DONE, ended
        assert not {"make_clone", "commit_release", "make_tag", "push_fork"} & set(ended.done)
        assert git(day.work / "clone", "rev-parse", f"refs/tags/{TAG}") == released
        looked = day.doit("check", "check_base")
        assert looked.status == DONE, looked
        assert "1 commit left out" in looked.out
        made = git(day.work / "merge-clone", "rev-parse", "refs/release/new/3.13")
        git(day.work / "merge-clone", "merge-base", "--is-ancestor", merged, made)
        assert_released_after_all(day, theirs, looked.out)
    observed("conflict with what upstream got meanwhile", line)


def assert_released_after_all(day: Day, theirs: str, told: str) -> None:
    """What the fork's tag leaves out is in the release once the setting that is told is written."""
    repository = read_settings(day.declaration).repository
    base = f'base = "{theirs}"'
    assert f"write {base} below [repository]" in told
    page = (PROJECT / "docs/how-to/upstream-moved.md").read_text("utf-8")
    _, _, page = page.partition("## After the tag was pushed to the fork")
    fetch, delete = re.findall(r"^git (?:fetch|push) .*", page, re.MULTILINE)[:2]
    own = delete.replace("git@github.com:you/cpython.git", repository.fork)
    for command in (fetch, own):
        subprocess.run(command, shell=True, check=True, cwd=repository.clone)
    assert ", done" in day.doit("why", "make_clone").out
    day.declare("[repository]", f"[repository]\n{base}")
    assert ", stale" in day.doit("why", "make_clone").out
    assert day.done("push_fork").status == DONE
    assert git(day.world / "fork.git", "rev-parse", f"refs/tags/{TAG}^") == theirs


def ends_with_theirs(walk: Walk, theirs: str) -> None:
    """Everything gets done; upstream has the colleague's commit and the release, once."""
    day = walk.day
    day.store.save("faults", {})
    ended = day.go_on(until=lambda each: "approve_merge" in each.waiting)
    # Other lines came of the merge or not: what was reviewed holds only if they did not.
    ended = day.go_on()
    assert ended.status == DONE, ended
    found = differences(world_of(day), walk.world)
    assert set(found) == {"upstream refs/heads/3.13"} or set(found) == {
        name for name in found if name.startswith("upstream refs/heads/3.13")
    }, found
    head = git(day.upstream, "rev-parse", "3.13").strip()
    for each in (theirs, f"{TAG}^{{commit}}"):
        git(day.upstream, "merge-base", "--is-ancestor", each, head)
    pushes = [each for each in acts(day) if each.startswith("upstream push")]
    assert len(pushes) == 1
    others = {name: times for name, times in acts(day).items() if "upstream push" not in name}
    assert others == {
        name: times for name, times in walk.acts.items() if "upstream push" not in name
    }


def test_tag_is_upstream_already_on_another_commit(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("push_upstream")
    theirs = remotes.take_tag(day.upstream, TAG, "main")
    line = ""
    for _ in range(2):
        line = assert_told(day.publish(), "push_upstream", TAG, "not this release's")
        assert git(day.upstream, "rev-parse", f"refs/tags/{TAG}").strip() == theirs
        assert_protected(day)
        assert_nothing_told(day)
    git(day.upstream, "update-ref", "-d", f"refs/tags/{TAG}")
    ends_alike(walk)
    observed("tag already upstream on another commit", line)


def test_tag_appears_in_the_very_moment_of_the_push(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("push_upstream")
    head = git(day.upstream, "rev-parse", "3.13")
    day.order("upstream.tag_taken")
    line = assert_told(day.publish(), "push_upstream", "x ")
    assert git(day.upstream, "rev-parse", "3.13") == head
    assert_protected(day)
    assert_nothing_told(day)
    git(day.upstream, "update-ref", "-d", f"refs/tags/{TAG}")
    ends_alike(walk)
    observed("tag taken while pushed", line)


@pytest.mark.parametrize(
    ("task", "fault"), [("push_upstream", "upstream.refuses"), ("push_fork", "fork.refuses")]
)
def test_push_rejected_by_protection(walk: Walk, observed: Observed, task: str, fault: str) -> None:
    day = walk.day
    day.restore(task)
    day.order(fault)
    line = assert_told(day.publish(), task, "GH013")
    assert_protected(day)
    assert_nothing_told(day)
    ends_alike(walk)
    observed(f"push rejected by protection, {task}", line)


LIFTED = "the branch protection of 3.13 is lifted"


@pytest.mark.parametrize("moment", ["lifted", "pushed"])
def test_holder_of_the_lease_killed_while_protection_is_lifted(
    walk: Walk, observed: Observed, moment: str
) -> None:
    """Every command shouts, and the next run puts the rules back before it does anything else.

    Where several run at once, the process of the task outlives the run, and puts them back itself.
    """
    day, stage = walk.day, walk.stages["push_upstream"]
    day.restore("push_upstream")
    records = (
        stage.records_until("github", "DELETE")
        if moment == "lifted"
        else stage.records_until("upstream", "push")
    )
    assert day.doit("run", "-n1", "publish", records=records).status == -9
    assert not day.store.load("protection", {})["3.13"]["enforce_admins"]
    for words in (("list",), ("list", "--status"), ("next",), ("why", "push_upstream")):
        assert f"!!! {LIFTED}" in day.doit(*words).err, words
    # Even a run that has nothing to do with it.
    ended = day.doit("run", "check_tools")
    assert f"repaired first, left by an earlier run: {LIFTED}" in ended.err
    assert "!!!" not in ended.err
    assert_protected(day)
    ends_alike(walk)
    (line,) = [line for line in ended.err.splitlines() if line.startswith("repaired first")]
    observed(f"lease holder killed, {moment}", f"all commands shout; next run: {line}")


@pytest.mark.parametrize("moment", ["lifted", "pushed"])
def test_plan_after_the_holder_of_the_lease_was_killed_is_what_the_next_run_does(
    walk: Walk, moment: str
) -> None:
    day, stage = walk.day, walk.stages["push_upstream"]
    day.restore("push_upstream")
    records = (
        stage.records_until("github", "DELETE")
        if moment == "lifted"
        else stage.records_until("upstream", "push")
    )
    assert day.doit("run", "-n1", "publish", records=records).status == -9
    plan = json.loads(day.doit("plan", "--json", "restore_protection").out)
    recorded = len(list(day.store.happened()))
    assert day.doit("run", "restore_protection").status == DONE
    came = list(day.store.happened())[recorded:]
    tasks = {each["name"]: each for each in plan["tasks"]}
    assert all(each["complete"] for each in (*plan["mends"], *plan["tasks"]))
    acts = [act["what"] for each in (*plan["mends"], *plan["tasks"]) for act in each["acts"]]
    assert told(acts) == seen_by_world(came, acts)
    assert len(plan["mends"][0]["acts"]) == 1
    assert tasks["push_upstream"]["foreseen"] == ("now" if moment == "lifted" else "there")
    ends_alike(walk)


def test_protection_that_cannot_be_restored_is_shouted_until_it_is(
    walk: Walk, observed: Observed
) -> None:
    day, stage = walk.day, walk.stages["push_upstream"]
    day.restore("push_upstream")
    day.doit("run", "publish", records=stage.records_until("github", "DELETE"))
    day.order("github.500", times=ALWAYS)
    ended = day.publish()
    assert ended.status == FAILED
    assert "IT IS STILL LIFTED" in ended.err
    assert f"!!! {LIFTED}" in ended.err
    assert ended.done == []
    ends_alike(walk)
    (line,) = [line for line in ended.err.splitlines() if "STILL" in line]
    observed("protection that cannot be restored", line)
