"""Simulated git remotes: bare repositories that enforce rules and record each push.

Fork and upstream are real repositories with hooks. The hooks run this module: before a push is
accepted it asks the protection that the simulated GitHub keeps, afterwards it adds to the log.
"""

from __future__ import annotations

import fcntl
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from plugins.rehearsal.machine import run
from plugins.rehearsal.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["FAULTS", "colleague_pushes", "guard", "main", "take_tag", "tell_taken"]

FAULTS: Final = {
    "upstream.moved_while_pushed": "a colleague's commit reaches the branch just before the push",
    "upstream.tag_taken": "somebody else's tag of the same name appears just before the push",
    "upstream.refuses": "upstream declines the push by a rule that administrators cannot bypass",
    "upstream.drops_after_push": "upstream accepts the push and drops the connection unanswered",
    "fork.refuses": "the fork declines the push",
}
_NOTHING: Final = "0" * 40
_PROJECT: Final = Path(__file__).resolve().parents[2]


def guard(repository: Path, store: Store, name: str) -> None:
    """From now on the bare repository enforces the rules of ``name`` and records each push."""
    for hook in ("pre-receive", "post-receive"):
        script = (
            "#! /bin/sh\n"
            f'PYTHONPATH="{_PROJECT}" exec "{sys.executable}" -m plugins.rehearsal.remotes '
            f'{hook} "{store.folder.absolute()}" {name}\n'
        )
        write_whole(repository / "hooks" / hook, script.encode(), mode=0o755)
    run(repository, "git", "config", "receive.denyNonFastForwards", "true")


def colleague_pushes(
    repository: Path, branch: str, name: str = "Misc/ACKS", *, first: str = ""
) -> str:
    """Somebody else has added lines to a file of the branch; returns their commit.

    The last line is theirs, and ``first``, if given, replaces the first one.
    """
    before = run(repository, "git", "rev-parse", f"refs/heads/{branch}").strip()
    content = run(repository, "git", "show", f"{before}:{name}") + "A. Colleague\n"
    if first:
        content = f"{first}\n{content.partition(chr(10))[2]}"
    blob = run(repository, "git", "hash-object", "-w", "--stdin", stdin=content.encode()).strip()
    index = repository / "colleague.index"
    os_words = ("env", f"GIT_INDEX_FILE={index}")
    run(repository, *os_words, "git", "read-tree", before)
    run(repository, *os_words, "git", "update-index", "--cacheinfo", f"100644,{blob},{name}")
    tree = run(repository, *os_words, "git", "write-tree").strip()
    index.unlink()
    commit = run(
        repository, "env", *_person(repository, branch), "git", "commit-tree", tree, "-p", before,
        "-m", "gh-300001: Thank a colleague",
    ).strip()  # fmt: skip
    run(repository, "git", "update-ref", f"refs/heads/{branch}", commit, before)
    return commit


def take_tag(repository: Path, tag: str, branch: str) -> str:
    """Somebody else has made the tag of that name on the branch; returns the tag's id."""
    run(
        repository,
        "env",
        *_person(repository, branch),
        "git",
        "tag",
        "-a",
        "-m",
        "not this one",
        tag,
        branch,
    )
    return run(repository, "git", "rev-parse", f"refs/tags/{tag}").strip()


def _person(repository: Path, branch: str) -> tuple[str, ...]:
    """A colleague, a minute after the newest commit of the branch: never in the future."""
    newest = run(repository, "git", "show", "-s", "--format=%ct", f"refs/heads/{branch}")
    return tuple(
        f"GIT_{role}_{what}={value}"
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (
            ("NAME", "A Colleague"),
            ("EMAIL", "colleague@example.org"),
            ("DATE", f"{int(newest) + 60} +0000"),
        )
    )


def main(words: Sequence[str], updates: str) -> int:
    """What a hook does; the status decides whether the push is taken."""
    hook, folder, name = words
    store = Store(Path(folder))
    wanted = [tuple(line.split()) for line in updates.splitlines()]
    if hook == "post-receive":
        with _alone(store):
            _tell(store, name, wanted)
        if name == "upstream" and store.fault("upstream.drops_after_push") is not None:
            # the client's git sees its connection end: this hook's own parent is receive-pack
            os.kill(os.getppid(), 9)
        return 0
    with _alone(store):
        _tell_taken(Path.cwd(), store, name)
        refusal = _refusal(store, name, wanted)
        if refusal:
            store.record(name, "push refused", reason=refusal, refs=[ref for _, _, ref in wanted])
            sys.stderr.write(f"error: {refusal}\n")
            return 1
        _happen(store, name, wanted)
        store.save(f"{name}.begun", [*_begun_of_others(store, name, wanted), wanted])
    return 0


