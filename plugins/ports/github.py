"""GitHub: protected branches, issues, workflows and pull requests of a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plugins.model.content import Content

__all__ = [
    "Advisories",
    "Artifact",
    "Backports",
    "BranchRule",
    "CommitChecks",
    "Issue",
    "Issues",
    "Job",
    "Proposals",
    "Protection",
    "Pull",
    "Repositories",
    "Reservations",
    "Rulesets",
    "Run",
    "Texts",
    "Tracker",
    "Workflows",
]


@frozen
class BranchRule:
    """A rule of a ruleset that holds for a branch, beside its classic protection, or for a tag.

    ``kind`` is GitHub's word, such as ``pull_request``; ``passed`` whether we may pass it.
    """

    kind: str
    ruleset: str
    passed: bool


class Rulesets(Protocol):
    """The rulesets of one repository at GitHub, which apply beside classic protection."""

    def rulesets(self, branch: str) -> tuple[BranchRule, ...]:
        """Every active rule of a ruleset that holds for a branch of this name."""
        ...

    def tag_rules(self, tag: str) -> tuple[BranchRule, ...]:
        """Every active rule of a ruleset that holds for a tag of this name."""
        ...


class Reservations(Protocol):
    """Rulesets of ours, each of which keeps one branch for administrators while it is new."""

    def reserved(self, name: str) -> bool:
        """Whether there is a ruleset of this name."""
        ...

    def keeps_out(self, name: str) -> bool:
        """Whether a ruleset of this name holds for our account as well."""
        ...

    def reserve(self, name: str, branch: str) -> None:
        """Only administrators can create, change or delete the branch, which need not exist.

        Raises ServiceFailed if our account is not among them; then there is no such ruleset.
        """
        ...

    def lift(self, name: str) -> None:
        """There is no ruleset of this name. Done again, it changes nothing."""
        ...


class Protection(Protocol):
    """The rules that GitHub keeps for the branches of one repository."""

    def rules(self, branch: str) -> dict[str, Any] | None:
        """The branch's rules in GitHub's own words, without addresses; None if it has none.

        ``enforce_admins`` in them says whether they hold for administrators as well.
        """
        ...

    def enforce_admins(self, branch: str, *, on: bool) -> None:
        """The branch's rules hold for administrators, or do not. Done again, it changes nothing."""
        ...

    def protect(self, branch: str, rules: Mapping[str, Any]) -> None:
        """The branch has these rules, given in the words that ``rules`` gives."""
        ...


@frozen
class Issue:
    """An issue or a pull request of the tracker."""

    number: int
    title: str
    url: str
    labels: tuple[str, ...]


class Issues(Protocol):
    """The issues of one repository at GitHub, and their labels."""

    def open_issues(self, *labels: str) -> tuple[Issue, ...]:
        """Every open issue that has all of these labels, by number; pull requests are none."""
        ...

    def open_pulls(self, base: str, *labels: str) -> tuple[Issue, ...]:
        """Every open pull request into the branch that has all of these labels, by number."""
        ...

    def add_label(self, number: int, label: str) -> None:
        """The issue has the label; it had it before or not."""
        ...

    def remove_label(self, number: int, label: str) -> None:
        """The issue does not have the label; it had it before or not."""
        ...

    def labels(self) -> tuple[str, ...]:
        """The names of all labels of the repository."""
        ...

    def make_label(self, name: str, colour: str, description: str) -> None:
        """The repository has a label of this name."""
        ...

    def rights(self) -> frozenset[str]:
        """What the user of the token may do there: pull, triage, push, maintain, admin."""
        ...


class Tracker(Protocol):
    """What is changed in the tracker of one repository when a series enters another phase.

    Writes keep the distance that GitHub asks for. Each may be done again.
    """

    def open_issues(self, *labels: str) -> tuple[Issue, ...]:
        """Every open issue that has all of these labels, by number; pull requests are none."""
        ...

    def pulls_into(self, base: str) -> tuple[Issue, ...]:
        """Every open pull request into the branch, by number, as the repository has it now."""
        ...

    def described_labels(self) -> dict[str, str]:
        """The description of each label of the repository, by its name."""
        ...

    def describe_label(self, name: str, description: str, *, new_name: str = "") -> None:
        """The label has this description, and the new name if one is given, wherever it is used."""
        ...

    def make_label(self, name: str, colour: str, description: str) -> None:
        """The repository has a label of this name."""
        ...

    def delete_label(self, name: str) -> None:
        """The repository does not have the label, and nothing of its is labelled with it."""
        ...

    def add_label(self, number: int, label: str) -> None:
        """The issue has the label; it had it before or not."""
        ...

    def comments(self, number: int) -> tuple[str, ...]:
        """The texts of all comments of an issue or pull request, oldest first."""
        ...

    def comment(self, number: int, text: str) -> None:
        """The issue or pull request has one more comment. Not for twice: look at them first."""
        ...

    def close(self, number: int) -> None:
        """The issue or pull request is closed."""
        ...

    def user(self) -> str:
        """The name of the token's user."""
        ...

    def permission(self, user: str) -> str:
        """What the user may do there: admin, write, read or none."""
        ...


