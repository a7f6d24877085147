"""Tests of the merge back and the push to upstream: real git with rules, every fault of it."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from checks.own_commits import merge_is_of_true_objects
from doit_receipts.errors import ServiceFailed, StepFailed, Waiting
from doit_receipts.outside import Act, heard_by, leaves
from doit_receipts.probe import RemoteState
from plugins.ports.git import RefUpdate
from plugins.rehearsal.remotes import colleague_pushes, take_tag
from plugins.steps import merge_back, protection, upstream_push
from tests.hub_world import QUIET, RULES, HubWorld, a_hub_world
from tests.source_world import git

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugins.rehearsal.gnupg_home import GnupgHome
    from tests.source_world import World

    Makes = Callable[..., HubWorld]


@pytest.fixture(scope="module")
def key(keyring: GnupgHome) -> str:
    return keyring.key("merger")


@pytest.fixture
def a_hub(tmp_path: Path, keyring: GnupgHome, key: str) -> Makes:
    def make(
        version: str = "3.13.6",
        last: str = "3.13.5",
        before: Callable[[World], tuple[str, ...]] | None = None,
    ) -> HubWorld:
        return a_hub_world(tmp_path, keyring, key, version, last, before)

    return make


def merge(hub: HubWorld) -> dict[str, str]:
    return merge_back.make(
        hub.release, hub.world.clone, hub.merge_clone, hub.world.base, hub.upstream, QUIET
    )


def look(hub: HubWorld) -> RemoteState:
    return upstream_push.look_pushed(hub.release, hub.merge_clone, hub.upstream).state


def push(hub: HubWorld) -> dict[str, str]:
    return upstream_push.push(hub.release, hub.merge_clone, hub.upstream, hub.protection, QUIET)


def refs(hub: HubWorld) -> str:
    return git(hub.world.folder / "upstream.git", "for-each-ref")


def shown(hub: HubWorld, ref: str, name: str) -> str:
    return git(hub.world.folder / "upstream.git", "show", f"{ref}:{name}")


def rules(hub: HubWorld) -> list[dict[str, object]]:
    return list(hub.store.load("protection", {}).values())


def test_release_is_merged_without_squash_and_the_version_after_it_told(a_hub: Makes) -> None:
    hub = a_hub()
    facts = merge(hub)
    assert look(hub) is RemoteState.ABSENT
    done = push(hub)
    probe = upstream_push.look_pushed(hub.release, hub.merge_clone, hub.upstream)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, done)
    assert '"3.13.6+"' in shown(hub, "3.13", "Include/patchlevel.h")
    title = "This is Python version 3.13.6+"
    assert shown(hub, "3.13", "README.rst").startswith(f"{title}\n{'=' * len(title)}\n")
    log = git(hub.world.folder / "upstream.git", "log", "--format=%s", "-3", "3.13").splitlines()
    assert log[:2] == ["Post 3.13.6", "Python 3.13.6"]
    assert len(hub.pushes("upstream")) == 1
    assert set(hub.pushes("upstream")[0]) == {"refs/heads/3.13", "refs/tags/v3.13.6"}
    assert facts["new 3.13"] == done["3.13 holds"]
    assert all(each == RULES for each in rules(hub))
    assert not protection.lease_is_open(hub.release.layout)


def test_merge_done_again_gives_the_same_commits(a_hub: Makes) -> None:
    hub = a_hub()
    assert merge(hub) == merge(hub)


def test_colleagues_commit_is_kept_by_the_merge(a_hub: Makes) -> None:
    hub = a_hub()
    theirs = colleague_pushes(hub.world.folder / "upstream.git", "3.13")
    merge(hub)
    push(hub)
    assert look(hub) is RemoteState.IDENTICAL
    history = git(hub.world.folder / "upstream.git", "rev-list", "3.13").split()
    assert theirs in history
    assert hub.world.clone.resolve("v3.13.6^{commit}") in history
    assert "A. Colleague" in shown(hub, "3.13", "Misc/ACKS")


def test_upstream_that_moved_is_merged_anew_and_reviewed_as_before(a_hub: Makes) -> None:
    hub = a_hub()
    merge(hub)
    reviewed = merge_back.review(hub.release, hub.merge_clone)
    theirs = colleague_pushes(hub.world.folder / "upstream.git", "3.13")
    before = refs(hub)
    assert look(hub) is RemoteState.ABSENT
    with pytest.raises(StepFailed, match=r"3\.13 moved since the release was merged"):
        push(hub)
    assert refs(hub) == before
    at = hub.release.layout
    assert not any(at.merged_ref(each).exists() for each in hub.release.merge_branches)
    merge(hub)
    assert merge_back.review(hub.release, hub.merge_clone) == reviewed
    push(hub)
    assert look(hub) is RemoteState.IDENTICAL
    assert theirs in git(hub.world.folder / "upstream.git", "rev-list", "3.13").split()


def test_branch_that_moves_in_the_last_moment_takes_nothing(a_hub: Makes) -> None:
    hub = a_hub()
    merge(hub)
    hub.store.order_fault("upstream.moved_while_pushed")
    with pytest.raises(ServiceFailed, match="nothing was pushed"):
        push(hub)
    assert hub.upstream.refs("refs/tags/v3.13.6") == {"refs/tags/v3.13.6": ""}
    assert all(each == RULES for each in rules(hub))
    with pytest.raises(StepFailed, match="moved"):
        push(hub)
    merge(hub)
    push(hub)
    assert look(hub) is RemoteState.IDENTICAL
    assert "A. Colleague" in shown(hub, "3.13", "Misc/ACKS")


def test_branch_that_moved_before_the_push_is_seen_by_the_same_command(a_hub: Makes) -> None:
    """Between the look and the push, so that the remote is not even asked to take it."""
    hub = a_hub()
    merge(hub)
    old, new = merge_back.made(hub.release, hub.merge_clone)["3.13"]
    colleague_pushes(hub.world.folder / "upstream.git", "3.13")
    before = refs(hub)
    with pytest.raises(ServiceFailed, match=r"is no longer .* somebody pushed meanwhile; run the"):
        hub.upstream.push(hub.merge_clone.folder, [RefUpdate("refs/heads/3.13", new, old)])
    assert refs(hub) == before
    with pytest.raises(StepFailed, match=r"3\.13 moved since the release was merged"):
        push(hub)
    merge(hub)
    push(hub)
    assert look(hub) is RemoteState.IDENTICAL


def test_branch_that_would_be_set_back_is_merged_anew_once_it_was_looked_at(a_hub: Makes) -> None:
    hub = a_hub()
    merge(hub)
    _, new = merge_back.made(hub.release, hub.merge_clone)["3.13"]
    theirs = colleague_pushes(hub.world.folder / "upstream.git", "3.13")
    folder, before = hub.merge_clone.folder, refs(hub)
    hub.upstream.fetch(folder, {"refs/heads/3.13": "refs/upstream/theirs"})
    with pytest.raises(
        ServiceFailed, match=r"does not follow .*; check what was pushed there mean"
    ):
        hub.upstream.push(folder, [RefUpdate("refs/heads/3.13", new, theirs)])
    assert refs(hub) == before
    merge(hub)
    push(hub)
    assert look(hub) is RemoteState.IDENTICAL
    assert theirs in git(hub.world.folder / "upstream.git", "rev-list", "3.13").split()


def test_tag_of_somebody_else_is_never_moved(a_hub: Makes) -> None:
    hub = a_hub()
    merge(hub)
    theirs = take_tag(hub.world.folder / "upstream.git", "v3.13.6", "main")
    before = refs(hub)
    probe = upstream_push.look_pushed(hub.release, hub.merge_clone, hub.upstream)
    assert probe.state is RemoteState.DIFFERENT
    assert probe.details == (f"found  {theirs}", f"wanted {hub.merge_clone.resolve('v3.13.6')}")
    assert refs(hub) == before
    git(hub.world.folder / "upstream.git", "update-ref", "-d", "refs/tags/v3.13.6")
    push(hub)
    assert look(hub) is RemoteState.IDENTICAL


def test_tag_that_appears_in_the_last_moment_takes_nothing(a_hub: Makes) -> None:
    hub = a_hub()
    facts = merge(hub)
    hub.store.order_fault("upstream.tag_taken")
    with pytest.raises(ServiceFailed, match="nothing was pushed"):
        push(hub)
    assert hub.upstream.refs("refs/heads/3.13")["refs/heads/3.13"] == facts["old 3.13"]
    assert look(hub) is RemoteState.DIFFERENT


def test_push_refused_by_a_rule_is_told_and_protection_restored(a_hub: Makes) -> None:
    hub = a_hub()
    merge(hub)
    hub.store.order_fault("upstream.refuses")
    with pytest.raises(ServiceFailed, match="GH013: Repository rule violations found") as told:
        push(hub)
    assert "check the branch's protection" in told.value.remedy
    assert all(each == RULES for each in rules(hub))
    assert not protection.lease_is_open(hub.release.layout)
    push(hub)
    assert look(hub) is RemoteState.IDENTICAL


def test_protected_branch_takes_no_push_outside_the_lease(a_hub: Makes) -> None:
    hub = a_hub()
    merge(hub)
    old, new = merge_back.made(hub.release, hub.merge_clone)["3.13"]
    with pytest.raises(subprocess.CalledProcessError) as told:
        git(hub.merge_clone.folder, "push", hub.upstream.address, f"{new}:refs/heads/3.13")
    assert "GH006: Protected branch update failed for refs/heads/3.13" in told.value.stderr
    assert hub.upstream.refs("refs/heads/3.13")["refs/heads/3.13"] == old


def test_line_cut_after_the_push_is_found_done_by_the_next_look(a_hub: Makes) -> None:
    hub = a_hub()
    merge(hub)
    hub.store.order_fault("upstream.drops_after_push")
    with pytest.raises(ServiceFailed):
        push(hub)
    assert look(hub) is RemoteState.IDENTICAL
    assert all(each == RULES for each in rules(hub))
    assert len(hub.pushes("upstream")) == 1


def test_branch_that_went_on_after_the_push_still_holds_it(a_hub: Makes) -> None:
    hub = a_hub()
    merge(hub)
    done = push(hub)
    colleague_pushes(hub.world.folder / "upstream.git", "3.13")
    probe = upstream_push.look_pushed(hub.release, hub.merge_clone, hub.upstream)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, done)


def test_entries_of_cherry_picked_changes_are_not_told_twice(a_hub: Makes) -> None:
    def picks(world: World) -> tuple[str, ...]:
        world.wanted = "v3.13.5"
        entry = "Misc/NEWS.d/next/Library/2026-11-02-10-00-00.gh-issue-200009.Picked.rst"
        return (world.commit({entry: "Picked.\n", "Lib/picked.py": "\n"}, "gh-200009: Picked"),)

    hub = a_hub(before=picks)
    facts = merge(hub)
    assert facts["news removed"] == "1"
    push(hub)
    listed = git(hub.world.folder / "upstream.git", "ls-tree", "-r", "--name-only", "3.13")
    assert "200009" not in listed
    # those that the release did not tell wait for the next one
    assert "200001" in listed


def test_first_beta_opens_a_branch_and_the_next_main_in_one_push(a_hub: Makes) -> None:
    hub = a_hub("3.14.0b1", "3.14.0a7")
    facts = merge(hub)
    assert facts["old 3.14"] == "none"
    reviewed = merge_back.review(hub.release, hub.merge_clone)
    assert set(reviewed) == {"digest main", "digest 3.14"}
    push(hub)
    assert look(hub) is RemoteState.IDENTICAL
    assert len(hub.pushes("upstream")) == 1
    assert '"3.14.0b1+"' in shown(hub, "3.14", "Include/patchlevel.h")
    assert '"3.15.0a0"' in shown(hub, "main", "Include/patchlevel.h")
    assert "PY_MINOR_VERSION        15" in shown(hub, "main", "Include/patchlevel.h")
    readme = shown(hub, "main", "README.rst")
    assert readme.startswith("This is Python version 3.15.0 alpha 0\n")
    assert "cpython/commits/main" in readme
    assert "`PEP 790 <https://peps.python.org/pep-0790/>`__ for Python 3.15" in readme
    assert "3.14" not in readme
    branch = shown(hub, "3.14", "README.rst")
    assert branch.startswith("This is Python version 3.14.0 beta 1+\n")
    assert "cpython/commits/3.14" in branch
    assert "main" not in branch
    header = shown(hub, "main", "Include/internal/pycore_magic_number.h")
    assert "#define PYC_MAGIC_NUMBER 3650\n" in header
    assert "    Python 3.15a0 3650 (Initial version)\n" in header
    assert "    Python 3.16 will start with 3700\n" in header
    assert '    { 3650, 3699, L"3.15" },\n' in shown(hub, "main", "PC/launcher.c")
    for template in ("bug", "crash"):
        text = shown(hub, "main", f".github/ISSUE_TEMPLATE/{template}.yml")
        assert text.endswith(
            '- "3.10"\n        - "3.14"\n        - "3.15"\n        - "CPython main branch"'
        )
    index = shown(hub, "main", "Doc/whatsnew/index.rst").splitlines()
    assert index.index("   3.15.rst") + 1 == index.index("   3.14.rst")
    whatsnew = shown(hub, "main", "Doc/whatsnew/3.15.rst")
    assert "see the :ref:`changelog <changelog>`" in whatsnew
    assert "m4_define([PYTHON_VERSION], [3.15])" in shown(hub, "main", "configure.ac")
    assert "for python 3.15." in shown(hub, "main", "configure")
    assert "[3.14])" in shown(hub, "3.14", "configure.ac")
    # the release tag is in the history of both
    for branch in ("main", "3.14"):
        git(hub.world.folder / "upstream.git", "merge-base", "--is-ancestor", "v3.14.0b1", branch)
    assert protection.look_copied(hub.release, hub.protection).state is not RemoteState.UNKNOWN


def test_first_beta_stops_if_somebody_made_the_branch(a_hub: Makes) -> None:
    hub = a_hub("3.14.0b1", "3.14.0a7")
    git(hub.world.folder / "upstream.git", "branch", "3.14", "main")
    with pytest.raises(StepFailed, match=r"has a branch 3\.14 already.*find out who created it"):
        merge(hub)
    git(hub.world.folder / "upstream.git", "branch", "-D", "3.14")
    merge(hub)


def test_alpha_goes_to_main(a_hub: Makes) -> None:
    hub = a_hub("3.14.0a2", "3.14.0a1")
    merge(hub)
    push(hub)
    assert set(hub.pushes("upstream")[0]) == {"refs/heads/main", "refs/tags/v3.14.0a2"}
    assert '"3.14.0a2+"' in shown(hub, "main", "Include/patchlevel.h")


def test_conflict_names_the_files(a_hub: Makes) -> None:
    def picks(world: World) -> tuple[str, ...]:
        world.wanted = "v3.13.5"
        return (world.commit({"Lib/spam.py": "ours = 1\n"}, "gh-200009: Picked"),)

    hub = a_hub(before=picks)
    upstream = hub.world.folder / "upstream.git"
    colleague_pushes(upstream, "3.13", "Lib/spam.py", first="theirs = 1")
    with pytest.raises(StepFailed, match=r"conflicts in Lib/spam\.py"):
        merge(hub)


def test_merge_made_by_hand_is_taken_if_it_is_of_the_two_commits(a_hub: Makes) -> None:
    hub = a_hub()
    mine, upstream = hub.world.cpython, hub.world.folder / "upstream.git"
    head = colleague_pushes(upstream, "3.13")
    git(mine, "fetch", "-q", "upstream")
    git(mine, "fetch", "-q", str(hub.world.clone.folder), "refs/tags/v3.13.6:refs/tags/v3.13.6")
    git(mine, "checkout", "-q", head)
    git(mine, "merge", "-q", "--no-edit", "v3.13.6^{commit}")
    made = git(mine, "rev-parse", "HEAD")

    def taken() -> dict[str, str]:
        return merge_back.make(
            hub.release, hub.world.clone, hub.merge_clone, hub.world.base, hub.upstream, QUIET,
            by_hand=made,
        )  # fmt: skip

    taken()
    assert hub.merge_clone.about(hub.merge_clone.resolve("refs/release/new/3.13")).parents == (
        made,
    )
    colleague_pushes(upstream, "3.13")
    with pytest.raises(StepFailed, match="not a merge of the release into upstream's") as told:
        taken()
    first, second = told.value.remedy.removeprefix("merge again: ").split("; ")
    git(mine, "fetch", "-q", "upstream")
    git(mine, *first.split()[1:])
    git(mine, *second.split()[1:], "--no-edit")
    made = git(mine, "rev-parse", "HEAD")
    taken()


@pytest.mark.parametrize("name", ["Include/patchlevel.h", "README.rst"])
def test_merge_by_hand_that_lost_the_version_is_made_again_as_found_out(
    a_hub: Makes, name: str
) -> None:
    """Whoever merged took upstream's side of a file that states the release."""
    hub = a_hub()
    mine, upstream = hub.world.cpython, hub.world.folder / "upstream.git"
    head = colleague_pushes(upstream, "3.13")
    git(mine, "fetch", "-q", "upstream")
    git(mine, "fetch", "-q", str(hub.world.clone.folder), "refs/tags/v3.13.6:refs/tags/v3.13.6")

    def merged(*, lost: bool) -> dict[str, str]:
        git(mine, "checkout", "-q", head)
        git(mine, "merge", "-q", "--no-edit", "v3.13.6^{commit}")
        if lost:
            git(mine, "checkout", "-q", head, "--", name)
            git(mine, "commit", "-q", "--amend", "--no-edit")
        return merge_back.make(
            hub.release, hub.world.clone, hub.merge_clone, hub.world.base, hub.upstream, QUIET,
            by_hand=git(mine, "rev-parse", "HEAD"),
        )  # fmt: skip

    with pytest.raises(StepFailed, match=r"after the merge.*; find out who changed it") as told:
        merged(lost=True)
    assert told.value.where == name
    assert git(mine, "log", "-1", "--format=%an", "--diff-merges=first-parent", "--", name)
    merged(lost=False)


