"""Bad input, as a person meets it: one clear line, the right status, and nothing lost.

Each test gives the real command to a toy release. Whatever it says, the release manager's own
repository is afterwards as it was: every byte, mode and ref.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from plugins.rehearsal.gnupg_home import gnupg_home
from tests.ended import Ended
from tests.export.exporting import PROJECT, Place, a_place, git, lean, whole_folder
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.rehearsal.gnupg_home import GnupgHome
    from tests.export.conftest import Places

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A world in which nothing was done; it is copied and never changed."""
    place = a_place(tmp_path_factory.mktemp("start") / "place", "3.13.6")
    lean(place)
    yield place
    place.forget_key()


@pytest.fixture
def place(start: Place, tmp_path: Path) -> Place:
    """A world of the test's own in which nothing was done."""
    return start.copied(tmp_path / "place")


@contextmanager
def untouched(place: Place) -> Iterator[None]:
    """The release manager's repository is the same before and after, to the byte and the ref."""
    files, refs = seen(place), git(place.cpython, "for-each-ref")
    yield
    now = seen(place)
    changed = [name for name in files | now if files.get(name) != now.get(name)]
    assert changed == []
    assert git(place.cpython, "for-each-ref") == refs


def seen(place: Place) -> dict[str, tuple[int, int, str]]:
    """All files of the repository, with the time of all but git's objects.

    The release clone shares those by hard links, and git renews the time of an object that it
    would write and finds there, so that nobody prunes it.
    """
    return {
        name: (mode, 0 if name.startswith(".git/objects/") else time_ns, content)
        for name, (mode, time_ns, content) in whole_folder(place.cpython).items()
    }


def export(place: Place, **more: str) -> Ended:
    """What ``doit export`` says; the repository that it reads is untouched."""
    with untouched(place):
        ended = place.export(env=more)
    assert "Traceback" not in ended.said, ended
    return ended


def stopped_at(ended: Ended, task: str) -> str:
    """The one line of the only task that was not done, without its name and time."""
    assert (ended.status, ended.err, ended.not_done) == (1, "", [task]), ended
    (line,) = [each for each in ended.out.splitlines() if each.startswith("x ")]
    return line.partition(" s  ")[2]


def receipts(place: Place) -> set[str]:
    return {path.stem for path in (place.work / "receipts").glob("*.json")}


# release.toml


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("3.14", "'3.14' is not a version; write 3.14.0"),
        ("3.14.0-rc1", "'3.14.0-rc1' is not a version; write 3.14.0rc1"),
        ("3.14.0; rm -rf x", "'3.14.0; rm -rf x' is not a version; write X.Y.Z"),
        ("v3.14.0", "'v3.14.0' is not a version; write 3.14.0"),
        ("3.1\uff14.0", "'3.1\\uff14.0' is not a version; write 3.14.0"),
    ],
)
def test_text_that_is_no_version_is_told_with_what_to_write(
    place: Place, version: str, told: str
) -> None:
    place.declare('version = "3.13.6"', f'version = "{version}"')
    refused(place, "release.toml: version ", told)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[docs]\nformats", "[docs]\nformat", "[docs] format is not a setting; did you mean form"),
        ("gnupg_home", "gnupghome", "[signing] gnupghome is not a setting; did you mean gnupg_h"),
        ("[tests]", "[test]", "[test] is not a section; did you mean tests?"),
        (
            'formats = ["text"]',
            'formats = ["text", 3]',
            "docs.formats mixes kinds of values; write values of one kind",
        ),
        ('version = "3.13.6"', "version = 3.13", "wanted text"),
        ('version = "3.13.6"', 'version = "3.13.6', "line"),
    ],
    ids=["misspelt", "another misspelt", "section", "mixed array", "number", "no toml"],
)
def test_a_slip_in_the_declaration_is_told_with_its_place(
    place: Place, old: str, new: str, told: str
) -> None:
    place.declare(old, new)
    refused(place, "release.toml", told)


def refused(place: Place, *told: str) -> None:
    """The settings are wrong: status 3, one line on each command, and nothing was made."""
    with untouched(place):
        for command in (("run", "export"), ("list", "--status"), ("why", "make_tag")):
            ended = place.doit(*command)
            assert ended.status == 3, ended
            assert ended.out == ""
            (line,) = ended.err.splitlines()
            assert [each for each in told if each not in line] == [], line
    assert not place.work.parent.exists()


# The clone


def test_a_clone_that_is_not_there_is_one_line(place: Place) -> None:
    place.cpython.rename(place.cpython.with_name("moved"))
    ended = place.export()
    assert "[repository] clone" in stopped_at(ended, "check_base")
    assert str(place.cpython) in ended.out
    assert receipts(place) <= {"check_tools", "check_key", "choose_day"}


