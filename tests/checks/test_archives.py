from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from typing import TYPE_CHECKING

import pytest

from checks.tag_tree import tree_of
from doit_receipts.finding import Severity
from plugins.services.git_clone import GitClone
from plugins.services.programs import MachinePrograms
from tests.source_archives import (
    EPOCH_S,
    ROOT,
    TREE,
    Repository,
    Tarball,
    all_findings,
    make_repository,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doit_receipts.finding import Finding
    from plugins.model.release import Release

    Builds = Callable[..., Release]


@pytest.fixture
def clone(tmp_path: Path) -> Repository:
    return make_repository(tmp_path / "clone")


def chain_of_links(archive: Tarball) -> None:
    """A link that leads out through another, where each alone would not."""
    archive.put("sub/up", type=tarfile.SYMTYPE, linkname="..")
    archive.put("link", type=tarfile.SYMTYPE, linkname="sub/up/..")


def findings(release: Release, clone: Repository) -> tuple[Finding, ...]:
    """What is found beside that the stream is another one."""
    found = all_findings(release, clone)
    return tuple(each for each in found if each.rule != "archive.stream")


def test_archives_of_the_tag_pass(a_release: Builds, clone: Repository) -> None:
    release = a_release()
    write(release, Tarball.of_the_tag().stream())
    assert all_findings(release, clone) == ()


def test_a_git_that_dies_while_it_tells_the_tree_is_told_in_its_own_words(
    a_release: Builds, clone: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That its stream ends too early is only how we come to know of it."""
    release = a_release()
    write(release, Tarball.of_the_tag().stream())
    dying = tmp_path / "bin" / "git"
    dying.parent.mkdir()
    dying.write_text(
        f"""#!/bin/sh
case " $* " in *" cat-file --batch "*) ;; *) exec {shutil.which("git")} "$@" ;; esac
{shutil.which("git")} "$@" | head -c 60
echo fatal: object is corrupt >&2
exit 128
""",
        encoding="utf-8",
    )
    dying.chmod(0o755)
    monkeypatch.setenv("PATH", f"{dying.parent}{os.pathsep}{os.environ['PATH']}")
    (finding,) = findings(release, clone)
    assert (finding.rule, finding.severity) == ("archive.tree", Severity.BLOCK)
    assert "ended with status 128; fatal: object is corrupt" in finding.message


SPOILT: list[tuple[str, Callable[[Tarball], None], str]] = [
    ("archive.root", lambda it: it.put("x", root="other"), "1 member outside of Python-3.13.6/"),
    ("archive.root", lambda it: it.put("x", root="/etc"), "first /etc/x"),
    ("archive.root", lambda it: it.put("x", root=".."), "first ../x"),
    ("archive.pyc", lambda it: it.put("Lib/a.pyc"), "1 member compiled, first Python-3.13.6/Lib/a"),
    (
        "archive.pyc",
        lambda it: it.put("Lib/__pycache__", type=tarfile.DIRTYPE, mode=0o755),
        "1 mem",
    ),
    ("archive.owner", lambda it: it.change("Lib/os.py", uid=1000), "1 member not root's"),
    ("archive.owner", lambda it: it.change("Lib/os.py", gname="staff"), "1 member not root's"),
    ("archive.mode", lambda it: it.change("Lib/os.py", mode=0o666), "mode other than 0644 or 0755"),
    ("archive.mode", lambda it: it.change("Lib/os.py", mode=0o600), "mode other than 0644 or 0755"),
    ("archive.mode", lambda it: it.change("Lib/os.py", mode=0o4644), "other than 0644 or 0755"),
    ("archive.mode", lambda it: it.change("Lib", mode=0o700), "first Python-3.13.6/Lib"),
    ("archive.time", lambda it: it.change("Lib/os.py", mtime=EPOCH_S + 1), "of another time than"),
    (
        "archive.time",
        lambda it: it.change("Lib/os.py", mtime=EPOCH_S - 0.5),
        "of another time than",
    ),
    ("archive.name", lambda it: it.put("a/../b"), "first Python-3.13.6/a/../b"),
    ("archive.name", lambda it: it.put("Lib//b"), "first Python-3.13.6/Lib//b"),
    ("archive.name", lambda it: it.put("a\\b"), "some systems do not allow"),
    ("archive.name", lambda it: it.put("a\nb"), r"first 'Python-3.13.6/a\nb'"),
    ("archive.name", lambda it: it.put("a:b"), "some systems do not allow"),
    ("archive.name", lambda it: it.put("aux.c"), "some systems do not allow"),
    ("archive.name", lambda it: it.put("dot."), "some systems do not allow"),
    ("archive.name", lambda it: it.put("x" * 256), "some systems do not allow"),
    ("archive.name", lambda it: it.put("/".join(["xxxx"] * 60)), "some systems do not allow"),
    ("archive.name", lambda it: it.put("lib/OS.py"), "that come twice, first Python-3.13.6/lib/OS"),
    ("archive.name", lambda it: it.put("Lib/os.py", b"x = 1\n"), "1 member that come twice"),
    ("archive.link", lambda it: it.change("Lib/test/link", linkname="/etc/passwd"), "pointing out"),
    ("archive.link", lambda it: it.change("Lib/test/link", linkname="../../../x"), "pointing out"),
    (
        "archive.link",
        lambda it: it.change("Lib/test/link", linkname="../../../Python-3.13.6/Lib/os.py"),
        "pointing out",
    ),
    (
        "archive.link",
        chain_of_links,
        "1 member pointing out of the archive, first Python-3.13.6/link",
    ),
    ("archive.link", lambda it: it.put("Lib/test/link/x"), "1 member below a link or a file"),
    ("archive.link", lambda it: it.put("Lib/os.py/x"), "1 member below a link or a file"),
    (
        "archive.type",
        lambda it: it.put("x", type=tarfile.FIFOTYPE),
        "neither file, folder nor link",
    ),
    ("archive.type", lambda it: it.put("x", type=tarfile.CHRTYPE), "neither file, folder nor link"),
    (
        "archive.type",
        lambda it: it.put("x", type=tarfile.LNKTYPE, linkname=f"{ROOT}/Lib/os.py"),
        "neither file, folder nor link",
    ),
    ("archive.tree", lambda it: it.drop("Lib/os.py"), "lacks 1 member of the tag, first Lib/os.py"),
    ("archive.tree", lambda it: it.drop("Misc/NEWS"), "lacks 1 member of the tag, first Misc/NEWS"),
    ("archive.tree", lambda it: it.drop("PCbuild"), "lacks 1 member of the tag, first PCbuild"),
    (
        "archive.tree",
        lambda it: it.put("Lib/new.py"),
        "that the tag does not have, first Lib/new.py",
    ),
    ("archive.tree", lambda it: it.put("empty", type=tarfile.DIRTYPE, mode=0o755), "first empty"),
    ("archive.tree", lambda it: it.put(".gitattributes", TREE[".gitattributes"]), "does not have"),
    (
        "archive.tree",
        lambda it: it.replace("Lib/os.py", b"x = 2\n"),
        "1 member with other content than the tag's, first Lib/os.py",
    ),
    (
        "archive.tree",
        lambda it: it.replace("PCbuild/build.bat", b"echo\n"),
        "1 member with other content than the tag's, first PCbuild/build.bat",
    ),
    (
        "archive.tree",
        lambda it: it.change("configure", mode=0o644),
        "1 member with another type or mode than the tag's, first configure",
    ),
    (
        "archive.tree",
        lambda it: it.change("Lib/test/link", linkname="./link"),
        "1 member with other content than the tag's, first Lib/test/link",
    ),
]


@pytest.mark.parametrize(("rule", "spoil", "told"), SPOILT)
def test_fault_blocks_with_its_rule_and_first_place(
    a_release: Builds, clone: Repository, rule: str, spoil: Callable[[Tarball], None], told: str
) -> None:
    release = a_release()
    tarball = Tarball.of_the_tag()
    spoil(tarball)
    write(release, tarball.stream())
    found = findings(release, clone)
    (mine,) = [each for each in found if each.rule == rule and told in each.message]
    assert mine.severity is Severity.BLOCK
    assert mine.where == "Python-3.13.6.tgz"
    assert mine.remedy
    assert str(mine).isprintable()


def test_fault_of_many_members_is_told_once_with_their_number(
    a_release: Builds, clone: Repository
) -> None:
    release = a_release()
    tarball = Tarball.of_the_tag()
    for info, _ in tarball.members.values():
        info.uid = 1000
    write(release, tarball.stream())
    (found,) = findings(release, clone)
    assert found.message == f"holds 11 members not root's, first {ROOT}"


def test_empty_archive_blocks(a_release: Builds, clone: Repository) -> None:
    release = a_release()
    write(release, bytes(10_240))
    assert {each.rule for each in findings(release, clone)} >= {"archive.root", "archive.tree"}


def test_archives_that_differ_block_and_both_are_looked_at(
    a_release: Builds, clone: Repository
) -> None:
    """Only the .tgz is unpacked in the usual way; an .xz of other bytes would go out unseen."""
    release = a_release()
    other = Tarball.of_the_tag()
    other.put("Lib/evil.py")
    write(release, Tarball.of_the_tag().stream(), other.stream())
    found = {each.rule: each for each in findings(release, clone)}
    assert found["archive.differ"].where == "Python-3.13.6.tgz and Python-3.13.6.tar.xz"
    assert found["archive.tree"].where == "Python-3.13.6.tar.xz"


@pytest.mark.parametrize("name", [".tgz", ".tar.xz"])
def test_archive_that_is_not_there_blocks(a_release: Builds, clone: Repository, name: str) -> None:
    release = a_release()
    write(release, Tarball.of_the_tag().stream())
    release.layout.tarball(name).unlink()
    (found,) = findings(release, clone)
    assert (found.rule, found.severity) == ("archive.unreadable", Severity.BLOCK)
    assert found.where == f"Python-3.13.6{name}"


def test_archive_that_is_damaged_blocks(a_release: Builds, clone: Repository) -> None:
    release = a_release()
    write(release, Tarball.of_the_tag().stream())
    path = release.layout.tarball(".tgz")
    path.write_bytes(path.read_bytes()[:-9])
    (found,) = findings(release, clone)
    assert (found.rule, found.severity) == ("archive.unreadable", Severity.BLOCK)


@pytest.mark.parametrize(
    ("attribute", "content", "told"),
    [
        ("Lib/os.py export-ignore", b"x = 1\n", "lacks 1 member of the tag, first Lib/os.py"),
        (
            "Lib/os.py export-subst",
            b"x = '$Format:%H$'\n",
            "holds 1 member with other content than the tag's, first Lib/os.py",
        ),
    ],
)
def test_what_attributes_hide_from_git_archive_is_missed_all_the_same(
    a_release: Builds, clone: Repository, attribute: str, content: bytes, told: str
) -> None:
    """The archives come from git archive; who judges them does not ask it."""
    (clone.folder / ".gitattributes").write_text(f"*.bat text eol=crlf\n{attribute}\n")
    (clone.folder / "Lib/os.py").write_bytes(content)
    clone.git("add", "-A")
    clone.git("commit", "-qm", "attributes")
    clone.commit = clone.git("rev-parse", "HEAD")
    made = clone.folder.parent / "made.tar"
    clone.git("archive", f"--output={made}", "HEAD", "Lib")
    tarball = Tarball.of_the_tag()
    tarball.drop("Lib/os.py")
    with tarfile.open(made) as tar:
        if "Lib/os.py" in tar.getnames():
            exported = tar.extractfile("Lib/os.py")
            assert exported is not None
            tarball.put("Lib/os.py", exported.read())
    release = a_release()
    write(release, tarball.stream())
    assert [each.message for each in findings(release, clone)] == [told]


@pytest.mark.parametrize(
    ("attributes", "blob", "archived"),
    [
        ("*.py text eol=crlf", b"a\nb\n", b"a\r\nb\r\n"),
        ("*.py text=auto eol=crlf", b"a\0\nb\n", b"a\0\nb\n"),
        ("*.py -text", b"a\r\nb\n", b"a\r\nb\n"),
        ("*.py eol=lf", b"a\nb\n", b"a\nb\n"),
        ("[attr]dos text eol=crlf\n*.py dos\n", b"a\n", b"a\r\n"),
    ],
)
def test_line_ends_are_those_that_git_archive_writes(
    clone: Repository, attributes: str, blob: bytes, archived: bytes
) -> None:
    (clone.folder / "Lib/os.py").write_bytes(blob)
    clone.git("add", "-A")
    (clone.folder / ".gitattributes").write_text(f"{attributes}\n")
    clone.git("add", ".gitattributes")
    clone.git("commit", "-qm", "attributes")
    made = clone.folder.parent / "made.tar"
    clone.git("archive", f"--output={made}", "HEAD")
    with tarfile.open(made) as tar:
        exported = tar.extractfile("Lib/os.py")
        assert exported is not None
        assert exported.read() == archived
    found = tree_of(
        GitClone(clone.folder, MachinePrograms()), MachinePrograms(), clone.git("rev-parse", "HEAD")
    )
    assert found["Lib/os.py"].content == hashlib.sha256(archived).hexdigest()


def test_tag_that_cannot_be_looked_at_blocks(a_release: Builds, clone: Repository) -> None:
    release = a_release()
    write(release, Tarball.of_the_tag().stream())
    clone.commit = "0" * 40
    (found,) = findings(release, clone)
    assert (found.rule, found.severity) == ("archive.tree", Severity.BLOCK)
    assert "cannot read the tag" in found.message


def test_clone_that_is_gone_blocks(a_release: Builds, clone: Repository, tmp_path: Path) -> None:
    release = a_release()
    write(release, Tarball.of_the_tag().stream())
    clone.folder = tmp_path / "gone"
    (found,) = findings(release, clone)
    assert (found.rule, found.severity) == ("archive.tree", Severity.BLOCK)
