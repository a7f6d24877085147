"""Tests of the simulated repositories: each push that was taken is recorded, and once."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from plugins.rehearsal import remotes
from plugins.rehearsal.store import Store
from tests.source_world import git

if TYPE_CHECKING:
    from pathlib import Path


def a_fork(folder: Path) -> tuple[Store, Path, Path]:
    """The state, a guarded repository, and a clone with a commit."""
    store, hub, clone = Store(folder / "state"), folder / "fork.git", folder / "clone"
    for words in (("init", "--quiet", "--bare", str(hub)), ("init", "--quiet", str(clone))):
        git(folder, *words)
    remotes.guard(hub, store, "fork")
    git(clone, "commit", "--quiet", "--allow-empty", "--message=first")
    return store, hub, clone


def pushes_of(store: Store) -> list[object]:
    return [each["refs"] for each in store.happened("fork") if each["event"] == "push"]


def test_push_that_another_one_overtakes_is_recorded_once(tmp_path: Path) -> None:
    store, hub, clone = a_fork(tmp_path)
    hook = hub / "hooks" / "post-receive"
    told, at = tmp_path / "told", git(clone, "rev-parse", "HEAD")
    hook.rename(told)
    hook.write_text(
        f"#! /bin/sh\nmv '{told}' '{hook}'\n"
        f"env -u GIT_DIR git -C '{clone}' push --quiet '{hub}' HEAD:refs/heads/two\n"
        f"exec '{hook}'\n"
    )
    hook.chmod(0o755)
    git(clone, "push", "--quiet", str(hub), "HEAD:refs/heads/one")
    assert pushes_of(store) == [{"refs/heads/one": at}, {"refs/heads/two": at}]


def test_pushes_at_once_are_each_taken_and_recorded(tmp_path: Path) -> None:
    store, hub, clone = a_fork(tmp_path)
    refs = [f"refs/heads/part-{number}" for number in range(6)]
    words = ("git", "-C", str(clone), "push", "--quiet", str(hub))
    running = [subprocess.Popen([*words, f"HEAD:{ref}"]) for ref in refs]
    assert [each.wait() for each in running] == [0] * len(refs)
    at = git(clone, "rev-parse", "HEAD")
    assert sorted(map(str, pushes_of(store))) == [str({ref: at}) for ref in refs]
    assert not store.load("fork.begun", None)


def test_push_whose_client_was_killed_after_it_was_taken_is_recorded_once(tmp_path: Path) -> None:
    store, hub, clone = a_fork(tmp_path)
    git(clone, "push", "--quiet", str(hub), "HEAD:refs/heads/one")
    hook = hub / "hooks" / "post-receive"
    told, at = hook.read_bytes(), git(clone, "rev-parse", "HEAD")
    hook.write_text("#! /bin/sh\nkill -9 $PPID\n")
    with pytest.raises(subprocess.CalledProcessError):
        git(clone, "push", "--quiet", str(hub), "HEAD:refs/heads/two")
    hook.write_bytes(told)

    assert pushes_of(store) == [{"refs/heads/one": at}]
    for _ in range(2):
        remotes.tell_taken(hub, store, "fork")
        assert pushes_of(store) == [{"refs/heads/one": at}, {"refs/heads/two": at}]
    git(clone, "push", "--quiet", str(hub), ":refs/heads/one")
    assert pushes_of(store)[2:] == [{"refs/heads/one": ""}]
