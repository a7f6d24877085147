"""Whoever can write to the work folder alters what a task made, and whatever tells of it.

Each product of each task is altered in turn before the archives are signed, and every receipt, and
the journal with it, is written as a run would have left it. What is signed then is what an
undisturbed release signs, or nothing is.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from plugins.model.remote_layout import RemoteLayout
from plugins.model.version import Version
from plugins.services.git_clone import GitClone
from plugins.services.programs import MachinePrograms
from plugins.steps import tarball
from tests.export.toy import VERSION
from tests.progress import Quiet
from tests.publish.conftest import a_day
from tests.publish.day import DONE, FAILED, Day
from tests.publish.evening import receipts
from tests.source_world import a_release, git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.publish.walk import Walk

pytestmark = pytest.mark.slow

AT: Final = RemoteLayout(Version.parse(VERSION))
COMMIT: Final = "refs/release/commit"

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


def test_archive_that_is_another_one_while_it_is_signed_is_not_signed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Before and after it is the one that the gates judged."""
    with a_day(tmp_path_factory) as day:
        day.start_world()
        assert day.doit("run", "test_source").status == DONE
        ended = day.doit("run", "sign_archives", kind="swap")
        assert ended.status == FAILED, ended
        assert "is not as it was judged in this run" in ended.line_of("sign_archives"), ended
        assert not list(day.work.glob("src/*.asc"))


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


def forge_all(day: Day, *facts: str) -> None:
    """Every receipt there is, and the journal, tells of the files as they are, and these facts."""
    made = receipts(day)
    listed = [line.split()[0] for line in day.doit("list").out.splitlines() if line.strip()]
    names = [name for name in listed if name in made]
    assert day.doit(*facts, *names, kind="forge").status == 0


def with_signature_of_the_other(day: Day) -> None:
    """One archive has the signature of the other, and SHA256SUMS says so."""
    src = day.work / "src"
    one, other = (src / f"Python-{day.version}.{form}.asc" for form in ("tgz", "tar.xz"))
    sums = src / "SHA256SUMS"
    old, new = (hashlib.sha256(each.read_bytes()).hexdigest() for each in (one, other))
    one.write_bytes(other.read_bytes())
    sums.write_text(sums.read_text().replace(old, new, 1))


def with_another_sum(day: Day) -> None:
    sums = day.work / "src" / "SHA256SUMS"
    sums.write_text("0" * 64 + sums.read_text()[64:])


@pytest.mark.parametrize(
    ("alter", "rule"),
    [(with_signature_of_the_other, "signature.bytes"), (with_another_sum, "checksums.differs")],
)
def test_what_is_beside_the_archives_is_not_published_on_the_word_of_files(
    walk: Walk, alter: Callable[[Day], None], rule: str
) -> None:
    """Nor is it on the word that the host's files were verified."""
    day = walk.day
    day.restore("stage_files")
    alter(day)
    forge_all(day)
    assert day.doit("run", "stage_files").status == DONE
    assert day.doit("verify_staged", kind="forge").status == 0
    ended = day.go_on()
    assert ended.status == FAILED, ended
    assert rule in ended.line_of("switch_files"), ended
    assert not list((day.downloads / AT.downloads.final).glob("Python-*"))


def archives_of(day: Day, commit: str) -> list[str]:
    """The archives are those of this commit; gives what facts become by that."""
    known = json.loads(receipts(day)["build_tarballs"])["facts"]
    programs = MachinePrograms()
    release = a_release(day.work.parent, VERSION)
    clone = GitClone(day.work / "clone", programs)
    made = tarball.build(release, clone, programs, Quiet(), commit)
    return [f"{known[name]}={made[name]}" for name in ("commit", "stream_sha256")]


def moved(day: Day, commit: str) -> list[str]:
    """The release commit is another one, and checked out, and the tag names it."""
    clone = day.work / "clone"
    old = git(clone, "rev-parse", f"v{VERSION}")
    git(clone, "update-ref", COMMIT, commit)
    git(clone, "checkout", "--quiet", "--force", "--detach", commit)
    git(clone, "tag", "--force", "-a", "-m", f"Python {VERSION}", f"v{VERSION}", commit)
    return [f"{old}={git(clone, 'rev-parse', f'v{VERSION}')}"]


@pytest.mark.parametrize(
    ("how", "rule"),
    [((archives_of,), "archive.tree"), ((moved, archives_of), "source.unexpected")],
    ids=["archives of another commit", "another commit, its tag and its archives"],
)
def test_what_is_signed_is_the_tree_that_was_judged(
    tmp_path_factory: pytest.TempPathFactory,
    how: tuple[Callable[[Day, str], list[str]], ...],
    rule: str,
) -> None:
    """Each gate is content with what it is shown: they have to be shown the same."""
    with a_day(tmp_path_factory) as day:
        day.start_world()
        assert day.doit("run", "test_source").status == DONE
        evil = with_evil(day.work / "clone", git(day.work / "clone", "rev-parse", COMMIT))
        words = [word for each in how for word in each(day, evil)]
        forge_all(day, *words)
        ended = day.doit("run", "sign_archives")
        assert ended.status == FAILED, ended
        assert rule in ended.line_of("sign_archives"), ended
        assert not list(day.work.glob("src/*.asc"))


def test_topics_that_were_altered_once_they_were_made_are_not_committed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """They were read as texts alone when they were made; then somebody adds a statement."""
    with a_day(tmp_path_factory) as day:
        day.start_world()
        assert day.doit("run", "build_topics").status == DONE
        with (day.work / "made" / "topics.py").open("a") as stream:
            stream.write("import evil\n")
        forge_all(day)
        ended = day.doit("run", "check_clean")
        assert (ended.status, ended.failed) == (FAILED, ["check_source"]), ended
        assert "Lib/pydoc_data/topics.py: is not a table of texts" in ended.said
        # The remedy is followed.
        (day.work / "made" / "topics.py").unlink()
        shutil.rmtree(day.work / "clone")
        assert day.doit("run", "check_clean").status == DONE
