"""Git cloning: how the release clone comes from the RM's repository, which is only read."""

from __future__ import annotations

import os
import shlex
import shutil
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ServiceFailed, StepFailed
from plugins.ports.git import git_in
from plugins.services.git_person import NO_LAZY_FETCH, trusting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plugins.ports.programs import Programs

__all__ = ["create_clone", "damaged", "fetch_commits", "see_ours"]

_OURS: Final = "pep101.clone"
_PROMISOR: Final = "promisor"
_SSH: Final = "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=20"
_SETTINGS: Final = (
    f"{_OURS}=release",
    # a repository that nobody tidies, so that loose refs and objects stay where steps left them
    "gc.auto=0",
    "gc.packRefs=false",
    "maintenance.auto=false",
    "fetch.writeCommitGraph=false",
    "core.logAllRefUpdates=false",
    # what a receipt records has to exist after a power cut
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
    """A repository of our own is at ``folder``, and holds every object of the source itself.

    It is made under another name first: a folder of the true name is always a complete clone.
    What the source borrows from other repositories is copied, so that it may be moved, repacked
    or deleted afterwards. Of a partial clone only what it has is there; see ``fetch_commits``.
    """
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    options = [word for setting in _SETTINGS for word in ("--config", setting)]
    if promisor_of(source, programs):
        _copy_objects(source, partial, programs)
    else:
        programs.run(
            # no --local: for a path that is the default, and said aloud it would refuse to copy
            # where the disk cannot link
            ["git", *trusting(source, programs), "clone", "--quiet", "--no-checkout", "--no-tags",
             "--template=", "--dissociate", "--upload-pack", _upload_pack(source, programs),
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
        problem="exists already, and is not a release clone of this tool",
        remedy="move it away, then run the same command again",
    )


def damaged(folder: Path) -> ServiceFailed:
    """The error for a release clone that git cannot open."""
    return ServiceFailed(
        service="git",
        action="open",
        problem=f"{folder} is damaged: git does not recognise it as a repository",
        remedy="delete it, then run the same command again: it is created from your own clone",
    )


def fetch_commits(folder: Path, source: Path, commits: Sequence[str], programs: Programs) -> None:
    """The clone holds these commits with all their files, fetched where it lacked them.

    What a partial clone lacks comes from where that clone would fetch it, and into ours alone:
    the source is never written.
    """
    missing = [name for name in commits if not _holds(folder, f"{name}^{{commit}}", programs)]
    for commit in missing:
        if not _holds(source, commit, programs, trusting(source, programs)):
            raise ServiceFailed(
                service="git",
                action=f"take commit {commit[:12]} from {source}",
                problem="that repository does not have it",
                remedy=f"{git_in(source, 'fetch', '--all')}, or correct base and cherry_picks",
            )
    if missing:
        _fetch(folder, source, missing, programs)
    for commit in commits:
        _complete(folder, commit, source, programs)


def promisor_of(source: Path, programs: Programs) -> str:
    """The address from which a partial clone fetches what it lacks; "" for any other clone."""
    asked = ["config", "--null", "--get-regexp", r"^remote\..*\.(promisor|partialclonefilter|url)$"]
    trust = trusting(source, programs)
    listed = programs.run(["git", *trust, *asked], folder=source, check=False).stdout
    pairs = dict(entry.partition("\n")[::2] for entry in listed.split("\0") if entry)
    for key, value in pairs.items():
        remote = key.removeprefix("remote.").rpartition(".")[0]
        if key.endswith((".promisor", ".partialclonefilter")) and value != "false":
            return pairs.get(f"remote.{remote}.url", "")
    return ""


def _copy_objects(source: Path, folder: Path, programs: Programs) -> None:
    """A repository with the objects of a partial clone as they are, linked or copied.

    git itself would not do: serving a shallow one, it fetches into it what it lacks.
    """
    programs.run(["git", "init", "--quiet", "--template=", folder], folder=folder.parent)
    for setting in _SETTINGS:
        programs.run(["git", "config", *setting.split("=", 1)], folder=folder)
    answer = programs.run(
        ["git", *trusting(source, programs), "rev-parse", "--git-common-dir"], folder=source
    )
    common = source / answer.stdout.removesuffix("\n")
    for objects in _object_folders(common / "objects"):
        shutil.copytree(
            objects,
            folder / ".git" / "objects",
            copy_function=_link_or_copy,
            ignore=shutil.ignore_patterns("alternates", "tmp_*", "commit-graph*"),
            dirs_exist_ok=True,
        )
    if (common / "shallow").is_file():
        shutil.copyfile(common / "shallow", folder / ".git" / "shallow")
    # Lacking objects are no damage of a clone that says so.
    programs.run(["git", "config", "core.repositoryFormatVersion", "1"], folder=folder)
    programs.run(["git", "config", "extensions.partialClone", _PROMISOR], folder=folder)
    for key, value in (
        ("url", promisor_of(source, programs)),
        ("pushurl", os.devnull),
        ("promisor", "true"),
        ("partialclonefilter", "blob:none"),
    ):
        programs.run(["git", "config", f"remote.{_PROMISOR}.{key}", value], folder=folder)
    # a merge may need old files too, which git then fetches by itself: never asking anybody
    programs.run(["git", "config", "core.sshCommand", _SSH], folder=folder)
    programs.run(["git", "remote", "add", "origin", os.devnull], folder=folder)


def _object_folders(first: Path) -> list[Path]:
    """The folder of objects, and those that it borrows from."""
    found, seen = [first], 0
    while seen < len(found):
        listed = found[seen] / "info" / "alternates"
        seen += 1
        if listed.is_file():
            for line in listed.read_text("utf-8").splitlines():
                other = found[seen - 1] / line
                if line and not line.startswith("#") and other.is_dir() and other not in found:
                    found.append(other)
    return found


def _link_or_copy(source: str, target: str) -> str:
    if not os.path.lexists(target):
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)
    return target


def _upload_pack(source: Path, programs: Programs) -> str:
    """The words with which git serves the source: it may not need to be ours, nor fetch itself."""
    words = ["env", *(f"{name}={value}" for name, value in NO_LAZY_FETCH.items()), "git"]
    # The RM's repository need not offer these commits under a name, so we ask for any.
    words += [*trusting(source, programs), "-c", "uploadpack.allowAnySHA1InWant=true"]
    return shlex.join([*words, "upload-pack"])


def _fetch(folder: Path, source: Path, objects: Sequence[str], programs: Programs) -> None:
    programs.run(
        ["git", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
         "--upload-pack", _upload_pack(source, programs), "--", source, *objects],
        folder=folder,
    )  # fmt: skip


def _holds(folder: Path, object_id: str, programs: Programs, trust: Sequence[str] = ()) -> bool:
    asked = ["git", *trust, "cat-file", "-e", object_id]
    return programs.run(asked, folder=folder, env=NO_LAZY_FETCH, check=False).status == 0


def _complete(folder: Path, commit: str, source: Path, programs: Programs) -> None:
    """Every tree and file of the commit is here: a partial clone has only some.

    Asked anew each time, so that a source that was repaired meanwhile repairs us as well; and
    again after each fetch that helped, as what a folder that was missing lists shows only then.
    """
    missing, before = _missing(folder, commit, programs), None
    while missing and missing != before:
        address = promisor_of(source, programs)
        if address and not _remote_is_set(folder, programs):
            raise damaged(folder)
        if address:
            _fetch_from_promisor(folder, missing, address, programs)
        else:
            _fetch_quietly(folder, source, missing, programs)
        missing, before = _missing(folder, commit, programs), missing
    if missing is None:
        return
    raise ServiceFailed(
        service="git",
        action=f"read commit {commit[:12]} of {source}",
        problem=f"{len(missing):,} of its files and folders are missing"
        if missing
        else "not all of its files can be read",
        remedy=f"{git_in(source, 'fetch', 'upstream')}, then "
        f"{git_in(source, 'fetch', '--refetch', 'upstream')} bring what a copy of a partial clone "
        f"lacks; if {git_in(source, 'fsck')} still finds something wrong, put a fresh clone of "
        "upstream in its place",
        details=tuple(missing[:8]),
    )


def _missing(folder: Path, commit: str, programs: Programs) -> list[str] | None:
    """The objects of the commit that are missing here; None if none is, [] if git does not know."""
    asked = ["git", "rev-list", "--objects", "--no-walk", "--missing=print", commit]
    ended = programs.run(asked, folder=folder, env=NO_LAZY_FETCH, check=False)
    if ended.status:
        return []
    found = [line[1:] for line in ended.stdout.splitlines() if line.startswith("?")]
    return found or None


def _remote_is_set(folder: Path, programs: Programs) -> bool:
    asked = ["git", "config", "--get", f"remote.{_PROMISOR}.url"]
    return programs.run(asked, folder=folder, check=False).status == 0


def _fetch_from_promisor(
    folder: Path, objects: Sequence[str], address: str, programs: Programs
) -> None:
    ended = programs.run(
        # The words that git uses itself for what a partial clone lacks.
        ["git", "-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags",
         "--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none", "--stdin",
         _PROMISOR],
        folder=folder, stdin="".join(f"{name}\n" for name in objects).encode(), check=False,
    )  # fmt: skip
    if ended.status:
        lines = ended.stderr.strip().splitlines()
        raise ServiceFailed(
            service="git",
            action=f"fetch {len(objects):,} files missing in the partial clone from {address}",
            problem=lines[0] if lines else f"ended with status {ended.status}",
            remedy="check that this machine can reach the address, then run the same command again",
            details=tuple(lines[1:]),
        )


def _fetch_quietly(folder: Path, source: Path, objects: Sequence[str], programs: Programs) -> None:
    """What of these objects the source has is here; what it lacks is reported by the caller."""
    trust = trusting(source, programs)
    here = [name for name in objects if _holds(source, name, programs, trust)]
    if here:
        _fetch(folder, source, here, programs)
