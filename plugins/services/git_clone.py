"""Git clone: the Clone port over a repository of the release's own, read with GitPython.

What GitPython would call git for anyway (checkout, index, fetch) goes through the Programs
port, so that it runs in the neutral environment and is in the step's log.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from weakref import finalize

from doit_receipts.durable import replacing
from doit_receipts.errors import ServiceFailed, StepFailed
from plugins.ports.git import Commit, Identity, Tag
from plugins.services.git_cloning import create_clone, damaged, fetch_commits, see_ours

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    import git

    from plugins.ports.programs import Completed, Programs

__all__ = ["GitClone"]

_RECORDER: Final = Identity("pep101", "pep101@localhost")
# What git leaves behind when it is killed. Nobody else writes here while we hold the release.
_LEFT_BY_A_KILL: Final = (
    "index.lock",
    "HEAD.lock",
    "packed-refs.lock",
    "config.lock",
    "shallow.lock",
    "CHERRY_PICK_HEAD",
    "AUTO_MERGE",
    "MERGE_MSG",
    "MERGE_HEAD",
    "sequencer",
)
_SIGNATURE: Final = "-----BEGIN PGP SIGNATURE-----\n"


class GitClone:
    """The Clone port over the repository at ``folder``, which need not exist yet."""

    def __init__(self, folder: Path, programs: Programs) -> None:
        self._folder = folder
        self._programs = programs

    def __repr__(self) -> str:
        return "clone"

    @property
    def resource(self) -> str:
        """What tasks share that are given it: many may look, and one alone may change it."""
        return str(self._folder)

    @property
    def folder(self) -> Path:
        """Where its files are checked out."""
        return self._folder

    def prepare(self, source: Path, commits: Sequence[str]) -> None:
        """See the port. Objects are hard-linked where the disk allows, else copied.

        No byte of the source changes. git may renew the time of a linked object or pack that
        it would write again; that only keeps it from being pruned.
        """
        if self._git_folder.exists():
            see_ours(self._folder, self._programs)
        else:
            create_clone(self._folder, source, self._programs)
            self.__dict__.pop("_repo", None)  # of a clone that was here before
        self._tidy()
        fetch_commits(self._folder, source, commits, self._programs)

    def point(self, ref: str, target: str) -> None:
        """See the port."""
        self._git("update-ref", "--no-deref", ref, target)

    def checkout(self, commit: str) -> None:
        """See the port."""
        self._tidy()
        self._git("checkout", "--quiet", "--force", "--detach", commit)
        self._git("clean", "--quiet", "-ffdx")

    def record(self, step: str, parent: str, message: str) -> str:
        """See the port. The commit is dated as its parent."""
        self._git("add", "--all", ".")
        tree = self._git("write-tree").stdout.strip()
        when = self.about(parent).committed
        commit = self._commit(tree, parent, message, _RECORDER, when)
        self.point("HEAD", commit)
        self.point(f"refs/release/{step}", commit)
        return commit

    def pick(self, commit: str, onto: str, by: Identity) -> str:
        """See the port. The new commit is dated as the original."""
        self.checkout(onto)
        # the author stays who wrote the change
        committer = _person("COMMITTER", by, self.about(commit).committed)
        ended = self._git("cherry-pick", "-x", commit, env=committer, check=False)
        if ended.status:
            self._explain_pick(commit, onto, ended)
        return self.resolve("HEAD")

    def compose(
        self, tree_of: str, parent: str, message: str, *, by: Identity, when: datetime
    ) -> str:
        """See the port."""
        return self._commit(self.about(tree_of).tree, parent, message, by, when)

    def merge(
        self,
        into: str,
        other: str,
        message: str,
        *,
        by: Identity,
        when: datetime,
        theirs: Collection[str] = (),
    ) -> str:
        """See the port."""
        self.checkout(into)
        environment = _person("AUTHOR", by, when) | _person("COMMITTER", by, when)
        ended = self._git(
            "merge", "--quiet", "--no-squash", "--no-edit", "--no-verify-signatures",
            "--no-stat", "--strategy=ort", "-m", message, f"{other}^{{commit}}",
            env=environment, check=False,
        )  # fmt: skip
        if ended.status:
            conflicts = _listed(self._git("diff", "--name-only", "--diff-filter=U", "-z").stdout)
            open_ones = tuple(path for path in conflicts if path not in theirs)
            if open_ones or not conflicts:
                self.checkout(into)
                raise _merge_failed(into, other, open_ones, ended)
            self._git("checkout", "--theirs", "--", *conflicts)
            self._git("add", "--", *conflicts)
            self._git("commit", "--quiet", "--no-verify", "-m", message, env=environment)
        return self.resolve("HEAD")

    def forget(self, ref: str) -> None:
        """See the port."""
        self._git("update-ref", "--no-deref", "-d", ref)

    def follows(self, commit: str, ancestor: str) -> bool:
        """See the port."""
        asked = ("merge-base", "--is-ancestor", ancestor, commit)
        return self._git(*asked, check=False).status == 0

    def beyond(self, commit: str, other: str) -> tuple[str, ...]:
        """See the port."""
        listed = self._git("log", "--no-decorate", "--format=%h %s", commit, "--not", other, "--")
        return tuple(listed.stdout.splitlines())

    def write_patch(self, old: str, new: str, file: Path) -> None:
        """See the port."""
        self._see_there("diff")
        with (
            replacing(file) as stream,
            self._programs.pipe(
                ["git", "diff", "--full-index", "--binary", "--no-color", "--no-ext-diff",
                 "--no-textconv", "--no-renames", "--src-prefix=a/", "--dst-prefix=b/", old, new],
                folder=self._folder, stdout=stream,
            ),
        ):  # fmt: skip
            pass

    def resolve(self, revision: str) -> str:
        """See the port."""
        from git.exc import GitCommandError

        if not self._git_folder.exists():
            return ""
        try:
            return str(
                self._repo.git.rev_parse(
                    "--verify", "--quiet", "--end-of-options", f"{revision}^{{object}}"
                )
            )
        except GitCommandError:
            return ""

    def entry(self, commit: str, path: str) -> str:
        """See the port."""
        from git.exc import GitCommandError

        try:
            return str(
                self._repo.git.rev_parse(
                    "--verify", "--quiet", "--end-of-options", f"{commit}:{path}"
                )
            )
        except GitCommandError:
            return ""

    def about(self, commit: str) -> Commit:
        """See the port."""
        found = self._commit_object(commit)
        return Commit(
            id=found.hexsha,
            tree=found.tree.hexsha,
            parents=tuple(parent.hexsha for parent in found.parents),
            message=_text(found.message),
            committer=Identity(found.committer.name or "", found.committer.email or ""),
            committed=datetime.fromtimestamp(found.committed_date, UTC),
        )

    def read(self, commit: str, path: str) -> bytes | None:
        """See the port. Quick: one line to a git that stays, and its answer."""
        if "\n" in path:
            return None  # no path of a release holds one, and git is asked line by line
        try:
            found: tuple[Any, ...] = self._repo.git.get_object_data(f"{commit}:{path}")
        except ValueError:
            self._commit_object(commit)
            return None
        _, kind, _, content = found
        return bytes(content) if kind == b"blob" else None

    def names(self, commit: str, folder: str = "") -> tuple[str, ...]:
        """See the port."""
        self._commit_object(commit)
        listed = self._repo.git.ls_tree(
            "-r",
            "-z",
            "--name-only",
            "--full-tree",
            commit,
            "--",
            *([f"{folder}/"] if folder else []),
        )
        return _listed(listed)

    def difference(self, old: str, new: str) -> tuple[str, ...]:
        """See the port."""
        return _listed(self._git("diff-tree", "-r", "-z", "--name-only", old, new).stdout)

    def unrecorded(self) -> tuple[str, ...]:
        """See the port."""
        # looking must not even refresh the index
        status = self._git(
            "status", "--porcelain", "-z", "--ignored", "--no-renames", "-uall",
            env={"GIT_OPTIONAL_LOCKS": "0"},
        )  # fmt: skip
        return tuple(sorted(entry[3:] for entry in status.stdout.split("\0") if entry))

    def tag(self, name: str) -> Tag | None:
        """See the port."""
        identifier = self.resolve(f"refs/tags/{name}")
        commit = self.resolve(f"refs/tags/{name}^{{commit}}")
        if not commit:
            return None
        if identifier == commit:
            return Tag(name, commit, commit, self.about(commit).committed)
        raw = self._raw(identifier)
        payload, mark, signature = raw.partition(_SIGNATURE)
        return Tag(name, identifier, commit, _tagged(raw), payload, mark + signature)

    def put_tag(self, name: str, content: str) -> str:
        """See the port."""
        made = self._git("mktag", stdin=content.encode()).stdout.strip()
        self.point(f"refs/tags/{name}", made)
        return made

    # ── inside ─────────────────────────────────────────────────────────────────────────────

    @property
    def _git_folder(self) -> Path:
        return self._folder / ".git"

    @cached_property
    def _repo(self) -> git.Repo:
        """The repository for GitPython, which gets explicitly what the environment may not set."""
        import git

        self._see_there("read")
        try:
            repo = git.Repo(self._folder, expand_vars=False)
        except git.InvalidGitRepositoryError as error:
            raise damaged(self._folder) from error
        # the git that answers reads ends with us, or with the clone that it answers for
        finalize(self, repo.close)
        repo.git.update_environment(
            GIT_DIR=str(self._git_folder),
            GIT_WORK_TREE=str(self._folder),
            GIT_OBJECT_DIRECTORY=str(self._git_folder / "objects"),
            GIT_CONFIG_GLOBAL=os.devnull,
            GIT_CONFIG_NOSYSTEM="1",
            LC_ALL="C.UTF-8",
        )
        return repo

    def _git(
        self,
        *words: str | Path,
        env: dict[str, str] | None = None,
        stdin: bytes = b"",
        check: bool = True,
    ) -> Completed:
        self._see_there(str(words[0]))
        return self._programs.run(
            ["git", *words], folder=self._folder, env=env, stdin=stdin, check=check
        )

    def _see_there(self, action: str) -> None:
        if not self._git_folder.exists():
            raise ServiceFailed(
                service="git",
                action=action,
                problem=f"the release clone {self._folder} does not exist",
                remedy="run the same command again: the step that creates it is stale",
            )

    def _tidy(self) -> None:
        for name in _LEFT_BY_A_KILL:
            left = self._git_folder / name
            if left.is_dir():
                shutil.rmtree(left)
            else:
                left.unlink(missing_ok=True)
        for lock in (self._git_folder / "refs").rglob("*.lock"):
            lock.unlink(missing_ok=True)

    def _commit(self, tree: str, parent: str, message: str, by: Identity, when: datetime) -> str:
        made = self._git(
            "commit-tree", tree, "-p", parent, "-F", "-",
            stdin=f"{message.rstrip()}\n".encode(),
            env=_person("AUTHOR", by, when) | _person("COMMITTER", by, when),
        )  # fmt: skip
        return made.stdout.strip()

    def _explain_pick(self, commit: str, onto: str, ended: Completed) -> None:
        conflicts = _listed(self._git("diff", "--name-only", "--diff-filter=U", "-z").stdout)
        said = tuple(line for line in ended.stderr.splitlines() if not line.startswith("hint:"))
        subject = self.about(commit).message.partition("\n")[0]
        unchanged = self._git("status", "--porcelain", "--untracked-files=no").stdout == ""
        self.checkout(onto)
        if conflicts:
            problem = f"conflicts in {', '.join(conflicts)}"
        elif unchanged and len(self.about(commit).parents) == 1:
            problem = "changes nothing: the branch has this change already"
        else:
            problem = said[0] if said else f"git ended with status {ended.status}"
        raise StepFailed(
            where=f"cherry-pick {commit[:12]} ({subject})",
            problem=problem,
            remedy="remove it from [repository] cherry_picks, or name one that applies",
            details=said,
        )

    def _commit_object(self, commit: str) -> git.objects.Commit:
        from git.exc import BadName, BadObject, GitCommandError

        try:
            found = self._repo.commit(commit)
            _ = found.tree
        except (BadName, BadObject, ValueError, IndexError, GitCommandError) as error:
            raise ServiceFailed(
                service="git",
                action=f"read commit {commit}",
                problem="the release clone does not have it",
                remedy="delete the release clone and run the same command again: it is made anew",
            ) from error
        return found

    def _raw(self, identifier: str) -> str:
        return bytes(
            self._repo.git.cat_file(
                "tag", identifier, stdout_as_string=False, strip_newline_in_stdout=False
            )
        ).decode()


def _merge_failed(
    into: str, other: str, conflicts: tuple[str, ...], ended: Completed
) -> StepFailed:
    said = tuple((ended.stdout + ended.stderr).splitlines())
    last = said[-1] if said else f"git ended with status {ended.status}"
    return StepFailed(
        where=f"merge of {other} into {into[:12]}",
        problem=f"conflicts in {', '.join(conflicts)}" if conflicts else last,
        remedy="merge it by hand in your own clone, and name that commit in "
        "[repository] merged_by_hand",
        details=said,
    )


def _person(role: str, by: Identity, when: datetime) -> dict[str, str]:
    return {
        f"GIT_{role}_NAME": by.name,
        f"GIT_{role}_EMAIL": by.email,
        f"GIT_{role}_DATE": f"{int(when.timestamp())} +0000",
    }


def _listed(output: str) -> tuple[str, ...]:
    return tuple(sorted(name for name in output.split("\0") if name))


def _tagged(raw: str) -> datetime:
    """When a tag object says that it was made."""
    tagger = next(line for line in raw.splitlines() if line.startswith("tagger "))
    return datetime.fromtimestamp(int(tagger.split()[-2]), UTC)


def _text(message: str | bytes) -> str:
    return message if isinstance(message, str) else message.decode(errors="replace")
