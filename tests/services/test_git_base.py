"""Tests of the RM's clone as the release sees it: which commit, which tags, whose name."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from doit_receipts.errors import ServiceFailed, SettingsError
from doit_receipts.receipt import Receipt
from doit_receipts.run_context import StepLog
from plugins.command.opened_services import Services
from plugins.model.settings import read_settings
from plugins.ports.git import Identity, git_in
from plugins.services.git_base import GitBase
from plugins.services.git_files import commit_of_ref, remotes_of
from plugins.services.programs import MachinePrograms
from tests.source_world import NOON, World, a_world, git

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture
def world(tmp_path: Path) -> World:
    return a_world(tmp_path)


def wants(world: World, wanted: str) -> str:
    return replace(world, wanted=wanted).base.commit()


# ── which commit ────────────────────────────────────────────────────────────────────────────


def test_upstreams_branch_goes_before_the_local_one(world: World) -> None:
    later = world.commit({"Lib/spam.py": "later\n"})
    assert git(world.cpython, "rev-parse", "3.13") != later
    assert world.base.commit() == later


def test_clone_that_names_its_objects_by_another_digest_is_refused(world: World) -> None:
    """Upstream has SHA-1, and git cannot fetch from one into the other."""
    folder = world.folder / "by-sha256"
    subprocess.run(["git", "init", "-q", "--object-format=sha256", folder], check=True)
    told = subprocess.run(
        ["git", "fast-export", "refs/remotes/upstream/3.13"], cwd=world.cpython, check=True,
        capture_output=True,
    )  # fmt: skip
    asked = ["git", "fast-import", "--quiet"]
    subprocess.run(asked, cwd=folder, input=told.stdout, check=True)
    base = GitBase(folder, MachinePrograms(), branch="3.13", wanted="upstream/3.13")
    with pytest.raises(SettingsError, match=r"by SHA-256 and upstream by SHA-1, so nothing"):
        base.commit()


def test_remote_is_known_by_its_address_whatever_its_name(world: World) -> None:
    git(world.cpython, "remote", "rename", "upstream", "python")
    git(world.cpython, "update-ref", "refs/remotes/python/3.13", "v3.13.5^{commit}")
    assert world.base.commit() == git(world.cpython, "rev-parse", "v3.13.5^{commit}")


@pytest.mark.parametrize(
    "told",
    [
        "https://github.com/python/cpython",
        "https://github.com/python/cpython.git/",
        "ssh://git@github.com/python/cpython.git",
        "git@github.com:Python/CPython.git",
    ],
)
def test_addresses_of_one_repository_are_one(world: World, told: str) -> None:
    git(world.cpython, "remote", "rename", "upstream", "python")
    git(world.cpython, "remote", "set-url", "python", told)
    git(world.cpython, "update-ref", "refs/remotes/python/3.13", "v3.13.5^{commit}")
    base = GitBase(
        world.cpython,
        MachinePrograms(),
        branch="3.13",
        upstream="git@github.com:python/cpython.git",
    )
    assert base.commit() == git(world.cpython, "rev-parse", "v3.13.5^{commit}")


def test_remote_named_upstream_serves_where_no_address_is_known(world: World) -> None:
    later = world.commit({"Lib/spam.py": "later\n"})
    base = GitBase(world.cpython, MachinePrograms(), branch="3.13", upstream="git@elsewhere:x/y")
    assert base.commit() == later


def test_local_branch_serves_where_no_remote_has_it(world: World) -> None:
    git(world.cpython, "remote", "remove", "upstream")
    git(world.cpython, "checkout", "-q", "--detach", "v3.13.4")
    assert world.base.commit() == git(world.cpython, "rev-parse", "refs/heads/3.13")


@pytest.mark.parametrize("wanted", ["", "upstream/3.13", "v3.13.5"])
def test_base_of_a_release_that_others_can_see_is_moved_by_no_fetch(
    world: World, wanted: str
) -> None:
    """Only what release.toml pins goes before it."""
    tag = git(world.cpython, "rev-parse", "v3.13.5^{commit}")
    released, public = world.base.commit(), ""
    base = GitBase(
        world.cpython, MachinePrograms(), branch="3.13", wanted=wanted, public=lambda: public
    )
    before = tag if wanted == "v3.13.5" else released
    assert base.commit() == before
    public = released
    later = world.commit({"Lib/spam.py": "later\n"})
    assert base.commit() == before
    public = ""
    assert base.commit() == (before if wanted == "v3.13.5" else later)


def test_release_is_public_for_its_base_once_its_tag_was_pushed_to_the_fork(world: World) -> None:
    """From the receipts of this machine, so that a listing asks nobody."""
    settings = read_settings(write_declaration(world))
    layout = world.release.layout
    base = Services(settings, world.release, StepLog(layout), world.clock).base
    released = base.commit()
    layout.receipts.mkdir(parents=True)
    Receipt("make_clone", "3.13.6", facts={"base": released}).write(layout.receipt("make_clone"))
    later = world.commit({"Lib/spam.py": "later\n"})
    assert base.commit() == later
    Receipt("push_fork", "3.13.6").write(layout.receipt("push_fork"))
    assert base.commit() == released


_KEY = "0" * 40


def write_declaration(world: World) -> Path:
    file = world.folder / "release.toml"
    file.write_text(
        f'version = "3.13.6"\n[repository]\nclone = "{world.cpython}"\n'
        f'upstream = "{world.folder}/upstream.git"\nfork = "{world.folder}/fork.git"\n'
        f'[work]\nfolder = "build"\n[signing]\ngpg_key = "{_KEY}"\n'
    )
    return file


class NoPrograms(MachinePrograms):
    """A machine on which nothing may be started."""

    def run(self, argv: Sequence[str | Path], **_: object) -> NoReturn:
        pytest.fail(f"starts {argv}")


def test_a_plain_clone_is_asked_without_a_git(world: World) -> None:
    later = world.commit({"Lib/spam.py": "later\n"})
    assert replace(world, programs=NoPrograms()).base.commit() == later
    git(world.cpython, "pack-refs", "--all")
    assert replace(world, programs=NoPrograms()).base.commit() == later


@pytest.mark.parametrize(
    "unusual",
    [
        "[include]\n\tpath = more\n",
        '[includeIf "onbranch:3.13"]\n\tpath = more\n',
        "[extensions]\n\tworktreeConfig = true\n",
        '[alias]\n\tx = "!true; \\\n\turl = no"\n',
        "[core] # a comment\n",
        '[remote "one two"]\n\turl = elsewhere\n',
        *(f'[remote "x"]\n\turl = a{odd}b\n' for odd in ("\rurl = ", "\t", "\0", "\f", "é")),
    ],
)
def test_a_clone_with_an_unusual_configuration_is_asked_by_git(world: World, unusual: str) -> None:
    later = world.commit({"Lib/spam.py": "later\n"})
    config = world.cpython / ".git" / "config"
    config.write_bytes(unusual.encode() + config.read_bytes())
    assert remotes_of(world.cpython) is None
    assert world.base.commit() == later


def test_address_of_a_remote_is_known_however_its_key_is_written(world: World) -> None:
    config = world.cpython / ".git" / "config"
    before = remotes_of(world.cpython)
    assert before
    config.write_text(
        config.read_text(encoding="utf-8").replace("url =", "URL ="), encoding="utf-8"
    )
    assert remotes_of(world.cpython) == before


def test_a_branch_at_no_commit_is_asked_of_git(world: World) -> None:
    """Git writes zeros for what does not exist, and reads none of such a ref."""
    ref = world.cpython / ".git" / "refs" / "remotes" / "upstream" / "3.13"
    ref.parent.mkdir(parents=True, exist_ok=True)
    ref.write_text(f"{'0' * 40}\n")
    assert commit_of_ref(world.cpython, "refs/remotes/upstream/3.13") is None


@pytest.mark.parametrize("name", ["config", "refs/remotes/upstream/3.13", "packed-refs"])
def test_a_pipe_in_place_of_a_file_of_the_clone_is_told_and_not_waited_for(
    world: World, name: str
) -> None:
    """Git itself waits until somebody writes into it."""
    git(world.cpython, "pack-refs", "--all")
    place = world.cpython / ".git" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    with pytest.raises(ServiceFailed, match=r"is no regular file; see who put it there"):
        replace(world, programs=NoPrograms()).base.commit()


def test_worktree_of_a_clone_and_a_symbolic_ref_are_asked_by_git(world: World) -> None:
    later = world.commit({"Lib/spam.py": "later\n"})
    beside = world.cpython.with_name("beside")
    git(world.cpython, "worktree", "add", "-q", "--detach", str(beside))
    git(world.cpython, "symbolic-ref", "refs/remotes/upstream/3.13", "refs/remotes/upstream/to")
    git(world.cpython, "update-ref", "refs/remotes/upstream/to", later)
    base = GitBase(beside, MachinePrograms(), branch="3.13", upstream="git@elsewhere:x/y")
    assert base.commit() == later
    assert world.base.commit() == later


def test_alpha_comes_from_main(tmp_path: Path) -> None:
    world = a_world(tmp_path, "3.15.0a3", "3.15.0a2")
    assert world.base.commit() == git(world.cpython, "rev-parse", "upstream/main")


@pytest.mark.parametrize(
    "wanted",
    ["v3.13.5", "origin/3.13", "upstream/main", "3.13", "refs/tags/v3.13.4", "refs/heads/3.13"],
)
def test_base_may_be_a_tag_a_branch_or_a_remotes_branch(world: World, wanted: str) -> None:
    assert wants(world, wanted) == git(world.cpython, "rev-parse", f"{wanted}^{{commit}}")


def test_base_may_be_a_commit_in_full_or_short(world: World) -> None:
    commit = git(world.cpython, "rev-parse", "3.13~2")
    assert wants(world, commit) == commit
    assert wants(world, commit[:9]) == commit


def test_branch_goes_before_a_tag_of_the_same_name(world: World) -> None:
    git(world.cpython, "tag", "3.13", "v3.13.4")
    assert wants(world, "3.13") == git(world.cpython, "rev-parse", "refs/heads/3.13")


def test_base_that_is_not_there_is_told_with_near_ones(world: World) -> None:
    with pytest.raises(SettingsError) as error:
        wants(world, "upstrem/3.13")
    message = str(error.value)
    assert message.startswith("[repository] base: ")
    assert "has no upstrem/3.13" in message
    assert "upstream/3.13" in message
    assert "\n" not in message


def test_missing_branch_is_told_with_what_fetches_it(tmp_path: Path) -> None:
    world = a_world(tmp_path, "3.15.0a3", "3.15.0a2")
    base = GitBase(world.cpython, MachinePrograms(), branch="3.99", upstream="")
    with pytest.raises(SettingsError, match=r"has no 3\.99"):
        base.commit()


def test_missing_folder_and_plain_folder_are_told(tmp_path: Path) -> None:
    for folder, told in ((tmp_path / "none", "does not exist"), (tmp_path / "plain", "not a git")):
        if told == "not a git":
            folder.mkdir()
        base = GitBase(folder, MachinePrograms(), branch="3.13")
        with pytest.raises(SettingsError, match=told) as error:
            base.commit()
        assert error.value.where == "[repository] clone"


def test_damaged_clone_is_told(world: World) -> None:
    commit = world.base.commit()
    for pack in (world.cpython / ".git/objects/pack").glob("*"):
        pack.chmod(0o644)
        pack.write_bytes(b"")
    with pytest.raises((ServiceFailed, SettingsError)):
        world.base.about(commit)


def test_clone_that_git_refuses_is_told_in_gits_words(world: World) -> None:
    with (world.cpython / ".git/config").open("a") as config:
        config.write("[core]\n\trepositoryformatversion = 99\n")
    with pytest.raises(ServiceFailed, match="repo version"):
        world.base.commit()


# ── what it says ────────────────────────────────────────────────────────────────────────────


def test_tags_come_with_their_commits_and_times(world: World) -> None:
    git(world.cpython, "tag", "v3.13.6", "HEAD")
    git(world.cpython, "tag", "other", "HEAD")
    tags = {tag.name: tag for tag in world.base.tags()}
    assert sorted(tags) == ["v3.13.4", "v3.13.5", "v3.13.6"]
    assert tags["v3.13.5"].commit == git(world.cpython, "rev-parse", "v3.13.5^{commit}")
    assert tags["v3.13.5"].id == git(world.cpython, "rev-parse", "v3.13.5")
    assert tags["v3.13.5"].made.year == 2026
    assert tags["v3.13.6"].id == tags["v3.13.6"].commit


def test_text_is_as_committed(world: World) -> None:
    base = world.base
    (world.cpython / "README.rst").write_text("not committed")
    text = base.text(base.commit(), "README.rst")
    assert text is not None
    assert text.startswith("This is Python")
    assert base.text(base.commit(), "no/such") is None
    with pytest.raises(ServiceFailed):
        base.text("1" * 40, "README.rst")


def test_commit_says_who_when_and_after_what(world: World) -> None:
    commit = world.commit({"Lib/spam.py": "x\n"}, "Subject\n\nBody")
    about = world.base.about(commit)
    assert about.id == commit
    assert about.committer == Identity("A Colleague", "colleague@example.org")
    assert about.message.startswith("Subject\n\nBody")
    assert about.parents == (git(world.cpython, "rev-parse", f"{commit}^"),)


# ── what came after ─────────────────────────────────────────────────────────────────────────


def test_commits_after_a_release_are_those_of_upstreams_branch(world: World) -> None:
    """A tag that was merged back has its merge and "Post" behind it, and a clone may lack both."""
    tag = git(world.cpython, "rev-parse", "v3.13.5^{commit}")
    before = world.base.later(tag, 9)
    assert before[0] not in (tag, "")
    new = [world.commit({"Lib/spam.py": text}) for text in ("one\n", "two\n")]
    assert world.base.later(tag, 99)[-2:] == tuple(new)
    assert world.base.later(tag, 1) == before[:1]
    assert replace(world, wanted="v3.13.5").base.later(tag, 9)[:1] == before[:1]
    assert world.base.later(new[-1], 9) == ()


# ── whose name ──────────────────────────────────────────────────────────────────────────────


def test_clones_own_identity_goes_before_the_persons(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = Person\n\temail = p@example.org\n")
    assert world.base.identity() == Identity("Release Manager", "rm@example.org")


@pytest.mark.parametrize("file", [".gitconfig", ".config/git/config"])
def test_identity_of_the_person_is_found(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    git(world.cpython, "config", "--remove-section", "user")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("[user]\n\tname = Per Sön\n\temail = p@example.org\n")
    assert world.base.identity() == Identity("Per Sön", "p@example.org")


def test_name_is_as_git_will_write_it(world: World) -> None:
    """Else a commit would never be known again as the one that would be made."""
    git(world.cpython, "config", "user.name", "John Doe Jr.")
    world.make()
    made = world.clone.compose(
        "refs/release/base", world.base.commit(), "x", by=world.base.identity(), when=NOON
    )
    assert world.clone.about(made).committer == world.base.identity()


def test_nobody_is_told_with_what_to_say_to_git(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(world.cpython, "config", "--remove-section", "user")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SettingsError, match=r"config user\.name"):
        world.base.identity()


@pytest.mark.parametrize("named_by", ["XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL"])
def test_identity_is_found_where_git_looks_for_it(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named_by: str
) -> None:
    git(world.cpython, "config", "--remove-section", "user")
    file = tmp_path / "elsewhere" / "git" / "config"
    file.parent.mkdir(parents=True)
    file.write_text("[user]\n\tname = Per\n\temail = p@example.org\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    told = file if named_by == "GIT_CONFIG_GLOBAL" else tmp_path / "elsewhere"
    monkeypatch.setenv(named_by, str(told))
    assert world.base.identity() == Identity("Per", "p@example.org")


def test_identity_of_the_person_beats_that_of_the_machine(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Source: git-config(1), FILES: the system's file is read before each of the person's."""
    git(world.cpython, "config", "--remove-section", "user")
    system, file = tmp_path / "gitconfig", tmp_path / "xdg" / "git" / "config"
    file.parent.mkdir(parents=True)
    system.write_text("[user]\n\tname = Root\n\temail = root@example.org\n")
    file.write_text("[user]\n\tname = Per\n")
    monkeypatch.delenv("GIT_CONFIG_GLOBAL")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(system))
    assert world.base.identity() == Identity("Per", "root@example.org")
    (tmp_path / ".gitconfig").write_text("[user]\n\temail = p@example.org\n")
    assert world.base.identity() == Identity("Per", "p@example.org")


