"""Pull requests: files that are offered to another repository, looked for by their branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.errors import ServiceFailed, SettingsError, StepFailed
from doit_receipts.probe import Probe, absent, different, identical

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.github import Proposals, Pull

__all__ = ["branch_of", "is_merged", "look_proposed", "see_not_closed"]


def branch_of(release: Release) -> str:
    """The branch that this release's pull request comes from; another one in a rehearsal."""
    kind = "rehearsal" if release.rehearsal else "release"
    return f"{kind}-{release.name}"


def look_proposed(release: Release, proposals: Proposals, path: str, content: bytes) -> Probe:
    """Whether the repository has the file with this content, or a pull request asks for it."""
    branch = branch_of(release)
    pull = proposals.pull(branch)
    if pull is None:
        if proposals.text(path) == content:
            return identical({"pull request": "none", "url": "already up to date"})
        return absent(f"no pull request from {branch} yet")
    if pull.state == "closed":
        return different(
            f"the pull request {pull.number} was closed and not merged",
            f"see {pull.url}: open it again, or run doit adopt",
            (pull.url,),
            adopted={"pull request": str(pull.number), "url": pull.url},
        )
    # what is merged may have been edited by those who merged it
    if pull.state == "open" and proposals.text(path, branch) != content:
        return absent(f"the branch of pull request {pull.number} does not have the text yet")
    return identical({"pull request": str(pull.number), "url": pull.url})


def is_merged(proposals: Proposals, branch: str, problem: str) -> bool:
    """Whether the pull request from the branch is merged, so that nobody has to be asked for that.

    Where GitHub cannot be asked or has none, or no repository is declared, as in a release that
    follows the lead of a train, it is not known to be. Raises StepFailed for one that was closed
    and not merged: nobody will merge it, and ``problem`` says what is missing then.
    """
    try:
        pull = proposals.pull(branch)
    except (ServiceFailed, SettingsError):
        return False
    see_not_closed(pull, problem)
    return pull is not None and pull.state == "merged"


def see_not_closed(pull: Pull | None, problem: str, *, or_else: str = "") -> None:
    """Raises StepFailed for a pull request that was closed and not merged; see ``is_merged``.

    ``or_else`` is what ends the wait for it without anybody.
    """
    if pull is not None and pull.state == "closed":
        raise StepFailed(
            where=pull.url,
            problem=f"the pull request was closed and not merged, and {problem}",
            remedy="open it again or have another one with the same change merged"
            f"{or_else and f', or {or_else}'}, then run doit publish again",
        )