class Backports(Protocol):
    """The pull requests of one repository by who opened them, such as the bot that backports."""

    def first_pull(self, base: str, author: str) -> Issue | None:
        """The oldest pull request of this user into the branch, whatever its state, or None."""
        ...


class Advisories(Protocol):
    """The security advisories of one repository at GitHub, which only some may see."""

    def accepted_advisories(self) -> int | None:
        """How many are accepted and still open; None if the token's user may not see that.

        What they are about is never asked for.
        """
        ...


@frozen
class Run:
    """A run of a workflow. ``title`` is its display title; ``conclusion`` is "" while it runs."""

    id: int
    title: str
    commit: str
    conclusion: str
    url: str


@frozen
class Job:
    """A job of a run; ``conclusion`` is "" while it runs."""

    name: str
    conclusion: str
    url: str


@frozen
class Artifact:
    """A zip file that a run left; its sha256 is "" if GitHub does not report it."""

    id: int
    name: str
    content: Content
    expired: bool


class CommitChecks(Protocol):
    """What GitHub Actions and others say of single commits of one repository."""

    def runs_of(self, workflow: str, commit: str) -> tuple[Run, ...]:
        """Every run of the workflow for this commit, newest first, however it was started."""
        ...

    def check_runs(self, commit: str) -> tuple[Job, ...]:
        """What else was checked of this commit, by whatever tool."""
        ...


class Workflows(Protocol):
    """GitHub Actions of one repository."""

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> int:
        """A run of the workflow file was asked for; returns its id, 0 if GitHub does not say."""
        ...

    def runs(self, workflow: str) -> tuple[Run, ...]:
        """The newest hundred runs of the workflow that were dispatched, newest first."""
        ...

    def run(self, number: int) -> Run:
        """The run of this id."""
        ...

    def jobs(self, number: int) -> tuple[Job, ...]:
        """The jobs of the run's last attempt."""
        ...

    def artifacts(self, number: int) -> tuple[Artifact, ...]:
        """What the run left."""
        ...

    def attestations(self, sha256: str, predicate_type: str) -> tuple[bytes, ...]:
        """The bundle of each attestation about what has this digest; nothing of it is verified."""
        ...

    def download(self, artifact: Artifact, file: Path) -> str:
        """The file holds the artifact's zip; returns its sha256. Streamed to disk."""
        ...


@frozen
class Pull:
    """A pull request."""

    number: int
    url: str
    state: str
    """open, closed or merged."""
    head: str
    """The commit that it asks to take."""


class Texts(Protocol):
    """The files of a repository of texts, to be read."""

    def text(self, path: str, ref: str = "") -> bytes | None:
        """A file on the branch or commit, by default on the main branch; None if it lacks it."""
        ...


class Repositories(Protocol):
    """Any public repository at GitHub, to be read."""

    def text(self, repository: str, path: str, branch: str = "") -> bytes | None:
        """A file of ``owner/name``, on its default branch or on this one; None if it lacks it."""
        ...


class Proposals(Texts, Protocol):
    """Changes offered to a repository of texts by pull requests."""

    def pinned(self) -> Proposals:
        """The same repository, whose main branch stays for us as it is now.

        A branch that is proposed from it begins at the commit whose files were read, so that what
        others merge meanwhile is no part of the change, and is not taken back by it.
        """
        ...

    def names(self, folder: str, ref: str = "") -> tuple[str, ...]:
        """The names of the files right in a folder, sorted; empty if there is no such folder."""
        ...

    def paths(self) -> tuple[str, ...]:
        """The paths of all files of the main branch, sorted; links are none."""
        ...

    def may_propose(self) -> bool:
        """Whether the user of the token may push the branch of a pull request."""
        ...

    def pull(self, branch: str) -> Pull | None:
        """The newest pull request from the branch of this name, whatever its state."""
        ...

    def propose(self, branch: str, files: Mapping[str, bytes], title: str, body: str) -> Pull:
        """A pull request is open whose branch has these files; what is there of it is kept.

        None is opened for a branch that lacks one of them.
        """
        ...
