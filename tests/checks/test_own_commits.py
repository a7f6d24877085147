"""Tests of what stands between upstream's history and the release commit."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from checks.own_commits import commits_are_known, merge_is_of_true_objects
from doit_receipts.finding import Severity
from plugins.services.git_history import GitHistory
from plugins.services.git_remote import GitRemote
from plugins.steps import release_clone
from tests.checks.test_altered_objects import alter
from tests.progress import Quiet
from tests.source_world import World, a_world, git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doit_receipts.finding import Finding

_SPAM = "".join(f"line {number}\n" for number in range(40))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A candidate that is made from the one before, on a branch that went on meanwhile.

    The release manager's clone has each object in a file of its own.
    """
    made = replace(a_world(tmp_path, "3.14.0rc2", "3.14.0rc1"), wanted="v3.14.0rc1")
    made.commit({"Lib/spam.py": _SPAM}, "Spam")
    for pack in (made.cpython / ".git/objects/pack").glob("*.pack"):
        moved = pack.rename(made.folder / pack.name)
        pack.with_suffix(".idx").unlink()
        with moved.open("rb") as stream:
            asked = ["git", "unpack-objects", "-q"]
            subprocess.run(asked, cwd=made.cpython, check=True, stdin=stream)
    return made


def released(world: World, *picks: str) -> tuple[Finding, ...]:
    """What is found of a release with these picks."""
    clone = world.clone
    facts = release_clone.make(clone, world.base, Quiet(), cherry_picks=picks)
    (clone.folder / "README.rst").write_text("edited\n")
    clone.record("edit", facts["commit"], "Edit")
    release_clone.commit(world.release, clone, world.base, world.clock, after="edit")
    return judged(world)


def judged(world: World) -> tuple[Finding, ...]:
    base = world.base.commit()
    return commits_are_known(world.release, world.clone, world.programs, history_of(world), base)


def history_of(world: World) -> GitHistory:
    upstream = GitRemote(str(world.folder / "upstream.git"), world.programs)
    room = world.release.layout.work / "verify" / "upstream"
    return GitHistory(room, upstream, world.cpython, world.programs)


def of_ours(world: World, start: str, content: str, message: str = "Ours") -> str:
    """A commit that only the release manager's clone has."""
    git(world.cpython, "checkout", "-q", "--detach", start)
    (world.cpython / "Lib" / "spam.py").write_text(content)
    git(world.cpython, "add", "-A")
    when = "2026-11-16T10:00:00Z"
    dated = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    git(world.cpython, "commit", "-q", "-m", message, env=dated)
    return git(world.cpython, "rev-parse", "HEAD")


def test_release_of_upstreams_own_commit_passes(world: World) -> None:
    assert released(world) == ()


def test_base_that_upstream_does_not_have_blocks(world: World) -> None:
    """Who wrote a receipt of the gate that judged the base did not get it past this one."""
    own = of_ours(world, "v3.14.0rc1", _SPAM + "import evil\n")
    (finding,) = released(replace(world, wanted=own))
    assert (finding.rule, finding.severity) == ("base.only_here", Severity.BLOCK)
    assert own[:12] in finding.message


def test_picks_that_upstream_has_pass_in_any_place(world: World) -> None:
    """The second is picked onto a file in which the lines around it are other ones."""
    first = git(world.cpython, "rev-parse", "upstream/3.14")
    world.commit({"Lib/spam.py": _SPAM.replace("line 18\n", "line 18, not picked\n")})
    later = _SPAM.replace("line 18\n", "line 18, not picked\n").replace("line 21\n", "mended\n")
    second = world.commit({"Lib/spam.py": later})
    assert released(world, first, second) == ()


def test_pick_that_upstream_does_not_have_is_named_and_blocks(world: World) -> None:
    first = git(world.cpython, "rev-parse", "upstream/3.14")
    own = of_ours(world, "upstream/3.14", _SPAM + "import evil\n", "Not reviewed")
    (finding,) = released(world, first, own)
    assert (finding.rule, finding.severity) == ("base.picked", Severity.BLOCK)
    assert "(Not reviewed)" in finding.message


def _merged(world: World, own: str) -> tuple[str, ...]:
    git(world.cpython, "push", "-q", str(world.folder / "upstream.git"), f"{own}:refs/heads/3.14")
    return (own,)


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        ("have it merged upstream", _merged),
        ("take it out of [repository] cherry_picks", lambda _world, _own: ()),
    ],
)
def test_pick_of_ours_is_merged_or_taken_out(
    world: World, words: str, mend: Callable[[World, str], tuple[str, ...]]
) -> None:
    first = git(world.cpython, "rev-parse", "upstream/3.14")
    own = of_ours(world, "upstream/3.14", _SPAM + "mended\n")
    (finding,) = released(world, first, own)
    assert words in finding.remedy
    assert released(world, first, *mend(world, own)) == ()


def test_pick_with_the_patch_of_another_commit_of_upstream_passes(world: World) -> None:
    first = git(world.cpython, "rev-parse", "upstream/3.14")
    own = of_ours(world, "upstream/3.14", _SPAM + "mended\n")
    world.commit({"Lib/spam.py": _SPAM + "mended\n"}, "The same, as it was merged")
    assert released(world, first, own) == ()


