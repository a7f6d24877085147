"""The init command: a release.toml that starts, from what a clone and a keyring say."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from plugins.model.settings import read_settings
from plugins.rehearsal.gnupg_home import GnupgHome, gnupg_home
from plugins.rehearsal.toy_cpython import make_toy
from tests.warm_doit import doit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ended import Ended

PROJECT: Final = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a folder")
    make_toy(folder, version="3.13.5")
    clone = folder / "cpython"
    # What the person's own configuration says counts.
    subprocess.run(["git", "-C", clone, "config", "--unset", "user.email"], check=True)
    return clone


@pytest.fixture
def ours() -> Iterator[GnupgHome]:
    with gnupg_home() as home:
        yield home


@pytest.fixture
def home(tmp_path: Path, ours: GnupgHome) -> Path:
    """A person's home folder, with a keyring of its own and the name that git knows."""
    (tmp_path / ".gnupg").symlink_to(ours.folder)
    (tmp_path / ".gitconfig").write_text("[user]\nname = Ada\nemail = ada@example.org\n")
    return tmp_path


def init(home: Path, *words: str | Path) -> Ended:
    return doit("init", *map(str, words), folder=PROJECT, env={**os.environ, "HOME": str(home)})


def remote(clone: Path, name: str, address: str) -> None:
    subprocess.run(["git", "-C", clone, "config", f"remote.{name}.url", address], check=True)


def written(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def test_all_that_can_be_found_out_is_written(home: Path, clone: Path, ours: GnupgHome) -> None:
    other, mine = ours.key("eve"), ours.key("ada")
    remote(clone, "upstream", "https://github.com/python/cpython.git")
    remote(clone, "mine", "git@github.com:ada/cpython.git")
    remote(clone, "mirror", "https://example.org/cpython.git")
    file = home / "first one.toml"
    ended = init(home, clone, "--file", file)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f"wrote {file}", f"next: read it, then doit check --release '{file}'",
    ]  # fmt: skip
    assert written(file) == {
        "version": "3.13.6",
        "repository": {"clone": str(clone), "fork": "git@github.com:ada/cpython.git"},
        "signing": {"gpg_key": mine},
        "docs": {"lock": "docs-tools-3.13.lock"},
    }
    assert f'# gpg_key = "{other}"  # eve <eve@example.org>' in file.read_text()
    assert str(read_settings(file).version) == "3.13.6"
    directive, _, schema = file.read_text().splitlines()[0].partition(" ")
    assert directive == "#:schema"
    assert (file.parent / schema).resolve() == PROJECT / "docs/reference/release.schema.json"


def test_a_key_that_has_expired_is_only_told_of(home: Path, clone: Path, ours: GnupgHome) -> None:
    """Though gpg lists it first: it is older than the one that the person made after it."""
    dead = ours.key("ada", made="20190101T000000", expires="1y")
    revoked = ours.key("ada of old")
    ours.revoke(revoked)
    other = ours.key("eve")
    comments = [
        f'# gpg_key = "{other}"  # eve <eve@example.org>',
        f'# gpg_key = "{dead}"  # ada <ada@example.org>, expired on 2020-01-01',
    ]
    file = home / "without.toml"
    ended = init(home, clone, "--version", "3.13.6", "--file", file)
    assert (ended.status, ended.err) == (0, "")
    assert "still to do: without.toml: [signing] gpg_key is missing" in ended.out
    assert written(file)["signing"] == {}
    assert [each for each in file.read_text().splitlines() if "gpg_key" in each] == comments
    ours.gpg(
        "--pinentry-mode", "loopback", "--passphrase", "",
        "--quick-generate-key", "Ada Byron <ada@example.org>", "ed25519", "sign", "never",
    )  # fmt: skip
    file = home / "with.toml"
    ended = init(home, clone, "--version", "3.13.6", "--file", file)
    assert "still to do" not in ended.out
    first, *others = [each for each in file.read_text().splitlines() if "gpg_key" in each]
    assert written(file)["signing"]["gpg_key"] not in (dead, revoked, other)
    assert first.endswith("  # Ada Byron <ada@example.org>")
    assert others == comments


