"""Git cloning: how the release clone comes from the RM's repository, which is only read."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ServiceFailed, StepFailed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plugins.ports.programs import Programs

__all__ = ["create_clone", "damaged", "fetch_commits", "see_ours"]

_OURS: Final = "pep101.clone"
_SETTINGS: Final = (
    f"{_OURS}=release",
    # a repository that nobody tidies, so that loose refs and objects stay where steps left them
    "gc.auto=0",
    "gc.packRefs=false",
    "maintenance.auto=false",
    "fetch.writeCommitGraph=false",
    "core.logAllRefUpdates=false",
    # what a receipt tells of has to be there after a power cut
    "core.fsync=all",
    "core.fsyncMethod=batch",
    f"core.hooksPath={os.devnull}",
    f"core.excludesFile={os.devnull}",
    f"core.attributesFile={os.devnull}",
    "core.autocrlf=false",
    "advice.detachedHead=false",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "rerere.enabled=false",
)


def create_clone(folder: Path, source: Path, programs: Programs) -> None:
    """A repository of our own stands at ``folder``, with every object of the source.

    It is made under another name first: a folder of the true name is always a whole clone.
    """
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    options = [word for each in _SETTINGS for word in ("--config", each)]
    programs.run(
        # no --local: for a path that is the default, and said aloud it would refuse to copy
        # where the disk cannot link
        ["git", "clone", "--quiet", "--no-checkout", "--no-tags", "--template=",
         *options, "--", source, partial],
        folder=partial.parent,
    )  # fmt: skip
    # The way back to the RM's repository ends here: nothing can push into it by mistake. Of
    # its names none is kept, only its objects.
    programs.run(["git", "remote", "remove", "origin"], folder=partial)
    listed = programs.run(["git", "for-each-ref", "--format=delete %(refname)"], folder=partial)
    programs.run(["git", "update-ref", "--stdin"], folder=partial, stdin=listed.stdout.encode())
    if folder.exists():
        shutil.rmtree(folder)
    partial.rename(folder)


def see_ours(folder: Path, programs: Programs) -> None:
    """The repository here was made for a release, and git can open it."""
    asked = ["git", "config", "--local", "--get", _OURS]
    if programs.run(asked, folder=folder, check=False).status == 0:
        return
    config = folder / ".git" / "config"
    section = f"[{_OURS.partition('.')[0]}]".encode()
    if config.is_file() and section in config.read_bytes():
        raise damaged(folder)
    raise StepFailed(
        where=str(folder),
        problem="a repository stands here that no release made",
        remedy="move it away, then run the same command again",
    )


def damaged(folder: Path) -> ServiceFailed:
    """The error for a release clone that git cannot open."""
    return ServiceFailed(
        service="git",
        action="open",
        problem=f"{folder} is damaged: git takes it for no repository",
        remedy="delete it; it is made again from your own clone",
    )


def fetch_commits(folder: Path, source: Path, commits: Sequence[str], programs: Programs) -> None:
    """The clone holds these commits with all their files, fetched where it lacked them."""
    missing = [each for each in commits if not _holds(folder, f"{each}^{{commit}}", programs)]
    for commit in missing:
        if not _holds(source, commit, programs):
            raise ServiceFailed(
                service="git",
                action=f"take commit {commit[:12]} from {source}",
                problem="it is not there",
                remedy=f"git -C {source} fetch --all, or look at base and cherry_picks",
            )
    if missing:
        # The RM's repository need not offer these commits under a name, so we ask for any.
        asked = "git -c uploadpack.allowAnySHA1InWant=true upload-pack"
        programs.run(
            ["git", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
             "--upload-pack", asked, "--", source, *missing],
            folder=folder,
        )  # fmt: skip
    for commit in commits:
        _see_whole(folder, commit, source, programs)


def _holds(folder: Path, object_id: str, programs: Programs) -> bool:
    asked = ["git", "cat-file", "-e", object_id]
    return programs.run(asked, folder=folder, check=False).status == 0


def _see_whole(folder: Path, commit: str, source: Path, programs: Programs) -> None:
    """Every tree and file of the commit is there: a partial clone has only some."""
    asked = ["git", "rev-list", "--objects", "--no-walk", "--quiet", commit]
    ended = programs.run(asked, folder=folder, check=False)
    if ended.status:
        lines = ended.stderr.strip().splitlines()
        raise ServiceFailed(
            service="git",
            action=f"read commit {commit[:12]} of {source}",
            problem=lines[-1] if lines else "not all of it is there",
            remedy="mend that clone: git fsck; git fetch --refetch",
            details=tuple(lines[:-1]),
        )