def test_a_folder_that_is_no_clone_is_one_line(place: Place) -> None:
    place.cpython.rename(place.cpython.with_name("moved"))
    place.cpython.mkdir()
    (place.cpython / "README.rst").write_text("This is Python", encoding="utf-8")
    assert "clone" in stopped_at(export_without_git(place), "check_base")


def export_without_git(place: Place) -> Ended:
    before = whole_folder(place.cpython)
    ended = place.export()
    assert whole_folder(place.cpython) == before
    assert "Traceback" not in ended.said, ended
    return ended


def test_a_base_of_another_branch_is_refused(place: Place) -> None:
    place.declare("[work]", 'base = "upstream/main"\n\n[work]')
    ended = export(place)
    line = stopped_at(ended, "check_base")
    assert line.startswith("base.is_upstreams_head: ")
    assert "clone.branch BLOCK: " in ended.out
    assert "release from another branch: [repository] base" in ended.out
    assert "make_clone" not in receipts(place)


def test_a_base_that_is_not_there_is_told(place: Place) -> None:
    place.declare("[work]", 'base = "upstream/3.31"\n\n[work]')
    line = stopped_at(export(place), "check_base")
    assert "upstream/3.31" in line


def test_a_version_that_does_not_come_next_is_told_what_would(place: Place) -> None:
    place.declare('version = "3.13.6"', 'version = "3.13.8"')
    there = Place(place.folder, "3.13.8")
    line = stopped_at(export(there), "check_base")
    assert line.startswith(
        "version.not_next: the newest tag is v3.13.5, and 3.13.8 does not come next;"
        ' write version = "3.13.6" or version = "3.13.6rc1"; or if the clone lacks tags: git -C '
    )


def test_a_tag_on_another_commit_is_refused(place: Place) -> None:
    git(place.cpython, "tag", "v3.13.6", "upstream/main")
    line = stopped_at(export(place), "check_base")
    assert line.startswith(f"tag.exists: {place.cpython} has v3.13.6 already")
    assert "make_clone" not in receipts(place)


def test_what_lies_about_in_the_clone_does_not_matter(a_start: Places) -> None:
    """Another branch checked out, half an index, local edits, stray files, a merge under way."""
    clean, dirty = a_start(name="clean"), a_start(name="dirty")
    dirty_clone(dirty.cpython)
    trees = []
    for place in (clean, dirty):
        with untouched(place):
            ended = place.doit("run", "commit_release")
        assert ended.status == 0, ended
        trees.append(git(place.work / "clone", "rev-parse", "refs/release/commit^{tree}"))
        assert git(place.work / "clone", "status", "--porcelain", "--ignored") == ""
    assert trees[0] == trees[1]


def dirty_clone(clone: Path) -> None:
    git(clone, "checkout", "-q", "-b", "a-branch-of-mine", "upstream/main")
    (clone / "Include" / "patchlevel.h").write_text("edited", encoding="utf-8")
    (clone / "configure").unlink()
    (clone / "staged.py").write_text("x = 1\n", encoding="utf-8")
    git(clone, "add", "staged.py")
    (clone / "stray.pyc").write_bytes(b"\0")
    (clone / ".git" / "MERGE_HEAD").write_text(git(clone, "rev-parse", "HEAD") + "\n")
    (clone / ".git" / "index.lock").touch()


def test_our_own_tag_in_the_clone_is_adopted_and_another_is_not(a_start: Places) -> None:
    """A work folder was lost, and the tag had been fetched into the clone before."""
    place = a_start()
    assert place.doit("run", "make_tag").status == 0
    made = git(place.work / "clone", "rev-parse", "v3.13.6", "v3.13.6^{commit}")
    git(place.cpython, "fetch", "-q", str(place.work / "clone"), "tag", "v3.13.6")
    (place.work / "docs-tools").rename(place.folder / "docs-tools")
    shutil.rmtree(place.work)
    place.work.mkdir()
    (place.folder / "docs-tools").rename(place.work / "docs-tools")
    with untouched(place):
        ended = place.doit("run", "make_tag")
    assert ended.status == 0, ended
    assert git(place.work / "clone", "rev-parse", "v3.13.6", "v3.13.6^{commit}") == made


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_link_to_the_clone_in_place_of_the_release_clone_is_refused(
    place: Place, moment: str
) -> None:
    """Whatever is edited, cleaned and checked out in the one must never be so in the other."""
    (place.cpython / "mine.txt").write_text("not committed", encoding="utf-8")
    if moment == "after":
        assert place.doit("run", "merge_news").status == 0
        shutil.rmtree(place.work / "clone")
    place.work.mkdir(parents=True, exist_ok=True)
    (place.work / "clone").symlink_to(place.cpython, target_is_directory=True)
    line = stopped_at(export(place), "make_clone")
    assert line == (
        f"{place.work / 'clone'}: exists already, and is not a release clone of this tool;"
        " move it away, then run the same command again"
    )