# ── the lease ──────────────────────────────────────────────────────────────────────────────


def test_lease_that_cannot_be_closed_shouts_and_the_next_run_closes_it(a_hub: Makes) -> None:
    hub = a_hub()
    merge(hub)

    class Half(type(hub.protection)):  # type: ignore[misc]
        def enforce_admins(self, branch: str, *, on: bool) -> None:
            if on:
                raise ServiceFailed(service="github", action="protect", problem="status 500")
            super().enforce_admins(branch, on=on)

    with pytest.raises(StepFailed, match="IT IS STILL LIFTED"):
        upstream_push.push(hub.release, hub.merge_clone, hub.upstream, Half(hub.store), QUIET)
    layout = hub.release.layout
    assert "3.13" in protection.lease_is_open(layout)
    assert protection.look_restored(hub.protection, layout).state is RemoteState.ABSENT
    protection.restore(hub.protection, layout)
    probe = protection.look_restored(hub.protection, layout)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, {"restored": "3.13"})
    assert not protection.lease_is_open(layout)
    assert all(each == RULES for each in rules(hub))


def test_plan_of_what_a_killed_run_left_lifted_is_what_the_next_run_does(a_hub: Makes) -> None:
    hub = a_hub()
    layout = hub.release.layout
    told: list[str] = []

    class Told(type(hub.protection)):  # type: ignore[misc]
        def enforce_admins(self, branch: str, *, on: bool) -> None:
            if leaves(Act("http", f"{branch} {on}")):
                super().enforce_admins(branch, on=on)

    def hear(act: Act, *, goes: bool) -> bool:
        told.append(act.what)
        return goes

    def done(*branches: str, goes: bool) -> list[str]:
        told.clear()
        with heard_by(partial(hear, goes=goes), held=not goes):
            protection.restore(hub_told, layout)
            with protection.lifted(hub_told, layout, branches, QUIET):
                pass
        return list(told)

    hub_told = Told(hub.store)
    with protection.lifted(hub.protection, layout, ["3.13"], QUIET):
        kept = layout.lease.read_bytes()
    layout.lease.write_bytes(kept)
    hub.protection.enforce_admins("3.13", on=False)
    assert done(goes=False) == ["3.13 True"]
    planned = done("3.13", goes=False)
    assert planned == ["3.13 True", "3.13 False", "3.13 True"]
    assert protection.lease_is_open(layout)
    assert hub.protection.rules("3.13") == {**RULES, "enforce_admins": False}
    assert done("3.13", goes=True) == planned
    assert not protection.lease_is_open(layout)


