"""Tests of what is announced: drafts, mails, forum, blog and tracker."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed
from doit_receipts.probe import RemoteState
from plugins.model.secret import Secret
from plugins.ports.github import Issue
from plugins.rehearsal import github as github_world
from plugins.rehearsal.store import Store
from plugins.services.github import GitHub
from plugins.services.templates import PackagedTemplates
from plugins.steps import announcement_draft, announcing, emails, handover, tracker
from tests.progress import Quiet
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugins.model.release import Release
    from tests.conftest import Builds

SENDER = "rm@example.org"
TEXT = "# Python 3.13.6 is now available\n\nHave some.\n"


@pytest.fixture
def release(a_release: Builds) -> Release:
    return a_release("3.13.6")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    github_world.seed(made, "3.13", ("main", "3.12", "3.13"), pep=719)
    return made


@pytest.fixture
def api(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("GITHUB_TOKEN_OF_TEST", "rehearsal-github-token")
    with served(github_world.app(store)) as address:
        yield address


TOKEN = Secret("env:GITHUB_TOKEN_OF_TEST")


def settled(release: Release, text: str = TEXT) -> dict[str, str]:
    release.layout.texts.mkdir(parents=True, exist_ok=True)
    (release.layout.texts / announcement_draft.DRAFT).write_text(text)
    return announcement_draft.settle(release)


# ── emails ────────────────────────────────────────────────────────────────────────────────


def test_each_list_gets_a_email_with_an_id_of_its_own(release: Release) -> None:
    settled(release)
    one, other = (
        announcing.announcement_email(release, SENDER, to)
        for to in ("dev@lists.example", "announce@lists.example")
    )
    assert one.message_id == "<v3.13.6.announce-dev-de46aa7e.release.pep101@example.org>"
    assert one.message_id != other.message_id
    probe = emails.look_sent(one)
    assert probe.state is RemoteState.UNSEEN
    assert probe.facts["message id"] == one.message_id
    assert emails.look_sent(one) == probe


def test_rehearsed_email_is_never_taken_for_a_real_one(release: Release) -> None:
    real = emails.message_id(release, "experts", SENDER)
    assert emails.message_id(replace(release, rehearsal=True), "experts", SENDER) != real


def test_experts_get_tag_commit_and_their_files(release: Release) -> None:
    brief = handover.Brief("windows", "Steve", "host:/in/windows", ("3.13.6/x.exe",))
    email = handover.experts_email(
        release, PackagedTemplates(), SENDER, ["we@example.org"], [brief],
        fork="git@github.com:me/cpython.git", commit="5" * 40,
    )  # fmt: skip
    for each in ("v3.13.6", "5" * 40, "git@github.com:me/cpython.git", "x.exe", "host:/in/windows"):
        assert each in email.text
    windows = handover.windows_email(
        release, PackagedTemplates(), SENDER, ["we@example.org"],
        "https://dev.azure.com/Python/cpython/_build?definitionId=21",
        fork="git@github.com:me/cpython.git", commit="5" * 40,
    )  # fmt: skip
    assert "If Other, specify Git remote     me\n" in windows.text
    assert "[x] Publish release\n" in windows.text
    heads_up = handover.heads_up_email(
        release, PackagedTemplates(), SENDER, ["we@example.org"], "2026-12-01"
    )
    assert len({email.message_id, windows.message_id, heads_up.message_id}) == 3


@pytest.mark.parametrize(
    ("fork", "owner"),
    [
        ("git@github.com:me/cpython.git", "me"),
        ("https://github.com/me/cpython", "me"),
        ("ssh://git@github.com/me/cpython.git/", "me"),
    ],
)
def test_owner_of_a_fork(fork: str, owner: str) -> None:
    assert handover.owner_of(fork) == owner


def test_email_to_nobody_is_refused(release: Release) -> None:
    with pytest.raises(StepFailed, match="email x: has no recipient"):
        emails.email(release, "x", SENDER, [], "S", "T")
    with pytest.raises(StepFailed, match=r"write \[announce\] sender into release.toml"):
        emails.email(release, "x", "", [SENDER], "S", "T")


def test_subject_is_refused_rather_than_cut(release: Release) -> None:
    with pytest.raises(StepFailed, match="a subject of 201 characters, wanted at most 200"):
        emails.email(release, "x", SENDER, [SENDER], "S" * 201, "T")
    with pytest.raises(StepFailed, match="has a subject that is empty or longer"):
        emails.email(release, "x", SENDER, [SENDER], "S\nBcc: x@y", "T")


def test_email_with_a_character_that_nobody_sees_is_refused(release: Release) -> None:
    with pytest.raises(StepFailed, match=r"has U\+202E \(right-to-left override\) in line 2"):
        emails.email(release, "x", SENDER, [SENDER], "S", "Get it:\n\u202egro.live//:sptth")


def test_text_is_mailed_as_it_was_settled(release: Release) -> None:
    """Leading spaces, trailing spaces and first words are the release manager's."""
    body = "    an indented line\n\nNote: a colon   \nFrom here on\n"
    settled(release, f"# Python 3.13.6 is now available\r\n\r\n{body}\n\n")
    email = announcing.announcement_email(release, SENDER, "dev@lists.example")
    assert (email.subject, email.text) == ("Python 3.13.6 is now available", body)
    file = release.layout.made / announcement_draft.SETTLED
    assert file.read_bytes().decode().partition("\n\n")[2] == email.text