# The key


@pytest.fixture
def home() -> Iterator[GnupgHome]:
    with gnupg_home() as made:
        yield made


def sign_with(place: Place, home: GnupgHome, key: str) -> None:
    """Declare another key."""
    told = place.declaration.read_text(encoding="utf-8")
    told = re.sub(r"^gpg_key .*", f'gpg_key = "{key}"', told, flags=re.MULTILINE)
    told = re.sub(r"^gnupg_home .*", f'gnupg_home = "{home.folder}"', told, flags=re.MULTILINE)
    place.declaration.write_text(told, encoding="utf-8")


def test_a_key_that_is_not_in_the_keyring_is_told(place: Place, home: GnupgHome) -> None:
    sign_with(place, home, "0123456789ABCDEF" * 2 + "01234567")
    line = stopped_at(export(place), "check_key")
    assert line.startswith("key.absent: ")
    assert "gpg --list-secret-keys shows what is there" in line
    assert "make_clone" not in receipts(place)


def test_a_key_without_its_secret_half_is_told(place: Place, home: GnupgHome) -> None:
    with gnupg_home() as elsewhere:
        key = elsewhere.key("rm")
        home.gpg("--import", stdin=elsewhere.public(key).encode())
    sign_with(place, home, key)
    line = stopped_at(export(place), "check_key")
    assert line == (
        f"key.secret: key {key}: has no secret key here that can sign;"
        " insert its smart card, or import the secret key"
    )


def test_a_key_that_has_expired_is_told_with_the_day(place: Place, home: GnupgHome) -> None:
    key = home.key("rm", made="20200101T000000", expires="1y")
    sign_with(place, home, key)
    line = stopped_at(export(place), "check_key")
    assert line.startswith(
        f"key.expired: key {key}: expired on 2020-12-31; extend it, then publish it again: gpg "
    )


PINENTRY: Final = """#!/bin/sh
echo "OK ready"
while read -r line; do
  case "$line" in
    GETPIN*) echo 'D canary-wrong'; echo OK ;;
    BYE*) echo OK; exit ;;
    *) echo OK ;;
  esac
done
"""


def test_a_wrong_passphrase_is_one_line_and_the_old_tag_stays(done: Place, home: GnupgHome) -> None:
    program = home.folder / "pinentry.sh"
    program.write_text(PINENTRY, encoding="utf-8")
    program.chmod(0o755)
    sign_with(done, home, home.key("rm", passphrase="canary-right"))
    home.agent(f"pinentry-program {program}")
    tag, before = git(done.work / "clone", "rev-parse", "v3.13.6"), done.products()
    ended = export(done)
    assert "the passphrase is wrong" in stopped_at(ended, "make_tag")
    assert "canary" not in ended.said
    assert git(done.work / "clone", "rev-parse", "v3.13.6") == tag
    assert done.products() == before


# Blurb and the documentation


