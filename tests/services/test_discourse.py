"""Tests of the forum service against the simulated Discourse over real HTTP on loopback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from doit_receipts.errors import LetThrough, NothingDone, NotYet, ServiceFailed
from plugins.model.secret import Secret
from plugins.rehearsal import forum as world
from plugins.rehearsal.store import ALWAYS, Store
from plugins.services.discourse import Discourse
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request

TITLE = "Python 3.13.6 is now available"
TEXT = "Text *here*, and enough of it\n"
RELEASE = ("release",)


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
    url = forum.post("python-3-13-6", TITLE, TEXT, 23, RELEASE)
    found = forum.topic("python-3-13-6")
    assert found
    assert (found.url, found.title, found.category, found.tags) == (url, TITLE, 23, RELEASE)
    assert found.text == forum.kept_text(TEXT) == TEXT.rstrip()
    assert url.endswith(f"/t/python-3-13-6-is-now-available/{found.id}")


def test_topic_that_was_stored_before_the_error_is_found(forum: Discourse, store: Store) -> None:
    store.order_fault("forum.500_after_write")
    with pytest.raises(ServiceFailed, match="answered 500"):
        forum.post("python-3-13-6", TITLE, TEXT, 23, RELEASE)
    assert forum.topic("python-3-13-6")
    assert len(store.load("forum", [])) == 1


@pytest.mark.parametrize(
    ("title", "text", "category", "tags", "words"),
    [
        (TITLE, TEXT, 23, RELEASE, "Title has already been used"),
        ("Python 3.13", TEXT, 23, RELEASE, r"Title is too short \(minimum is 15 characters\)"),
        ("x" * 256, TEXT, 23, RELEASE, r"Title is too long \(maximum is 255 characters\)"),
        ("Another title for it", "short", 23, RELEASE, r"Body is too short \(minimum is 20"),
        ("Another title for it", " \n", 23, RELEASE, "Body can't be blank"),
        ("Another title for it", "x " * 16_001, 23, RELEASE, "Body is limited to 32000"),
        ("Another title for it", TEXT, 99, RELEASE, "answered 400: .* the request: category"),
        ("Another title for it", TEXT, 23, ("relese",), "The tag you chose cannot be used"),
    ],
)
def test_refusals_are_told_in_the_forums_words(
    forum: Discourse, store: Store, title: str, text: str, category: int, tags: tuple[str, ...],
    words: str,
) -> None:  # fmt: skip
    forum.post("one", TITLE, TEXT, 23, RELEASE)
    with pytest.raises(NothingDone, match=words) as told:
        forum.post("two", title, text, category, tags)
    assert "\n" not in str(told.value)
    assert len(store.load("forum", [])) == 1


def test_topic_that_a_moderator_has_to_approve_is_not_called_public(
    forum: Discourse, store: Store
) -> None:
    store.order_fault("forum.enqueues", times=ALWAYS)
    with pytest.raises(LetThrough, match="waiting for a moderator of the forum") as told:
        forum.post("one", TITLE, TEXT, 23, RELEASE)
    assert "doit adopt, if it was rejected, doit retry" in told.value.remedy
    assert forum.titled(TITLE, 23) is None


def test_topic_that_a_moderator_approved_is_found_by_its_title(
    forum: Discourse, store: Store
) -> None:
    """It has lost the id that it was sent with."""
    store.order_fault("forum.enqueues", times=ALWAYS)
    with pytest.raises(LetThrough):
        forum.post("one", TITLE, TEXT, 23, RELEASE)
    store.save("faults", {})
    assert forum.topic("one") is None
    found = forum.titled(TITLE.upper(), 23)
    assert found
    assert (found.title, found.text, found.tags) == (TITLE, TEXT.rstrip(), RELEASE)
    assert forum.titled(TITLE, 6) is None


def test_category_is_looked_at_by_its_number(forum: Discourse) -> None:
    assert forum.category_name(23) == "Core Development"
    with pytest.raises(ServiceFailed, match="look at category 99: answered 404"):
        forum.category_name(99)


def test_reads_wait_where_the_forum_asks_to(forum: Discourse, store: Store) -> None:
    store.order_fault("forum.429")
    assert forum.user() == "rm"


def test_post_is_asked_once_also_where_the_forum_asks_to_wait(
    forum: Discourse, store: Store
) -> None:
    store.order_fault("forum.429")
    with pytest.raises(NothingDone, match=r"answered 429: You.ve performed this action too many"):
        forum.post("one", TITLE, TEXT, 23, RELEASE)
    assert store.load("forum", []) == []


async def _not_before_an_hour(_request: Request) -> Response:
    return Response(status_code=429, headers={"retry-after": "3600"})


async def _timed_out(_request: Request) -> Response:
    return Response(status_code=408)


def test_forum_that_puts_us_off_has_posted_nothing() -> None:
    routes = [Route("/posts.json", _not_before_an_hour, methods=["POST"])]
    with (
        served(Starlette(routes=routes)) as address,
        pytest.raises(NotYet, match="accepts no more requests before"),
    ):
        Discourse(address, None).post("one", TITLE, TEXT, 23, RELEASE)
    with pytest.raises(NothingDone, match="cannot be reached"):
        Discourse(address, None).post("one", TITLE, TEXT, 23, RELEASE)


def test_forum_that_says_nothing_certain_may_have_posted() -> None:
    routes = [Route("/posts.json", _timed_out, methods=["POST"])]
    with (
        served(Starlette(routes=routes)) as address,
        pytest.raises(ServiceFailed, match="answered 408") as told,
    ):
        Discourse(address, None).post("one", TITLE, TEXT, 23, RELEASE)
    assert not isinstance(told.value, NothingDone)


def test_wrong_key_is_told_and_not_shown(forum: Discourse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORUM_OF_TEST", "rm:canary-4711")
    with pytest.raises(ServiceFailed, match="key is invalid") as told:
        forum.user()
    assert "canary" not in repr(forum) + str(told.value)


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 51])
def test_id_that_discourse_refuses_is_refused_here(forum: Discourse, name: str) -> None:
    with pytest.raises(ValueError, match="is not an external id"):
        forum.topic(name)


# ── what the forum makes of a text ─────────────────────────────────────────────────────────

WORDS = st.sampled_from(
    ["python", "3.13.6", "IS", "out", "!", "!!!", "??", "...", ".", " ", "  ", "\u00a0", "\u200b",
     "Tag", "\u3000", "é", ":"]
)  # fmt: skip
TITLES = st.lists(WORDS, min_size=1, max_size=12).map(
    lambda words: "with a long enough beginning " + " ".join(words)
)
TAILS = st.text(st.sampled_from("ab\u00a0\u2003\u2028\u200b \t\r\n\v."), max_size=12)


@settings(max_examples=60, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(title=TITLES, tail=TAILS)
@example("PYTHON 3.13.6 IS OUT", "")
@example("python 3.13.6 is out now .", "\n\n")
@example("Python 3.13.6 is now here !!", " \u00a0")
def test_what_is_read_back_is_what_is_said_to_be_kept(
    forum: Discourse, store: Store, title: str, tail: str
) -> None:
    store.save("forum", [])
    text = f"\u00a0 A text that is long enough for it.{tail}"
    forum.post("one", title, text, 23, RELEASE)
    found = forum.topic("one")
    assert found
    assert (found.title, found.text) == (forum.kept_title(title), forum.kept_text(text))


# ── answers that cannot be right ───────────────────────────────────────────────────────────

GOOD: dict[str, Any] = {
    "id": 5, "title": TITLE, "slug": "python", "category_id": 23, "tags": ["release"],
    "post_stream": {"posts": [{"raw": "text"}]}, "topic_id": 5, "topic_slug": "python",
    "current_user": {"username": "rm"}, "category": {"name": "Core Development"},
    "topic_list": {"topics": [{"id": 5, "title": TITLE, "slug": "python"}]},
}  # fmt: skip
JUNK: list[object] = [
    None, True, -1, 1.5, "x" * 2_000_000, [], {}, [[]], {"id": 1}, "", [None], 10**400, "\ud800",
]  # fmt: skip


class Liar:
    """A forum that answers everything with one content."""

    def __init__(self) -> None:
        self.content = b""

    async def answer(self, _request: Request) -> Response:
        return Response(self.content, media_type="application/json")


@pytest.fixture(scope="module")
def lying() -> Iterator[tuple[Liar, str]]:
    liar = Liar()
    routes = [Route("/{path:path}", liar.answer, methods=["GET", "POST"])]
    with served(Starlette(routes=routes)) as address:
        yield liar, address


def asked(liar: Liar, address: str, content: bytes) -> list[str]:
    """What each call says to an answer; a traceback is no answer, and fails the test."""
    forum = Discourse(address, None)
    liar.content = content
    said = []
    for ask in (
        lambda: forum.topic("one"),
        lambda: forum.post("one", TITLE, TEXT, 23, RELEASE),
        forum.user,
        lambda: forum.category_name(23),
        lambda: forum.titled(TITLE, 23),
    ):
        try:
            ask()
        except ServiceFailed as error:
            said.append(str(error))
    return said


@pytest.mark.parametrize("field", list(GOOD))
def test_field_of_another_type_is_one_line_that_names_it(
    lying: tuple[Liar, str], field: str
) -> None:
    for junk in JUNK:
        answer = {**GOOD, field: junk}
        for line in asked(*lying, json.dumps(answer).encode()):
            assert line.startswith("forum: ")
            assert len(line) < 400
            assert "\n" not in line
    missing = {name: value for name, value in GOOD.items() if name != field}
    said = asked(*lying, json.dumps(missing).encode())
    assert bool(said) is (field != "tags")
    assert all("\n" not in line for line in said)


def test_good_answer_is_taken(lying: tuple[Liar, str]) -> None:
    assert asked(*lying, json.dumps(GOOD).encode()) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"nonsense", b"null", b"[" * 100_000, b'{"id":' * 50_000, b"\xff\xfe", b'"text"'],
)
def test_answer_that_is_no_object_is_one_line(lying: tuple[Liar, str], content: bytes) -> None:
    said = asked(*lying, content)
    assert len(said) == 5
    assert all("\n" not in line and len(line) < 400 for line in said)


@settings(max_examples=60, deadline=None)
@given(
    answer=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*GOOD, "posts", "raw", "name", "action"]), inner)
        ),
        max_leaves=12,
    )
)
def test_any_answer_is_taken_or_refused_in_one_line(
    lying: tuple[Liar, str], answer: object
) -> None:
    for line in asked(*lying, json.dumps(answer).encode()):
        assert "\n" not in line
