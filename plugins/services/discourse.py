"""Discourse: the Forum port over the API of a Discourse forum, such as discuss.python.org."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from doit_receipts.errors import ServiceFailed
from plugins.ports.forum import Topic
from plugins.services.http_client import HttpClient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.secret import Secret

__all__ = ["Discourse"]

# Source: Discourse's Topic::EXTERNAL_ID_MAX_LENGTH and the route's own pattern.
_EXTERNAL_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,50}")


class Discourse:
    """The Forum port; ``login`` is ``user:key`` of an API key."""

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
        path = f"/t/external_id/{external_id}.json"
        answer = self._web.get(path, action, may_miss=True, redirects=False)
        if answer.status_code == 404:
            return None
        if answer.is_redirect:
            # only to where the topic stands on the same forum
            place = answer.headers["location"].removeprefix(self._address)
            separator = "&" if "?" in place else "?"
            answer = self._web.get(f"{place}{separator}include_raw=true", action)
        topic = self._web.json(answer, action).part()
        posts = topic.part("post_stream").parts("posts")
        if not posts:
            topic.refuse("post_stream.posts", "is empty")
        number = topic.number("id")
        url = f"{self._address}/t/{quote(topic.line('slug'))}/{number}"
        return Topic(number, topic.line("title"), posts[0].text("raw", may_miss=True), url)

    def post(self, external_id: str, title: str, text: str, category: int) -> Topic:
        """See the port."""
        self._refuse_wrong(external_id)
        content = {"title": title, "raw": text, "category": category, "external_id": external_id}
        answer = self._web.send("POST", "/posts.json", "post", again=False, json=content)
        post = self._web.json(answer, "post").part()
        number = post.number("topic_id")
        url = f"{self._address}/t/{quote(post.line('topic_slug'))}/{number}"
        return Topic(number, title, text, url)

    def user(self) -> str:
        """See the port."""
        answer = self._web.get("/session/current.json", "log in")
        return self._web.json(answer, "log in").part("current_user").line("username")

    def _refuse_wrong(self, external_id: str) -> None:
        if not _EXTERNAL_ID.fullmatch(external_id):
            raise ServiceFailed(
                service="forum",
                action="name a topic",
                problem=f"{external_id!r} is no id: 1 to 50 letters, digits, - and _",
            )