def test_plan_of_a_branch_that_a_killed_run_left_deletable_is_what_the_next_run_does(
    a_hub: Makes,
) -> None:
    hub = a_hub()
    layout = hub.release.layout
    told: list[str] = []

    class Told(type(hub.protection)):  # type: ignore[misc]
        def protect(self, branch: str, rules: dict[str, object]) -> None:
            if leaves(Act("http", f"{branch} deletable: {rules.get('allow_deletions', False)}")):
                super().protect(branch, rules)

    def delete() -> None:
        if leaves(Act("push", "delete 3.13")):
            left = hub.store.load("protection", {})
            del left["3.13"]
            hub.store.save("protection", left)

    def hear(act: Act, *, goes: bool) -> bool:
        told.append(act.what)
        return goes

    def done(*, goes: bool) -> list[str]:
        told.clear()
        with heard_by(partial(hear, goes=goes), held=not goes):
            protection.restore(hub_told, layout)
            with protection.deletable(hub_told, layout, "3.13", QUIET):
                delete()
        return list(told)

    hub_told = Told(hub.store)
    with protection.deletable(hub.protection, layout, "3.13", QUIET):
        kept = layout.lease.read_bytes()
        left = hub.store.load("protection", {})
    layout.lease.write_bytes(kept)  # as a process leaves it that was killed in the block
    hub.store.save("protection", left)
    planned = done(goes=False)
    assert planned == ["3.13 deletable: False", "3.13 deletable: True", "delete 3.13"]
    assert protection.lease_is_open(layout)
    assert done(goes=True) == planned
    assert not protection.lease_is_open(layout)