def test_the_person_s_own_key_is_taken_once_it_is_extended_as_told(
    home: Path, clone: Path, ours: GnupgHome
) -> None:
    """Also of a series whose releases nobody signs with OpenPGP: approvals are signed."""
    ours.key("eve")
    mine = ours.key("ada", made="20190101T000000", expires="1y")
    ended = init(home, clone, "--version", "3.14.1", "--file", home / "before.toml")
    (line,) = [each for each in ended.out.splitlines() if each.startswith("still to do: ")]
    told, _, command = line.partition(" once it is extended: gpg ")
    assert told == (
        f"still to do: before.toml: your key {mine} expired on 2020-01-01; name another one as"
        " [signing] gpg_key, or this one"
    )
    ours.gpg("--pinentry-mode", "loopback", "--passphrase", "", *shlex.split(command))
    init(home, clone, "--version", "3.14.1", "--file", home / "after.toml")
    assert written(home / "before.toml")["signing"] == {}
    assert written(home / "after.toml")["signing"]["gpg_key"] == mine


def test_another_person_s_key_is_not_taken_for_one_that_was_revoked(
    home: Path, clone: Path, ours: GnupgHome
) -> None:
    ours.revoke(ours.key("ada"))
    ours.key("eve")
    ended = init(home, clone, "--version", "3.14.1", "--file", home / "r.toml")
    assert ended.out.splitlines()[1] == (
        "still to do: r.toml: no key of ada@example.org can sign here; name the one that does as"
        " [signing] gpg_key"
    )
    assert written(home / "r.toml")["signing"] == {}


def test_what_cannot_be_found_out_is_said_and_stands_there_as_a_comment(
    home: Path, clone: Path
) -> None:
    for name in ("mine", "upstream", "mirror"):
        subprocess.run(["git", "-C", clone, "remote", "remove", name], check=False)
    file = home / "r.toml"
    ended = init(home, "--version", "3.13.6", "--file", file, clone)
    assert ended.status == 0
    assert "still to do: r.toml: [signing] gpg_key is missing" in ended.out
    assert written(file) == {
        "version": "3.13.6", "repository": {"clone": str(clone)}, "signing": {},
        "docs": {"lock": "docs-tools-3.13.lock"},
    }  # fmt: skip
    assert '# fork = "git@github.com:YOU/cpython.git"' in file.read_text()


def test_nothing_that_exists_is_changed(home: Path, clone: Path) -> None:
    file = home / "r.toml"
    file.write_text("mine")
    ended = init(home, clone, "--file", file)
    assert ended.status == 1
    assert "exists already, and is not changed; name another: doit init --file FILE" in ended.err
    assert file.read_text() == "mine"
    assert init(home, clone, "--file", home / "another.toml").status == 0


@pytest.mark.parametrize("place", ["no/such/r.toml", ".gitconfig/r.toml", "", "x" * 300])
def test_a_place_where_nothing_can_be_written_is_one_line(
    home: Path, clone: Path, place: str
) -> None:
    ended = init(home, clone, "--file", home / place)
    assert (ended.status, ended.out) == (1, "")
    (line,) = ended.err.splitlines()
    assert line.startswith((f"{home / place}: cannot be written: ", f"{home}: exists already, "))
    assert line.endswith("name another: doit init --file FILE")


@pytest.mark.skipif(sys.platform == "darwin", reason="no file system there has such a name")
def test_a_path_that_is_no_text_is_one_line_and_leaves_nothing(home: Path, clone: Path) -> None:
    moved = home / "real\udcff"
    shutil.copytree(clone, moved)
    ended = init(home, moved, "--file", home / "r.toml")
    assert (ended.status, ended.out) == (1, "")
    (line,) = ended.err.splitlines()
    assert "is part of a name that is not in UTF-8" in line
    assert not (home / "r.toml").exists()


