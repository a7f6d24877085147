"""Tests of the release clone over real git, made from a toy that the RM works in."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed, StepFailed
from plugins.ports.git import Identity
from plugins.services.git_clone import GitClone
from plugins.services.programs import MachinePrograms
from tests.source_world import World, a_world, git

if TYPE_CHECKING:
    from collections.abc import Callable

RM = Identity("Release Manager", "rm@example.org")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return a_world(tmp_path)


def snapshot(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything in a folder with mode, time and bytes.

    Objects without their time: git renews it on a linked one that it would write again, which
    only keeps it from being pruned.
    """
    return {
        str(path): (
            path.lstat().st_mode,
            0 if "objects" in path.parts else path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() and not path.is_symlink() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }


# ── the RM's repository ─────────────────────────────────────────────────────────────────────


def test_rms_clone_is_untouched_to_the_byte(world: World) -> None:
    cpython = world.cpython
    (cpython / "README.rst").write_text("work of the RM that is not committed\n")
    (cpython / "untracked").write_text("also theirs\n")
    (cpython / "Lib/spam.py").write_text("staged\n")
    git(cpython, "add", "Lib/spam.py")
    before = snapshot(cpython)
    clone = world.make()
    clone.checkout("refs/release/base")
    (clone.folder / "README.rst").write_text("an edit\n")
    clone.record("edit", clone.resolve("refs/release/base"), "Edit")
    world.base.tags()
    world.base.identity()
    assert snapshot(cpython) == before


def test_dirty_checkout_of_the_rm_does_not_matter(world: World) -> None:
    (world.cpython / "README.rst").write_text("not committed\n")
    clone = world.make()
    assert (clone.folder / "README.rst").read_text().startswith("This is Python version")


def test_clone_keeps_no_way_back_and_no_names_of_the_rm(world: World) -> None:
    clone = world.make()
    assert git(clone.folder, "remote") == ""
    refs = git(clone.folder, "for-each-ref", "--format=%(refname)")
    assert refs == "refs/release/base"
    assert not (clone.folder / ".git/hooks").exists()


def test_objects_are_linked_and_not_copied(world: World) -> None:
    clone = world.make()
    packs = list((clone.folder / ".git/objects/pack").glob("*.pack"))
    assert packs
    assert all(pack.stat().st_nlink > 1 for pack in packs)


def test_objects_are_copied_where_the_disk_cannot_link(world: World, tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is only one file system here")
    with tempfile.TemporaryDirectory(dir=elsewhere) as folder:
        clone = GitClone(Path(folder) / "clone", world.programs)
        clone.prepare(world.cpython, (world.base.commit(),))
        clone.checkout(world.base.commit())
        assert (clone.folder / "configure").is_file()


def test_clone_that_was_deleted_is_made_again_in_the_same_process(world: World) -> None:
    clone = world.make()
    expected = clone.resolve("refs/release/base")
    shutil.rmtree(clone.folder)
    assert clone.resolve("refs/release/base") == ""
    clone.prepare(world.cpython, (expected,))
    clone.checkout(expected)
    assert clone.read(expected, "LICENSE") == (clone.folder / "LICENSE").read_bytes()


def test_damaged_clone_is_told_with_what_to_do(world: World) -> None:
    folder = world.make().folder
    (folder / ".git/HEAD").unlink()
    with pytest.raises(ServiceFailed, match="delete it"):
        world.clone.read("refs/release/base", "LICENSE")
    with pytest.raises(ServiceFailed, match="delete it"):
        world.make()


def test_commit_that_the_rm_fetched_later_is_fetched_as_well(world: World) -> None:
    world.make()
    later = world.commit({"Lib/spam.py": "later\n"})
    clone = world.make()
    assert clone.resolve("refs/release/base") == later


def test_commit_that_only_the_rms_remote_names_is_there(world: World) -> None:
    later = world.commit({"Lib/spam.py": "later\n"})
    git(world.cpython, "checkout", "-q", "--detach", "v3.13.4")
    assert world.make().resolve("refs/release/base") == later


@pytest.mark.parametrize("kind", ["worktree", "shallow", "shared", "bare", "detached"])
def test_any_kind_of_repository_serves_as_the_rms(world: World, tmp_path: Path, kind: str) -> None:
    later = world.commit({"Lib/spam.py": "later\n"})
    other = tmp_path / "other"
    upstream = tmp_path / "upstream.git"
    match kind:
        case "worktree":
            git(world.cpython, "worktree", "add", "-q", "--detach", str(other), "HEAD")
        case "shallow":
            git(tmp_path, "clone", "-q", "--depth=2", "-b", "3.13", f"file://{upstream}", "other")
        case "shared":
            git(tmp_path, "clone", "-q", "--shared", "-b", "3.13", str(upstream), "other")
        case "bare":
            git(tmp_path, "clone", "-q", "--bare", str(upstream), "other")
        case _:
            git(tmp_path, "clone", "-q", str(upstream), "other")
            git(other, "checkout", "-q", "--detach", "v3.13.4")
    clone = world.clone
    clone.prepare(other, (later,))
    clone.checkout(later)
    assert (clone.folder / "Lib/spam.py").read_text() == "later\n"


def test_unknown_commit_is_told(world: World) -> None:
    with pytest.raises(ServiceFailed) as error:
        world.clone.prepare(world.cpython, ("0" * 39 + "1",))
    assert "000000000000" in str(error.value)
    assert "that repository does not have it" in str(error.value)


def test_clone_that_was_killed_half_way_is_made_anew(world: World) -> None:
    partial = world.clone.folder.with_name("clone.partial")
    (partial / ".git/objects").mkdir(parents=True)
    (partial / ".git/HEAD").write_text("ref: refs/heads/nothing\n")
    assert world.make().resolve("refs/release/base")
    assert not partial.exists()


def test_repository_that_no_release_made_is_left_alone(world: World) -> None:
    folder = world.clone.folder
    folder.mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / "precious").write_text("mine\n")
    with pytest.raises(StepFailed, match="is not a release clone of this tool"):
        world.make()
    assert (folder / "precious").read_text() == "mine\n"


# ── edits ───────────────────────────────────────────────────────────────────────────────────


def test_same_edit_gives_the_same_commit_and_file_of_the_ref(world: World) -> None:
    clone = world.make()
    base = clone.resolve("refs/release/base")

    def edit() -> str:
        clone.checkout(base)
        (clone.folder / "README.rst").write_text("edited\n")
        (clone.folder / "Doc/new.rst").write_text("new\n")
        (clone.folder / "LICENSE").unlink()
        return clone.record("edit", base, "Edit")

    first = edit()
    assert edit() == first
    ref = world.release.layout.clone_ref("edit")
    assert ref.read_text() == f"{first}\n"
    assert clone.difference(base, first) == ("Doc/new.rst", "LICENSE", "README.rst")
    assert clone.about(first).parents == (base,)
    assert git(clone.folder, "status", "--porcelain") == ""


def test_edit_that_changes_nothing_is_a_commit_as_well(world: World) -> None:
    clone = world.make()
    base = clone.resolve("refs/release/base")
    made = clone.record("edit", base, "Nothing")
    assert made != base
    assert clone.difference(base, made) == ()


def test_ignored_leftovers_are_no_part_of_an_edit(world: World) -> None:
    clone = world.make()
    (clone.folder / "Lib/__pycache__").mkdir()
    (clone.folder / "Lib/__pycache__/spam.pyc").write_bytes(b"compiled")
    base = clone.resolve("refs/release/base")
    assert clone.difference(base, clone.record("edit", base, "Nothing")) == ()


def test_checkout_leaves_nothing_of_whatever_stood_there(world: World) -> None:
    clone = world.make()
    folder, base = clone.folder, clone.resolve("refs/release/base")
    (folder / "README.rst").write_text("half an edit")
    (folder / "LICENSE").unlink()
    (folder / "Doc/build").mkdir()
    (folder / "Doc/build/NEWS").write_text("ignored")
    git(folder, "init", "-q", "nested")
    (folder / "install-sh").chmod(0o644)
    git(folder, "rm", "-q", "--cached", "configure")
    assert clone.unrecorded()
    clone.checkout(base)
    assert clone.unrecorded() == ()
    assert git(folder, "status", "--porcelain", "--ignored") == ""
    assert git(folder, "rev-parse", "HEAD") == base


def test_locks_and_half_a_pick_of_a_killed_git_are_cleared(world: World) -> None:
    clone = world.make()
    dot = clone.folder / ".git"
    for name in ("index.lock", "HEAD.lock", "refs/release/edit.lock", "CHERRY_PICK_HEAD"):
        (dot / name).write_text("")
    (dot / "sequencer").mkdir()
    (dot / "sequencer/todo").write_text("pick 123 x\n")
    base = clone.resolve("refs/release/base")
    clone.checkout(base)
    assert clone.record("edit", base, "Edit")
    assert "cherry-pick" not in git(clone.folder, "status").replace("nothing", "")


def test_files_of_windows_stay_crlf_on_disk_and_lf_in_git(world: World) -> None:
    clone = world.make()
    base = clone.resolve("refs/release/base")
    assert b"\r\n" in (clone.folder / "PCbuild/build.bat").read_bytes()
    content = clone.read(base, "PCbuild/build.bat")
    assert content is not None
    assert b"\r" not in content
    assert clone.read(base, "Lib/test/crlf.txt") == b"one\r\ntwo\r\n"


def test_environment_and_configuration_of_the_person_do_not_matter(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / "template/hooks").mkdir(parents=True)
    hook = home / "template/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\n")
    hook.chmod(0o755)
    (home / ".gitconfig").write_text(
        f"[core]\n\tautocrlf = true\n\thooksPath = {home}/template/hooks\n"
        f"[init]\n\ttemplateDir = {home}/template\n[commit]\n\tgpgSign = true\n"
        "[user]\n\tname = Somebody Else\n\temail = else@example.org\n"
    )
    expected = world.make().record("edit", world.base.commit(), "Edit")
    shutil.rmtree(world.release.layout.work)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2001-01-01T00:00:00")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.autocrlf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    clone = world.make()
    assert clone.record("edit", world.base.commit(), "Edit") == expected
    assert clone.read(expected, "README.rst") is not None
    assert b"\r" not in (clone.folder / "README.rst").read_bytes()
    assert not (tmp_path / "hooked").exists()
    assert not (tmp_path / "index").exists()


