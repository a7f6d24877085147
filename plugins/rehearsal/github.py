"""GitHub of the rehearsed world: the part of its REST API (version 2022-11-28) that is used here.

Documents of the store, all editable by hand: ``github`` (who may, issues, labels, texts, pull
requests), ``protection`` (a branch to its rules; the hooks of ``remotes`` keep them) and ``ci``
(how runs of workflows go and what they leave).
"""

from __future__ import annotations

import base64
import hashlib
import io
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from plugins.rehearsal import blog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.requests import Request

    from plugins.rehearsal.store import Store

    Handler = Callable[[Request], Awaitable[Response]]

__all__ = ["FAULTS", "app", "seed"]

FAULTS: Final = {
    "github.500": "GitHub answers with status 500 and has done nothing",
    "github.500_after_write": "GitHub answers with status 500 after it has done what was asked",
    "github.rate_limited": "the hourly limit is used up: status 403 and when it is filled again",
    "github.secondary_limit": "the limit against floods: status 429 with Retry-After",
    "github.artifact_other_bytes": "a downloaded artifact is not the one that was told",
    "ci.fails": "the job named by the argument fails",
    "ci.never_ends": "runs of workflows go on for ever",
}

_TOKEN: Final = "rehearsal-github-token"  # noqa: S105 - opens nothing but this world
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
    ``deferred`` tells whether a blocker was put off until after this release.
    """
    if store.load("github", None) is not None:
        return
    before = branches[1]
    schedule = f"The schedule of Python {series}.\n\nExpected:\n"
    store.save(
        "github",
        {
            "token": _TOKEN,
            "user": "rm",
            "permissions": {"pull": True, "triage": True, "push": True, "maintain": True,
                            "admin": True},
            "labels": [*_LABELS, series, before, f"needs backport to {before}"],
            "issues": [
                _issue(1, "Spam is refused", ["release-blocker", before]),
                _issue(2, "Eggs may wait", [*(["deferred-blocker"] if deferred else []), series]),
                _issue(3, "A crash of long standing", ["type-crash", series]),
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


def _issue(number: int, title: str, labels: list[str]) -> dict[str, Any]:
    return {"number": number, "title": title, "labels": labels, "state": "open"}


def app(store: Store) -> Starlette:
    """GitHub's API over what the store remembers."""
    hub = _Hub(store)
    top = "/repos/{owner}/{repo}"
    branch = top + "/branches/{branch}/protection"
    actions = top + "/actions"
    routes = (
        ("GET", "/user", hub.user),
        ("GET", top, hub.repository),
        ("GET", top + "/issues", hub.issues),
        ("POST", top + "/issues/{number:int}/labels", hub.add_labels),
        ("DELETE", top + "/issues/{number:int}/labels/{name:path}", hub.remove_label),
        ("GET", top + "/labels", hub.labels),
        ("POST", top + "/labels", hub.make_label),
        ("GET", branch, hub.protection),
        ("PUT", branch, hub.protect),
        ("GET", branch + "/enforce_admins", hub.admins),
        ("POST", branch + "/enforce_admins", hub.enforce),
        ("DELETE", branch + "/enforce_admins", hub.spare),
        ("POST", actions + "/workflows/{workflow}/dispatches", hub.dispatch),
        ("GET", actions + "/workflows/{workflow}/runs", hub.runs),
        ("GET", actions + "/runs/{id:int}", hub.run),
        ("GET", actions + "/runs/{id:int}/jobs", hub.jobs),
        ("GET", actions + "/runs/{id:int}/artifacts", hub.artifacts),
        ("GET", actions + "/artifacts/{id:int}/zip", hub.zip),
        ("GET", "/_storage/{id:int}", hub.storage),
        ("GET", top + "/git/ref/heads/{branch:path}", hub.ref),
        ("POST", top + "/git/refs", hub.make_ref),
        ("GET", top + "/contents/{path:path}", hub.text),
        ("PUT", top + "/contents/{path:path}", hub.write_text),
        ("GET", top + "/pulls", hub.pulls),
        ("POST", top + "/pulls", hub.open_pull),
    )
    return Starlette(
        routes=[
            Route(path, hub.guarded(handler), methods=[method]) for method, path, handler in routes
        ]
    )


def _problem(status: int, message: str, **more: Any) -> Response:
    content = {"message": message, "documentation_url": "https://docs.github.com/rest",
               "status": str(status), **more}  # fmt: skip
    return JSONResponse(content, status)