def test_pick_that_names_a_commit_of_upstream_and_does_another_thing_blocks(world: World) -> None:
    """The word of a commit of where it comes from is believed by nobody."""
    first = git(world.cpython, "rev-parse", "upstream/3.14")
    named = f"Ours\n\n(cherry picked from commit {first})"
    own = of_ours(world, "upstream/3.14", _SPAM + "import evil\n", named)
    found = released(world, first, own)
    assert [each.rule for each in found] == ["base.picked"]


def test_commit_of_upstream_that_was_altered_here_blocks(world: World) -> None:
    """The pick does what the altered commit says; git finds the two equal."""
    first = git(world.cpython, "rev-parse", "upstream/3.14")
    own = of_ours(world, f"{first}^", _SPAM + "import evil\n")
    evil = git(world.cpython, "rev-parse", f"{own}:Lib")
    true = git(world.cpython, "rev-parse", f"{first}:Lib")
    alter(world.cpython, true, "tree", bytes_of(world.cpython, evil, "tree"))
    (finding,) = released(world, first)
    assert (finding.rule, finding.severity) == ("clone.objects", Severity.BLOCK)
    assert true[:12] in finding.message


def test_base_that_was_altered_blocks(world: World) -> None:
    """What the edits then make of it is true again, and holds what was put in."""
    before = git(world.cpython, "rev-parse", "v3.14.0rc1:README.rst")
    alter(world.cpython, before, "blob", b"another\n")
    (finding,) = released(world)
    assert finding.rule == "clone.objects"
    assert before[:12] in finding.message


def test_merge_that_was_made_of_an_altered_file_blocks(world: World) -> None:
    """The merge holds what the altered file says, as a true file of its own."""
    released(world)
    clone, tag = world.clone, world.release.version.tag
    names = {f"refs/tags/{tag}": "refs/release/commit"}
    for branch in world.release.merge_branches:
        names |= {f"refs/release/old/{branch}": "refs/release/base",
                  f"refs/release/new/{branch}": "refs/release/commit"}  # fmt: skip
    for name, target in names.items():
        clone.point(name, clone.resolve(target))
    assert merge_is_of_true_objects(world.release, clone, world.programs) == ()
    before = clone.entry("refs/release/base", "README.rst")
    alter(clone.folder, before, "blob", b"another\n")
    (finding,) = merge_is_of_true_objects(world.release, clone, world.programs)
    assert (finding.rule, finding.severity) == ("clone.objects", Severity.BLOCK)
    assert before[:12] in finding.message


def test_remedy_of_an_altered_object_is_followed(world: World, tmp_path: Path) -> None:
    before = git(world.cpython, "rev-parse", "v3.14.0rc1:README.rst")
    alter(world.cpython, before, "blob", b"another\n")
    (finding,) = released(world)
    assert finding.remedy.startswith(f"delete {world.clone.folder}, ")
    assert "put a fresh clone of upstream in its place" in finding.remedy
    shutil.rmtree(world.clone.folder)
    shutil.rmtree(world.cpython)
    git(tmp_path, "clone", "-q", "--origin", "upstream", "upstream.git", str(world.cpython))
    for name, value in (("name", "Release Manager"), ("email", "rm@example.org")):
        git(world.cpython, "config", f"user.{name}", value)
    assert released(world) == ()


@pytest.mark.parametrize("what", ["release commit", "base"])
def test_commit_that_the_clone_does_not_have_is_named_and_made_again_as_told(
    world: World, what: str
) -> None:
    assert released(world) == ()
    folder, base = world.clone.folder, world.base.commit()
    if what == "base":
        base = "b" * 40
        found = commits_are_known(
            world.release, world.clone, world.programs, history_of(world), base
        )
    else:
        base = "refs/release/commit"
        git(folder, "update-ref", "-d", base)
        found = judged(world)
    (finding,) = found
    assert (finding.rule, finding.severity) == ("source.unreadable", Severity.BLOCK)
    assert f"{base} is missing in {folder}" in finding.message
    assert finding.remedy.startswith(f"delete {folder}, then run the same command again")
    shutil.rmtree(folder)
    assert released(world) == ()


@pytest.mark.parametrize("what", ["refs/tags/v3.14.0rc2", "refs/release/new/3.14"])
def test_merge_without_its_commits_is_not_judged_by_others(world: World, what: str) -> None:
    released(world)
    clone = world.clone
    for name in ("refs/tags/v3.14.0rc2", "refs/release/new/3.14"):
        clone.point(name, clone.resolve("refs/release/commit"))
    assert merge_is_of_true_objects(world.release, clone, world.programs) == ()
    git(clone.folder, "update-ref", "-d", what)
    (finding,) = merge_is_of_true_objects(world.release, clone, world.programs)
    assert (finding.rule, finding.severity) == ("clone.objects", Severity.BLOCK)
    assert f"{what} is missing in {clone.folder}" in finding.message


def bytes_of(folder: Path, name: str, kind: str) -> bytes:
    asked = ["git", "cat-file", kind, name]
    return subprocess.run(asked, cwd=folder, check=True, capture_output=True).stdout
