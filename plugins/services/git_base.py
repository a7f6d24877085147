"""Git base: the Base port over the release manager's own clone, by git alone and only reading.

It answers on every ``doit list``, so it imports nothing, and starts git only for what the files
of the clone do not say by themselves.
"""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ServiceFailed, SettingsError
from plugins.ports.git import Commit, Identity, Tag, git_in, is_pinned
from plugins.services.git_files import commit_of_ref, remotes_of
from plugins.services.git_person import NO_LAZY_FETCH, configured, trusting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from plugins.ports.programs import Completed, Programs

__all__ = ["GitBase"]

_WHERE: Final = "[repository] base"
_SHA1_DIGITS: Final = 40
_NEAR: Final = 5
# Each question is answered in seconds; a pipe among the refs would be waited for.
_TIMEOUT_S: Final = 600.0
_COMMIT_FIELDS: Final = "%H%x00%T%x00%P%x00%cn%x00%ce%x00%ct%x00%B"
_TAG_FIELDS: Final = "%(refname:strip=2)%00%(objectname)%00%(*objectname)%00%(creatordate:unix)"


class GitBase:
    """The Base port: what is released is at ``wanted``, or else at ``branch`` of upstream.

    ``wanted`` is a branch (``3.14``, ``origin/3.14``), a tag or a commit; "" for the branch
    that PEP 101 names. ``upstream`` is the address by which the clone's remote is known. A branch
    moves; once ``public`` gives the commit of a release that others can see, it is that one.
    """

    together: Final = True
    """Several may ask at once: each question is a git of its own, and nothing is written."""

    def __init__(
        self,
        folder: Path,
        programs: Programs,
        *,
        branch: str,
        wanted: str = "",
        upstream: str = "",
        public: Callable[[], str] = str,
    ) -> None:
        self._folder = folder
        self._programs = programs
        self._branch = branch
        self._wanted = wanted
        self._upstream = upstream
        self._public = public
        self._trust: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "base"

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self._folder

    def commit(self) -> str:
        """See the port. A remote's branch goes before a local one, which may be behind it."""
        if held := self._held():
            return held
        found = self._commit()
        if len(found) != _SHA1_DIGITS:
            raise SettingsError(
                where="[repository] clone",
                problem=f"{self._folder} names its objects by SHA-256 and upstream by SHA-1, so"
                " nothing can be fetched from one into the other",
                remedy="make a fresh clone of upstream, without --object-format=sha256, and set"
                " this to it",
            )
        return found

    def is_pinned(self) -> bool:
        """See the port."""
        return is_pinned(self._wanted)

    def is_held(self) -> bool:
        """See the port."""
        return bool(self._held())

    def _held(self) -> str:
        return "" if is_pinned(self._wanted) else self._public()

    def _commit(self) -> str:
        names = tuple(self._names_of_wanted() if self._wanted else self._names_of_branch())
        # rev-parse stops at the first name that does not exist, so each is asked for alone
        for name in names:
            if not self._wanted and (commit := commit_of_ref(self._folder, name)):
                return commit
            found = self._git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
            if found.status == 0:
                return found.stdout.strip()
            if found.status != 1:
                raise self._failure(found, "rev-parse")
        raise SettingsError(
            where=_WHERE,
            problem=f"{self._folder} has no {self._wanted or self._branch}",
            remedy=self._remedy(),
            details=tuple(f"looked for {name}" for name in names),
        )

    def about(self, commit: str) -> Commit:
        """See the port."""
        shown = self._answer(
            "show", "--no-patch", f"--format={_COMMIT_FIELDS}", f"{commit}^{{commit}}"
        )
        name, tree, parents, who, email, made, message = shown.split("\0", 6)
        when = datetime.fromtimestamp(int(made), UTC)
        return Commit(name, tree, tuple(parents.split()), message, Identity(who, email), when)

    def text(self, commit: str, path: str) -> str | None:
        """See the port."""
        found = self._git("cat-file", "blob", f"{commit}:{path}")
        if found.status == 0:
            return found.stdout
        if self._answer("ls-tree", "--full-tree", commit, "--", path):
            raise ServiceFailed(
                service="git",
                action=f"read {path} of {commit[:12]}",
                problem=f"{self._folder} is a partial clone and lacks it",
                remedy=f"{git_in(self._folder, 'cat-file', '-e', f'{commit}:{path}')} fetches it",
            )
        return None

    def tags(self) -> tuple[Tag, ...]:
        """See the port."""
        listed = self._answer("for-each-ref", f"--format={_TAG_FIELDS}", "refs/tags/v*")
        found = []
        for line in listed.splitlines():
            name, identifier, commit, made = line.split("\0")
            if made:
                when = datetime.fromtimestamp(int(made), UTC)
                found.append(Tag(name, identifier, commit or identifier, when))
        return tuple(found)

    def later(self, commit: str, most: int) -> tuple[str, ...]:
        """See the port."""
        for name in self._names_of_branch():
            if self._git("rev-parse", "--verify", "--quiet", name).status == 0:
                listed = self._answer(
                    "rev-list", "--ancestry-path", "--topo-order", "--reverse", f"{commit}..{name}"
                )
                return tuple(listed.split()[:most])
        return ()

    def identity(self) -> Identity:
        """See the port. Reads the configuration of the clone, the person and the system."""
        self._git("rev-parse", "--git-dir")
        settings = configured(self._folder, r"^user\.(name|email)$", self._programs)
        if not (settings.get("user.name") and settings.get("user.email")):
            raise SettingsError(
                where=str(self._folder),
                problem="git has no user.name and user.email for the release commit",
                remedy=git_in(self._folder, "config", "user.name", "Your Name")
                + ", and user.email",
            )
        # git drops some characters of a name, such as a dot at its end: what it makes is what
        # the commit will say
        name, email = settings["user.name"], settings["user.email"]
        environment = {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": email}
        ident = self._git("var", "GIT_COMMITTER_IDENT", env=environment)
        found = re.match(r"(?P<name>.*) <(?P<email>.*)> \d+ [+-]\d+", ident.stdout)
        if found is None:
            raise self._failure(ident, "var GIT_COMMITTER_IDENT")
        return Identity(found["name"], found["email"])

    # ── inside ─────────────────────────────────────────────────────────────────────────────

    def _names_of_wanted(self) -> Iterator[str]:
        wanted = self._wanted
        if wanted.startswith("refs/") or re.fullmatch(r"[0-9a-f]{40}", wanted):
            yield wanted
        else:
            # a tag and a branch may share a name at the end of a series; branches go first
            yield from (f"refs/{kind}/{wanted}" for kind in ("remotes", "heads", "tags"))
            yield from (f"refs/remotes/{remote}/{wanted}" for remote in self._upstreams())
            if re.fullmatch(r"[0-9a-f]{7,}", wanted):
                yield wanted

    def _names_of_branch(self) -> Iterator[str]:
        yield from (f"refs/remotes/{remote}/{self._branch}" for remote in self._upstreams())
        yield f"refs/heads/{self._branch}"

    def _upstreams(self) -> tuple[str, ...]:
        """The clone's remotes that are upstream: by address, then by name."""
        remotes = self._remotes()
        same = [
            name
            for name, address in remotes.items()
            if self._upstream and _plain(address) == _plain(self._upstream)
        ]
        return tuple(dict.fromkeys([*same, *(["upstream"] if "upstream" in remotes else [])]))

    def _remotes(self) -> dict[str, str]:
        found = remotes_of(self._folder)
        if found is not None:
            return found
        listed = self._git("config", "--null", "--get-regexp", r"^remote\..*\.url$")
        pairs = (entry.partition("\n") for entry in listed.stdout.split("\0") if entry)
        return {key.removeprefix("remote.").removesuffix(".url"): value for key, _, value in pairs}

    def _remedy(self) -> str:
        wanted = self._wanted or self._branch
        listed = self._answer(
            "for-each-ref", "--format=%(refname)", "refs/remotes", "refs/heads", "refs/tags"
        )
        names = [
            re.sub(r"^refs/\w+/", "", name)
            for name in listed.splitlines()
            if not name.endswith("/HEAD")
        ]
        # difflib is late: only a mistake pays for it (6 ms)
        from difflib import get_close_matches

        near = get_close_matches(wanted, names, n=_NEAR, cutoff=0.5)
        near += [name for name in names if name.endswith(f"/{wanted}") and name not in near]
        if near:
            return f"similar names there: {', '.join(near)}"
        return f"{git_in(self._folder, 'fetch')}, or set [repository] base in release.toml"

    def _answer(self, *words: str) -> str:
        found = self._git(*words)
        if found.status:
            raise self._failure(found, words[0])
        return found.stdout.removesuffix("\n")

    def _failure(self, ended: Completed, action: str) -> ServiceFailed:
        """What git says, of which the first line says most."""
        lines = ended.stderr.strip().splitlines()
        return ServiceFailed(
            service="git",
            action=f"{action} in {self._folder}",
            problem=lines[0] if lines else f"ended with status {ended.status}",
            remedy="check that clone with git fsck",
            details=tuple(lines[1:]),
        )

    def _git(self, *words: str, env: Mapping[str, str] | None = None) -> Completed:
        if not self._folder.is_dir():
            raise SettingsError(
                where="[repository] clone",
                problem=f"the folder {self._folder} does not exist",
                remedy="set it to the folder of your clone of CPython",
            )
        # optional locks are for those who write: reading must not even refresh the index, and
        # a partial clone must not fetch what it lacks
        neutral = {"GIT_OPTIONAL_LOCKS": "0", **NO_LAZY_FETCH, **(env or {})}
        found = self._run(words, neutral)
        if found.status == 128 and "dubious ownership" in found.stderr and not self._trust:
            self._trust = trusting(self._folder, self._programs)
            if not self._trust:
                folder = shlex.quote(str(self._folder))
                raise SettingsError(
                    where="[repository] clone",
                    problem=f"{self._folder} belongs to another user, so git does not open it",
                    remedy=f"if you trust it: git config --global --add safe.directory {folder}",
                )
            found = self._run(words, neutral)
        if found.status == 128 and "not a git repository" in found.stderr:
            raise SettingsError(
                where="[repository] clone",
                problem=f"{self._folder} is not a git repository",
                remedy="set it to the folder of your clone of CPython",
            )
        return found

    def _run(self, words: tuple[str, ...], env: Mapping[str, str]) -> Completed:
        return self._programs.run(
            ["git", *self._trust, *words],
            folder=self._folder,
            env=env,
            timeout_s=_TIMEOUT_S,
            check=False,
        )


def _plain(address: str) -> str:
    """A remote's address without what may differ between two ways to one repository."""
    plain = re.sub(r"^[a-z+]+://", "", address.lower())
    plain = re.sub(r"^[^@/]*@", "", plain).replace(":", "/")
    return plain.rstrip("/").removesuffix(".git")
