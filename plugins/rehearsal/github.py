"""Simulated GitHub: the part of its REST API (version 2022-11-28) that is used here.

Documents of the store, all editable by hand: ``github`` (who may, issues, labels, texts, pull
requests), ``protection`` (a branch to its rules; the hooks of ``remotes`` keep them), ``ci``
(how runs of workflows go and what they leave) and ``github_limit`` (how many writes it takes).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from plugins.rehearsal import blog, github_provenance, github_steps
from plugins.rehearsal.github_actions import Actions
from plugins.rehearsal.github_branches import Branches
from plugins.rehearsal.github_hub import REPOSITORY, TOKEN, Hub, problem, repository_of
from plugins.rehearsal.github_texts import Texts
from plugins.rehearsal.github_tracker import Tracker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from plugins.rehearsal.github_hub import Handler
    from plugins.rehearsal.store import Store

__all__ = ["FAULTS", "add_series", "app", "seed"]

FAULTS: Final = {
    "github.500": "GitHub answers with status 500 and has done nothing",
    "github.500_after_write": "GitHub answers with status 500 after it has done what was asked",
    "github.late_read": "GitHub answers the first read of a file after a write with status 404",
    "github.rate_limited": "the hourly limit is used up: status 403 with the time of its reset",
    "github.secondary_limit": "the secondary rate limit is reached: status 429 with Retry-After",
    "github.artifact_other_bytes": "a downloaded artifact has other bytes than its digest says",
    "github.search_incomplete": "GitHub's search times out and marks its results as incomplete",
    "github.no_backports": "the bot that backports has not opened any pull request",
    "github.advisories": "as many accepted advisories as the argument says are secret",
    "github.ruleset": "a ruleset with the rule of the argument applies to every branch",
    "ci.base_red": "the tests of the base commit ended as the argument says (failure)",
    "ci.base_running": "the tests of the base commit are still running",
    "ci.base_untested": "nothing has tested the base commit",
    "ci.fails": "the job named by the argument fails",
    "ci.never_ends": "workflow runs never end",
    **github_provenance.FAULTS,
    **github_steps.FAULTS,
}

_RULES: Final = {
    "enforce_admins": True,
    "required_status_checks": {"strict": False, "contexts": ["Docs", "Tests", "Windows"]},
    "required_pull_request_reviews": {
        "dismiss_stale_reviews": False,
        "require_code_owner_reviews": True,
        "required_approving_review_count": 1,
    },
    "restrictions": None,
    "required_linear_history": False,
    "allow_force_pushes": False,
    "allow_deletions": False,
}
_LABELS: Final = ("release-blocker", "deferred-blocker", "type-crash", "easy", "type-feature")
_JOBS: Final = ("verify-input", "build-source", "build-docs", "test-source", "test-docs")


def seed(
    store: Store, series: str, branches: Sequence[str], *, pep: int = 0, deferred: bool = True
) -> None:
    """The store has a GitHub on the morning of a release of the series, unless it has one.

    ``branches`` are those that are there and protected; the second is the series before.
    ``deferred`` says whether a blocker was put off until after this release.
    """
    if store.load("github", None) is not None:
        return
    before = branches[1]
    schedule = f"The schedule of Python {series}.\n\nExpected:\n"
    store.save(
        "github",
        {
            "token": TOKEN,
            "user": "rm",
            "permissions": {"pull": True, "triage": True, "push": True, "maintain": True,
                            "admin": True},
            "labels": [*_LABELS, series, before, f"needs backport to {before}"],
            "issues": [
                _issue(1, "Spam is refused", ["release-blocker", before]),
                _issue(2, "Eggs may wait", [*(["deferred-blocker"] if deferred else []), series]),
                _issue(3, "A crash of long standing", ["type-crash", series]),
                # the backport of a security fix into the branch of the series before
                {**_issue(4, "gh-1: Refuse spam", ["type-security", "release-blocker"]),
                 "base": before},
            ],
            "pulls": [],
            "texts": {
                f"python/peps/peps/pep-{pep:04}.rst": schedule,
                f"{blog.REPOSITORY}/README.md": "# Python Insider\n",
                **{f"{blog.REPOSITORY}/{path}": text for path, text in blog.authors().items()},
            },
            "branches": {},
        },
    )  # fmt: skip
    store.save("protection", dict.fromkeys(sorted({*branches, before}), _RULES))
    store.save("ci", {"polls": 2, "jobs": dict.fromkeys(_JOBS, "success"), "files": {}, "runs": []})


def add_series(store: Store, series: str) -> None:
    """There is another series: its label, and a branch that is protected as the others are."""
    hub = store.load("github", {})
    store.save("github", {**hub, "labels": list(dict.fromkeys((*hub["labels"], series)))})
    store.save("protection", {**store.load("protection", {}), series: _RULES})


def _issue(number: int, title: str, labels: list[str]) -> dict[str, Any]:
    return {"number": number, "title": title, "labels": labels, "state": "open"}


def app(store: Store) -> Starlette:
    """GitHub's API over what the store remembers."""
    hub = Hub(store)
    guard = _Guard(hub)
    routes = [
        ("GET", "/user", guard.user),
        ("GET", REPOSITORY, guard.repository),
        ("GET", REPOSITORY + "/collaborators/{user}/permission", guard.permission),
        *(route for part in (Tracker, Branches, Actions, Texts) for route in part(hub).routes()),
    ]
    return Starlette(
        routes=[
            Route(path, guard.guarded(handler), methods=[method])
            for method, path, handler in routes
        ]
    )