def test_hub_that_asks_to_come_back_later_leaves_the_branch_lifted_and_says_so(
    a_hub: Makes,
) -> None:
    hub = a_hub()

    class Throttled(type(hub.protection)):  # type: ignore[misc]
        def enforce_admins(self, branch: str, *, on: bool) -> None:
            if on:
                raise Waiting(who="github", problem="it takes no more calls for 60 min")
            super().enforce_admins(branch, on=on)

    throttled, layout = Throttled(hub.store), hub.release.layout
    with (
        pytest.raises(StepFailed, match="IT IS STILL LIFTED: it takes no more calls for 60 min"),
        protection.lifted(throttled, layout, ["3.13"], QUIET),
    ):
        pass
    assert "3.13" in protection.lease_is_open(layout)


def test_rules_that_somebody_changed_meanwhile_are_shown(a_hub: Makes) -> None:
    hub = a_hub()
    layout = hub.release.layout
    with protection.lifted(hub.protection, layout, ["3.13"], QUIET):
        pass
    changed = hub.store.load("protection", {})
    changed["3.13"]["enforce_admins"] = False
    hub.store.save("protection", changed)
    probe = protection.look_restored(hub.protection, layout)
    assert probe.state is RemoteState.DIFFERENT
    assert probe.details[0].startswith("before ")
    assert probe.remedy.startswith("correct it in GitHub's settings of the branch")
    hub.protection.enforce_admins("3.13", on=True)
    assert protection.look_restored(hub.protection, layout).state is RemoteState.IDENTICAL


