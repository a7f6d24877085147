"""GitHub proposals: files of a repository read, and changes of them proposed by a pull request."""

from __future__ import annotations

import base64
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from doit_receipts.errors import ServiceFailed
from doit_receipts.outside import is_held
from plugins.ports.github import Pull
from plugins.services.github import GitHub
from plugins.services.retry import retried

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.secret import Secret
    from plugins.services.answers import Part

__all__ = ["GitHubProposals", "GitHubRepositories"]

_FILE_MODES: Final = ("100644", "100755")
_RAW: Final = {"accept": "application/vnd.github.raw+json"}


class _NotThere(ServiceFailed):
    """A file that was written is not read yet, or not any more."""


class GitHubProposals:
    """The Proposals port of one repository; branches are made in ``head``, often a fork of it.

    What was written is looked for so many ``attempts``; six of them take six seconds.
    """

    def __init__(
        self,
        api: str,
        repository: str,
        token: Secret | None,
        head: str = "",
        *,
        attempts: int = 6,
    ) -> None:
        self._attempts = attempts
        self._hub = GitHub(api, repository, token)
        self._head_hub = GitHub(api, head or repository, token)
        self._web = self._hub.web
        self._top = f"/repos/{repository}"
        self._head_top = f"/repos/{head or repository}"
        self._owner = (head or repository).partition("/")[0]
        self._main = ""  # the commit that counts as main; "" for where main is now

    def __repr__(self) -> str:
        return f"proposals({self._hub!r} from {self._head_top.removeprefix('/repos/')})"

    def pinned(self) -> GitHubProposals:
        """See the port."""
        found = copy(self)
        found._main = self._tip("look at main")  # noqa: SLF001 - our own class
        return found

    def text(self, path: str, ref: str = "") -> bytes | None:
        """See the port."""
        top = self._head_top if ref else self._top
        return self._content(top, path, ref or self._main or "main")[0]

    def names(self, folder: str, ref: str = "") -> tuple[str, ...]:
        """See the port."""
        action = f"list {folder}"
        top = self._head_top if ref else self._top
        path = f"{top}/contents/{quote(folder)}"
        answer = self._web.get(path, action, may_miss=True, ref=ref or self._main or "main")
        if answer.status_code == 404:
            return ()
        listed = self._web.json(answer, action)
        if not isinstance(listed.plain, list):
            return ()
        entries = listed.parts()
        return tuple(
            sorted(entry.line("name") for entry in entries if entry.line("type") == "file")
        )

    def paths(self) -> tuple[str, ...]:
        """See the port."""
        action = "list all files"
        address = f"{self._top}/git/trees/{quote(self._main or 'main')}"
        listed = self._web.json(self._web.get(address, action, recursive="1"), action).part()
        if listed.flag("truncated"):
            listed.refuse("truncated", "is true: more files than GitHub lists at once")
        entries = listed.parts("tree")
        return tuple(
            sorted(each.line("path") for each in entries if each.line("mode") in _FILE_MODES)
        )

    def may_propose(self) -> bool:
        """See the port."""
        return "push" in self._head_hub.rights()

    def pull(self, branch: str) -> Pull | None:
        """See the port."""
        action = f"look for the pull request of {branch}"
        answer = self._web.get(
            f"{self._top}/pulls", action, head=f"{self._owner}:{branch}", state="all"
        )
        listed = self._web.json(answer, action).parts()
        return _pull(listed[0]) if listed else None

    def propose(self, branch: str, files: Mapping[str, bytes], title: str, body: str) -> Pull:
        """See the port. Each part is looked for first, so that a partial proposal is completed.

        Nobody is asked to take the branch before all files were read back from it.
        """
        at = self._make_branch(branch)
        for path, content in files.items():
            self._put(branch, path, content, title, at)
        self._read_back(branch, files)
        found = self.pull(branch)
        if found is not None:
            return found
        answer = self._web.send(
            "POST", f"{self._top}/pulls", f"propose {branch}", again=False,
            json={"title": title, "head": f"{self._owner}:{branch}", "base": "main",
                     "body": body, "maintainer_can_modify": True},
        )  # fmt: skip
        return _pull(self._web.json(answer, "propose"))

    def _read_back(self, branch: str, files: Mapping[str, bytes]) -> None:
        """Raise ServiceFailed unless the branch has all these files, whoever else writes to it.

        GitHub's reads may lag behind its writes: for some seconds they are looked for again.
        """
        for path, content in () if is_held() else files.items():
            retried(
                partial(self._see_written, branch, path, content),
                _NotThere,
                attempts=self._attempts,
            )

    def _see_written(self, branch: str, path: str, content: bytes) -> None:
        found, _ = self._content(self._head_top, path, branch)
        if found != content:
            raise _NotThere(
                service="github",
                action=f"propose {branch}",
                problem=f"{path} was written to that branch, and is"
                f" {'not there' if found is None else 'another one'} now",
                remedy="run the same command again; if it says so once more, find out who else"
                " writes to it",
            )

    def _make_branch(self, branch: str) -> tuple[str, str]:
        """Where what the branch has can be read; in a plan, that is what it would begin with."""
        action = f"make branch {branch}"
        wanted = f"{self._head_top}/git/ref/heads/{quote(branch)}"
        if self._web.get(wanted, action, may_miss=True).status_code != 404:
            return self._head_top, branch
        sha = self._main or self._tip(action)
        content = {"ref": f"refs/heads/{branch}", "sha": sha}
        self._web.send("POST", f"{self._head_top}/git/refs", action, again=False, json=content)
        return (self._top, sha) if is_held() else (self._head_top, branch)

    def _tip(self, action: str) -> str:
        answer = self._web.get(f"{self._top}/git/ref/heads/main", action)
        return self._web.json(answer, action).part("object").line("sha")

    def _put(
        self, branch: str, path: str, content: bytes, message: str, at: tuple[str, str]
    ) -> None:
        top, ref = at
        before, sha = self._content(top, path, ref)
        if before == content:
            return
        change = {"message": message, "branch": branch,
                  "content": base64.b64encode(content).decode()}  # fmt: skip
        if sha:
            change["sha"] = sha
        address = f"{self._head_top}/contents/{quote(path)}"
        self._web.send("PUT", address, f"write {path}", again=False, json=change)

    def _content(self, top: str, path: str, ref: str) -> tuple[bytes | None, str]:
        """The file's bytes and id; None and "" for no file."""
        action = f"read {path}"
        answer = self._web.get(f"{top}/contents/{quote(path)}", action, may_miss=True, ref=ref)
        if answer.status_code == 404:
            return None, ""
        file = self._web.json(answer, action).part()
        if file.line("encoding") != "base64":
            file.refuse("encoding", "is not base64, as for a file of more than a megabyte")
        try:
            return base64.b64decode(file.text("content")), file.line("sha")
        except ValueError as error:
            field = "content"
            raise file.wrong(field, "is not valid base64") from error


class GitHubRepositories:
    """The Repositories port: files of any public repository."""

    def __init__(self, api: str, token: Secret | None) -> None:
        self._api = api
        self._token = token

    def __repr__(self) -> str:
        return f"repositories(at {self._api})"

    def text(self, repository: str, path: str, branch: str = "") -> bytes | None:
        """See the port. Asked for raw bytes: a file of more than a megabyte has no other form."""
        web = GitHub(self._api, repository, self._token).web
        address = f"/repos/{repository}/contents/{quote(path)}"
        action = f"read {path} of {repository}"
        named = {"ref": branch} if branch else None
        answer = web.send(
            "GET", address, action, again=True, also=(404,), headers=_RAW, params=named
        )
        return None if answer.status_code == 404 else answer.content


def _pull(part: Part) -> Pull:
    state = "merged" if part.line("merged_at", may_miss=True) else part.line("state")
    return Pull(part.number("number"), part.url("html_url"), state, part.part("head").line("sha"))