# ── cherry-picks ────────────────────────────────────────────────────────────────────────────


def test_pick_names_its_original_keeps_its_author_and_is_the_same_each_time(world: World) -> None:
    original = world.commit({"Lib/spam.py": "fixed\n"}, "Fix spam")
    clone = world.clone
    tagged = git(world.cpython, "rev-parse", "v3.13.5^{commit}")
    clone.prepare(world.cpython, (tagged, original))
    picked = clone.pick(original, tagged, RM)
    assert clone.pick(original, tagged, RM) == picked
    assert clone.difference(tagged, picked) == ("Lib/spam.py",)
    shown = git(clone.folder, "log", "-1", "--format=%an|%cn|%B", picked)
    assert shown.startswith("A Colleague|Release Manager|Fix spam")
    assert f"(cherry picked from commit {original})" in shown


def test_conflict_names_commit_and_files_and_leaves_the_clone_usable(world: World) -> None:
    world.commit({"Lib/spam.py": "before\n"})
    original = world.commit({"Lib/spam.py": "after\n", "LICENSE": None}, "Rewrite spam")
    clone = world.clone
    tagged = git(world.cpython, "rev-parse", "v3.13.5^{commit}")
    clone.prepare(world.cpython, (tagged, original))
    with pytest.raises(StepFailed) as error:
        clone.pick(original, tagged, RM)
    assert original[:12] in str(error.value)
    assert "Rewrite spam" in str(error.value)
    assert "conflicts in Lib/spam.py" in str(error.value)
    assert "\n" not in str(error.value)
    clone.checkout(tagged)
    assert clone.unrecorded() == ()
    assert clone.record("edit", tagged, "Edit")