# ── clones of others, and partial ones ──────────────────────────────────────────────────────


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a clone to somebody else")
def test_clone_of_another_user_is_read_once_the_person_marked_it_as_safe(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The remedy that is told is followed, and the stop is gone."""
    give_away(world.cpython)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GIT_CONFIG_GLOBAL")
    with pytest.raises(SettingsError) as stopped:
        world.base.commit()
    remedy = stopped.value.remedy.partition(": ")[2]
    assert remedy.startswith("git config --global --add safe.directory ")
    subprocess.run(remedy, shell=True, check=True)
    commit = world.base.commit()
    assert world.base.text(commit, "Include/patchlevel.h")
    assert world.base.identity() == Identity("Release Manager", "rm@example.org")
    clone = world.make()
    assert clone.resolve("refs/release/base") == commit


def test_file_that_a_partial_clone_lacks_is_named_with_what_fetches_it(
    world: World, tmp_path: Path
) -> None:
    git(world.folder / "upstream.git", "config", "uploadpack.allowFilter", "true")
    git(world.folder / "upstream.git", "config", "uploadpack.allowAnySHA1InWant", "true")
    shutil.rmtree(world.cpython)
    url = f"file://{world.folder / 'upstream.git'}"
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", "-o", "upstream", url,
        str(world.cpython))  # fmt: skip
    commit = git(world.cpython, "rev-parse", "upstream/3.13")
    base = world.base
    with pytest.raises(ServiceFailed, match="is a partial clone and lacks it") as stopped:
        base.text(commit, "Include/patchlevel.h")
    subprocess.run(stopped.value.remedy.removesuffix(" fetches it"), shell=True, check=True)
    assert "3.13.5+" in (base.text(commit, "Include/patchlevel.h") or "")


def give_away(folder: Path) -> None:
    """All of the folder belongs to a user who is not us."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 4711, 4711, follow_symlinks=False)


def test_command_of_git_can_be_pasted_whatever_the_folder_is_called() -> None:
    folder = Path("/home/rm/my clones/it's")
    command = git_in(folder, "fetch", "--all")
    assert shlex.split(command) == ["git", "-C", str(folder), "fetch", "--all"]
