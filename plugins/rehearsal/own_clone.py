"""Own clone: a rehearsal in a copy of the release manager's own CPython, in place of the toy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugins.rehearsal.machine import run

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["copy_clone"]


def copy_clone(folder: Path, clone: Path, branch: str) -> Path:
    """Make the git repositories under ``folder`` from a clone, which is only read.

    ``upstream.git`` and ``fork.git`` have its tags and, as ``branch`` and ``main``, what it or
    its remotes ``upstream`` and ``origin`` have under these names. Returns ``cpython``, a clone
    of them on ``branch``. Raises ValueError if there is no such branch.
    """
    heads = {each: commit for each in (branch, "main") if (commit := _head(clone, each))}
    if branch not in heads:
        message = f"{clone} has no branch {branch}, and neither have its upstream and origin"
        raise ValueError(message)
    upstream, fork, own = folder / "upstream.git", folder / "fork.git", folder / "cpython"
    folder.mkdir(parents=True, exist_ok=True)
    run(folder, "git", "init", "--quiet", "--bare", f"--initial-branch={branch}", str(upstream))
    wanted = [f"{commit}:refs/heads/{each}" for each, commit in heads.items()]
    run(
        upstream, "git", "-c", "gc.auto=0", "-c", "uploadpack.allowAnySHA1InWant=true", "fetch",
        "--quiet", "--no-auto-maintenance", f"file://{clone.absolute()}", *wanted,
        "+refs/tags/v*:refs/tags/v*",
    )  # fmt: skip
    run(folder, "git", "clone", "--quiet", "--bare", str(upstream), str(fork))
    run(folder, "git", "clone", "--quiet", "--branch", branch, str(fork), str(own))
    for words in (
        ("remote", "add", "upstream", str(upstream)),
        ("fetch", "--quiet", "upstream"),
        ("config", "user.name", "Release Manager"),
        ("config", "user.email", "rm@example.org"),
    ):
        run(own, "git", *words)
    return own


def _head(clone: Path, branch: str) -> str:
    """The commit that the clone's upstream, its origin or itself has as this branch; "" if none."""
    listed = run(clone, "git", "for-each-ref", "--format=%(refname) %(objectname)")
    known = dict(line.split() for line in listed.splitlines())
    places = ("refs/remotes/upstream/", "refs/remotes/origin/", "refs/heads/")
    return next((known[f"{place}{branch}"] for place in places if f"{place}{branch}" in known), "")