def test_pick_that_changes_nothing_is_told(world: World) -> None:
    original = world.commit({"Lib/spam.py": "fixed\n"})
    clone = world.clone
    clone.prepare(world.cpython, (original,))
    with pytest.raises(StepFailed, match="changes nothing"):
        clone.pick(original, original, RM)


def test_pick_of_a_merge_is_told_in_gits_words(world: World, tmp_path: Path) -> None:
    world.commit({"Lib/spam.py": "fixed\n"})
    colleague = tmp_path / "colleague"
    git(colleague, "checkout", "-q", "-b", "side", "HEAD~1")
    git(colleague, "commit", "-q", "--allow-empty", "-m", "side")
    git(colleague, "checkout", "-q", "3.13")
    git(colleague, "merge", "-q", "--no-ff", "-m", "merge", "side")
    git(colleague, "push", "-q", "origin", "3.13")
    git(world.cpython, "fetch", "-q", "upstream")
    merge = git(colleague, "rev-parse", "HEAD")
    clone = world.clone
    clone.prepare(world.cpython, (merge,))
    with pytest.raises(StepFailed, match="is a merge but no -m option"):
        clone.pick(merge, clone.resolve(f"{merge}~2"), RM)


# ── reading ─────────────────────────────────────────────────────────────────────────────────


