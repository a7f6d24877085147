"""GitHub: the ports of its issues, branch protection and workflows, over REST.

httpx itself and not a client library for all of GitHub: some twenty requests are sent, each of
them one line here, with the timeouts, retries and errors of every other service.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from doit_receipts.errors import ServiceFailed
from plugins.model.content import Content
from plugins.model.ref_patterns import is_about
from plugins.ports.github import Artifact, BranchRule, Issue, Job, Run
from plugins.services.http_client import HttpClient

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plugins.model.secret import Secret
    from plugins.services.answers import Part

__all__ = ["GitHub"]

_HEADERS: Final = {
    "accept": "application/vnd.github+json",
    "x-github-api-version": "2022-11-28",
}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")
# What PUT takes, in GitHub's words; the rest of what GET answers is addresses and read-only.
_RULES: Final = (
    "required_status_checks", "enforce_admins", "required_pull_request_reviews", "restrictions",
    "required_linear_history", "allow_force_pushes", "allow_deletions", "block_creations",
    "required_conversation_resolution", "lock_branch", "allow_fork_syncing",
)  # fmt: skip
_REPEATED: Final = ("checks", "enforcement_level")
_SWITCHES: Final = ("enforce_admins", *_RULES[4:])
# Where artifacts are kept. Source: GitHub's list of hosts of Actions (docs and changelog of
# October 2026): productionresultssaN.blob.core.windows.net.
_STORAGES: Final = ("blob.core.windows.net", "actions.githubusercontent.com")
_ROOM_BYTES: Final = 1 << 20
_OF_TAGS: Final = ("tag", "")
_NOT_ENFORCED: Final = ("disabled", "evaluate")
_MOST_BUNDLES: Final = 100
_MOST_FOUND: Final = 1_000
"""What GitHub's search gives at most, however much there is."""


