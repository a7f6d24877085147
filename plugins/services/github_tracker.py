"""GitHub tracker: the Tracker port, which changes hundreds of issues within GitHub's limits.

Source of the limits: GitHub's "Best practices for using the REST API" and "Rate limits for the REST
API": a second between writes, and what Retry-After says once a secondary limit is met.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from doit_receipts.errors import Waiting
from plugins.services.github import GitHub
from plugins.services.http_errors import LimitReached
from plugins.services.retry_after import until

if TYPE_CHECKING:
    from plugins.model.secret import Secret
    from plugins.ports.github import Issue
    from plugins.services.answers import Part

__all__ = ["GitHubTracker"]

_PAUSE_S: Final = 1.0


class GitHubTracker:
    """The tracker of one repository; ``pause_s`` is the least time between two writes."""

    def __init__(
        self, api: str, repository: str, token: Secret | None, *, pause_s: float = _PAUSE_S
    ) -> None:
        self._hub = GitHub(api, repository, token)
        self._web = self._hub._web  # noqa: SLF001 - the same client of the same server
        self._top = f"/repos/{repository}"
        self._pause_s = pause_s
        self._written_s = 0.0

    def __repr__(self) -> str:
        return f"tracker({self._hub!r})"

    def open_issues(self, *labels: str) -> tuple[Issue, ...]:
        """See the port."""
        return self._hub.open_issues(*labels)

    def pulls_into(self, base: str) -> tuple[Issue, ...]:
        """See the port. By the list of pull requests: the search is late by minutes."""
        from plugins.ports.github import Issue

        listed = self._web.get_all(
            f"{self._top}/pulls", f"list pull requests into {base}", state="open", base=base
        )
        found = [
            Issue(
                pull.number("number"),
                pull.line("title"),
                pull.url("html_url"),
                tuple(sorted(label.line("name") for label in pull.parts("labels"))),
            )
            for pull in listed
            if pull.part("base").line("ref") == base
        ]
        return tuple(sorted(found, key=lambda pull: pull.number))

    def described_labels(self) -> dict[str, str]:
        """See the port."""
        listed = self._web.get_all(f"{self._top}/labels", "list labels")
        return {label.line("name"): label.line("description", may_miss=True) for label in listed}

    def describe_label(self, name: str, description: str, *, new_name: str = "") -> None:
        """See the port. Source: GitHub's "Update a label"."""
        content = {"description": description, **({"new_name": new_name} if new_name else {})}
        action = f"change the label {name}"
        self._write("PATCH", self._label(name), action, json=content)

    def make_label(self, name: str, colour: str, description: str) -> None:
        """See the port."""
        self._keep_distance()
        self._hub.make_label(name, colour, description)

    def delete_label(self, name: str) -> None:
        """See the port."""
        self._write("DELETE", self._label(name), f"delete the label {name}", also=(404,))

    def add_label(self, number: int, label: str) -> None:
        """See the port."""
        path = f"{self._top}/issues/{number}/labels"
        self._write("POST", path, f"label issue {number}", json={"labels": [label]})

    def comments(self, number: int) -> tuple[str, ...]:
        """See the port."""
        path = f"{self._top}/issues/{number}/comments"
        listed = self._web.get_all(path, f"list comments of {number}")
        return tuple(_body(comment) for comment in listed)

    def comment(self, number: int, text: str) -> None:
        """See the port."""
        path = f"{self._top}/issues/{number}/comments"
        # not again: each request is a comment of its own
        self._write("POST", path, f"comment on {number}", again=False, json={"body": text})

    def close(self, number: int) -> None:
        """See the port. A pull request is an issue here as well."""
        path = f"{self._top}/issues/{number}"
        self._write("PATCH", path, f"close {number}", json={"state": "closed"})

    def user(self) -> str:
        """See the port."""
        action = "look who the token is of"
        return self._web.json(self._web.get("/user", action), action).line("login")

    def permission(self, user: str) -> str:
        """See the port. Source: GitHub's "Get repository permissions for a user"."""
        action = f"look what {user} may do"
        path = f"{self._top}/collaborators/{quote(user, safe='')}/permission"
        answer = self._web.get(path, action, may_miss=True)
        if answer.status_code == 404:
            return "none"
        return self._web.json(answer, action).line("permission")

    # ── inside ─────────────────────────────────────────────────────────────────────────────

    def _write(
        self, method: str, path: str, action: str, *, again: bool = True, **more: Any
    ) -> None:
        self._keep_distance()
        try:
            self._web.send(method, path, action, again=again, **more)
        except LimitReached as error:
            raise Waiting(
                who="GitHub",
                problem=f"{action}: its limit of an hour is used up until {until(error.left_s)}",
                remedy="run the same command again then; what was done is not done again",
            ) from error

    def _keep_distance(self) -> None:
        """The last write is at least as long ago as GitHub asks for."""
        left = self._written_s + self._pause_s - time.monotonic()
        if self._written_s and left > 0:
            time.sleep(left)
        self._written_s = time.monotonic()

    def _label(self, name: str) -> str:
        return f"{self._top}/labels/{quote(name, safe='')}"


def _body(comment: Part) -> str:
    found = comment.plain.get("body")
    return found if isinstance(found, str) else ""
