"""GitHub of the simulated environment: texts, and pull requests that change them."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response

from plugins.rehearsal import blog, followers
from plugins.rehearsal.github_hub import REPOSITORY, page_of, problem, repository_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from plugins.rehearsal.github_hub import Hub, Route

__all__ = ["Texts"]

# Source: GitHub's documentation of repository contents, 2022-11-28: larger files are raw only.
_MOST_PACKED_BYTES: Final = 1 << 20


class Texts:
    """Files of main and of branches made for pull requests."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._unread: set[tuple[str, str, str]] = set()

    def routes(self) -> tuple[Route, ...]:
        """Method, path and handler of each request."""
        return (
            ("GET", REPOSITORY + "/git/ref/heads/{branch:path}", self._ref),
            ("POST", REPOSITORY + "/git/refs", self._make_ref),
            ("GET", REPOSITORY + "/git/trees/{branch:path}", self._tree),
            ("GET", REPOSITORY + "/contents/{path:path}", self._text),
            ("PUT", REPOSITORY + "/contents/{path:path}", self._write_text),
            ("GET", REPOSITORY + "/pulls", self._pulls),
            ("POST", REPOSITORY + "/pulls", self._open_pull),
        )

    def _texts(self, repository: str, branch: str) -> dict[str, str] | None:
        """The texts by path of a branch, or of a commit of main that somebody was told of."""
        if branch in self._commits:
            return self._commits[branch]
        if branch != "main":
            found: dict[str, str] | None = self._hub.document["branches"].get(
                f"{repository}:{branch}"
            )
            return found
        # a fork's main branch has what the repository has that it is a fork of
        name = repository.partition("/")[2]
        top = f"python/{name}/"
        return {
            path.removeprefix(top): text
            for path, text in self._hub.document["texts"].items()
            if path.startswith(top)
        }

    @property
    def _commits(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = self._hub.document.get("commits", {})
        return found

    def _sha(self, texts: Mapping[str, str]) -> str:
        state = repr(sorted(texts.items())).encode()
        return hashlib.sha1(state, usedforsecurity=False).hexdigest()

    async def _ref(self, request: Request) -> Response:
        repository = repository_of(request)
        branch = request.path_params["branch"]
        texts = self._texts(repository, branch)
        if texts is None:
            return problem(404, "Not Found")
        sha = self._sha(texts)
        if branch == "main" and sha not in self._commits:
            self._hub.save(commits={**self._commits, sha: texts})
        return JSONResponse(
            {"ref": f"refs/heads/{branch}", "object": {"type": "commit", "sha": sha}}
        )

    async def _make_ref(self, request: Request) -> Response:
        repository = repository_of(request)
        asked = await request.json()
        branch = asked["ref"].removeprefix("refs/heads/")
        if self._texts(repository, branch) is not None:
            return problem(422, "Reference already exists")
        texts = self._commits.get(asked["sha"])
        if texts is None:
            return problem(422, "Object does not exist")
        branches = {**self._hub.document["branches"], f"{repository}:{branch}": texts}
        self._hub.save(branches=branches)
        return JSONResponse({"ref": asked["ref"], "object": {"sha": asked["sha"]}}, 201)

    async def _tree(self, request: Request) -> Response:
        texts = self._texts(repository_of(request), request.path_params["branch"])
        if not texts:
            return problem(404, "Not Found")
        entries = [
            {"path": path, "mode": "100644", "type": "blob", "sha": _blob(text.encode())}
            for path, text in sorted(texts.items())
        ]
        return JSONResponse({"sha": self._sha(texts), "tree": entries, "truncated": False})

    async def _text(self, request: Request) -> Response:
        repository = repository_of(request)
        branch = request.query_params.get("ref", "main")
        texts = self._texts(repository, branch)
        path = request.path_params["path"]
        late = (repository, branch, path)
        if late in self._unread:
            self._unread.remove(late)
            return problem(404, "Not Found")
        if followers.follows(repository):
            theirs = followers.text(self._hub.store, repository, path, branch)
            texts = {} if theirs is None else {path: theirs}
        if texts is None or path not in texts:
            return _folder(texts or {}, path)
        raw = texts[path].encode()
        if request.headers.get("accept") == "application/vnd.github.raw+json":
            return Response(raw, media_type="application/vnd.github.raw+json; charset=utf-8")
        packed = len(raw) <= _MOST_PACKED_BYTES
        return JSONResponse(
            {"type": "file", "encoding": "base64" if packed else "none", "path": path,
             "sha": _blob(raw), "content": base64.encodebytes(raw).decode() if packed else ""}
        )  # fmt: skip

    async def _write_text(self, request: Request) -> Response:
        repository = repository_of(request)
        asked = await request.json()
        path, branch = request.path_params["path"], asked["branch"]
        texts = self._texts(repository, branch)
        if texts is None or branch == "main":
            return problem(404, f"Branch {branch} not found")
        before = texts.get(path)
        if before is not None and asked.get("sha") != _blob(before.encode()):
            return problem(409, f"{path} does not match {asked.get('sha')}")
        text = base64.b64decode(asked["content"]).decode()
        branches = {
            **self._hub.document["branches"],
            f"{repository}:{branch}": {**texts, path: text},
        }
        self._hub.save(branches=branches)
        if self._hub.store.fault("github.late_read") is not None:
            self._unread.add((repository, branch, path))
        status = 201 if before is None else 200
        return JSONResponse({"content": {"path": path, "sha": _blob(text.encode())}}, status)

    async def _pulls(self, request: Request) -> Response:
        repository = repository_of(request)
        head, state, base = (
            request.query_params.get(each, "") for each in ("head", "state", "base")
        )
        found = [
            self._pull(each)
            for each in reversed(self._hub.document["pulls"])
            if each["repository"] == repository
            and head in ("", each["head"])
            and state in ("all", each["state"])
            and base in ("", each["base"])
        ]
        if repository == "python/cpython" and not head:
            found += [
                {**pull, "labels": [{"name": label} for label in pull["labels"]],
                 "html_url": f"https://github.com/{repository}/pull/{pull['number']}",
                 "base": {"ref": pull["base"]}}
                for pull in self._hub.document["issues"]
                if pull.get("base", "") in ((base,) if base else (pull.get("base"),))
                and "base" in pull and state in ("all", pull["state"])
            ]  # fmt: skip
        return page_of(request, found)

    def _pull(self, pull: Mapping[str, Any]) -> dict[str, Any]:
        owner, _, branch = pull["head"].partition(":")
        name = pull["repository"].partition("/")[2]
        texts = self._texts(f"{owner}/{name}", branch) or {}
        url = f"https://github.com/{pull['repository']}/pull/{pull['number']}"
        merged = pull.get("merged_at")
        # the verdict is that of checks of the commit, never by the pull request itself
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

    async def _open_pull(self, request: Request) -> Response:
        repository = repository_of(request)
        asked = await request.json()
        owner, _, branch = asked["head"].rpartition(":")
        head = f"{owner or repository.partition('/')[0]}:{branch}"
        pulls = self._hub.document["pulls"]
        if any(each["repository"] == repository and each["head"] == head
               and each["state"] == "open" for each in pulls):  # fmt: skip
            message = f"A pull request already exists for {head}."
            return problem(422, "Validation Failed",
                            errors=[{"resource": "PullRequest", "code": "custom",
                                     "message": message}])  # fmt: skip
        # Each repository counts its own, whatever is opened elsewhere meanwhile.
        number = 100 + sum(each["repository"] == repository for each in pulls)
        pull = {"number": number, "repository": repository, "head": head,
                "base": asked["base"], "title": asked["title"], "body": asked.get("body", ""),
                "state": "open", "verdict": self._verdict(repository, owner, branch)}  # fmt: skip
        self._hub.save(pulls=[*pulls, pull])
        return JSONResponse(self._pull(pull), 201)


def _blob(raw: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


def _folder(texts: Mapping[str, str], path: str) -> Response:
    """The list of a folder, as GitHub gives it in place of a file."""
    below = {each.removeprefix(f"{path}/").partition("/") for each in texts
             if each.startswith(f"{path}/")}  # fmt: skip
    if not below:
        return problem(404, "Not Found")
    kinds = {name: "dir" if more else "file" for name, more, _ in below}
    return JSONResponse(
        [{"type": kind, "name": name, "path": f"{path}/{name}"}
         for name, kind in sorted(kinds.items())]
    )  # fmt: skip
