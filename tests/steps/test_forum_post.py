"""The forum gets the announcement once, and what arrived is compared with what was approved."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from checks import access
from doit_receipts.errors import ServiceFailed, Waiting
from doit_receipts.finding import Severity
from doit_receipts.probe import RemoteState
from plugins.model.secret import Secret
from plugins.rehearsal import forum as forum_world
from plugins.rehearsal.store import Store
from plugins.services.discourse import Discourse
from plugins.steps import announcement_draft, forum_post
from tests.progress import Quiet
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.model.release import Release
    from tests.conftest import Builds

CORE = 23
TEXT = "# Python 3.13.6 is now available!!\n\nHave some\u00a0of it, with *eggs*.\n\n- one\n- two\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def address(store: Store) -> Iterator[str]:
    with served(forum_world.app(store)) as found:
        yield found


@pytest.fixture
def forum(address: str, monkeypatch: pytest.MonkeyPatch) -> Discourse:
    monkeypatch.setenv("FORUM_OF_TEST", "rm:rehearsal-forum-key")
    return Discourse(address, Secret("env:FORUM_OF_TEST"))


@pytest.fixture
def guest(address: str) -> Discourse:
    """The same forum, without the key."""
    return Discourse(address, None)


@pytest.fixture
def release(a_release: Builds) -> Release:
    made = a_release("3.13.6")
    made.layout.texts.mkdir(parents=True)
    (made.layout.texts / announcement_draft.DRAFT).write_text(TEXT)
    announcement_draft.settle(made)
    return made


def test_topic_goes_into_its_category_with_its_tag(
    release: Release, forum: Discourse, store: Store
) -> None:
    assert forum_post.look_posted(release, forum, CORE).state is RemoteState.ABSENT
    forum_post.post(release, forum, CORE, Quiet())
    (topic,) = store.load("forum", [])
    assert (topic["category"], topic["tags"]) == (23, ["release"])
    probe = forum_post.look_posted(release, forum, CORE)
    assert probe.state is RemoteState.IDENTICAL
    assert probe.facts["topic"] == str(topic["id"])


def test_one_topic_also_after_an_error_that_came_late(
    release: Release, forum: Discourse, store: Store
) -> None:
    store.order_fault("forum.500_after_write")
    with pytest.raises(ServiceFailed):
        forum_post.post(release, forum, CORE, Quiet())
    assert forum_post.look_posted(release, forum, CORE).state is RemoteState.IDENTICAL
    assert len(store.load("forum", [])) == 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"raw": "Something else"}, 'line 1 is "Something else", wanted "Have some of it, with'),
        ({"raw": "Have some of it, with *eggs*.\n\n- one"}, "its text has 3 lines, wanted 4"),
        ({"raw": "Have some  of it, with *eggs*.\n\n- one\n- two"}, "line 1 is"),
        ({"title": "Python 3.13.6 is out"}, 'its title is "Python 3.13.6 is out", wanted "Python'),
        ({"category": 4}, "it is in category 4, wanted 23"),
        ({"tags": ["other"]}, "it lacks the tag release"),
    ],
)
def test_what_differs_is_told_in_one_line(
    release: Release, forum: Discourse, store: Store, change: dict[str, Any], problem: str
) -> None:
    forum_post.post(release, forum, CORE, Quiet())
    (topic,) = store.load("forum", [])
    store.save("forum", [{**topic, **change}])
    probe = forum_post.look_posted(release, forum, CORE)
    assert probe.state is RemoteState.DIFFERENT
    assert problem in probe.problem
    assert "\n" not in probe.problem


def test_topic_that_was_posted_by_hand_is_found_by_its_title(
    release: Release, forum: Discourse, store: Store
) -> None:
    """The forum takes no second topic of the same title, and there is to be none."""
    forum_post.post(release, forum, CORE, Quiet())
    (topic,) = store.load("forum", [])
    store.save("forum", [{**topic, "external_id": None}])
    probe = forum_post.look_posted(release, forum, CORE)
    assert probe.state is RemoteState.IDENTICAL
    assert probe.facts["topic"] == str(topic["id"])


def test_topic_that_no_look_finds_may_be_adopted(release: Release, forum: Discourse) -> None:
    """A moderator may have given it another title."""
    probe = forum_post.look_posted(release, forum, CORE)
    assert (probe.state, probe.facts["url"]) == (RemoteState.ABSENT, "by hand")


def test_who_has_no_key_posts_by_hand(
    release: Release, forum: Discourse, guest: Discourse, store: Store
) -> None:
    """What to post and where is told; the topic is found, and nothing is asked of the forum."""
    probe = forum_post.look_posted(release, guest, CORE)
    assert (probe.state, probe.who) == (RemoteState.ABSENT, "RM")
    assert "in the category Core Development, tagged release" in probe.remedy
    told = re.search(r'the title "(.+)" and, as the text, what (.+) has below its', probe.remedy)
    assert told
    with pytest.raises(Waiting, match=r"\[credentials\] forum is missing, so you post it by hand"):
        forum_post.post(release, guest, CORE, Quiet())
    assert store.load("forum", []) == []
    title, text = told[1], Path(told[2]).read_text().partition("\n")[2].lstrip("\n")
    forum.post("by-hand", title, text, CORE, forum_post.TAGS)
    (topic,) = store.load("forum", [])
    store.save("forum", [{**topic, "external_id": None}])
    assert forum_post.look_posted(release, guest, CORE).state is RemoteState.IDENTICAL


def test_missing_key_is_a_warning_in_the_morning(forum: Discourse, guest: Discourse) -> None:
    """A forum answers guests by 404, which is no wrong address."""
    (finding,) = access.forum_lets_us_in(guest, CORE)
    assert (finding.rule, finding.severity) == ("access.forum", Severity.WARN)
    assert (finding.where, finding.message) == (
        "[credentials] forum",
        "is missing: you post the announcement by hand",
    )
    assert access.forum_lets_us_in(forum, CORE) == ()
    (finding,) = access.forum_lets_us_in(guest, 99)
    assert finding.severity is Severity.BLOCK


def test_tag_that_the_forum_left_out_is_mended_there(
    release: Release, forum: Discourse, store: Store
) -> None:
    """The remedy is followed: the topic is edited on the forum, and the next look is content."""
    store.order_fault("forum.no_tags")
    forum_post.post(release, forum, CORE, Quiet())
    probe = forum_post.look_posted(release, forum, CORE)
    assert probe.state is RemoteState.DIFFERENT
    (topic,) = store.load("forum", [])
    assert f"edit {probe.remedy.split()[1]} then run" in probe.remedy
    store.save("forum", [{**topic, "tags": ["python", "release"]}])
    assert forum_post.look_posted(release, forum, CORE).state is RemoteState.IDENTICAL
