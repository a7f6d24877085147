"""Tests of what is announced: drafts, mails, forum, blog, release PEP and tracker."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed, StepFailed
from doit_receipts.probe import RemoteState
from plugins.model.secret import Secret
from plugins.rehearsal import forum as forum_world
from plugins.rehearsal import github as github_world
from plugins.rehearsal.store import Store
from plugins.services.discourse import Discourse
from plugins.services.github import GitHub, GitHubProposals
from plugins.services.templates import PackagedTemplates
from plugins.steps import announcement_draft, announcing, handover, letters, tracker
from tests.progress import Quiet
from tests.served import served
from tests.source_world import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from plugins.model.release import Release
    from tests.conftest import Builds

SENDER = "rm@example.org"


@pytest.fixture
def release(a_release: Builds) -> Release:
    return a_release("3.13.6")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    github_world.seed(made, "3.13", ("main", "3.12", "3.13"), pep=719)
    return made


@pytest.fixture
def forum(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Discourse]:
    monkeypatch.setenv("FORUM_OF_TEST", "rm:rehearsal-forum-key")
    with served(forum_world.app(store)) as address:
        yield Discourse(address, Secret("env:FORUM_OF_TEST"))


@pytest.fixture
def api(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("GITHUB_TOKEN_OF_TEST", "rehearsal-github-token")
    with served(github_world.app(store)) as address:
        yield address


TOKEN = Secret("env:GITHUB_TOKEN_OF_TEST")


def drafted(release: Release, notes: Sequence[str] = ()) -> dict[str, str]:
    return announcement_draft.draft(
        release,
        PackagedTemplates(),
        commit="5" * 40,
        changes="120",
        page="https://www.python.org/downloads/release/python-3136/",
        digests={"Python-3.13.6.tgz": "a" * 64, "Python-3.13.6.tar.xz": "b" * 64},
        sender=SENDER,
        notes=notes,
    )


def settled(release: Release) -> dict[str, str]:
    drafted(release)
    return announcement_draft.settle(release)


# ── the text ───────────────────────────────────────────────────────────────────────────────


def test_draft_tells_what_is_known_and_what_was_waived(release: Release) -> None:
    note = "macOS binaries will be provided shortly"
    assert drafted(release, [note]) == drafted(release, [note])
    text = (release.layout.made / announcement_draft.DRAFT).read_text()
    for each in ("Python 3.13.6", note, "a" * 64, "120 changes", "5" * 40, "PEP 719"):
        assert each in text
    announcement_draft.settle(release)
    assert announcement_draft.subject_of(release) == "Python 3.13.6 is now available"


@pytest.mark.parametrize("version", ["3.14.0a2", "3.14.0b1", "3.14.0rc2", "3.14.0", "3.13.6"])
def test_every_kind_of_release_has_a_draft(a_release: Builds, version: str) -> None:
    release = a_release(version)
    settled(release)
    text = announcement_draft.text_of(release)
    assert ("in production" in text) is release.version.is_prerelease


def test_edited_text_is_what_is_settled(release: Release) -> None:
    first = settled(release)
    assert announcement_draft.edited_digest(release.layout) == ""
    release.layout.texts.mkdir(parents=True)
    mine = release.layout.texts / announcement_draft.DRAFT
    mine.write_text("# Python 3.13.6: the one with eggs\n\nHave some.\n")
    assert announcement_draft.edited_digest(release.layout)
    second = announcement_draft.settle(release)
    assert (first["by"], second["by"]) == ("draft", "release manager")
    assert first["digest"] != second["digest"]
    assert announcement_draft.text_of(release) == "Have some.\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("# Python 3.13.5 is out\n\nText\n", "wanted '# ' and a title with 3.13.6"),
        ("Python 3.13.6\n\nText\n", "wanted '# '"),
        ("# Python 3.13.6\n\nTODO thanks\n", "has a place left open: TODO"),
        ("# Python 3.13.6\n", "says nothing"),
    ],
)
def test_unfit_text_is_refused(release: Release, text: str, problem: str) -> None:
    release.layout.texts.mkdir(parents=True)
    (release.layout.texts / announcement_draft.DRAFT).write_text(text)
    with pytest.raises(StepFailed, match=problem):
        announcement_draft.settle(release)


# ── letters ────────────────────────────────────────────────────────────────────────────────


def test_each_list_gets_a_letter_with_an_id_of_its_own(release: Release) -> None:
    settled(release)
    one, other = (
        announcing.announcement_letter(release, SENDER, to)
        for to in ("dev@lists.example", "announce@lists.example")
    )
    assert one.message_id == "<v3.13.6.announce-dev-de46aa7e.release.pep101@example.org>"
    assert one.message_id != other.message_id
    probe = letters.look_sent(one)
    assert probe.state is RemoteState.UNSEEN
    assert probe.facts["message id"] == one.message_id
    assert letters.look_sent(one) == probe


def test_rehearsed_letter_is_never_taken_for_a_real_one(release: Release) -> None:
    real = letters.message_id(release, "experts", SENDER)
    assert letters.message_id(replace(release, rehearsal=True), "experts", SENDER) != real


def test_experts_get_tag_commit_and_their_files(release: Release) -> None:
    brief = handover.Brief("windows", "Steve", "host:/in/windows", ("3.13.6/x.exe",))
    letter = handover.experts_letter(
        release, PackagedTemplates(), SENDER, ["we@example.org"], [brief],
        fork="git@github.com:me/cpython.git", commit="5" * 40,
    )  # fmt: skip
    for each in ("v3.13.6", "5" * 40, "git@github.com:me/cpython.git", "x.exe", "host:/in/windows"):
        assert each in letter.text
    windows = handover.windows_letter(
        release, PackagedTemplates(), SENDER, ["we@example.org"],
        "https://dev.azure.com/Python/cpython/_build?definitionId=21",
        fork="git@github.com:me/cpython.git", commit="5" * 40,
    )  # fmt: skip
    assert "If Other, specify Git remote     me\n" in windows.text
    assert "[x] Publish release\n" in windows.text
    heads_up = handover.heads_up_letter(
        release, PackagedTemplates(), SENDER, ["we@example.org"], "2026-12-01"
    )
    assert len({letter.message_id, windows.message_id, heads_up.message_id}) == 3


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


def test_letter_to_nobody_is_refused(release: Release) -> None:
    with pytest.raises(StepFailed, match="nobody is named"):
        letters.letter(release, "x", SENDER, [], "S", "T")


# ── forum, blog, PEP ───────────────────────────────────────────────────────────────────────


def test_forum_gets_one_topic_also_after_an_error_that_came_late(
    release: Release, forum: Discourse, store: Store
) -> None:
    settled(release)
    assert announcing.look_posted(release, forum).state is RemoteState.ABSENT
    store.order_fault("forum.500_after_write")
    with pytest.raises(ServiceFailed):
        announcing.post(release, forum, 7, Quiet())
    probe = announcing.look_posted(release, forum)
    assert probe.state is RemoteState.IDENTICAL
    assert announcing.post(release, forum, 7, Quiet()) == probe.facts
    assert len(store.load("forum", [])) == 1


def test_other_words_on_the_forum_are_shown(
    release: Release, forum: Discourse, store: Store
) -> None:
    settled(release)
    announcing.post(release, forum, 7, Quiet())
    (topic,) = store.load("forum", [])
    store.save("forum", [{**topic, "raw": "Something else"}])
    assert announcing.look_posted(release, forum).state is RemoteState.DIFFERENT


def test_blog_gets_one_pull_request(release: Release, api: str, store: Store) -> None:
    settled(release)
    blog = GitHubProposals(api, "python/python-insider-blog", TOKEN, "rm/python-insider-blog")
    assert announcing.look_blog(release, blog, DAY).state is RemoteState.ABSENT
    store.order_fault("github.500_after_write", times=3)
    facts = None
    for _ in range(4):
        try:
            facts = announcing.propose_blog(release, blog, DAY, Quiet())
        except ServiceFailed:
            continue
    probe = announcing.look_blog(release, blog, DAY)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, facts)
    (pull,) = store.load("github", {})["pulls"]
    store.save("github", store.load("github", {}) | {"pulls": [{**pull, "state": "closed"}]})
    assert announcing.look_blog(release, blog, DAY).state is RemoteState.DIFFERENT


def test_release_pep_gets_the_day(release: Release, api: str) -> None:
    peps = GitHubProposals(api, "python/peps", TOKEN, "rm/peps")
    assert "\n- 3.13.6: Sunday, 2026-11-22\n" in announcing.dated(PEP, release, DAY)
    assert announcing.look_pep(release, peps, DAY).state is RemoteState.ABSENT
    made = announcing.propose_pep(release, peps, DAY, Quiet())
    probe = announcing.look_pep(release, peps, DAY)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, made)


PEP = """\
Schedule
--------

Actual:

- 3.13.0 final: Monday, 2024-10-07
- 3.13.5: Wednesday, 2025-06-11
  (an extra one)

Expected:

- 3.13.6: Tuesday, 2025-08-05
- 3.13.7: Tuesday, 2025-10-07
"""


def test_line_moves_from_expected_to_actual(release: Release) -> None:
    once = announcing.dated(PEP, release, DAY)
    assert once.index("- 3.13.6: Sunday, 2026-11-22") < once.index("Expected:")
    assert "2025-08-05" not in once
    assert once.index("(an extra one)") < once.index("- 3.13.6")
    assert announcing.dated(once, release, DAY) == once


@pytest.mark.parametrize(
    ("version", "named"),
    [
        ("3.14.0a2", "3.14.0 alpha 2"),
        ("3.14.0b1", "3.14.0 beta 1"),
        ("3.14.0rc1", "3.14.0 candidate 1"),
        ("3.14.0", "3.14.0 final"),
    ],
)
def test_releases_are_named_as_release_peps_do(a_release: Builds, version: str, named: str) -> None:
    assert f"- {named}: Sunday" in announcing.dated("", a_release(version), DAY)


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