@pytest.mark.parametrize(
    ("version", "tells"),
    [("3.14.0b1", True), ("3.14.0rc1", True), ("3.14.0", True), ("3.14.5rc1", False),
     ("3.14.0a2", False), ("3.14.5", False)],
)  # fmt: skip
def test_candidate_of_a_bugfix_release_begins_no_phase(
    a_release: Builds,
    version: str,
    tells: bool,  # noqa: FBT001 - a column of the table
) -> None:
    release = a_release(version)
    assert announcing.tells_policy(release) is tells
    settled(release, f"# Python {version} is now available\n\nHave some.\n")
    if tells:
        announcing.write_policy(release, PackagedTemplates())
    email = announcing.committers_email(release, SENDER, "team@lists.example")
    # Above the announcement, which ends with who signs it.
    assert email.text.startswith("## What changes for the core team") is tells
    assert email.text.endswith("Have some.\n")


# ── tracker ────────────────────────────────────────────────────────────────────────────────


def test_deferred_blockers_block_again_one_by_one(release: Release, api: str, store: Store) -> None:
    hub = GitHub(api, "python/cpython", TOKEN)
    known = store.load("github", {})
    other = {"number": 9, "title": "Of 3.12", "labels": ["deferred-blocker", "3.12"],
             "state": "open"}  # fmt: skip
    store.save("github", known | {"issues": [*known["issues"], other]})
    assert tracker.look_flipped(release, hub).state is RemoteState.ABSENT
    facts = tracker.flip_deferred(release, hub, Quiet())
    probe = tracker.look_flipped(release, hub)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, facts)
    assert [each.number for each in hub.open_issues("release-blocker", "3.13")] == [2]
    assert [each.number for each in hub.open_issues("deferred-blocker")] == [9]


class LateSearch(GitHub):
    """The hub, whose search still finds a pull request by a label that it has lost."""

    def open_pulls(self, base: str, *labels: str) -> tuple[Issue, ...]:
        return (*super().open_pulls(base, *labels), Issue(77, "Late", "https://pull/77", ("3.13",)))


def test_pull_request_that_a_late_search_finds_is_turned_already(
    release: Release, api: str
) -> None:
    hub = LateSearch(api, "python/cpython", TOKEN)
    tracker.flip_deferred(release, hub, Quiet())
    assert tracker.look_flipped(release, hub).state is RemoteState.IDENTICAL


class Counted(GitHub):
    """The hub, which counts the labels that are put on."""

    added = 0

    def add_label(self, number: int, label: str) -> None:
        self.added += 1
        super().add_label(number, label)


def test_blocker_that_a_killed_run_left_with_both_labels_gets_nothing_twice(
    release: Release, api: str
) -> None:
    hub = Counted(api, "python/cpython", TOKEN)
    hub.add_label(2, "release-blocker")
    tracker.flip_deferred(release, hub, Quiet())
    assert [each.number for each in hub.open_issues("release-blocker", "3.13")] == [2]
    assert tracker.look_flipped(release, hub).state is RemoteState.IDENTICAL
    assert hub.added == 1


def test_labels_of_the_new_series_are_made(a_release: Builds, api: str) -> None:
    release, hub = a_release("3.14.0b1"), GitHub(api, "python/cpython", TOKEN)
    assert tracker.look_labelled(release, hub).state is RemoteState.ABSENT
    facts = tracker.make_labels(release, hub)
    probe = tracker.look_labelled(release, hub)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, facts)
    assert "needs backport to 3.14" in hub.labels()


def test_triage_list_names_what_deserves_a_look(release: Release, api: str) -> None:
    assert tracker.write_triage(release, GitHub(api, "python/cpython", TOKEN)) == {"issues": "2"}
    text = (release.layout.made / tracker.TRIAGE).read_text()
    assert "A crash of long standing" in text
