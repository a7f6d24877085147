"""Tests of what the release commit is: the tree that was judged, changed as edits change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.release_commit import (
    archives_are_of_the_commit,
    code_is_changed_as_edits_do,
    commit_is_as_judged,
)
from doit_receipts.finding import Finding, Severity
from plugins.model import text_table
from plugins.steps import news, release_clone, version_files
from tests.source_world import DAY, World, a_release, a_world, git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EDITED = "edited"
TOPICS = "Lib/pydoc_data/topics.py"
BLOCKS = ("source.unexpected", Severity.BLOCK)


@pytest.fixture
def made(tmp_path: Path) -> World:
    """A release whose commit is made of all edits, each of code among them, and tagged."""
    world = a_world(tmp_path)
    clone, release = world.make(), world.release
    news.merge(release, clone, world.programs, date=DAY)
    version_files.bump(release, clone, after="news")
    version_files.readme(release, clone, after="bump")
    version_files.copyright_years(release, clone, world.base, date=DAY, after="readme")
    table = text_table.written({"spam": "Eggs.\n"}, "topics", b"")
    put(world, "years", {TOPICS: table.decode()})
    release_clone.commit(release, clone, world.base, world.clock, after=EDITED)
    make_tag(world, "refs/release/commit")
    return world


def make_tag(world: World, commit: str) -> None:
    words = "tag", "--force", "-a", "-m", "Python 3.13.6", "v3.13.6", commit
    git(world.clone.folder, *words)


def put(world: World, after: str, files: dict[str, str]) -> str:
    """The step ``edited`` left the tree with these files so; gives its commit."""
    clone = world.clone
    parent = clone.resolve(f"refs/release/{after}")
    clone.checkout(parent)
    for name, content in files.items():
        (clone.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (clone.folder / name).write_text(content)
    return clone.record(EDITED, parent, "Edit")


def said(found: tuple[Finding, ...]) -> list[tuple[str, str, Severity]]:
    return [(each.rule, each.where, each.severity) for each in found]


def test_what_the_edits_of_a_release_leave_passes(made: World) -> None:
    release, clone = made.release, made.clone
    changed = clone.difference("refs/release/base", "refs/release/commit")
    assert {TOPICS, "Include/patchlevel.h"} <= set(changed)
    assert code_is_changed_as_edits_do(release, clone, after=EDITED) == ()
    assert commit_is_as_judged(release, clone, after="commit", edited=EDITED) == ()
    commit = clone.resolve("refs/release/commit")
    assert archives_are_of_the_commit(release, clone, commit) == ()


@pytest.mark.parametrize(
    ("name", "more", "problem"),
    [
        ("Include/patchlevel.h", "#include </tmp/evil.h>\n", "in more than the version"),
        ("Python/getcopyright.c", "int evil;\n", "in more than the years of its notice"),
        ("PC/python_ver_rc.h", "#define EVIL 1\n", "in more than the years of its notice"),
        ("LICENSE", "Pay us.\n", "in more than the years of its notice"),
        ("Doc/tools/extensions/pyspecific.py", "import evil\n", "in more than the link"),
        (TOPICS, "import evil\n", "is not a table of texts and nothing else: line "),
        (TOPICS, "# evil\n", "is not spelled as a table of texts is"),
        ("Lib/pydoc_data/module_docs.py", "import evil\n", "is not a table of texts"),
    ],
)
def test_code_that_no_edit_writes_blocks_in_the_files_that_edits_change(
    made: World, name: str, more: str, problem: str
) -> None:
    before = (made.clone.read(f"refs/release/{EDITED}", name) or b"").decode()
    put(made, EDITED, {name: before + more})
    (finding,) = code_is_changed_as_edits_do(made.release, made.clone, after=EDITED)
    assert (finding.rule, finding.severity) == BLOCKS
    assert finding.where == name
    assert problem in finding.message
    assert "delete " in finding.remedy


def test_commit_with_more_than_was_judged_blocks(made: World) -> None:
    """It stands where the release commit is looked for, with its message, parent and author."""
    clone = made.clone
    true = clone.resolve("refs/release/commit")
    clone.checkout(true)
    (clone.folder / "Lib" / "evil.py").write_text("import evil\n")
    git(clone.folder, "add", "--force", "Lib/evil.py")
    tree = git(clone.folder, "write-tree")
    evil = git(clone.folder, "commit-tree", tree, "-p", f"{true}^", "-m", "Python 3.13.6")
    clone.point("refs/release/commit", evil)
    found = commit_is_as_judged(made.release, clone, after="commit", edited=EDITED)
    assert said(found) == [("source.unexpected", "Lib/evil.py", Severity.BLOCK)]
    assert "delete the release clone and run the same command again" in found[0].remedy
    clone.point("refs/release/commit", true)
    assert commit_is_as_judged(made.release, clone, after="commit", edited=EDITED) == ()


def test_commit_on_another_base_blocks(made: World) -> None:
    clone = made.clone
    true = clone.resolve("refs/release/commit")
    other = git(clone.folder, "commit-tree", f"{true}^{{tree}}", "-p", true, "-m", "Python 3.13.6")
    clone.point("refs/release/commit", other)
    (finding,) = commit_is_as_judged(made.release, clone, after="commit", edited=EDITED)
    assert (finding.rule, finding.severity) == BLOCKS
    assert finding.message.startswith(f"is made on {true[:12]}, and its edits on ")


def test_archives_of_another_commit_block(made: World) -> None:
    clone = made.clone
    (finding,) = archives_are_of_the_commit(
        made.release, clone, clone.resolve(f"refs/release/{EDITED}")
    )
    assert (finding.rule, finding.severity) == ("archive.tree", Severity.BLOCK)
    assert finding.where == "the source archives"


def test_tag_of_another_commit_blocks_until_it_is_made_again(made: World) -> None:
    clone = made.clone
    commit = clone.resolve("refs/release/commit")
    other = clone.resolve(f"refs/release/{EDITED}")
    make_tag(made, other)
    for each in (commit, other):
        (finding,) = archives_are_of_the_commit(made.release, clone, each)
        assert (finding.rule, finding.where) == ("archive.tree", "v3.13.6")
        assert finding.remedy.startswith("delete it in the release clone")
    git(clone.folder, "tag", "--delete", "v3.13.6")
    make_tag(made, "refs/release/commit")
    assert archives_are_of_the_commit(made.release, clone, commit) == ()


@pytest.mark.parametrize(
    "look",
    [
        lambda world: code_is_changed_as_edits_do(world.release, world.clone, after=EDITED),
        lambda world: commit_is_as_judged(
            world.release, world.clone, after="commit", edited=EDITED
        ),
        lambda world: archives_are_of_the_commit(world.release, world.clone, "c" * 40),
    ],
)
def test_clone_that_is_not_there_blocks(
    tmp_path: Path, look: Callable[[World], tuple[Finding, ...]]
) -> None:
    world = World(tmp_path, a_release(tmp_path / "build"))
    assert [each.severity for each in look(world)] == [Severity.BLOCK]
