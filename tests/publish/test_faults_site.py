"""Accidents of a release day: site and caches. What a person reads, and what is so.

In none is anything lost, doubled or announced wrongly: when it is over, the next ``doit publish``
ends as a day without it, to the byte.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plugins.rehearsal import cache
from plugins.rehearsal.site_rows import Rows
from plugins.rehearsal.store import ALWAYS
from tests.publish.cases import (
    ARCHIVE,
    assert_nothing_told,
    assert_protected,
    assert_told,
    ends_alike,
)
from tests.publish.day import DONE, FAILED, WAITING
from tests.publish.evening import differences, world_of

if TYPE_CHECKING:
    from tests.publish.cases import Observed
    from tests.publish.walk import Walk

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("task", "fault"),
    [
        ("make_page", "site.500_after_write"),
        ("list_files", "site.500_after_write"),
        ("publish_page", "site.500_after_write"),
        ("publish_page", "site.cdn_unreachable"),
        ("post_forum", "forum.500_after_write"),
        ("date_pep", "github.500_after_write"),
        ("start_build", "github.500_after_write"),
        ("push_upstream", "github.500_after_write"),
    ],
)
def test_error_after_it_was_stored(walk: Walk, observed: Observed, task: str, fault: str) -> None:
    day = walk.day
    day.restore(task)
    day.order(fault, times=2 if task in ("list_files", "date_pep") else 1)
    ended = day.publish()
    assert ended.status in (DONE, FAILED, WAITING), ended
    assert "Traceback" not in ended.said, ended
    assert any(each["event"] == fault for each in day.store.happened("faults"))
    word = "goes on by itself" if task in ended.done else ended.line_of(task)
    if task == "push_upstream":
        assert_protected(day)
    ends_alike(walk)
    observed(f"{fault}, {task}", word)


@pytest.mark.parametrize(
    ("task", "fault"),
    [
        ("list_files", "site.429"),
        ("post_forum", "forum.429"),
        ("date_pep", "github.secondary_limit"),
    ],
)
def test_throttled_with_the_time_to_wait(
    walk: Walk, observed: Observed, task: str, fault: str
) -> None:
    day = walk.day
    day.restore(task)
    day.order(fault, "1", times=2)
    ended = day.doit("run", task)
    assert ended.status == DONE, ended
    assert sum(each["event"] == fault for each in day.store.happened("faults")) == 2
    ends_alike(walk)
    observed(f"429 with Retry-After, {task}", "waits as told, then goes on by itself")


def test_throttled_for_an_hour(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("list_files")
    day.order("site.429", "3600", times=ALWAYS)
    line = assert_told(
        day.publish(), "list_files", "accepts no more requests before", status=WAITING
    )
    ends_alike(walk)
    observed("429 with Retry-After of an hour", line)


def test_timeout_of_a_purge(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("purge_files")
    day.order("cdn.purge_timeout")
    ended = day.doit("run", "purge_files")
    assert ended.status == DONE, ended
    assert differences(world_of(day), walk.stages["purge_files"].world) == {}
    ends_alike(walk)
    observed("timeout on a purge", "looks at what is served, and goes on by itself")


def test_one_file_that_a_cache_keeps(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("purge_files")
    path = f"/ftp/python/3.13.6/{ARCHIVE}"
    cache.keep(day.store, "b", cache.WWW, path, cache.Kept(404, {}, b"Not Found"))
    day.order("cdn.keeps_stale", ARCHIVE, times=ALWAYS)
    line = assert_told(day.publish(), "purge_files", ARCHIVE)
    assert_nothing_told(day)
    ends_alike(walk)
    observed("CDN keeps one stale file", line)


@pytest.mark.parametrize("who", ["a public release", "two drafts"])
def test_name_that_the_site_has_already(walk: Walk, observed: Observed, who: str) -> None:
    day = walk.day
    day.restore("make_page")
    rows = Rows(day.store)
    public = who == "a public release"
    taken = [
        rows.save(
            "release",
            {"name": "Python 3.13.6", "slug": f"python-3136{end}",
             "release_date": "2020-01-01T12:00:00Z", "is_published": public},
        )
        for end in (("-again",) if public else ("-one", "-two"))
    ]  # fmt: skip
    known = dict(Rows(day.store).table("release"))
    line = assert_told(day.publish(), "make_page", "Python 3.13.6")
    assert dict(Rows(day.store).table("release")) == known
    assert not [each for each in day.store.load("mail", []) if "available" in each["subject"]]
    site = day.store.load("site", {})
    for key in taken:
        del site["release"][key]
    site["next"], site["boxes"] = {"release": 1, "release_file": 1}, {}
    day.store.save("site", site)
    ends_alike(walk, but=("site created release python-3136-",))
    observed(f"duplicate release name on the site, {who}", line)


def test_topic_whose_tags_the_forum_leaves_out(walk: Walk, observed: Observed) -> None:
    """It is told which tags are missing; a person adds them there, and nothing is posted again."""
    day = walk.day
    day.restore("post_forum")
    day.order("forum.no_tags")
    line = assert_told(day.publish(), "post_forum", "it lacks the tag")
    (topic,) = day.store.load("forum", [])
    day.store.save("forum", [{**topic, "tags": walk.world["forum"][0]["tags"]}])
    ends_alike(walk)
    observed("forum.no_tags, post_forum", line)


def test_topic_that_a_moderator_has_to_approve(walk: Walk, observed: Observed) -> None:
    """While it is in the queue nothing is posted again; once it is approved, it is the one."""
    day = walk.day
    day.restore("post_forum")
    day.order("forum.enqueues", times=ALWAYS)
    line = ""
    for _ in range(2):
        line = assert_told(day.publish(), "post_forum", "a moderator of the forum", status=WAITING)
        assert len(day.store.load("forum-queue", [])) == 1
    day.store.save("faults", {})
    day.publish()
    (topic,) = day.store.load("forum", [])
    assert topic["external_id"] is None
    external_id = walk.world["forum"][0]["external_id"]
    day.store.save("forum", [{**topic, "external_id": external_id}])
    ends_alike(walk)
    observed("forum.enqueues, post_forum", line)


def test_topic_in_the_queue_whose_answer_was_lost(walk: Walk, observed: Observed) -> None:
    """Nobody can look into the queue: a person is asked, and until then nothing is posted again."""
    day = walk.day
    day.restore("post_forum")
    day.order("forum.enqueues", times=ALWAYS)
    day.order("forum.500_after_write")
    line = assert_told(day.publish(), "post_forum", "answered 500")
    for _ in range(2):
        line = assert_told(
            day.publish(), "post_forum", "left no receipt; ask a moderator", status=WAITING
        )
        assert len(day.store.load("forum-queue", [])) == 1
    told = day.doit("adopt", "post_forum")
    assert told.status == DONE, told
    ended = day.go_on()
    assert ended.status == DONE, ended
    assert day.store.load("forum", []) == []
    assert len(day.store.load("forum-queue", [])) == 1
    observed("forum.enqueues and forum.500_after_write, post_forum", line)


def test_topic_that_never_got_to_the_forum_is_posted_once_a_person_says_so(walk: Walk) -> None:
    day = walk.day
    day.restore("post_forum")
    day.order("forum.enqueues", times=ALWAYS)
    day.order("forum.500_after_write")
    assert_told(day.publish(), "post_forum", "answered 500")
    day.store.save("forum-queue", [])
    assert_told(day.publish(), "post_forum", "left no receipt", status=WAITING)
    told = day.doit("retry", "post_forum")
    assert told.status == DONE, told
    ends_alike(walk)


def test_topic_that_is_posted_by_hand_for_want_of_a_key(walk: Walk, observed: Observed) -> None:
    """A release.toml without ``[credentials] forum`` gets to its end as well."""
    day = walk.day
    day.restore("post_forum")
    day.declare('forum      = "file:world/secrets/forum"\n', "")
    line = assert_told(
        day.publish(), "post_forum", "RM: [credentials] forum is missing", status=WAITING
    )
    assert day.store.load("forum", []) == []
    told = re.search(r'the title "(.+)" and, as the text, what (.+) has below its first line', line)
    assert told, line
    text = Path(told[2]).read_text().partition("\n")[2].strip("\n")
    (topic,) = walk.world["forum"]
    by_hand = {**topic, "external_id": None, "title": told[1], "raw": text}
    day.store.save("forum", [by_hand])
    ended = day.go_on()
    assert ended.status == DONE, ended
    assert day.store.load("forum", []) == [by_hand]
    observed("no key of the forum, post_forum", line)
