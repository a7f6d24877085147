"""Whoever can write to the work folder alters what a task made, and whatever tells of it.

Each product of each task is altered in turn before the archives are signed, and every receipt, and
the journal with it, is written as a run would have left it. What is signed then is what an
undisturbed release signs, or nothing is.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from tests.publish.conftest import a_day
from tests.publish.day import DONE, FAILED, Day
from tests.publish.evening import receipts
from tests.source_world import git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow

# What is made from them is there already, and is judged by itself.
BEHIND: Final = {
    "merge_news", "bump_version", "write_readme", "mark_next", "set_years", "set_source_uri",
    "build_topics", "compare_configure",
}  # fmt: skip


def test_nothing_is_signed_on_the_word_of_files(
    tmp_path_factory: pytest.TempPathFactory, count: Callable[[str, int], None]
) -> None:
    with a_day(tmp_path_factory) as day:
        day.start_world()
        assert day.doit("run", "test_source").status == DONE
        day.save("tested")
        made = receipts(day)
        listed = [line.split()[0] for line in day.doit("list").out.splitlines() if line.strip()]
        names = [name for name in listed if name in made]
        true = {path.name: path.read_bytes() for path in day.toy.work.glob("src/*")}
        for task in names:
            outputs = [day.work / each for each in json.loads(made[task])["outputs"]]
            if not outputs:
                continue
            day.restore("tested")
            words = [word for path in outputs for word in altered(day, path)]
            assert day.doit(*words, *names, kind="forge").status == 0, task
            ended = day.doit("run", "sign_archives")
            assert (ended.status == DONE) == (task in BEHIND), (task, ended)
            signed = {path.name: path.read_bytes() for path in day.work.glob("src/*")}
            if ended.status == DONE:
                assert true.items() <= signed.items(), task
            else:
                assert ended.status == FAILED, (task, ended)
                assert not [name for name in signed if name.endswith(".asc")], task
            count("altered products, with forged receipts and journal lines", len(outputs))


def altered(day: Day, path: Path) -> list[str]:
    """The file has one byte more, or the ref another commit; gives what facts become by that."""
    if "refs" not in path.parts:
        with path.open("ab") as stream:
            stream.write(b"\n")
        return []
    old = path.read_text().strip()
    commit = git(day.work / "clone", "rev-parse", f"{old}^{{commit}}")
    new = with_evil(day.work / "clone", commit)
    path.write_text(f"{new}\n")
    return [f"{each}={new}" for each in (old, commit)]


def with_evil(clone: Path, commit: str) -> str:
    """A commit as this one, with one more module in it."""
    place = {"GIT_INDEX_FILE": str(clone.parent / "evil-index")}

    def asked(*words: str, given: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=clone, env={**os.environ, **place}, input=given, check=True,
            capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip

    asked("read-tree", commit, given="")
    blob = asked("hash-object", "-w", "--stdin", given="import evil\n")
    asked("update-index", "--add", "--cacheinfo", f"100644,{blob},Lib/evil.py", given="")
    tree = asked("write-tree", given="")
    _, _, rest = asked("cat-file", "commit", commit, given="").partition("\n")
    return asked("hash-object", "-w", "-t", "commit", "--stdin", given=f"tree {tree}\n{rest}\n")