def test_rules_that_were_changed_while_they_were_lifted_are_corrected_as_told(
    a_hub: Makes,
) -> None:
    hub = a_hub()
    layout = hub.release.layout
    told = r"it differs from what it was before.*correct it in GitHub"
    with (  # noqa: PT012 - what somebody does meanwhile is the subject
        pytest.raises(StepFailed, match=told),
        protection.lifted(hub.protection, layout, ["3.13"], QUIET),
    ):
        changed = hub.store.load("protection", {})
        changed["3.13"]["restrictions"] = {"users": ["hugo"], "teams": [], "apps": []}
        hub.store.save("protection", changed)
    assert protection.lease_is_open(layout)
    changed = hub.store.load("protection", {})
    changed["3.13"]["restrictions"] = RULES["restrictions"]
    hub.store.save("protection", changed)
    protection.restore(hub.protection, layout)
    assert not protection.lease_is_open(layout)
    assert hub.protection.rules("3.13") == RULES


@pytest.mark.parametrize("content", ["", "{", "[]", '{"branches"', "null"])
def test_lease_that_cannot_be_read_is_deleted_as_told(a_hub: Makes, content: str) -> None:
    hub = a_hub()
    layout = hub.release.layout
    layout.lease.parent.mkdir(parents=True, exist_ok=True)
    layout.lease.write_text(content)
    with pytest.raises(StepFailed, match=r"cannot be read; see in GitHub.* then delete the file"):
        protection.restore(hub.protection, layout)
    assert hub.protection.rules("3.13") == RULES
    layout.lease.unlink()
    protection.restore(hub.protection, layout)
    with protection.lifted(hub.protection, layout, ["3.13"], QUIET):
        assert protection.lease_is_open(layout)
    assert not protection.lease_is_open(layout)


