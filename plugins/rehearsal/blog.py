"""Blog of the simulated environment: whether its CI would take a post, and what readers see of it.

Somebody merges a pull request whose checks pass, and each change of main is deployed: both have
happened by the time that a reader comes. The document ``blog`` has the posts that the site was
built from. Source: python/python-insider-blog at fbd6066 of 2026-08-22: src/content.config.ts,
.pre-commit-config.yaml, ci.yml, deploy.yml and src/pages. Nothing here is shared with the steps.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from html import escape
from typing import TYPE_CHECKING, Any, Final

import yaml
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from plugins.rehearsal.store import Store

__all__ = ["AUTHORS", "FAULTS", "REPOSITORY", "app", "authors", "checks", "verdict"]

FAULTS: Final = {
    "blog.500": "blog.python.org answers with status 500",
    "blog.cancelled": "a later push cancels a check of the blog's main, and no deployment",
    "blog.closed": "somebody closes the blog's pull request and does not merge it",
    "blog.late": "the post is merged, and its deployment has not ended",
    "blog.moved": "whoever merges the blog's pull request gives the post another folder and month,"
    " and the title in the argument",
    "blog.never_merged": "nobody merges the blog's pull request",
    "blog.not_deployed": "the post is merged, and its deployment fails",
    "blog.old_page": "blog.python.org shows the post without the links of its text",
    "blog.red": "the blog's check in the argument (Build) fails for the pull request or for main",
}

REPOSITORY: Final = "python/python-insider-blog"
AUTHORS: Final = ("Hugo van Kemenade", "Thomas Wouters", "\u0141ukasz Langa", "Rita Manager")
_POST: Final = re.compile(r"[^/]+/index\.mdx?")
_AUTHOR: Final = re.compile(r"[^/]+\.json")
_FRONT: Final = re.compile(r"\A---\n(.*?)\n---(?:\n|\Z)(.*)", re.DOTALL)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?:T[\d:.]+Z?)?")
_CONFLICT: Final = re.compile(r"^(?:<{7} |={7}$|>{7} )", re.MULTILINE)
_HEAVY_BYTES: Final = 500 * 1024
_POSTS: Final = f"{REPOSITORY}/content/posts/"
_LINK: Final = re.compile(
    r"\[(?P<label>[^\]]+)\]\((?P<to>https?:[^)\s]+)\)|(?P<bare>https?:[^\s&<]+[\w/])"
)
_ELSEWHERE: Final = "a-new-python-is-here"
_TEXTS: Final = {"title": True, "author": True, "description": False, "legacyUrl": False}
_DATES: Final = {"publishDate": True, "updatedDate": False}


def authors() -> dict[str, str]:
    """The records of the authors who are known, by path."""
    plain = str.maketrans("\u0141\u0142", "ll")
    return {
        f"content/authors/{re.sub('[^a-z]+', '-', name.translate(plain).lower())}.json": (
            json.dumps({"name": name, "bio": "", "featured": False}, indent=2) + "\n"
        )
        for name in AUTHORS
    }


def verdict(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """What stops the pull request that changes these texts; "" if its CI is green.

    A file that no collection of the loader matches builds and is shown nowhere; that counts too.
    """
    changed = {path: text for path, text in after.items() if before.get(path) != text}
    for path, text in changed.items():
        problem = _hooks(text) or _loaded(path, text)
        if problem:
            return f"{path}: {problem}"
    return ""


def _hooks(text: str) -> str:
    if not text.endswith("\n") or text.endswith("\n\n"):
        return "end-of-file-fixer: wants one line end at the end"
    for number, line in enumerate(text.split("\n"), start=1):
        bare = line.rstrip()
        kept = f"{bare}  " if bare and line.endswith("  ") else bare
        if line != kept:
            return f"trailing-whitespace: line {number}"
    if _CONFLICT.search(text):
        return "check-merge-conflict: has a marker of a merge"
    if len(text.encode()) > _HEAVY_BYTES:
        return "check-added-large-files: over 500 KB"
    return ""


def _loaded(path: str, text: str) -> str:
    if path.startswith("content/authors/"):
        return "" if _AUTHOR.fullmatch(path.removeprefix("content/authors/")) else _unseen(path)
    if not path.startswith("content/posts/"):
        return ""
    if not _POST.fullmatch(path.removeprefix("content/posts/")):
        return _unseen(path)
    found = _FRONT.match(text)
    try:
        fields = yaml.safe_load(found[1]) if found else {}
    except yaml.YAMLError as error:
        return f"YAMLException: {' '.join(str(error).split())}"
    problem = _schema(fields if isinstance(fields, dict) else {})
    return f"InvalidContentEntryDataError: {problem}" if problem else ""


def _unseen(path: str) -> str:
    return f"no collection has it, so the blog never shows it: {path}"


def _schema(fields: Mapping[str, Any]) -> str:
    for name, required in (_TEXTS | _DATES).items():
        if name not in fields and required:
            return f"{name}: Required"
    for name in _TEXTS:
        if not isinstance(fields.get(name, ""), str):
            return f"{name}: Expected string, received {type(fields[name]).__name__}"
    for name in _DATES:
        if name in fields and not _is_date(fields[name]):
            return f"{name}: Invalid date"
    tags = fields.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        return "tags: Expected array of strings"
    if not isinstance(fields.get("published", True), bool):
        return "published: Expected boolean"
    return ""


def _is_date(value: object) -> bool:
    """Whether JavaScript's Date takes it, of the forms that posts use."""
    if isinstance(value, (date, datetime)):
        return True
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