def test_reads_give_bytes_as_committed(world: World) -> None:
    clone = world.make()
    base = clone.resolve("refs/release/base")
    assert clone.read(base, "Misc/python3.man") == b"python.man"
    assert clone.read(base, "no/such/file") is None
    assert clone.read(base, "Doc") is None
    assert clone.read("refs/release/base", "Doc/_static/dot.png") == b"\x89PNG\r\n\x1a\n\x00\xff"


def test_names_are_sorted_whole_and_of_one_folder(world: World) -> None:
    world.commit({"Doc/a b.rst": "", "Doc/ü.rst": "", "Doc/tab\there.rst": "", "Docs.txt": ""})
    clone = world.make()
    names = clone.names("refs/release/base", "Doc")
    assert {"Doc/a b.rst", "Doc/ü.rst", "Doc/tab\there.rst"} <= set(names)
    assert "Docs.txt" not in names
    assert list(names) == sorted(names)
    assert set(names) < set(clone.names("refs/release/base"))


def test_what_is_not_there_has_no_id(world: World) -> None:
    assert world.clone.resolve("refs/release/base") == ""
    clone = world.make()
    assert clone.resolve("refs/release/nothing") == ""
    assert clone.resolve("0" * 40 + "^{commit}") == ""
    assert clone.resolve("--help") == ""
    assert clone.tag("v3.13.6") is None


def test_unknown_commit_cannot_be_read(world: World) -> None:
    clone = world.make()
    reads: tuple[Callable[[], object], ...] = (
        lambda: clone.read("1" * 40, "README.rst"),
        lambda: clone.about("refs/release/nothing"),
        lambda: clone.names("nothing"),
    )
    for read in reads:
        with pytest.raises(ServiceFailed, match="the release clone does not have it"):
            read()


def test_files_of_a_packed_history_are_read(world: World) -> None:
    git(world.cpython, "repack", "-qadf", "--depth=50")
    clone = world.make()
    content = clone.read("refs/release/base", "configure")
    assert content == (clone.folder / "configure").read_bytes()


def test_object_that_is_no_tag_is_refused(world: World) -> None:
    clone = world.make()
    with pytest.raises(ServiceFailed, match="mktag"):
        clone.put_tag("v3.13.6", "object nonsense\n")
    assert clone.tag("v3.13.6") is None


def test_missing_clone_is_told_by_every_act(tmp_path: Path) -> None:
    clone = GitClone(tmp_path / "none", MachinePrograms())
    with pytest.raises(ServiceFailed, match=r"the release clone .* does not exist"):
        clone.checkout("HEAD")


# ── what the RM's clone lacks, or has from others ───────────────────────────────────────────


def test_clone_holds_every_object_that_the_rms_clone_borrowed(world: World) -> None:
    """The repository that it borrows from may be repacked or deleted, and so may the RM's."""
    lender = world.folder / "lender"
    world.cpython.rename(lender)
    url = f"file://{world.folder / 'upstream.git'}"
    git(world.folder, "clone", "-q", "-o", "upstream", "--reference", str(lender), "--branch",
        "3.13", url, str(world.cpython))  # fmt: skip
    clone = world.make()
    assert not (clone.folder / ".git/objects/info/alternates").exists()
    shutil.rmtree(lender)
    shutil.rmtree(world.cpython)
    assert git(clone.folder, "fsck", "--full", "--connectivity-only") == ""


@pytest.fixture(
    params=[("--filter=blob:none",), ("--filter=blob:none", "--depth=2"), ("--filter=tree:0",)],
    ids=["partial", "partial and shallow", "treeless"],
)
def partial(world: World, request: pytest.FixtureRequest) -> World:
    """The RM's clone is a partial one, from a server that allows it as GitHub does."""
    upstream = world.folder / "upstream.git"
    git(upstream, "config", "uploadpack.allowFilter", "true")
    git(upstream, "config", "uploadpack.allowAnySHA1InWant", "true")
    shutil.rmtree(world.cpython)
    git(world.folder, "clone", "-q", "--no-checkout", "-o", "upstream", *request.param,
        "--branch", "3.13", f"file://{upstream}", str(world.cpython))  # fmt: skip
    return world


