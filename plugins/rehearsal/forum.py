"""Forum of the rehearsed world: the part of Discourse's API that announcements need.

The document ``forum`` holds the topics. A title may be used once, as at Discourse.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

    from plugins.rehearsal.store import Store

__all__ = ["FAULTS", "app"]

FAULTS: Final = {
    "forum.500_after_write": "the forum answers with status 500 after it has stored the topic",
    "forum.500": "the forum answers with status 500 and has done nothing",
    "forum.429": "the forum asks to wait, with Discourse's own words and Retry-After",
}
_KEY: Final = ("rm", "rehearsal-forum-key")
_EXTERNAL: Final = re.compile(r"[\w-]{1,50}", re.ASCII)


def app(store: Store) -> Starlette:
    """The forum over the topics that the store remembers."""
    forum = _Forum(store)
    return Starlette(
        routes=[
            Route("/session/current.json", forum.session),
            Route("/posts.json", forum.create, methods=["POST"]),
            Route("/t/external_id/{external}.json", forum.by_external),
            Route("/t/{slug}/{id:int}.json", forum.topic),
        ]
    )


class _Forum:
    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def _topics(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._store.load("forum", [])
        return found

    def _refusal(self, request: Request) -> Response | None:
        user, key = (request.headers.get(each, "") for each in ("api-username", "api-key"))
        if (user, key) != _KEY:
            return _problem(403, "invalid_access", "The API username or key is invalid.")
        if self._store.fault("forum.429") is not None:
            answer = _problem(
                429, "rate_limit", "You have performed this action too many times.",
                extras={"wait_seconds": 1, "time_left": "1 second"},
            )  # fmt: skip
            answer.headers["retry-after"] = "1"
            return answer
        if self._store.fault("forum.500") is not None:
            return Response("Internal Server Error", 500)
        return None

    async def session(self, request: Request) -> Response:
        told = {"current_user": {"id": 1, "username": _KEY[0]}}
        return self._refusal(request) or JSONResponse(told)

    async def create(self, request: Request) -> Response:
        refused = self._refusal(request)
        if refused is not None:
            return refused
        asked = await request.json()
        problem = self._unfit(asked)
        if problem:
            return _problem(422, None, problem, action="create_post")
        topics = self._topics
        told = {name: asked.get(name) for name in ("title", "raw", "category", "external_id")}
        topic = {"id": 5001 + len(topics), **told}
        self._store.save("forum", [*topics, topic])
        self._store.record("forum", "topic", title=topic["title"], id=topic["id"])
        if self._store.fault("forum.500_after_write") is not None:
            return Response("Internal Server Error", 500)
        return JSONResponse(
            {"id": topic["id"] + 10_000, "topic_id": topic["id"], "topic_slug": _slug(topic)}
        )

    def _unfit(self, asked: dict[str, Any]) -> str:
        external = asked.get("external_id")
        if external is not None and not _EXTERNAL.fullmatch(external):
            return "External ID is invalid"
        if any(each["title"].casefold() == asked["title"].casefold() for each in self._topics):
            return "Title has already been used"
        if external and any(each["external_id"] == external for each in self._topics):
            return "External ID has already been taken"
        return ""

    async def by_external(self, request: Request) -> Response:
        refused = self._refusal(request)
        if refused is not None:
            return refused
        for each in self._topics:
            if each["external_id"] == request.path_params["external"]:
                return RedirectResponse(f"/t/{_slug(each)}/{each['id']}.json", 301)
        return _problem(404, "not_found", "The requested URL or resource could not be found.")

    async def topic(self, request: Request) -> Response:
        for each in self._topics:
            if each["id"] == request.path_params["id"]:
                # the source of a post is told only to those who ask for it
                raw = request.query_params.get("include_raw") == "true"
                post = {"id": each["id"] + 10_000, "post_number": 1, "cooked": "<p>...</p>"}
                posts = [{**post, "raw": each["raw"]} if raw else post]
                return JSONResponse(
                    {"id": each["id"], "title": each["title"], "slug": _slug(each),
                     "category_id": each["category"], "external_id": each["external_id"],
                     "post_stream": {"posts": posts}}
                )  # fmt: skip
        return _problem(404, "not_found", "The requested URL or resource could not be found.")


def _problem(status: int, kind: str | None, text: str, **more: Any) -> Response:
    content: dict[str, Any] = {"errors": [text], **more}
    if kind:
        content["error_type"] = kind
    return JSONResponse(content, status)


def _slug(topic: dict[str, Any]) -> str:
    return re.sub(r"[^a-z0-9]+", "-", topic["title"].lower()).strip("-")