def test_error_in_the_block_restores(a_hub: Makes) -> None:
    hub = a_hub()
    for error in (ValueError, KeyboardInterrupt, SystemExit):
        with (  # noqa: PT012 - what the block leaves behind is the subject
            pytest.raises(error),
            protection.lifted(hub.protection, hub.release.layout, ["3.13"], QUIET),
        ):
            assert hub.protection.rules("3.13") == {**RULES, "enforce_admins": False}
            raise error
        assert hub.protection.rules("3.13") == RULES


_HOLDER = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {project!r})
from plugins.model.layout import Layout
from plugins.model.version import Version
from plugins.rehearsal.store import Store
from plugins.steps import protection
from tests.hub_world import QUIET, StoredProtection
layout = Layout(Path({work!r}), Version.parse("3.13.6"))
stopped = []
def twice(frame, event, _):
    if stopped and event == "line" and frame.f_code.co_name == "lifted":
        stopped.clear()
        os.kill(os.getpid(), {number})
    return twice
sys.settrace(twice)
with protection.lifted(StoredProtection(Store(Path({store!r}))), layout, ["3.13"], QUIET):
    stopped.append({number})
    os.kill(os.getpid(), {number})
    signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_holder_that_is_stopped_restores_and_one_that_is_killed_leaves_the_lease(
    a_hub: Makes, number: signal.Signals
) -> None:
    """As well by a second signal that comes before the first line of what restores."""
    hub = a_hub()
    layout = hub.release.layout
    code = _HOLDER.format(
        project=str(Path(__file__).parents[2]),
        work=str(layout.work),
        store=str(hub.store.folder),
        number=int(number),
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert ended.returncode != 0
    now = hub.protection.rules("3.13")
    if number is signal.SIGKILL:
        assert now == {**RULES, "enforce_admins": False}
        assert "lifted" in protection.lease_is_open(layout)
        # what a new lease saves is not the lifted state
        with protection.lifted(hub.protection, layout, ["3.13"], QUIET):
            pass
    assert hub.protection.rules("3.13") == RULES
    assert not protection.lease_is_open(layout)
    assert [each.name for each in layout.lease.parent.iterdir()] == ["restored.json"]


class _Told(KeyboardInterrupt):
    """What a run raises where a signal stops it, to tell of it."""


def test_a_signal_stops_the_block_as_the_run_around_it_is_stopped(a_hub: Makes) -> None:
    """One that the run puts off comes again, and one that it ignores does nothing."""
    hub = a_hub()
    came = []

    def stop(number: int, _frame: object) -> None:
        came.append(number)
        if len(came) > 1:
            raise _Told

    before: dict[signal.Signals, Any] = {signal.SIGTERM: stop, signal.SIGHUP: signal.SIG_IGN}
    for number, handler in before.items():
        before[number] = signal.signal(number, handler)
    try:
        with (  # noqa: PT012 - what ends the block is the subject
            pytest.raises(_Told),
            protection.lifted(hub.protection, hub.release.layout, ["3.13"], QUIET),
        ):
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGTERM)
            assert hub.protection.rules("3.13") == {**RULES, "enforce_admins": False}
            os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert hub.protection.rules("3.13") == RULES


