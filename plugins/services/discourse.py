"""Discourse: the Forum port over the API of a Discourse forum, such as discuss.python.org.

Source of what is sent, answered and kept: discourse/discourse, app/controllers/posts_controller.rb
topics_controller.rb and list_controller.rb, app/models/reviewable_queued_post.rb,
lib/new_post_manager.rb, lib/post_creator.rb, lib/text_cleaner.rb, lib/topic_creator.rb, of 2026.
Not checked: the settings of discuss.python.org itself; those of a new forum are taken for granted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from doit_receipts.errors import LetThrough, ServiceFailed
from plugins.ports.forum import Topic
from plugins.services.http_client import HttpClient

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from plugins.model.secret import Secret
    from plugins.services.answers import Part

__all__ = ["Discourse"]

# Source: Discourse's Topic::EXTERNAL_ID_MAX_LENGTH and the route's own pattern.
_EXTERNAL_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,50}")
# Source: lib/text_cleaner.rb, the spaces that become plain ones in titles and texts alike.
_SPACES: Final = re.compile("[\u00a0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
# What Ruby takes for white space at the end of a text, besides those above.
_RUBY_SPACE: Final = " \t\n\v\f\r"


class Discourse:
    """The Forum port; ``login`` is ``user:key`` of an API key, and None for guests."""

    def __init__(self, address: str, login: Secret | None) -> None:
        self._address = address
        self._login = login
        self._web = HttpClient("forum", address, self._headers)

    def __repr__(self) -> str:
        return f"forum({self._address})"

    def _headers(self) -> Mapping[str, str]:
        if self._login is None:
            return {}
        user, _, key = self._login.reveal().partition(":")
        return {"api-username": user, "api-key": key}

    def topic(self, external_id: str) -> Topic | None:
        """See the port."""
        self._refuse_wrong(external_id)
        action = f"look for topic {external_id}"
        wanted = f"/t/external_id/{external_id}.json"
        answer = self._web.get(wanted, action, may_miss=True, redirects=False)
        if answer.status_code == 404:
            return None
        if answer.is_redirect:
            # only to where the topic is on the same forum
            place = answer.headers.get("location", "").removeprefix(self._address)
            if not place.startswith("/t/"):
                raise self._failed(
                    action, "it redirects to an address that is not one of its own topics"
                )
            path = place.partition("?")[0].removesuffix(".json")
            # the source of a post is given only to those who ask for it
            answer = self._web.get(f"{path}.json", action, include_raw="true")
        return self._topic(answer, action)

    def titled(self, title: str, category: int) -> Topic | None:
        """See the port. Titles are one and the same in capitals and small letters."""
        action = f"look for the announcement in category {category}"
        # It redirects to the address that has the category's name as well.
        answer = self._web.get(f"/c/{category}/l/latest.json", action)
        for each in self._fields(answer, action).part("topic_list").parts("topics"):
            if each.text("title").casefold() == title.casefold():
                path = f"/t/{quote(each.line('slug'))}/{each.number('id')}.json"
                return self._topic(self._web.get(path, action, include_raw="true"), action)
        return None

    def _topic(self, answer: httpx.Response, action: str) -> Topic:
        found = self._fields(answer, action)
        posts = found.part("post_stream").parts("posts")
        if not posts:
            found.refuse("post_stream.posts", "is empty")
        number = found.number("id")
        return Topic(
            number,
            found.text("title"),
            posts[0].text("raw"),
            f"{self._address}/t/{quote(found.line('slug'))}/{number}",
            found.number("category_id"),
            self._tags(found),
        )

    def post(
        self, external_id: str, title: str, text: str, category: int, tags: tuple[str, ...]
    ) -> str:
        """See the port."""
        self._refuse_wrong(external_id)
        action = "post the announcement"
        content = {
            "title": title,
            "raw": text,
            "category": category,
            "tags": list(tags),
            "external_id": external_id,
        }
        answer = self._web.send_once("POST", "/posts.json", action, json=content)
        found = self._fields(answer, action)
        if found.line("action", may_miss=True) == "enqueued":
            # A topic that a moderator approves has lost the id that it would be found by.
            raise LetThrough(
                who="a moderator of the forum",
                problem="the announcement is in the forum's queue of posts to be approved",
                remedy="ask for it to be approved, then run the same command again; if it is"
                " approved and not found, run doit adopt, if it was rejected, doit retry",
            )
        number = found.number("topic_id")
        return f"{self._address}/t/{quote(found.line('topic_slug'))}/{number}"

    def kept_title(self, title: str) -> str:
        """See the port. What a new forum does to titles (title_prettify)."""
        kept = re.sub(r"!+", "!", title)
        kept = re.sub(r"\?+", "?", kept)
        if kept == kept.upper() and re.search("[A-Z]", kept):
            kept = kept.lower()
        first, *rest = re.split(f"[{_RUBY_SPACE}]+", kept.lstrip(_RUBY_SPACE), maxsplit=1)
        if first == first.lower():
            kept = " ".join([first.capitalize(), *rest])
        kept = re.sub(r"(?a)([^.])\.+(\s*)\Z", r"\1\2", kept)
        kept = re.sub(r"(?a)\s+([!?]\s*)\Z", r"\1", kept)
        kept = _SPACES.sub(" ", re.sub(" +", " ", kept))
        return kept.strip(_RUBY_SPACE).replace("\u200b", "")

    def kept_text(self, text: str) -> str:
        """See the port."""
        return _SPACES.sub(" ", text.replace("\0", "")).rstrip(_RUBY_SPACE)

    def is_guest(self) -> bool:
        """See the port."""
        return self._login is None

    def user(self) -> str:
        """See the port."""
        answer = self._web.get("/session/current.json", "log in")
        return self._fields(answer, "log in").part("current_user").line("username")

    def category_name(self, category: int) -> str:
        """See the port."""
        action = f"look at category {category}"
        answer = self._web.get(f"/c/{category}/show.json", action)
        return self._fields(answer, action).part("category").line("name")

    def _tags(self, found: Part) -> tuple[str, ...]:
        """Names of the tags: plain until 2025, objects with a name since (2026.1)."""
        tags = found.parts("tags", may_miss=True)
        return tuple(
            sorted(tag.line() if isinstance(tag.plain, str) else tag.line("name") for tag in tags)
        )

    def _fields(self, answer: httpx.Response, action: str) -> Part:
        return self._web.json(answer, action).part()

    def _refuse_wrong(self, external_id: str) -> None:
        if not _EXTERNAL_ID.fullmatch(external_id):
            # a version gives it, and no person: a mistake of ours
            problem = f"{external_id!a} is not an external id; wanted 1 to 50 of A-Z a-z 0-9 - _"
            raise ValueError(problem)

    def _failed(self, action: str, problem: str) -> ServiceFailed:
        return ServiceFailed(
            service="forum",
            action=action,
            problem=problem,
            remedy="check that [hosts] forum is the right address",
        )