@pytest.mark.parametrize(
    ("words", "status", "problem"),
    [
        (["nowhere"], 1, "nowhere: is not a clone of CPython: there is no such folder; name yours"),
        ([str(PROJECT)], 1, "is not a clone of CPython"),
        (["a", "b"], 3, "doit init takes one clone of CPython, and not 2"),
        (["--versoin", "3"], 3, "doit init: "),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_nothing(
    home: Path, words: list[str], status: int, problem: str
) -> None:
    ended = init(home, *words, "--file", home / "r.toml")
    assert ended.status == status
    assert problem in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not (home / "r.toml").exists()


@pytest.mark.parametrize("kind", ["empty", "cut short", "without a commit", "without objects"])
def test_a_folder_that_is_empty_or_broken_is_no_clone(home: Path, clone: Path, kind: str) -> None:
    folder = home / "cpython"
    folder.mkdir()
    if kind == "cut short":
        subprocess.run(["git", "clone", "-q", clone, folder], check=True)
        (folder / ".git" / "HEAD").write_text("")
    elif kind == "without objects":
        subprocess.run(["git", "clone", "-q", clone, folder], check=True)
        shutil.rmtree(folder / ".git" / "objects")
        (folder / ".git" / "objects").mkdir()
    elif kind == "without a commit":
        subprocess.run(["git", "init", "-q", folder], check=True)
    ended = init(home, folder, "--file", home / "r.toml")
    assert (ended.status, ended.out) == (1, "")
    (line,) = ended.err.splitlines()
    why = {
        "without a commit": "it has no commit",
        "without objects": "its last commit cannot be read, and git fsck tells what is missing",
    }
    told = why.get(kind, "it is no repository of git")
    assert line.startswith(f"{folder}: is not a clone of CPython: {told}; ")
    assert line.endswith("; name yours: doit init PATH")
    assert not (home / "r.toml").exists()


def test_paths_are_those_of_the_folder_in_which_they_were_typed(home: Path, clone: Path) -> None:
    """Where ``-f`` names a dodo.py elsewhere, doit goes to its folder first."""
    environment = {**os.environ, "HOME": str(home)}
    words = ("-f", str(PROJECT / "dodo.py"), "init", ".", "--file", "../typed.toml")
    ended = doit(*words, folder=clone, env=environment)
    assert (ended.status, ended.err) == (0, ""), ended
    assert written(clone.parent / "typed.toml")["repository"] == {"clone": str(clone)}
    (clone.parent / "typed.toml").unlink()


@pytest.mark.parametrize("inside", ["Doc", "Lib/test"])
def test_a_folder_inside_the_clone_is_that_clone(home: Path, clone: Path, inside: str) -> None:
    file = home / "r.toml"
    words = ("-f", str(PROJECT / "dodo.py"), "init", ".", "--file", str(file))
    ended = doit(*words, folder=clone / inside, env={**os.environ, "HOME": str(home)})
    assert (ended.status, ended.err) == (0, ""), ended
    assert written(file)["repository"] == {"clone": str(clone)}
    assert written(file)["version"] == "3.13.6"


def test_a_bare_clone_is_one(home: Path, clone: Path) -> None:
    bare = home / "cpython.git"
    subprocess.run(["git", "clone", "-q", "--bare", clone, bare], check=True)
    assert init(home, bare, "--file", home / "r.toml").status == 0
    assert written(home / "r.toml")["repository"] == {"clone": str(bare)}


def test_a_repository_of_something_else_is_no_clone(home: Path) -> None:
    git = ["git", "-C", str(home / "other"), "-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "init", "-q", home / "other"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "Begin"], check=True)
    ended = init(home, home / "other", "--file", home / "r.toml")
    assert "is not a clone of CPython: its last commit has no Include/patchlevel.h;" in ended.err


@pytest.mark.parametrize("fetched", [True, False])
@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("3.13.5", "the clone has the tag v3.13.5"),
        ("3.13.4", "the clone has the tag v3.13.4"),
        ("3.13.2", "the clone has the tag v3.13.5"),
        ("3.13.5rc1", "the clone has the tag v3.13.5"),
    ],
)
def test_a_version_that_is_out_is_said_with_the_one_to_write(
    home: Path, clone: Path, version: str, why: str, *, fetched: bool
) -> None:
    """It is written all the same: a release that is out can be verified."""
    file = home / "r.toml"
    if not fetched:
        shutil.copytree(clone, home / "cpython")
        clone, why = home / "cpython", "the branch says 3.13.5+"
        subprocess.run(["git", "-C", clone, "tag", "-d", "v3.13.4", "v3.13.5"], check=True)
    ended = init(home, clone, "--version", version, "--file", file)
    assert (ended.status, ended.err) == (0, "")
    (line,) = (each for each in ended.out.splitlines() if "is out already" in each)
    assert line == (
        f'still to do: r.toml: version = "{version}" is out already, as {why}; to release the '
        'next one, write version = "3.13.6" or version = "3.13.6rc1"'
    )
    assert written(file)["version"] == version
    for told in re.findall(r'version = "([^"]+)"', line)[1:]:
        file.unlink()
        ended = init(home, clone, "--version", told, "--file", file)
        assert "is out already" not in ended.out


@pytest.mark.parametrize("version", ["3.13.7", "3.12.14", "3.14.0b1"])
def test_a_version_that_is_not_out_is_written_as_it_is(
    home: Path, clone: Path, version: str
) -> None:
    ended = init(home, clone, "--version", version, "--file", home / "r.toml")
    assert "is out already" not in ended.out


def test_a_version_that_is_none_is_refused(home: Path, clone: Path) -> None:
    ended = init(home, clone, "--version", "3.13", "--file", home / "r.toml")
    assert ended.status == 1
    assert "'3.13' is not a version" in ended.err
    assert not (home / "r.toml").exists()
