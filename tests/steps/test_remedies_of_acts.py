"""Remedies of acts outside: somebody does what the error says, and the same act goes through."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from doit_receipts.errors import StepFailed
from doit_receipts.probe import RemoteState
from plugins.model.action import action_of, rebuild_action
from plugins.model.release import ReleaseType
from plugins.rehearsal.remotes import colleague_pushes
from plugins.services.gnupg_signer import GnupgSigner
from plugins.steps import (
    emails,
    fork,
    merge_back,
    protection,
    site_files,
    site_release,
    tag,
    tracker_end,
    upstream_push,
)
from tests.hub_world import RULES, HubWorld, StoredProtection, a_hub_world
from tests.progress import Quiet
from tests.site_world import DAY, a_contract, site_world
from tests.source_world import git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plugins.model.release import Release
    from plugins.rehearsal.gnupg_home import GnupgHome
    from tests.conftest import Builds

QUIET = Quiet()
RIGHT: dict[str, Any] = {
    "purpose": "announce", "sender": "rm@example.org", "to": ["list@example.org"],
    "subject": "Python 3.13.6", "text": "Here it is.\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def key(keyring: GnupgHome) -> str:
    return keyring.key("acts")


@pytest.fixture
def hub(tmp_path: Path, keyring: GnupgHome, key: str) -> HubWorld:
    return a_hub_world(tmp_path, keyring, key)


def merge(hub: HubWorld) -> None:
    world = hub.world
    merge_back.make(hub.release, world.clone, hub.merge_clone, world.base, hub.upstream, QUIET)


def look_pushed(hub: HubWorld) -> RemoteState:
    return upstream_push.look_pushed(hub.release, hub.merge_clone, hub.upstream).state


def push(hub: HubWorld) -> None:
    upstream_push.push(hub.release, hub.merge_clone, hub.upstream, hub.protection, QUIET)


def upstream(hub: HubWorld, *words: str) -> str:
    return git(hub.world.folder / "upstream.git", *words)


# ── emails ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        ({"purpose": "Announce dev"}, "name it in lower-case letters, digits and hyphens"),
        ({"sender": ""}, "write [announce] sender into release.toml"),
        ({"to": []}, "write the address of the recipient into release.toml"),
        ({"text": " \n"}, "correct it under texts/ or drafts/"),
        ({"subject": "Python\n3.13.6"}, "correct it under texts/ or drafts/"),
        ({"text": "Python is \u202eout"}, "take it out of the text that the email is made from"),
        ({"subject": "S" * 201}, "shorten the title of the text"),
    ],
)
def test_email_is_one_once_what_is_told_was_corrected(
    a_release: Builds, wrong: dict[str, Any], remedy: str
) -> None:
    release = a_release("3.13.6")
    with pytest.raises(StepFailed) as refused:
        emails.email(release, **{**RIGHT, **wrong})
    assert refused.value.remedy.startswith(remedy)
    assert emails.email(release, **RIGHT).subject == RIGHT["subject"]


# ── the tag, the fork and the merge ────────────────────────────────────────────────────────


def lose_tag(hub: HubWorld) -> None:
    git(hub.world.clone.folder, "update-ref", "-d", "refs/tags/v3.13.6")


def make_tag(hub: HubWorld, signer: GnupgSigner) -> None:
    world = hub.world
    tag.make(hub.release, world.clone, world.base, signer, world.clock)


@pytest.mark.parametrize("act", ["fork", "merge"])
def test_tag_that_is_gone_is_made_by_the_same_command(
    hub: HubWorld, keyring: GnupgHome, key: str, act: str
) -> None:
    acts: dict[str, Callable[[], object]] = {
        "fork": lambda: fork.push(hub.release, hub.world.clone, hub.fork, QUIET),
        "merge": lambda: merge(hub),
    }
    lose_tag(hub)
    with pytest.raises(StepFailed, match=r"run the same command again: the tag is stale"):
        acts[act]()
    make_tag(hub, GnupgSigner(keyring.folder, key))
    acts[act]()


def test_tag_that_is_pushed_and_no_release_tag_is_deleted_where_nobody_built_from_it(
    hub: HubWorld, keyring: GnupgHome, key: str
) -> None:
    """A light tag on the right commit, which somebody pushed to the fork."""
    signer, world = GnupgSigner(keyring.folder, key), hub.world
    lose_tag(hub)
    commit = world.clone.resolve("refs/release/commit")
    git(world.clone.folder, "push", "-q", hub.fork.address, f"{commit}:refs/tags/v3.13.6")
    remotes = {"fork": hub.fork}
    with pytest.raises(StepFailed, match="not a valid release tag") as refused:
        tag.make(hub.release, world.clone, world.base, signer, world.clock, remotes=remotes)
    command = refused.value.remedy.partition("if nobody built from it: ")[2].split()
    git(world.clone.folder, *command[1:])
    tag.make(hub.release, world.clone, world.base, signer, world.clock, remotes=remotes)


def test_tag_that_git_gives_back_otherwise_is_made_by_the_git_that_was_meant(
    hub: HubWorld, keyring: GnupgHome, key: str
) -> None:
    signer, world = GnupgSigner(keyring.folder, key), hub.world

    class AnotherGit:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.clone, name)

        def put_tag(self, name: str, content: str) -> None:
            world.clone.put_tag(name, content.replace("Python 3.13.6", "Python 3.13.5"))

    lose_tag(hub)
    another: Any = AnotherGit()
    with pytest.raises(
        StepFailed, match=r"git returned a different tag .*; see which program PATH"
    ):
        tag.make(hub.release, another, world.base, signer, world.clock)
    make_tag(hub, signer)
    merge(hub)


def test_what_was_not_merged_yet_is_merged_by_the_same_command(hub: HubWorld) -> None:
    with pytest.raises(StepFailed, match=r"run the same command again: the step that does it"):
        merge_back.made(hub.release, hub.merge_clone)
    merge(hub)
    assert merge_back.made(hub.release, hub.merge_clone)
    git(hub.merge_clone.folder, "update-ref", "-d", "refs/tags/v3.13.6")
    with pytest.raises(StepFailed, match=r"run the same command again: the merge is stale"):
        push(hub)
    merge(hub)
    push(hub)


def test_branch_that_upstream_lacks_is_named_and_merged_into_once_it_is_there(
    hub: HubWorld,
) -> None:
    head = upstream(hub, "rev-parse", "refs/heads/3.13")
    upstream(hub, "update-ref", "refs/keep", head)
    upstream(hub, "update-ref", "-d", "refs/heads/3.13")
    with pytest.raises(StepFailed, match=r"check \[repository\] upstream and \[series\] phase"):
        merge(hub)
    upstream(hub, "update-ref", "refs/heads/3.13", head)
    merge(hub)


def test_branch_that_does_not_hold_what_was_reviewed_is_merged_by_hand_as_told(
    hub: HubWorld,
) -> None:
    """Upstream has the tag already, and its branch went on without the release."""
    merge(hub)
    colleague_pushes(hub.world.folder / "upstream.git", "3.13")
    ours = hub.merge_clone.folder
    git(ours, "push", "-q", hub.upstream.address, "refs/tags/v3.13.6")
    probe = upstream_push.look_pushed(hub.release, hub.merge_clone, hub.upstream)
    assert probe.state is RemoteState.DIFFERENT
    wanted = probe.remedy.partition("if not, merge ")[2].split()[0]
    work = hub.world.folder / "by hand"
    git(hub.world.folder, "clone", "-q", "-b", "3.13", "upstream.git", str(work))
    git(work, "fetch", "-q", str(ours), "refs/release/new/3.13")
    assert git(work, "rev-parse", "FETCH_HEAD").startswith(wanted)
    git(work, "merge", "-q", "-m", "Merge the release", "FETCH_HEAD")
    upstream(hub, "fetch", "-q", str(work), "+HEAD:refs/heads/3.13")
    assert look_pushed(hub) is RemoteState.IDENTICAL


# ── protection and labels ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("of", ["3.14", "3.15"])
def test_branch_whose_rules_cannot_be_copied_or_differ_is_protected_by_hand_or_alike(
    a_release: Builds, hub: HubWorld, of: str
) -> None:
    """Without any at the series before, a person sets them and says so."""
    release = a_release("3.15.0b1")
    other = {**RULES, "restrictions": {"users": [], "teams": [], "apps": []}}
    there = {"3.14": RULES, "3.15": other} if of == "3.15" else {"3.15": RULES}
    hub.store.save("protection", there)
    stored = StoredProtection(hub.store)
    probe = protection.look_copied(release, stored)
    assert probe.state is RemoteState.DIFFERENT
    assert "doit adopt" in probe.remedy
    assert probe.facts == {"branch": "3.15", "as": "set by hand"}
    hub.store.save("protection", {"3.14": RULES, "3.15": RULES})
    assert protection.look_copied(release, stored).state is RemoteState.IDENTICAL


def test_branch_without_protection_is_opened_once_it_is_protected(
    a_release: Builds, hub: HubWorld
) -> None:
    release, stored = a_release("3.14.0"), StoredProtection(hub.store)
    hub.store.save("protection", {})
    probe = protection.look_opened(release, stored)
    assert (probe.state, probe.remedy.partition(" ")[0]) == (RemoteState.DIFFERENT, "protect")
    hub.store.save("protection", {release.branch: RULES})
    assert protection.look_opened(release, stored).state is RemoteState.IDENTICAL


class Labels:
    """The part of the Tracker port that names labels."""

    def __init__(self, *names: str) -> None:
        self.named = dict.fromkeys(names, "")

    def described_labels(self) -> dict[str, str]:
        return self.named

    def describe_label(self, name: str, says: str, *, new_name: str) -> None:
        del self.named[name]
        self.named[new_name] = says


def test_label_that_nobody_finds_is_made_by_hand_as_told(a_release: Builds) -> None:
    release: Release = replace(a_release("3.12.0"), type=ReleaseType.END_OF_LIFE)
    labels: Any = Labels("type-bug")
    with pytest.raises(StepFailed, match=r"make a label 3\.12 \(EOL\) by hand"):
        tracker_end.rename_label(release, labels)
    labels.named["3.12 (EOL)"] = ""
    tracker_end.rename_label(release, labels)
    assert tracker_end.look_renamed(release, labels).state is RemoteState.IDENTICAL


# ── work on other machines ─────────────────────────────────────────────────────────────────


def test_action_of_another_version_of_the_tool_is_taken_from_the_same_one(
    a_release: Builds,
) -> None:
    asked = rebuild_action(a_release("3.13.6"), commit="0" * 40)
    later = json.dumps({**json.loads(asked.to_bytes()), "more": "of the future"}).encode()
    with pytest.raises(StepFailed, match="start the run again with the same pep101 commit"):
        action_of(later)
    assert action_of(asked.to_bytes()) == asked


# ── rows of a public page ──────────────────────────────────────────────────────────────────


def test_row_of_a_public_page_is_corrected_in_the_sites_admin(tmp_path: Path) -> None:
    with site_world(tmp_path) as world:
        contract, ours = a_contract(world.folder), world.site()
        world.stage(contract)
        site_release.make_draft(contract, DAY, ours, QUIET)
        site_files.put_files(contract, world.host, ours, QUIET)
        site_release.publish(contract, ours, QUIET)
        row = ours.rows(site_release.the_release(contract, ours))[0]
        right = row.fields["sha256_sum"]
        ours.change_row(row, {"sha256_sum": "0" * 64})
        probe = site_files.look_files(contract, world.host, ours)
        assert probe.state is RemoteState.DIFFERENT
        assert "find out which side is wrong, the host or the site" in probe.remedy
        with pytest.raises(StepFailed, match="correct them in the site's admin"):
            site_files.put_files(contract, world.host, ours, QUIET)
        ours.change_row(row, {"sha256_sum": right})
        found = site_files.look_files(contract, world.host, ours)
        assert found.state is RemoteState.IDENTICAL