def test_a_machine_without_blurb_is_told_what_to_install(place: Place, tmp_path: Path) -> None:
    """This Python under another name, with its packages and without the programs beside it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").symlink_to(Path(sys.executable).resolve())
    path = [each for each in os.get_exec_path() if not (Path(each) / "blurb").exists()]
    with untouched(place):
        ended = place.program(
            [str(programs / "python"), "-m", "doit", "run", "--release", str(place.declaration)],
            env={
                "PATH": os.pathsep.join(path),
                "PYTHONPATH": os.pathsep.join((sysconfig.get_path("purelib"), str(PROJECT))),
            },
        )
    line = stopped_at(ended, "check_tools")
    assert line.startswith("tools.missing: blurb")
    assert "install" in line
    assert "make_clone" not in receipts(place)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("\n", "body"),
        (".. gh-issue: 7\n.. section: Library\n\nText.\n", "metadata sets 'gh-issue' twice"),
        (b"\xff\xfe text", "utf-8"),
    ],
    ids=["empty", "number twice", "no utf-8"],
)
def test_a_malformed_blurb_file_is_one_line_that_names_it(
    place: Place, content: str | bytes, told: str
) -> None:
    name = "Misc/NEWS.d/next/Library/2026-11-20-10-00-00.gh-issue-300001.AbCdEf.rst"
    place.commit({name: content})
    ended = export(place)
    line = stopped_at(ended, "merge_news")
    assert line.startswith(name)
    assert told in line.lower()
    assert line.endswith("; correct the entry on the branch")
    assert "merge_news" not in receipts(place)


@pytest.mark.parametrize("page", ["Doc/library/spam.rst", "Doc/conf.py"])
def test_docs_that_do_not_build_tell_their_last_lines_and_their_log(done: Place, page: str) -> None:
    text = git(done.cpython, "show", f"upstream/3.13:{page}")
    more = "\n\n.. nonsense:: here\n" if page.endswith(".rst") else "\nraise ValueError('bad')\n"
    done.commit({page: text + more})
    before = done.products()
    ended = export(done)
    assert (ended.status, ended.err) == (1, ""), ended
    (task,) = ended.not_done
    assert task in ("build_topics", "build_docs")
    assert ("spam.rst" if page.endswith(".rst") else "bad") in ended.out
    log = re.search(r"^    log: (.*)", ended.out, re.MULTILINE)
    assert log
    assert Path(log[1]).read_text(encoding="utf-8")
    # What was published of the old tag may be gone by then, and nothing else came in its place.
    assert {name for name, digest in done.products().items() if "docs" in name} == {
        name for name in before if "docs" in name
    }


# What was made, and spoilt


@pytest.mark.parametrize("how", ["cut", "edited", "deleted"])
def test_a_spoilt_archive_is_made_again_and_nothing_else(done: Place, how: str) -> None:
    before = done.products()
    archive = done.work / "src" / "Python-3.13.6.tar.xz"
    content = archive.read_bytes()
    match how:
        case "cut":
            archive.write_bytes(content[:1000])
        case "edited":
            archive.write_bytes(content[:1000] + b"!" + content[1001:])
        case _:
            archive.unlink()
    word = "is gone" if how == "deleted" else "was edited"
    assert done.standings()["build_tarballs"] == ("stale", f"src/{archive.name} {word}")
    ended = export(done)
    assert (ended.status, ended.done) == (0, ["build_tarballs"])
    assert done.products() == before


def test_a_receipt_edited_by_hand_does_not_count(done: Place) -> None:
    receipt = done.work / "receipts" / "make_tag.json"
    honest = receipt.read_bytes()
    receipt.write_bytes(honest.replace(b'"tag"', b'"tab"').replace(b'"v3.13.6"', b'"v3.13.7"'))
    assert receipt.read_bytes() != honest
    assert "its seal does not match" in done.doit("why", "make_tag").out
    ended = export(done)
    assert (ended.status, ended.done) == (0, ["make_tag"])
    assert receipt.read_bytes() == honest


def test_a_deleted_database_costs_no_step(done: Place) -> None:
    for file in done.work.glob("state.sqlite3*"):
        file.unlink()
    ended = export(done)
    assert (ended.status, ended.done) == (0, [])


# Others at work, and signals: whole exports are stopped in test_stopping_export.py


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_is_told_and_the_same_command_goes_on(
    place: Place, number: signal.Signals, tmp_path: Path
) -> None:
    with untouched(place):
        ended, refused_one = stopped_while_it_clones(place, number, tmp_path)
        assert ended.status == 128 + number, ended
        assert "the same command continues with the one that was running" in ended.err
        assert "Traceback" not in ended.said
        assert refused_one.status == 1
        (line,) = refused_one.said.splitlines()
        assert "this release is being worked on by process" in line
        assert "make_clone" not in receipts(place)
        again = place.doit("run", "make_clone")
    assert (again.status, "make_clone" in again.done) == (0, True), again


def stopped_while_it_clones(
    place: Place, number: signal.Signals, tmp_path: Path
) -> tuple[Ended, Ended]:
    """A run that a signal stops at work, and another one that came meanwhile."""
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    began = tmp_path / "began"
    slow.write_text(
        f"#!/bin/sh\ncase \" $* \" in *' clone '*) touch {began}; sleep 60;; esac\n"
        f'exec {shutil.which("git")} "$@"\n',
        encoding="utf-8",
    )
    slow.chmod(0o755)
    with subprocess.Popen(
        [
            sys.executable, "-m", "doit", "run", "--release", str(place.declaration), "make_clone",
        ],
        cwd=PROJECT,
        env={**os.environ, "PATH": f"{slow.parent}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        wait_until(began.exists, "it clones", of=process, said=process.communicate)
        second = place.doit("run", "make_clone")
        process.send_signal(number)
        out, err = process.communicate(timeout=300)
    return Ended(process.returncode, out, err), second
