"""Forum of the simulated environment: the part of Discourse's API that announcements need.

The document ``forum`` holds the topics as the forum keeps them, which is not quite as they were
sent, and ``forum-queue`` those that a moderator has not approved yet. Source: discourse/discourse,
controllers and validators of posts and topics, and their English words in
config/locales/server.en.yml. Site settings are those of a new forum; the categories are those of
discuss.python.org that matter here.
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
    "forum.500_after_write": "the forum answers with status 500 after it has kept the topic",
    "forum.500": "the forum answers with status 500 and has done nothing",
    "forum.429": "the forum answers with status 429, Discourse's message and Retry-After",
    "forum.enqueues": "the forum holds the topic back until a moderator approves it",
    "forum.no_tags": "the forum stores the topic and leaves out its tags",
}
_KEY: Final = ("rm", "rehearsal-forum-key")
_GUEST: Final = ("", "")
_EXTERNAL: Final = re.compile(r"[\w-]{1,50}", re.ASCII)
_CATEGORIES: Final = {4: "Uncategorized", 6: "Ideas", 23: "Core Development"}
_QUEUE: Final = "forum-queue"
_PAGE: Final = 30
_TAGS: Final = ("release",)
_TITLE_LEAST, _TITLE_MOST = 15, 255
_BODY_LEAST, _BODY_MOST = 20, 32_000
_ODD_SPACES: Final = dict.fromkeys(
    [0xA0, 0x1680, 0x180E, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000], " "
)
_BLANKS: Final = " \t\n\v\f\r"
_MISSING: Final = "The requested URL or resource could not be found."


def app(store: Store) -> Starlette:
    """The forum over the topics that the store remembers."""
    forum = _Forum(store)
    return Starlette(
        routes=[
            Route("/session/current.json", forum.session),
            Route("/posts.json", forum.create, methods=["POST"]),
            Route("/c/{id:int}/show.json", forum.category),
            Route("/c/{id:int}/l/latest.json", forum.category_by_number),
            Route("/c/{slug}/{id:int}/l/latest.json", forum.latest),
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
        user, key = (request.headers.get(name, "") for name in ("api-username", "api-key"))
        # Guests have none, and read whatever is public.
        if (user, key) not in (_KEY, _GUEST):
            text = (
                "You are not permitted to view the requested resource. The API username or key is"
                " invalid."
            )
            return _problem(403, "invalid_access", text)
        if not key and request.method == "POST":
            return _problem(403, "not_logged_in", "You need to be logged in to do that.")
        if self._store.fault("forum.429") is not None:
            answer = _problem(
                429, "rate_limit",
                "You\u2019ve performed this action too many times, please try again later.",
                extras={"wait_seconds": 1, "time_left": "1 second"},
            )  # fmt: skip
            answer.headers["retry-after"] = "1"
            return answer
        if self._store.fault("forum.500") is not None:
            return Response("Internal Server Error", 500)
        return None

    async def session(self, request: Request) -> Response:
        session = {"current_user": {"id": 1, "username": _KEY[0]}}
        if "api-key" not in request.headers:
            return Response(status_code=404)
        return self._refusal(request) or JSONResponse(session)

    async def category(self, request: Request) -> Response:
        number = request.path_params["id"]
        refused = self._refusal(request)
        if refused is not None:
            return refused
        if number not in _CATEGORIES:
            return _problem(404, "not_found", _MISSING)
        return JSONResponse({"category": {"id": number, "name": _CATEGORIES[number]}})

    async def create(self, request: Request) -> Response:
        refused = self._refusal(request)
        if refused is not None:
            return refused
        asked = await request.json()
        if asked.get("category") not in _CATEGORIES:
            text = "You supplied invalid parameters to the request: category"
            return _problem(400, "invalid_parameters", text)
        title, raw = _tidied(str(asked.get("title", ""))), _stripped(str(asked.get("raw", "")))
        problems = self._unfit(asked, title, raw)
        if problems:
            return JSONResponse({"action": "create_post", "errors": problems}, 422)
        topic = {
            "title": title,
            "raw": raw,
            "category": asked["category"],
            "tags": sorted(asked.get("tags", [])),
        }
        if self._store.fault("forum.enqueues") is not None:
            self._store.save(_QUEUE, [*self._store.load(_QUEUE, []), topic])
            pending = {"id": 7001, "raw": raw, "title": title}
            answer = {
                "action": "enqueued", "success": True, "pending_count": 1, "pending_post": pending,
            }  # fmt: skip
        else:
            if self._store.fault("forum.no_tags") is not None:
                topic["tags"] = []
            topic = self._publish(topic, asked.get("external_id"))
            answer = {
                "id": topic["id"] + 10_000, "topic_id": topic["id"], "topic_slug": _slug(topic),
            }  # fmt: skip
        if self._store.fault("forum.500_after_write") is not None:
            return Response("Internal Server Error", 500)
        return JSONResponse(answer)

    def _publish(self, topic: dict[str, Any], external_id: str | None) -> dict[str, Any]:
        topics = self._topics
        topic = {"id": 5001 + len(topics), **topic, "external_id": external_id}
        self._store.save("forum", [*topics, topic])
        self._store.record("forum", "topic", title=topic["title"], id=topic["id"])
        return topic

    def _moderate(self) -> None:
        """Once posts are not held back any more, those in the queue are approved.

        As NewPostManager and ReviewableQueuedPost have it: what is approved is not validated again,
        so that a second one of the same title is a second topic, and the external id is lost.
        """
        held = self._store.load("faults", {}).get("forum.enqueues", {"times": 0})
        queue = self._store.load(_QUEUE, [])
        if queue and not held["times"]:
            self._store.save(_QUEUE, [])
            for each in queue:
                self._publish(each, None)

    def _unfit(self, asked: dict[str, Any], title: str, raw: str) -> list[str]:
        """What Discourse would say, all of it at once: title, topic, then body."""
        external = asked.get("external_id")
        found = []
        if len(title) < _TITLE_LEAST:
            found.append(f"Title is too short (minimum is {_TITLE_LEAST} characters)")
        if len(title) > _TITLE_MOST:
            found.append(f"Title is too long (maximum is {_TITLE_MOST} characters)")
        if any(topic["title"].casefold() == title.casefold() for topic in self._topics):
            found.append("Title has already been used")
        if external is not None and not _EXTERNAL.fullmatch(external):
            found.append("External ID is invalid")
        if external and any(topic["external_id"] == external for topic in self._topics):
            found.append("External ID has already been taken")
        unknown = [tag for tag in asked.get("tags", []) if tag not in _TAGS]
        if unknown and len(unknown) == len(asked["tags"]):
            found.append("The tag you chose cannot be used")
        if not raw:
            found.append("Body can't be blank")
        elif len(raw) > _BODY_MOST:
            problem = f"Body is limited to {_BODY_MOST} characters; you entered {len(raw)}."
            found.append(problem)
        elif len(re.sub(r"<!--.*?-->", "", raw).strip()) < _BODY_LEAST:
            found.append(f"Body is too short (minimum is {_BODY_LEAST} characters)")
        return found

    async def category_by_number(self, request: Request) -> Response:
        number = request.path_params["id"]
        if number not in _CATEGORIES:
            return _problem(404, "not_found", _MISSING)
        slug = _CATEGORIES[number].lower().replace(" ", "-")
        return RedirectResponse(f"/c/{slug}/{number}/l/latest.json", 301)

    async def latest(self, request: Request) -> Response:
        refused = self._refusal(request)
        if refused is not None:
            return refused
        self._moderate()
        listed = [
            {"id": topic["id"], "title": topic["title"], "slug": _slug(topic),
             "fancy_title": topic["title"], "category_id": topic["category"]}
            for topic in reversed(self._topics)
            if topic["category"] == request.path_params["id"]
        ]  # fmt: skip
        return JSONResponse({"topic_list": {"per_page": _PAGE, "topics": listed[:_PAGE]}})

    async def by_external(self, request: Request) -> Response:
        refused = self._refusal(request)
        if refused is not None:
            return refused
        self._moderate()
        for topic in self._topics:
            if topic["external_id"] == request.path_params["external"]:
                return RedirectResponse(f"/t/{_slug(topic)}/{topic['id']}.json", 301)
        return _problem(404, "not_found", _MISSING)

    async def topic(self, request: Request) -> Response:
        for topic in self._topics:
            if topic["id"] == request.path_params["id"]:
                # the source of a post is given only to those who ask for it
                raw = request.query_params.get("include_raw") == "true"
                post = {"id": topic["id"] + 10_000, "post_number": 1, "cooked": "<p>...</p>"}
                posts = [{**post, "raw": topic["raw"]} if raw else post]
                # objects since 2026.1, where they were plain names before
                tags = [
                    {"id": at, "name": name, "slug": name}
                    for at, name in enumerate(topic["tags"], start=1)
                ]
                return JSONResponse(
                    {"id": topic["id"], "title": topic["title"], "slug": _slug(topic),
                     "category_id": topic["category"], "external_id": topic["external_id"],
                     "tags": tags, "post_stream": {"posts": posts}}
                )  # fmt: skip
        return _problem(404, "not_found", _MISSING)


def _problem(status: int, kind: str | None, text: str, **more: Any) -> Response:
    content: dict[str, Any] = {"errors": [text], **more}
    if kind:
        content["error_type"] = kind
    return JSONResponse(content, status)


def _stripped(raw: str) -> str:
    """What is kept of a text: odd spaces are plain ones, and its end has none."""
    return raw.replace("\0", "").translate(_ODD_SPACES).rstrip(_BLANKS)


def _tidied(title: str) -> str:
    """What is kept of a title (title_prettify): one mark for many, a capital, no full stop."""
    for mark in "!?":
        while mark + mark in title:
            title = title.replace(mark + mark, mark)
    if title.isupper():
        title = title.lower()
    bare = title.lstrip(_BLANKS)
    end = next((at for at, character in enumerate(bare) if character in _BLANKS), len(bare))
    if bare[:end] == bare[:end].lower():
        rest = bare[end:].lstrip(_BLANKS)
        title = bare[:end].capitalize() + (f" {rest}" if end < len(bare) else "")
    bare = title.rstrip(_BLANKS)
    if bare.endswith(".") and bare.strip("."):
        title = bare.rstrip(".") + title[len(bare) :]
    bare = title.rstrip(_BLANKS)
    if bare.endswith(("!", "?")):
        title = bare[:-1].rstrip(_BLANKS) + bare[-1]
    while "  " in title:
        title = title.replace("  ", " ")
    return title.translate(_ODD_SPACES).strip(_BLANKS).replace("\u200b", "")


def _slug(topic: dict[str, Any]) -> str:
    return re.sub(r"[^a-z0-9]+", "-", topic["title"].lower()).strip("-") or "topic"
