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


def test_push_whose_client_was_killed_after_it_was_taken_is_recorded_once(tmp_path: Path) -> None:
    store, hub, clone = Store(tmp_path / "state"), tmp_path / "fork.git", tmp_path / "clone"
    for words in (("init", "--quiet", "--bare", str(hub)), ("init", "--quiet", str(clone))):
        git(tmp_path, *words)
    remotes.guard(hub, store, "fork")
    git(clone, "commit", "--quiet", "--allow-empty", "--message=first")
    git(clone, "push", "--quiet", str(hub), "HEAD:refs/heads/one")
    hook = hub / "hooks" / "post-receive"
    told, at = hook.read_bytes(), git(clone, "rev-parse", "HEAD")
    hook.write_text("#! /bin/sh\nkill -9 $PPID\n")
    with pytest.raises(subprocess.CalledProcessError):
        git(clone, "push", "--quiet", str(hub), "HEAD:refs/heads/two")
    hook.write_bytes(told)

    def pushes() -> list[object]:
        return [each["refs"] for each in store.happened("fork") if each["event"] == "push"]

    assert pushes() == [{"refs/heads/one": at}]
    for _ in range(2):
        remotes.tell_taken(hub, store, "fork")
        assert pushes() == [{"refs/heads/one": at}, {"refs/heads/two": at}]
    git(clone, "push", "--quiet", str(hub), ":refs/heads/one")
    assert pushes()[2:] == [{"refs/heads/one": ""}]
