"""GitHub of the simulated environment: issues, pull requests with labels, and search."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response

from plugins.rehearsal.github_hub import REPOSITORY, page_of, problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from plugins.rehearsal.github_hub import Hub, Route

__all__ = ["Tracker"]

_BACKPORT: Final = "needs backport to "
_BOT: Final = "miss-islington"
_UNHEARD: Final = "Advisory that nobody may hear of"
_WORD: Final = re.compile(r'([a-z]+):"?([^"\s]+(?: [^":]+(?="))?)"?')


class Tracker:
    """Issues and labels. An issue with a ``base`` is a pull request into that branch."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def routes(self) -> tuple[Route, ...]:
        """Method, path and handler of each request."""
        return (
            ("GET", REPOSITORY + "/issues", self._issues),
            ("GET", "/search/issues", self._search),
            ("POST", REPOSITORY + "/issues/{number:int}/labels", self._add_labels),
            ("DELETE", REPOSITORY + "/issues/{number:int}/labels/{name:path}", self._remove_label),
            ("GET", REPOSITORY + "/labels", self._labels),
            ("POST", REPOSITORY + "/labels", self._make_label),
            ("PATCH", REPOSITORY + "/labels/{name:path}", self._change_label),
            ("DELETE", REPOSITORY + "/labels/{name:path}", self._delete_label),
            ("GET", REPOSITORY + "/issues/{number:int}/comments", self._comments),
            ("POST", REPOSITORY + "/issues/{number:int}/comments", self._comment),
            ("PATCH", REPOSITORY + "/issues/{number:int}", self._change),
            ("GET", REPOSITORY + "/security-advisories", self._advisories),
        )

    async def _issues(self, request: Request) -> Response:
        wanted = {each for each in request.query_params.get("labels", "").split(",") if each}
        state = request.query_params.get("state", "open")
        found = [
            self._shown(each)
            for each in sorted(self._hub.document["issues"], key=lambda one: -one["number"])
            if wanted <= set(each["labels"]) and state in ("all", each["state"])
        ]
        return page_of(request, found)

    def _shown(self, issue: Mapping[str, Any]) -> dict[str, Any]:
        url = f"https://github.com/python/cpython/issues/{issue['number']}"
        labels = [{"id": number, "name": each} for number, each in enumerate(issue["labels"])]
        shown = {**issue, "html_url": url, "labels": labels,
                 "user": {"login": issue.get("user", "colleague")}}  # fmt: skip
        if "base" in issue:
            # As GitHub reports it: that it is a pull request, and not into which branch.
            del shown["base"]
            url = url.replace("/issues/", "/pull/")
            shown |= {"html_url": url, "pull_request": {"html_url": url, "merged_at": None}}
        return shown

    async def _search(self, request: Request) -> Response:
        """Source: GitHub's "Search issues and pull requests"; every word has to hold."""
        words = _WORD.findall(request.query_params.get("q", ""))
        if not words:
            return problem(422, "Validation Failed",
                           errors=[{"resource": "Search", "code": "missing"}])  # fmt: skip
        oldest_first = request.query_params.get("order") == "asc"
        known = [*self._hub.document["issues"], *self._backports()]
        found = [
            self._shown(each)
            for each in sorted(known, key=lambda one: one["number"], reverse=not oldest_first)
            if all(_holds(each, name, text) for name, text in words)
        ]
        cut = self._hub.store.fault("github.search_incomplete") is not None
        return page_of(request, found, "items", incomplete_results=cut)

    def _backports(self) -> list[dict[str, Any]]:
        """What the bot opened: one merged change is to be backported to each branch with a label.

        Source: python/miss-islington 07a61c1, tasks.py.
        """
        if self._hub.store.fault("github.no_backports") is not None:
            return []
        branches = [
            label.removeprefix(_BACKPORT)
            for label in self._hub.document["labels"]
            if label.startswith(_BACKPORT)
        ]
        return [
            {"number": 9_001 + at, "title": f"[{branch}] gh-2: Let eggs wait (GH-9000)",
             "labels": [], "state": "open", "base": branch, "user": _BOT}
            for at, branch in enumerate(branches)
        ]  # fmt: skip

    async def _advisories(self, request: Request) -> Response:
        """Source: GitHub's "List repository security advisories".

        Those who may not administer get the published ones alone, and are not told so: here
        there is none. Of those of the past one is closed.
        """
        wanted, count = request.query_params.get("state", ""), 0
        if self._hub.document["permissions"].get("admin"):
            if wanted == "closed":
                count = 1
            elif wanted == "draft":
                count = int(self._hub.store.fault("github.advisories") or 0)
        found = [
            {"ghsa_id": f"GHSA-rehe-arsa-l{number:03}", "summary": f"{_UNHEARD} {number}",
             "state": wanted, "cve_id": None}
            for number in range(count)
        ]  # fmt: skip
        return page_of(request, found)

    def _edited(self, number: int, labels: Callable[[list[str]], list[str]]) -> Response:
        issues = self._hub.document["issues"]
        for each in issues:
            if each["number"] == number:
                each["labels"] = labels(each["labels"])
                self._hub.save(issues=issues)
                return JSONResponse(self._shown(each)["labels"])
        return problem(404, "Not Found")

    async def _add_labels(self, request: Request) -> Response:
        wanted = (await request.json())["labels"]
        return self._edited(
            request.path_params["number"], lambda have: [*have, *(set(wanted) - set(have))]
        )

    async def _remove_label(self, request: Request) -> Response:
        name, number = request.path_params["name"], request.path_params["number"]
        has = any(each["number"] == number and name in each["labels"]
                  for each in self._hub.document["issues"])  # fmt: skip
        if not has:
            return problem(404, "Label does not exist")
        return self._edited(number, lambda have: [each for each in have if each != name])

    async def _labels(self, request: Request) -> Response:
        said = self._hub.document.get("descriptions", {})
        return page_of(
            request,
            [
                {"name": each, "description": said.get(each)}
                for each in self._hub.document["labels"]
            ],
        )

    async def _make_label(self, request: Request) -> Response:
        asked = await request.json()
        name = asked["name"]
        if name in self._hub.document["labels"]:
            return problem(422, "Validation Failed",
                            errors=[{"resource": "Label", "code": "already_exists"}])  # fmt: skip
        said = {**self._hub.document.get("descriptions", {}), name: asked.get("description")}
        self._hub.save(labels=[*self._hub.document["labels"], name], descriptions=said)
        return JSONResponse({"name": name}, 201)

    async def _change_label(self, request: Request) -> Response:
        """Source: GitHub's "Update a label"; what is labelled with it keeps it by its new name."""
        name, asked = request.path_params["name"], await request.json()
        document = self._hub.document
        if name not in document["labels"]:
            return problem(404, "Not Found")
        new = asked.get("new_name", name)
        if new != name and new in document["labels"]:
            return problem(422, "Validation Failed",
                            errors=[{"resource": "Label", "code": "already_exists"}])  # fmt: skip
        said = {
            new if each == name else each: text
            for each, text in document.get("descriptions", {}).items()
        }
        if "description" in asked:
            said[new] = asked["description"]
        self._relabelled(name, [new], said)
        return JSONResponse({"name": new, "description": said.get(new)})

    async def _delete_label(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._hub.document["labels"]:
            return problem(404, "Not Found")
        said = dict(self._hub.document.get("descriptions", {}))
        said.pop(name, None)
        self._relabelled(name, [], said)
        return Response(None, 204)

    def _relabelled(self, name: str, new: list[str], said: dict[str, Any]) -> None:
        """The label is replaced by these wherever it is."""
        document = self._hub.document

        def renamed(labels: list[str]) -> list[str]:
            at = labels.index(name) if name in labels else len(labels)
            return [*labels[:at], *(new if name in labels else []), *labels[at + 1 :]]

        issues = [{**each, "labels": renamed(each["labels"])} for each in document["issues"]]
        self._hub.save(labels=renamed(document["labels"]), issues=issues, descriptions=said)

    # ── single issues ──────────────────────────────────────────────────────────────────────

    async def _comments(self, request: Request) -> Response:
        said = self._hub.document.get("comments", {})
        found = said.get(str(request.path_params["number"]), [])
        return page_of(request, [{"id": at, "body": each} for at, each in enumerate(found, 1)])

    async def _comment(self, request: Request) -> Response:
        number = str(request.path_params["number"])
        if self._numbered(int(number)) is None:
            return problem(404, "Not Found")
        text = (await request.json())["body"]
        said = self._hub.document.get("comments", {})
        self._hub.save(comments={**said, number: [*said.get(number, []), text]})
        return JSONResponse({"id": 1, "body": text}, 201)

    async def _change(self, request: Request) -> Response:
        found = self._numbered(request.path_params["number"])
        if found is None:
            return problem(404, "Not Found")
        asked = await request.json()
        changed = {**found, "state": asked.get("state", found["state"])}
        issues = [
            changed if each["number"] == found["number"] else each
            for each in self._hub.document["issues"]
        ]
        self._hub.save(issues=issues)
        return JSONResponse(self._shown(changed))

    def _numbered(self, number: int) -> dict[str, Any] | None:
        issues: list[dict[str, Any]] = self._hub.document["issues"]
        return next((each for each in issues if each["number"] == number), None)


def _holds(issue: Mapping[str, Any], name: str, text: str) -> bool:
    is_pull = "base" in issue or "pull_request" in issue
    match name, text:
        case "repo", _:
            return text == "python/cpython"
        case "is", "pr" | "issue":
            return is_pull is (text == "pr")
        case (("is" | "state"), "open" | "closed"):
            return bool(issue["state"] == text)
        case "label", _:
            return text in issue["labels"]
        case (("author" | "base"), _):
            return bool(issue.get("user" if name == "author" else "base") == text)
        case _:
            return False