class _Guard:
    """Login, limits and faults in front of everything, and who somebody is."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def guarded(self, handler: Handler) -> Handler:
        """The handler behind login, limits and faults."""

        async def answer(request: Request) -> Response:
            refusal = self._refusal(request)
            if refusal is not None:
                return refusal
            done = await handler(request)
            if request.method != "GET":
                self._hub.store.record(
                    "github", request.method, path=request.url.path, status=done.status_code
                )
                if self._hub.store.fault("github.500_after_write") is not None:
                    return problem(500, "Server Error")
            done.headers["x-ratelimit-remaining"] = "4999"
            return done

        return answer

    def _refusal(self, request: Request) -> Response | None:
        if request.url.path.startswith("/_storage/"):
            # as at GitHub: the storage's own host refuses what was meant for the API
            return problem(400, "Bad Request") if "authorization" in request.headers else None
        if request.headers.get("authorization") != f"Bearer {self._hub.document['token']}":
            return problem(401, "Bad credentials")
        if self._hub.store.fault("github.rate_limited") is not None:
            answer = problem(403, "API rate limit exceeded for user ID 1.")
            answer.headers["x-ratelimit-remaining"] = "0"
            answer.headers["x-ratelimit-reset"] = str(int(time.time()) + 3600)
            return answer
        too_fast = request.method != "GET" and self._is_too_fast()
        if too_fast or self._hub.store.fault("github.secondary_limit") is not None:
            answer = problem(429, "You have exceeded a secondary rate limit.")
            answer.headers["retry-after"] = "1"
            return answer
        if self._hub.store.fault("github.500") is not None:
            return problem(500, "Server Error")
        return None

    def _is_too_fast(self) -> bool:
        """The document ``github_limit`` may say after how many writes in a row GitHub refuses one.

        Source: GitHub's "Rate limits for the REST API"; there it is 80 a minute.
        """
        limit = self._hub.store.load("github_limit", {})
        if not limit:
            return False
        done = limit["done"] + 1 if limit["done"] < limit["burst"] else 0
        self._hub.store.save("github_limit", {**limit, "done": done})
        if not done:
            self._hub.store.record("faults", "github_limit", argument=str(limit["burst"]))
        return not done

    async def user(self, _request: Request) -> Response:
        return JSONResponse({"login": self._hub.document["user"], "id": 1, "type": "User"})

    async def permission(self, request: Request) -> Response:
        """Source: GitHub's "Get repository permissions for a user"."""
        user, document = request.path_params["user"], self._hub.document
        if user != document["user"]:
            return problem(404, "Not Found")
        rights = document["permissions"]
        found = next((each for each in ("admin", "push", "pull") if rights.get(each)), "none")
        words = {"push": "write", "pull": "read"}
        return JSONResponse({"permission": words.get(found, found), "user": {"login": user}})

    async def repository(self, request: Request) -> Response:
        name = repository_of(request)
        return JSONResponse(
            {
                "full_name": name,
                "default_branch": "main",
                "permissions": self._hub.document["permissions"],
            }
        )