class GitHub:
    """The ports of one repository that look at it: Issues, Backports, Protection, Rulesets,
    CommitChecks and Workflows.
    """

    def __init__(self, api: str, repository: str, token: Secret | None) -> None:
        """``api`` is GitHub's address, ``repository`` such as ``python/cpython``."""
        if not _NAME.fullmatch(repository):
            raise ServiceFailed(
                service="github",
                action="open",
                problem=f"{repository!a} is not of the form owner/name",
                remedy="correct it in release.toml",
            )
        self._api = api
        self._repository = repository
        self._token = token
        self._web = HttpClient("github", api, self._login, headers=_HEADERS, leads_to=_STORAGES)
        self._top = f"/repos/{repository}"

    def __repr__(self) -> str:
        return f"github({self._repository} at {self._api})"

    @property
    def web(self) -> HttpClient:
        """The client that all requests go through."""
        return self._web

    def _login(self) -> Mapping[str, str]:
        return {} if self._token is None else {"authorization": f"Bearer {self._token.reveal()}"}

    # ── Issues ─────────────────────────────────────────────────────────────────────────────

    def open_issues(self, *labels: str) -> tuple[Issue, ...]:
        """See the port."""
        listed = self._web.get_all(
            f"{self._top}/issues", "list issues", state="open", labels=",".join(labels)
        )
        found = [_issue(issue) for issue in listed if "pull_request" not in issue.names()]
        return tuple(sorted(found, key=lambda issue: issue.number))

    def open_pulls(self, base: str, *labels: str) -> tuple[Issue, ...]:
        """See the port. By search: only that knows a pull request's base and labels at once."""
        action = "search pull requests"
        named = " ".join(f'label:"{label}"' for label in labels)
        words = f"repo:{self._repository} is:pr is:open base:{base} {named}".rstrip()
        path, found = "/search/issues", []
        for page in range(1, _MOST_FOUND // 100 + 1):
            answer = self._web.get(path, action, q=words, per_page=100, page=page)
            result = self._web.json(answer, action).part()
            if result.flag("incomplete_results"):
                result.refuse("incomplete_results", "is true: GitHub did not search everything")
            items = result.parts("items")
            found += [_issue(item) for item in items]
            count = result.number("total_count")
            if count > _MOST_FOUND:
                problem = f"is {count:,}, more than the {_MOST_FOUND:,} that GitHub lists"
                result.refuse("total_count", problem)
            if not items or len(found) >= count:
                break
        return tuple(sorted(set(found), key=lambda pull: pull.number))

    def first_pull(self, base: str, author: str) -> Issue | None:
        """See the port. One is asked for, however many there are."""
        action = "search pull requests"
        words = f"repo:{self._repository} is:pr base:{base} author:{author}"
        path = "/search/issues"
        answer = self._web.get(path, action, q=words, sort="created", order="asc", per_page=1)
        result = self._web.json(answer, action).part()
        found = result.parts("items")
        if not found and result.flag("incomplete_results"):
            result.refuse("incomplete_results", "is true: GitHub did not search everything")
        return _issue(found[0]) if found else None

    def add_label(self, number: int, label: str) -> None:
        """See the port."""
        path = f"{self._top}/issues/{number}/labels"
        self._web.send("POST", path, f"label issue {number}", again=True, json={"labels": [label]})

    def remove_label(self, number: int, label: str) -> None:
        """See the port."""
        path = f"{self._top}/issues/{number}/labels/{quote(label, safe='')}"
        action = f"remove a label from issue {number}"
        self._web.send("DELETE", path, action, again=True, also=(404,))

    def labels(self) -> tuple[str, ...]:
        """See the port."""
        listed = self._web.get_all(f"{self._top}/labels", "list labels")
        return tuple(label.line("name") for label in listed)

    def make_label(self, name: str, colour: str, description: str) -> None:
        """See the port."""
        if name in self.labels():
            return
        content = {"name": name, "color": colour, "description": description}
        self._web.send("POST", f"{self._top}/labels", f"make {name}", again=False, json=content)

    def rights(self) -> frozenset[str]:
        """See the port."""
        answer = self._web.get(self._top, f"read {self._repository}", may_miss=True)
        if answer.status_code == 404:
            return frozenset()
        repository = self._web.json(answer, f"read {self._repository}")
        rights = repository.part("permissions", may_miss=True)
        return frozenset(name for name in rights.names() if rights.flag(name))

    def accepted_advisories(self) -> int | None:
        """See the port. Source: GitHub's "List repository security advisories"; draft is accepted.

        Who lacks the right gets an empty list, as if there were none. So closed ones are asked
        for first, which are never public and which a repository in use has: by those documents,
        and not tried at GitHub. Pages are counted and thrown away: no title is kept, shown or
        logged.
        """
        action = "count accepted security advisories"
        path = f"{self._top}/security-advisories"
        first = {"state": "closed", "per_page": 1}
        answer = self._web.send("GET", path, action, again=True, also=(403, 404), params=first)
        if answer.status_code == 403 and answer.headers.get("x-ratelimit-remaining") == "0":
            raise self._web.refused(answer, action)
        if answer.status_code != 200 or not self._web.json(answer, action).parts():
            return None
        return len(self._web.get_all(path, action, state="draft"))

    # ── Protection ─────────────────────────────────────────────────────────────────────────

    def rules(self, branch: str) -> dict[str, Any] | None:
        """See the port."""
        action = f"read the protection of {branch}"
        answer = self._web.get(self._protection(branch), action, may_miss=True)
        if answer.status_code == 404:
            return None
        protection = self._web.json(answer, action).part()
        found: dict[str, Any] = {
            name: _plain(protection.plain[name]) for name in _RULES if name in protection.names()
        }
        for name in _SWITCHES:
            if not isinstance(found.get(name, False), bool):
                protection.refuse(name, "is neither true nor false")
        return {**dict.fromkeys(_RULES[:4]), **found}

    def rulesets(self, branch: str) -> tuple[BranchRule, ...]:
        """See the port. Source: GitHub's "Get rules for a branch" and "Get a ruleset"."""
        action = f"read the rulesets of {branch}"
        path = f"{self._top}/rules/branches/{quote(branch, safe='')}"
        rules = self._web.get_all(path, action)
        passed: dict[int, bool] = {}
        for number in sorted({rule.number("ruleset_id") for rule in rules}):
            answer = self._web.get(f"{self._top}/rulesets/{number}", action, may_miss=True)
            known = answer.status_code != 404
            ruleset = self._web.json(answer, action)
            bypass = ruleset.line("current_user_can_bypass", may_miss=True) if known else ""
            passed[number] = bypass in ("always", "exempt")
        return tuple(
            BranchRule(
                rule.line("type"),
                f"{rule.line('ruleset_source', may_miss=True)} #{rule.number('ruleset_id')}",
                passed[rule.number("ruleset_id")],
            )
            for rule in rules
        )

    def tag_rules(self, tag: str) -> tuple[BranchRule, ...]:
        """See the port. Source: GitHub's "Get all repository rulesets" and "Get a ruleset".

        There is no "rules for a tag": which refs a ruleset is about is in its conditions. The list
        need not tell what a ruleset is for, and its word for one that holds is not always "active".
        """
        action = f"read the rulesets of tag {tag}"
        found: list[BranchRule] = []
        for listed in self._web.get_all(f"{self._top}/rulesets", action, targets="tag"):
            if (
                listed.line("target", may_miss=True) not in _OF_TAGS
                or listed.line("enforcement", may_miss=True) in _NOT_ENFORCED
            ):
                continue
            number = listed.number("id")
            ruleset = self._web.json(
                self._web.get(f"{self._top}/rulesets/{number}", action), action
            )
            if ruleset.line("target", may_miss=True) not in _OF_TAGS or not _holds(ruleset, tag):
                continue
            passes = ruleset.line("current_user_can_bypass", may_miss=True) in ("always", "exempt")
            source = ruleset.line("source", may_miss=True)
            found += [
                BranchRule(rule.line("type"), f"{source} #{number}", passes)
                for rule in ruleset.parts("rules", may_miss=True)
            ]
        return tuple(found)

    def enforce_admins(self, branch: str, *, on: bool) -> None:
        """See the port."""
        action = f"{'restore' if on else 'lift'} the protection of {branch}"
        path = f"{self._protection(branch)}/enforce_admins"
        method = "POST" if on else "DELETE"
        answer = self._web.send(method, path, action, again=True, also=(404,))
        if answer.status_code == 404:
            raise ServiceFailed(
                service="github",
                action=action,
                problem="the branch has no protection, or your account may not see it",
                remedy="ask an administrator of the repository for the right to change its "
                "branch protection",
            )

    def protect(self, branch: str, rules: Mapping[str, Any]) -> None:
        """See the port."""
        action = f"protect {branch}"
        answer = self._web.send(
            "PUT", self._protection(branch), action, again=True, also=(404,), json=dict(rules)
        )
        if answer.status_code == 404:
            raise ServiceFailed(
                service="github",
                action=action,
                problem="the branch does not exist, or your account may not protect it",
                remedy="ask an administrator of the repository for the right to change its "
                "branch protection",
            )

    def _protection(self, branch: str) -> str:
        return f"{self._top}/branches/{quote(branch, safe='')}/protection"

    # ── Workflows ──────────────────────────────────────────────────────────────────────────

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> int:
        """See the port."""
        action = f"start {workflow}"
        content = {"ref": ref, "inputs": dict(inputs), "return_run_details": True}
        path = f"{self._top}/actions/workflows/{quote(workflow)}/dispatches"
        # each request is a run of its own
        answer = self._web.send_once("POST", path, action, json=content)
        if answer.status_code == 204 or not answer.content:
            return 0
        return self._web.json(answer, action).number("workflow_run_id", may_miss=True)

    def runs(self, workflow: str) -> tuple[Run, ...]:
        """See the port."""
        action = f"list runs of {workflow}"
        path = f"{self._top}/actions/workflows/{quote(workflow)}/runs"
        answer = self._web.get(path, action, event="workflow_dispatch", per_page=100)
        return tuple(map(_run, self._web.json(answer, action).parts("workflow_runs")))

    def runs_of(self, workflow: str, commit: str) -> tuple[Run, ...]:
        """See the port."""
        path = f"{self._top}/actions/workflows/{quote(workflow)}/runs"
        action = f"list runs of {workflow} for {commit[:12]}"
        listed = self._web.get_all(path, action, key="workflow_runs", head_sha=commit)
        # judged here as well: a server that does not know the filter gives all runs
        return tuple(run for run in map(_run, listed) if run.commit == commit)

    def check_runs(self, commit: str) -> tuple[Job, ...]:
        """See the port."""
        path = f"{self._top}/commits/{quote(commit, safe='')}/check-runs"
        listed = self._web.get_all(path, f"list checks of {commit[:12]}", key="check_runs")
        return tuple(map(_job, listed))

    def run(self, number: int) -> Run:
        """See the port."""
        action = f"read run {number}"
        answer = self._web.get(f"{self._top}/actions/runs/{number}", action)
        return _run(self._web.json(answer, action))

    def jobs(self, number: int) -> tuple[Job, ...]:
        """See the port."""
        path = f"{self._top}/actions/runs/{number}/jobs"
        listed = self._web.get_all(path, f"list jobs of run {number}", key="jobs")
        return tuple(map(_job, listed))

    def artifacts(self, number: int) -> tuple[Artifact, ...]:
        """See the port."""
        path = f"{self._top}/actions/runs/{number}/artifacts"
        listed = self._web.get_all(path, f"list artifacts of run {number}", key="artifacts")
        return tuple(
            Artifact(
                artifact.number("id"),
                artifact.line("name"),
                Content(
                    artifact.number("size_in_bytes"),
                    artifact.line("digest", may_miss=True).removeprefix("sha256:"),
                ),
                artifact.flag("expired"),
            )
            for artifact in listed
        )

    def attestations(self, sha256: str, predicate_type: str) -> tuple[bytes, ...]:
        """See the port. Nothing that has this digest is answered by an empty list or by 404.

        Source: GitHub's "List attestations" of version 2022-11-28, the bundle in the list.
        """
        action = f"list attestations of {sha256[:16]}…"
        path = f"{self._top}/attestations/sha256:{sha256}"
        answer = self._web.get(
            path, action, may_miss=True, per_page=_MOST_BUNDLES, predicate_type=predicate_type
        )
        if answer.status_code == 404:
            return ()
        found = self._web.json(answer, action).parts("attestations")
        bundles = (each.part("bundle", may_miss=True).plain for each in found)
        return tuple(json.dumps(bundle).encode() for bundle in bundles if bundle)

    def download(self, artifact: Artifact, file: Path) -> str:
        """See the port."""
        path = f"{self._top}/actions/artifacts/{artifact.id}/zip"
        most_bytes = artifact.content.size_bytes + _ROOM_BYTES
        return self._web.download(path, f"fetch {artifact.name}", file, most_bytes)


def _issue(part: Part) -> Issue:
    labels = tuple(sorted(label.line("name") for label in part.parts("labels")))
    return Issue(part.number("number"), part.line("title"), part.url("html_url"), labels)


def _run(part: Part) -> Run:
    ended = part.line("status") == "completed"
    title = part.line("display_title", may_miss=True) or part.line("name", may_miss=True)
    return Run(
        part.number("id"),
        title,
        part.line("head_sha"),
        part.line("conclusion", may_miss=True) if ended else "",
        part.url("html_url"),
    )


def _job(part: Part) -> Job:
    return Job(
        part.line("name"),
        part.line("conclusion", may_miss=True),
        part.url("html_url", may_miss=True),
    )


def _holds(ruleset: Part, tag: str) -> bool:
    """Whether the conditions of a ruleset name the tag; to exclude counts for more."""
    names = ruleset.part("conditions", may_miss=True).part("ref_name", may_miss=True)
    included, excluded = (
        any(is_about(each.line(), f"refs/tags/{tag}") for each in names.parts(key, may_miss=True))
        for key in ("include", "exclude")
    )
    return included and not excluded


def _plain(value: Any) -> Any:
    """What GET answers, as PUT takes it: no addresses, switches as booleans, people by name."""
    if isinstance(value, list):
        names = [_plain(item) for item in value]
        return sorted(names) if all(isinstance(name, str) for name in names) else names
    if not isinstance(value, dict):
        return value
    if "enabled" in value and set(value) <= {"url", "enabled"}:
        return value["enabled"]
    for key in ("slug", "login"):
        if key in value:
            return value[key]
    return {
        name: _plain(field)
        for name, field in value.items()
        if name != "url" and not name.endswith("_url") and name not in _REPEATED
    }