class _Hub:
    def __init__(self, store: Store) -> None:
        self._store = store

    def guarded(self, handler: Handler) -> Handler:
        """The handler behind login, limits and accidents."""

        async def answer(request: Request) -> Response:
            refusal = self._refusal(request)
            if refusal is not None:
                return refusal
            done = await handler(request)
            if request.method != "GET":
                self._store.record(
                    "github", request.method, path=request.url.path, status=done.status_code
                )
                if self._store.fault("github.500_after_write") is not None:
                    return _problem(500, "Server Error")
            done.headers["x-ratelimit-remaining"] = "4999"
            return done

        return answer

    def _refusal(self, request: Request) -> Response | None:
        if request.url.path.startswith("/_storage/"):
            # as at GitHub: the storage's own host refuses what was meant for the API
            return _problem(400, "Bad Request") if "authorization" in request.headers else None
        if request.headers.get("authorization") != f"Bearer {self._hub['token']}":
            return _problem(401, "Bad credentials")
        if self._store.fault("github.rate_limited") is not None:
            answer = _problem(403, "API rate limit exceeded for user ID 1.")
            answer.headers["x-ratelimit-remaining"] = "0"
            answer.headers["x-ratelimit-reset"] = str(int(time.time()) + 3600)
            return answer
        if self._store.fault("github.secondary_limit") is not None:
            answer = _problem(429, "You have exceeded a secondary rate limit.")
            answer.headers["retry-after"] = "1"
            return answer
        if self._store.fault("github.500") is not None:
            return _problem(500, "Server Error")
        return None

    @property
    def _hub(self) -> dict[str, Any]:
        found: dict[str, Any] = self._store.load("github", {"token": _TOKEN})
        return found

    def _save(self, **more: Any) -> None:
        self._store.save("github", {**self._hub, **more})

    # ── who, issues and labels ─────────────────────────────────────────────────────────────

    async def user(self, _request: Request) -> Response:
        return JSONResponse({"login": self._hub["user"], "id": 1, "type": "User"})

    async def repository(self, request: Request) -> Response:
        name = "{owner}/{repo}".format(**request.path_params)
        return JSONResponse(
            {"full_name": name, "default_branch": "main", "permissions": self._hub["permissions"]}
        )

    async def issues(self, request: Request) -> Response:
        wanted = {each for each in request.query_params.get("labels", "").split(",") if each}
        state = request.query_params.get("state", "open")
        found = [
            self._shown(each)
            for each in sorted(self._hub["issues"], key=lambda one: -one["number"])
            if wanted <= set(each["labels"]) and state in ("all", each["state"])
        ]
        return self._page(request, found)

    def _shown(self, issue: Mapping[str, Any]) -> dict[str, Any]:
        url = f"https://github.com/python/cpython/issues/{issue['number']}"
        labels = [{"id": number, "name": each} for number, each in enumerate(issue["labels"])]
        return {**issue, "html_url": url, "labels": labels}

    def _page(self, request: Request, found: list[dict[str, Any]], key: str = "") -> Response:
        size = min(int(request.query_params.get("per_page", "30")), 100)
        page = int(request.query_params.get("page", "1"))
        part = found[(page - 1) * size : page * size]
        answer = JSONResponse({"total_count": len(found), key: part} if key else part)
        if page * size < len(found):
            url = request.url.include_query_params(page=page + 1)
            answer.headers["link"] = f'<{url}>; rel="next"'
        return answer

    def _edited(self, number: int, labels: Callable[[list[str]], list[str]]) -> Response:
        issues = self._hub["issues"]
        for each in issues:
            if each["number"] == number:
                each["labels"] = labels(each["labels"])
                self._save(issues=issues)
                return JSONResponse(self._shown(each)["labels"])
        return _problem(404, "Not Found")

    async def add_labels(self, request: Request) -> Response:
        wanted = (await request.json())["labels"]
        return self._edited(
            request.path_params["number"], lambda have: [*have, *(set(wanted) - set(have))]
        )

    async def remove_label(self, request: Request) -> Response:
        name, number = request.path_params["name"], request.path_params["number"]
        has = any(each["number"] == number and name in each["labels"]
                  for each in self._hub["issues"])  # fmt: skip
        if not has:
            return _problem(404, "Label does not exist")
        return self._edited(number, lambda have: [each for each in have if each != name])

    async def labels(self, request: Request) -> Response:
        return self._page(request, [{"name": each} for each in self._hub["labels"]])

    async def make_label(self, request: Request) -> Response:
        name = (await request.json())["name"]
        if name in self._hub["labels"]:
            return _problem(422, "Validation Failed",
                            errors=[{"resource": "Label", "code": "already_exists"}])  # fmt: skip
        self._save(labels=[*self._hub["labels"], name])
        return JSONResponse({"name": name}, 201)

    # ── branch protection ──────────────────────────────────────────────────────────────────

    def _rules(self, request: Request) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._store.load("protection", {}).get(
            request.path_params["branch"]
        )
        return found

    def _keep(self, request: Request, rules: Mapping[str, Any]) -> None:
        document = self._store.load("protection", {})
        self._store.save("protection", {**document, request.path_params["branch"]: dict(rules)})

    async def protection(self, request: Request) -> Response:
        rules = self._rules(request)
        if rules is None:
            return _problem(404, "Branch not protected")
        url = str(request.url)
        shown: dict[str, Any] = {"url": url}
        for name, value in rules.items():
            if isinstance(value, bool):
                shown[name] = {"url": f"{url}/{name}", "enabled": value}
            elif value is not None:
                shown[name] = {"url": f"{url}/{name}", **value}
        return JSONResponse(shown)

    async def protect(self, request: Request) -> Response:
        rules = await request.json()
        wanted = ("required_status_checks", "enforce_admins", "required_pull_request_reviews",
                  "restrictions")  # fmt: skip
        missing = [name for name in wanted if name not in rules]
        if missing:
            return _problem(422, f"Invalid request.\n\n{missing[0]!r} wasn't supplied.")
        self._keep(request, rules)
        return await self.protection(request)

    async def admins(self, request: Request) -> Response:
        rules = self._rules(request)
        if rules is None:
            return _problem(404, "Branch not protected")
        return JSONResponse({"url": str(request.url), "enabled": rules["enforce_admins"]})

    async def enforce(self, request: Request) -> Response:
        return self._enforced(request, on=True)

    async def spare(self, request: Request) -> Response:
        return self._enforced(request, on=False)

    def _enforced(self, request: Request, *, on: bool) -> Response:
        rules = self._rules(request)
        if rules is None:
            return _problem(404, "Branch not protected")
        self._keep(request, {**rules, "enforce_admins": on})
        return (
            JSONResponse({"url": str(request.url), "enabled": True}) if on else Response(None, 204)
        )

    # ── workflows ──────────────────────────────────────────────────────────────────────────

    @property
    def _ci(self) -> dict[str, Any]:
        found: dict[str, Any] = self._store.load("ci", {"polls": 0, "jobs": {}, "runs": []})
        return found

    async def dispatch(self, request: Request) -> Response:
        asked = await request.json()
        if "ref" not in asked:
            return _problem(422, 'Invalid request.\n\n"ref" wasn\'t supplied.')
        ci = self._ci
        number = 9_000_001 + len(ci["runs"])
        run = {
            "id": number,
            "workflow": request.path_params["workflow"],
            "name": "Build release artifacts",
            "inputs": asked.get("inputs", {}),
            "polls": 0,
        }
        self._store.save("ci", {**ci, "runs": [*ci["runs"], run]})
        if asked.get("return_run_details"):
            return JSONResponse({"workflow_run_id": number, "html_url": _run_url(number)})
        return Response(None, 204)

    async def runs(self, request: Request) -> Response:
        found = [
            self._told(each)
            for each in reversed(self._ci["runs"])
            if each["workflow"] == request.path_params["workflow"]
        ]
        return self._page(request, found, "workflow_runs")

    async def run(self, request: Request) -> Response:
        ci = self._ci
        for each in ci["runs"]:
            if each["id"] == request.path_params["id"]:
                if self._store.fault("ci.never_ends") is None:
                    each["polls"] += 1
                    self._store.save("ci", ci)
                return JSONResponse(self._told(each))
        return _problem(404, "Not Found")

    def _told(self, run: Mapping[str, Any]) -> dict[str, Any]:
        conclusion = self._conclusion(run)
        return {
            "id": run["id"],
            "name": run["name"],
            "display_title": run["name"],
            "event": "workflow_dispatch",
            "head_branch": "main",
            "head_sha": hashlib.sha1(b"release-tools", usedforsecurity=False).hexdigest(),
            "status": "completed" if conclusion else "in_progress",
            "conclusion": conclusion or None,
            "html_url": _run_url(run["id"]),
            "actor": {"login": self._hub["user"]},
        }

    def _conclusion(self, run: Mapping[str, Any]) -> str:
        if run["polls"] <= self._ci["polls"]:
            return ""
        good = all(each == "success" for each in self._jobs(run).values())
        return "success" if good else "failure"

    def _jobs(self, run: Mapping[str, Any]) -> dict[str, str]:
        ordered = self._store.load("faults", {}).get("ci.fails", {"times": 0, "argument": ""})
        jobs: dict[str, str] = dict(self._ci["jobs"])
        if ordered["times"] and ordered["argument"] in jobs:
            jobs[ordered["argument"]] = "failure"
        ended = run["polls"] > self._ci["polls"]
        return (
            jobs if ended else {name: jobs[name] if not at else "" for at, name in enumerate(jobs)}
        )

    async def jobs(self, request: Request) -> Response:
        for each in self._ci["runs"]:
            if each["id"] == request.path_params["id"]:
                found = [
                    {"id": number, "name": name, "conclusion": conclusion or None,
                     "status": "completed" if conclusion else "in_progress",
                     "html_url": f"{_run_url(each['id'])}/job/{number}"}
                    for number, (name, conclusion) in enumerate(self._jobs(each).items())
                ]  # fmt: skip
                return self._page(request, found, "jobs")
        return _problem(404, "Not Found")

    async def artifacts(self, request: Request) -> Response:
        found = []
        for number, name in enumerate(sorted(self._ci.get("files", {})), start=1):
            content = self._zip(name)
            found.append(
                {"id": number, "name": name, "size_in_bytes": len(content), "expired": False,
                 "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
                 "archive_download_url": f"{request.base_url}_storage/{number}"}
            )  # fmt: skip
        return self._page(request, found, "artifacts")

    async def zip(self, request: Request) -> Response:
        number = request.path_params["id"]
        # another host, as far as a client that guards its token can tell
        other = str(request.base_url).replace("127.0.0.1", "localhost")
        return RedirectResponse(f"{other}_storage/{number}?sig=abc", 302)

    async def storage(self, request: Request) -> Response:
        names = sorted(self._ci.get("files", {}))
        content = self._zip(names[request.path_params["id"] - 1])
        if self._store.fault("github.artifact_other_bytes") is not None:
            content += b"\0"
        return Response(content, media_type="application/zip")

    def _zip(self, name: str) -> bytes:
        """The zip of an artifact: texts, or files of this machine that its list names."""
        stream = io.BytesIO()
        listed = self._ci["files"][name]
        with zipfile.ZipFile(stream, "w") as archive:
            for path, content in _contents(listed):
                archive.writestr(zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0)), content)
        return stream.getvalue()

    # ── texts and pull requests ────────────────────────────────────────────────────────────

    def _texts(self, repository: str, branch: str) -> dict[str, str] | None:
        """The branch's texts by path; None if there is no such branch."""
        if branch != "main":
            found: dict[str, str] | None = self._hub["branches"].get(f"{repository}:{branch}")
            return found
        # a fork's main branch has what the repository has that it is a fork of
        name = repository.partition("/")[2]
        top = f"python/{name}/"
        return {
            path.removeprefix(top): text
            for path, text in self._hub["texts"].items()
            if path.startswith(top)
        }

    def _sha(self, texts: Mapping[str, str]) -> str:
        told = repr(sorted(texts.items())).encode()
        return hashlib.sha1(told, usedforsecurity=False).hexdigest()

    async def ref(self, request: Request) -> Response:
        repository = "{owner}/{repo}".format(**request.path_params)
        branch = request.path_params["branch"]
        texts = self._texts(repository, branch)
        if texts is None:
            return _problem(404, "Not Found")
        sha = self._sha(texts)
        return JSONResponse(
            {"ref": f"refs/heads/{branch}", "object": {"type": "commit", "sha": sha}}
        )

    async def make_ref(self, request: Request) -> Response:
        repository = "{owner}/{repo}".format(**request.path_params)
        asked = await request.json()
        branch = asked["ref"].removeprefix("refs/heads/")
        if self._texts(repository, branch) is not None:
            return _problem(422, "Reference already exists")
        texts = self._texts(repository, "main") or {}
        if asked["sha"] != self._sha(texts):
            return _problem(422, "Object does not exist")
        branches = {**self._hub["branches"], f"{repository}:{branch}": texts}
        self._save(branches=branches)
        return JSONResponse({"ref": asked["ref"], "object": {"sha": asked["sha"]}}, 201)

    async def text(self, request: Request) -> Response:
        repository = "{owner}/{repo}".format(**request.path_params)
        texts = self._texts(repository, request.query_params.get("ref", "main"))
        path = request.path_params["path"]
        if texts is None or path not in texts:
            return _problem(404, "Not Found")
        raw = texts[path].encode()
        return JSONResponse(
            {"type": "file", "encoding": "base64", "path": path, "sha": _blob(raw),
             "content": base64.encodebytes(raw).decode()}
        )  # fmt: skip

    async def write_text(self, request: Request) -> Response:
        repository = "{owner}/{repo}".format(**request.path_params)
        asked = await request.json()
        path, branch = request.path_params["path"], asked["branch"]
        texts = self._texts(repository, branch)
        if texts is None or branch == "main":
            return _problem(404, f"Branch {branch} not found")
        before = texts.get(path)
        if before is not None and asked.get("sha") != _blob(before.encode()):
            return _problem(409, f"{path} does not match {asked.get('sha')}")
        text = base64.b64decode(asked["content"]).decode()
        branches = {**self._hub["branches"], f"{repository}:{branch}": {**texts, path: text}}
        self._save(branches=branches)
        status = 201 if before is None else 200
        return JSONResponse({"content": {"path": path, "sha": _blob(text.encode())}}, status)

    async def pulls(self, request: Request) -> Response:
        repository = "{owner}/{repo}".format(**request.path_params)
        head, state = (request.query_params.get(each, "") for each in ("head", "state"))
        found = [
            self._pull(each)
            for each in reversed(self._hub["pulls"])
            if each["repository"] == repository
            and head in ("", each["head"])
            and state in ("all", each["state"])
        ]
        return self._page(request, found)

    def _pull(self, pull: Mapping[str, Any]) -> dict[str, Any]:
        owner, _, branch = pull["head"].partition(":")
        name = pull["repository"].partition("/")[2]
        texts = self._texts(f"{owner}/{name}", branch) or {}
        url = f"https://github.com/{pull['repository']}/pull/{pull['number']}"
        merged = pull.get("merged_at")
        # the verdict is told by checks of the commit, never by the pull request itself
        known = {name: value for name, value in pull.items() if name != "verdict"}
        return {**known, "html_url": url, "merged_at": merged,
                "head": {"ref": branch, "label": pull["head"], "sha": self._sha(texts)},
                "base": {"ref": pull["base"]}}  # fmt: skip

    def _verdict(self, repository: str, owner: str, branch: str) -> str:
        """What stops the pull request in its CI; "" if that is green, or there is none."""
        if repository != blog.REPOSITORY:
            return ""
        name = repository.partition("/")[2]
        texts = self._texts(f"{owner or 'python'}/{name}", branch) or {}
        return blog.verdict(self._texts(repository, "main") or {}, texts)

    async def open_pull(self, request: Request) -> Response:
        repository = "{owner}/{repo}".format(**request.path_params)
        asked = await request.json()
        owner, _, branch = asked["head"].rpartition(":")
        head = f"{owner or repository.partition('/')[0]}:{branch}"
        pulls = self._hub["pulls"]
        if any(each["repository"] == repository and each["head"] == head
               and each["state"] == "open" for each in pulls):  # fmt: skip
            message = f"A pull request already exists for {head}."
            return _problem(422, "Validation Failed",
                            errors=[{"resource": "PullRequest", "code": "custom",
                                     "message": message}])  # fmt: skip
        pull = {"number": 100 + len(pulls), "repository": repository, "head": head,
                "base": asked["base"], "title": asked["title"], "body": asked.get("body", ""),
                "state": "open", "verdict": self._verdict(repository, owner, branch)}  # fmt: skip
        self._save(pulls=[*pulls, pull])
        return JSONResponse(self._pull(pull), 201)


def _run_url(number: int) -> str:
    return f"https://github.com/python/release-tools/actions/runs/{number}"


def _blob(raw: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


def _contents(listed: Mapping[str, str] | list[str]) -> list[tuple[str, bytes]]:
    if isinstance(listed, dict):
        return [(path, text.encode()) for path, text in sorted(listed.items())]
    paths = [Path(each) for each in listed]
    return [(path.name, path.read_bytes()) for path in paths if path.is_file()]
