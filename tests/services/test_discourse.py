"""Tests of the forum service against the world's Discourse over real HTTP on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed
from plugins.model.secret import Secret
from plugins.rehearsal import forum as world
from plugins.rehearsal.store import Store
from plugins.services.discourse import Discourse
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def forum(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Discourse]:
    monkeypatch.setenv("FORUM_OF_TEST", "rm:rehearsal-forum-key")
    with served(world.app(store)) as address:
        yield Discourse(address, Secret("env:FORUM_OF_TEST"))


def test_topic_is_found_again_by_our_id(forum: Discourse) -> None:
    assert forum.topic("python-3-13-6") is None
    made = forum.post("python-3-13-6", "Python 3.13.6 is out", "Text *here*\n", 7)
    assert forum.topic("python-3-13-6") == made
    assert made.url.endswith(f"/t/python-3-13-6-is-out/{made.id}")


def test_topic_that_was_stored_before_the_error_is_found(forum: Discourse, store: Store) -> None:
    store.order_fault("forum.500_after_write")
    with pytest.raises(ServiceFailed, match="answered 500"):
        forum.post("python-3-13-6", "Python 3.13.6 is out", "Text", 7)
    found = forum.topic("python-3-13-6")
    assert found
    assert found.text == "Text"
    assert len(store.load("forum", [])) == 1


def test_title_that_is_taken_is_told_in_the_forums_words(forum: Discourse) -> None:
    forum.post("one", "Python 3.13.6 is out", "Text", 7)
    with pytest.raises(ServiceFailed, match="answered 422: Title has already been used"):
        forum.post("two", "Python 3.13.6 is out", "Text", 7)


def test_reads_wait_where_the_forum_asks_to(forum: Discourse, store: Store) -> None:
    store.order_fault("forum.429")
    assert forum.user() == "rm"


def test_post_is_asked_once_also_where_the_forum_asks_to_wait(
    forum: Discourse, store: Store
) -> None:
    store.order_fault("forum.429")
    with pytest.raises(ServiceFailed, match="answered 429"):
        forum.post("one", "Python 3.13.6 is out", "Text", 7)
    assert store.load("forum", []) == []


def test_wrong_key_is_told_and_not_shown(forum: Discourse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORUM_OF_TEST", "rm:canary-4711")
    with pytest.raises(ServiceFailed, match="key is invalid") as told:
        forum.user()
    assert "canary" not in repr(forum) + str(told.value)


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 51])
def test_id_that_discourse_refuses_is_refused_here(forum: Discourse, name: str) -> None:
    with pytest.raises(ServiceFailed, match="is no id"):
        forum.topic(name)