@pytest.mark.parametrize("stopped_before", [False, True])
def test_a_signal_while_rules_are_put_back_comes_when_they_are(
    a_hub: Makes, *, stopped_before: bool
) -> None:
    """But where the first one has ended the block already, it is the same one."""
    hub = a_hub()
    came = []

    def stop(_number: int, _frame: object) -> None:
        came.append(hub.protection.rules("3.13") == RULES)
        raise _Told

    class Progress:
        def say(self, text: str) -> None:
            if text.startswith("restoring"):
                signal.raise_signal(signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with (  # noqa: PT012 - what ends the block is the subject
            pytest.raises(_Told),
            protection.lifted(hub.protection, hub.release.layout, ["3.13"], Progress()),
        ):
            if stopped_before:
                signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert came == [not stopped_before]
    assert hub.protection.rules("3.13") == RULES


def test_a_signal_while_rules_are_put_back_hides_no_failure_of_that(a_hub: Makes) -> None:
    hub = a_hub()
    came = []

    class Progress:
        def say(self, text: str) -> None:
            if text.startswith("restoring"):
                signal.raise_signal(signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, lambda number, _frame: came.append(number))
    try:
        with (  # noqa: PT012 - what somebody does meanwhile is the subject
            pytest.raises(StepFailed, match="it differs from what it was before the release"),
            protection.lifted(hub.protection, hub.release.layout, ["3.13"], Progress()),
        ):
            changed = hub.store.load("protection", {})
            changed["3.13"]["restrictions"] = {"users": ["hugo"], "teams": [], "apps": []}
            hub.store.save("protection", changed)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert came == [], "the failure ends the run, and is what it tells of"


def test_an_object_that_the_merge_clone_lacks_is_there_again_after_what_is_told(
    a_hub: Makes,
) -> None:
    hub = a_hub()
    made, clone = merge(hub), hub.merge_clone
    asked = hub.release, clone, hub.world.programs
    assert merge_is_of_true_objects(*asked) == ()
    lost = clone.entry("refs/release/new/3.13", "Include/patchlevel.h")
    (clone.folder / ".git/objects" / lost[:2] / lost[2:]).unlink()
    (finding,) = merge_is_of_true_objects(*asked)
    assert f"object {lost[:12]} is missing in {clone.folder}" in finding.message
    assert finding.remedy.startswith(f"delete {shlex.quote(str(clone.folder))}, ")
    shutil.rmtree(clone.folder)
    assert merge(hub) == made
    assert merge_is_of_true_objects(*asked) == ()