def test_partial_clone_is_released_from_and_not_written(partial: World) -> None:
    before = snapshot(partial.cpython)
    clone = partial.make()
    assert snapshot(partial.cpython) == before
    commit = clone.resolve("refs/release/base")
    missing = git(clone.folder, "rev-list", "--objects", "--no-walk", "--missing=print", commit)
    assert "?" not in missing
    assert (clone.folder / "README.rst").is_file()
    assert git(clone.folder, "status", "--porcelain") == ""


def test_partial_clone_without_network_is_told_and_goes_on_when_there_is_one(
    partial: World,
) -> None:
    upstream = partial.folder / "upstream.git"
    upstream.rename(partial.folder / "away.git")
    with pytest.raises(ServiceFailed, match="files missing in the partial clone from") as stopped:
        partial.make()
    assert "can reach the address" in stopped.value.remedy
    (partial.folder / "away.git").rename(upstream)
    assert (partial.make().folder / "README.rst").is_file()


@pytest.mark.parametrize("lacks", ["what is picked", "what was before it"])
def test_copy_of_a_partial_clone_is_completed_by_what_is_told(world: World, lacks: str) -> None:
    """A plain git clone of it links its objects, and does not know that some are missing.

    git takes a pick beside a file that it cannot read for one that changes nothing.
    """
    world.commit({"Lib/spam.py": "spam = 1\n"})
    pick = world.commit({"Lib/spam.py": "spam = 1\neggs = 2\n"})
    world.commit({"Lib/spam.py": None})
    before = git(world.cpython, "rev-parse", f"{pick}~2")
    upstream = world.folder / "upstream.git"
    git(upstream, "config", "uploadpack.allowFilter", "true")
    git(upstream, "config", "uploadpack.allowAnySHA1InWant", "true")
    shutil.rmtree(world.cpython)
    partial = world.folder / "partial"
    url = f"file://{upstream}"
    git(world.folder, "clone", "-q", "-o", "upstream", "--filter=blob:none", "--branch", "3.13",
        url, str(partial))  # fmt: skip
    here = [before, *([] if lacks == "what is picked" else [pick])]
    for each in here:
        git(partial, "archive", "-o", "/dev/null", each)
    git(world.folder, "clone", "-q", "-o", "upstream", str(partial), str(world.cpython))
    git(world.cpython, "remote", "set-url", "upstream", url)
    git(world.cpython, "config", "user.name", "Release Manager")
    git(world.cpython, "config", "user.email", "rm@example.org")
    world = replace(world, wanted=before)
    picks = (git(world.cpython, "rev-parse", f"{pick}^"), pick)[lacks == "what was before it" :]
    with pytest.raises(ServiceFailed, match="of its files and folders are missing") as stopped:
        world.make(cherry_picks=picks)
    found = re.match(
        r"(git -C \S+ fetch upstream), then (git -C \S+ fetch --refetch upstream) bring ",
        stopped.value.remedy,
    )
    assert found, stopped.value.remedy
    for each in found.groups():
        subprocess.run(shlex.split(each), cwd="/", check=True, capture_output=True)
    if lacks == "what is picked":
        assert world.make(cherry_picks=picks).resolve("HEAD")
        return
    with pytest.raises(StepFailed, match=r"conflicts in Lib/spam\.py"):
        world.make(cherry_picks=picks)


def test_clone_is_mended_after_the_rms_clone_was(world: World) -> None:
    """What was missing there is fetched from there once it has it."""
    commit = world.base.commit()
    path = "Include/patchlevel.h"
    content = git(world.cpython, "show", f"{commit}:{path}")
    packs = world.cpython / ".git/objects/pack"
    for pack in packs.glob("*.pack"):
        moved = world.folder / pack.name
        pack.with_suffix(".idx").unlink()
        pack.rename(moved)
        with moved.open("rb") as stream:
            subprocess.run(
                ["git", "unpack-objects", "-q"], cwd=world.cpython, stdin=stream, check=True
            )
    blob = git(world.cpython, "rev-parse", f"{commit}:{path}")
    lost = world.cpython / ".git/objects" / blob[:2] / blob[2:]
    lost.rename(world.folder / "lost")
    with pytest.raises(ServiceFailed, match="1 of its files and folders are missing"):
        world.make()
    lost.parent.mkdir(exist_ok=True)
    (world.folder / "lost").rename(lost)
    clone = world.make()
    assert (clone.folder / path).read_text().strip() == content