def tell_taken(repository: Path, store: Store, name: str) -> None:
    """A push that was taken is recorded, also if its client was killed before it was told.

    git serves a repository of the same machine in the client's own process group, and who is
    killed takes the server along, between the ref and the hook; one of another machine goes on.
    """
    with _alone(store):
        _tell_taken(repository, store, name)


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    """No hook of another push reads or writes the state meanwhile: a train pushes at once."""
    descriptor = os.open(store.folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _tell_taken(repository: Path, store: Store, name: str) -> None:
    begun = store.load(f"{name}.begun", [])
    if not begun:
        return
    words = ("git", "for-each-ref", "--format=%(refname) %(objectname)")
    present = dict(line.split() for line in run(repository, *words).splitlines())
    for updates in begun:
        if all(present.get(ref, _NOTHING) == new for _, new, ref in updates):
            _tell(store, name, updates)


def _begun_of_others(
    store: Store, name: str, updates: Sequence[Sequence[str]]
) -> list[Sequence[Sequence[str]]]:
    """What other pushes want, of which nobody knows yet that it was taken."""
    refs = {ref for _, _, ref in updates}
    begun = store.load(f"{name}.begun", [])
    return [each for each in begun if refs.isdisjoint(ref for _, _, ref in each)]


def _refs_of(updates: Sequence[Sequence[str]]) -> dict[str, str]:
    return {ref: "" if new == _NOTHING else new for _, new, ref in updates}


def _tell(store: Store, name: str, updates: Sequence[Sequence[str]]) -> None:
    """The push is recorded, by its own hook or by whoever came first: once."""
    refs = _refs_of(updates)
    begun = [each for push in store.load(f"{name}.begun", []) for each in push]
    if any(list(each) not in begun for each in updates):
        return
    pushes = [entry["refs"] for entry in store.happened(name) if entry["event"] == "push"]
    if [each for each in pushes if not refs.keys().isdisjoint(each)][-1:] != [refs]:
        if name == "upstream":
            for ref in (each for each, new in refs.items() if not new):
                _forget_branch(store, ref.removeprefix("refs/heads/"))
        store.record(name, "push", refs=refs)
    store.save(f"{name}.begun", _begun_of_others(store, name, updates))


def _refusal(store: Store, name: str, updates: Sequence[tuple[str, ...]]) -> str:
    """Why the push is not taken; "" if it is."""
    if store.fault(f"{name}.refuses") is not None:
        return "GH013: Repository rule violations found."
    if name != "upstream":
        return ""
    protection = store.load("protection", {})
    for _, new, ref in updates:
        if new == _NOTHING:
            # Source: GitHub's "About protected branches": not by administrators either.
            kept = protection.get(ref.removeprefix("refs/heads/"), {"allow_deletions": True})
            if "/heads/" not in ref or not kept.get("allow_deletions"):
                return f"GH006: Protected branch update failed for {ref}. Cannot delete it."
        rules = protection.get(ref.removeprefix("refs/heads/")) if "/heads/" in ref else None
        if rules and rules["enforce_admins"]:
            return (
                f"GH006: Protected branch update failed for {ref}. "
                "Changes must be made through a pull request."
            )
    return ""


def _forget_branch(store: Store, branch: str) -> None:
    """As at GitHub: a branch that is gone has no rules to read, and no open pull request."""
    protection = store.load("protection", {})
    protection.pop(branch, None)
    store.save("protection", protection)
    hub = store.load("github", {})
    for each in hub.get("issues", []):
        if each.get("base") == branch and each["state"] == "open":
            each["state"] = "closed"
            store.record(
                "github", "closed with its branch", number=each["number"], status=200, path=""
            )
    store.save("github", hub)


def _happen(store: Store, name: str, updates: Sequence[tuple[str, ...]]) -> None:
    """Faults between the client's look and the push."""
    if name != "upstream":
        return
    here = Path.cwd()
    branches = [ref.removeprefix("refs/heads/") for _, _, ref in updates if "/heads/" in ref]
    tags = [ref.removeprefix("refs/tags/") for _, _, ref in updates if "/tags/" in ref]
    # Simulated programs see nothing of the quarantine that what is pushed waits in.
    if branches and store.fault("upstream.moved_while_pushed") is not None:
        colleague_pushes(here, branches[0])
    if tags and branches and store.fault("upstream.tag_taken") is not None:
        take_tag(here, tags[0], branches[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdin.read()))