# ── what readers see ───────────────────────────────────────────────────────────────────────


def app(store: Store) -> Starlette:
    """The blog as it was last built: each post in a folder of its own, and the feed."""

    async def post(request: Request) -> Response:
        _let_time_pass(store)
        if store.fault("blog.500") is not None:
            return Response("Internal Server Error", 500)
        found = _shown(store).get(request.url.path)
        return Response("Not Found", 404) if found is None else HTMLResponse(_page(store, *found))

    async def bare(request: Request) -> Response:
        return RedirectResponse(f"{request.url.path}/", 301)

    async def feed(_request: Request) -> Response:
        _let_time_pass(store)
        items = "".join(
            f"<item><title>{escape(fields['title'])}</title>"
            f"<link>https://blog.python.org{path}</link></item>"
            for path, (fields, _) in reversed(_shown(store).items())
        )
        text = f'<?xml version="1.0"?><rss version="2.0"><channel>{items}</channel></rss>'
        return Response(text, media_type="application/xml")

    place = "/{year:int}/{month}/{slug}"
    return Starlette(routes=[Route("/rss.xml", feed), Route(f"{place}/", post), Route(place, bare)])


def checks(store: Store, commit: str) -> list[tuple[str, str]]:
    """The checks of a pull request's commit, or of main: each with its conclusion, "" for none."""
    jobs = dict.fromkeys(("Quality checks", "Build"), "success")
    red = store.fault("blog.red")
    if red is not None:
        jobs[red or "Build"] = "failure"
    if commit == "main":
        late = store.fault("blog.late") is not None
        failed = store.fault("blog.not_deployed") is not None
        jobs["Deploy"] = "failure" if failed else "" if late else "success"
        if jobs["Build"] != "success":
            jobs["Deploy"] = "skipped"
        # Both workflows have a job of this name, and a later push cancels that of CI.
        again = [("Build", "cancelled")] if store.fault("blog.cancelled") is not None else []
        return [*again, *jobs.items()]
    pulls = store.load("github", {}).get("pulls", [])
    if any(_is_open(each) and each["verdict"] for each in pulls):
        jobs["Build"] = "failure"
    return list(jobs.items())


def _is_open(pull: Mapping[str, Any]) -> bool:
    return (pull["repository"], pull["state"]) == (REPOSITORY, "open")


def _let_time_pass(store: Store) -> None:
    """Somebody merges what passes its checks, and main is deployed."""
    hub = store.load("github", {})
    opened = [each for each in hub.get("pulls", []) if _is_open(each) and not each["verdict"]]
    if opened and store.fault("blog.closed") is not None:
        for each in opened:
            each["state"] = "closed"
        store.save("github", hub)
    elif opened and store.fault("blog.never_merged") is None and store.fault("blog.red") is None:
        for each in opened:
            owner, _, branch = each["head"].partition(":")
            texts = hub["branches"].get(f"{owner}/{REPOSITORY.partition('/')[2]}:{branch}", {})
            title = store.fault("blog.moved")
            if title is not None:
                texts = _moved(texts, title)
            hub["texts"].update({f"{REPOSITORY}/{path}": text for path, text in texts.items()})
            each |= {"state": "closed", "merged_at": "2026-01-01T00:00:00Z"}
            store.record("blog", "merged", number=each["number"])
        store.save("github", hub)
    posts = {path: text for path, text in hub.get("texts", {}).items() if path.startswith(_POSTS)}
    if (
        store.load("blog", {}).get("built from") != posts
        and store.fault("blog.late") is None
        and store.fault("blog.not_deployed") is None
    ):
        store.save("blog", {"built from": posts})


def _moved(texts: Mapping[str, str], title: str) -> dict[str, str]:
    if title:
        texts = {
            path: re.sub(r"^title: .*$", f"title: {json.dumps(title)}", text, flags=re.MULTILINE)
            for path, text in texts.items()
        }
    return {
        path if not path.startswith("content/posts/") else f"content/posts/{_ELSEWHERE}/index.md":
        re.sub(r"^publishDate: .*$", "publishDate: '2026-01-02'", text, flags=re.MULTILINE)
        for path, text in texts.items()
    }  # fmt: skip


def _shown(store: Store) -> dict[str, tuple[dict[str, Any], str]]:
    """The fields and the text of each post that is published, by its path on the site."""
    found = {}
    for path, text in sorted(store.load("blog", {}).get("built from", {}).items()):
        head = _FRONT.match(text)
        fields = yaml.safe_load(head[1]) if head else {}
        if head is None or not fields.get("published", True):
            continue
        day = _day(fields["publishDate"])
        folder = fields.get("slug") or path.removeprefix(_POSTS).partition("/")[0]
        found[f"/{day:%Y/%m}/{folder}/"] = (fields, head[2])
    return found


def _day(value: object) -> date:
    """The day in UTC, as JavaScript's Date has it."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.astimezone(UTC).date() if moment.tzinfo else moment.date()


def _page(store: Store, fields: Mapping[str, Any], text: str) -> str:
    title = escape(fields["title"])
    body = escape(text)
    if store.fault("blog.old_page") is None:
        body = _LINK.sub(
            lambda found: (
                f'<a href="{found["to"] or found["bare"]}">{found["label"] or found["bare"]}</a>'
            ),
            body,
        )
    return (
        f"<!doctype html><html><head><title>{title} | Python Insider</title></head>"
        f"<body><h1>{title}</h1><article>{body}</article></body></html>"
    )
