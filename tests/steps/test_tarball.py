"""Source archives from a tag of a small repository: members, sameness everywhere, faults."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import random
import resource
import shutil
import stat
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doit_receipts.artifact import sha256_of
from doit_receipts.errors import ReleaseError, ServiceFailed, StepFailed
from plugins.model.layout import Layout
from plugins.model.release import Release, type_of
from plugins.model.series import series_of
from plugins.model.tarstream import Kind, tar_blocks
from plugins.model.version import Version
from plugins.services.programs import MachinePrograms
from plugins.steps import tarball
from tests.packing import members_of
from tests.progress import Heard

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plugins.ports.git import Clone

_VERSION = Version.parse("3.14.0rc1")
_TOP = f"Python-{_VERSION}"
_EPOCH_S = 1_753_000_000
_LONG = "Lib/test/" + "/".join(("a_folder_with_a_long_name",) * 4) + "/test_" + "long" * 5 + ".py"

_NEWS = """\
.. date: 2025-07-20
.. gh-issue: 136001
.. nonce: aaaaaa
.. release date: 2025-07-22
.. section: Library

A thing works again.
"""

_FILES: Mapping[str, str] = {
    ".editorconfig": "root = true\n",
    ".gitattributes": "*.bat text eol=crlf\n*.dat -text\n",
    ".gitignore": "*.o\n",
    ".github/workflows/build.yml": "name: Tests\n",
    ".azure-pipelines/ci.yml": "steps: []\n",
    "Android/.gitignore": "build\n",
    "Doc/build/left.txt": "over\n",
    "Include/Python.h": "#include <stdio.h>\n",
    "LICENSE": "A. HISTORY OF THE SOFTWARE\n",
    "Lib/json.py": "# beside a folder of its name\n",
    "Lib/json-old/__init__.py": "",
    "Lib/json/__init__.py": "from . import x\n",
    "Lib/json/x.py": "x = 1\n",
    "Lib/old.pyc": "compiled\n",
    "Lib/__pycache__/x.txt": "compiled\n",
    _LONG: "# long\n",
    "Misc/ACKS": "Thanks to Zoë.\n",
    "Misc/NEWS.d/3.14.0rc1.rst": _NEWS,
    "Misc/NEWS.d/next/Library/README.rst": "Entries go here.\n",
    "Misc/mypy/typed.txt": "json\n",
    "Misc/zoë.txt": "not ASCII\n",
    "PC/build.bat": "echo off\nexit\n",
    "PC/raw.dat": "one\r\ntwo\n",
    "Python/ceval.c": "int main;\n",
    "README.rst": "This is Python version 3.14.0 release candidate 1\n",
}
_SHIPPED = (
    "", ".editorconfig", "Android", "Android/.gitignore", "Doc", "Include", "Include/Python.h",
    "LICENSE", "Lib", "Lib/json", "Lib/json/__init__.py", "Lib/json/x.py", "Lib/json-old",
    "Lib/json-old/__init__.py", "Lib/json.py", "Lib/link", "Lib/test",
    *(_LONG[:at] for at, each in enumerate(_LONG) if each == "/" and at > len("Lib/test")),
    _LONG, "Misc", "Misc/ACKS", "Misc/NEWS", "Misc/zoë.txt", "PC", "PC/build.bat", "PC/raw.dat",
    "Python", "Python/ceval.c", "README.rst", "configure",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Repository:
    """A git repository; as much of the Clone port as the step asks for."""

    folder: Path

    def git(self, *words: str, epoch_s: int = _EPOCH_S) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.devnull,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": f"{epoch_s} +0200",
            "GIT_COMMITTER_DATE": f"{epoch_s} +0200",
        }
        ended = subprocess.run(
            ("git", "-c", "user.name=RM", "-c", "user.email=rm@example.org", *words),
            cwd=self.folder,
            env=environment,
            capture_output=True,
            check=True,
        )
        return ended.stdout.decode().strip()

    def commit(self, files: Mapping[str, str | bytes], epoch_s: int = _EPOCH_S) -> str:
        for name, content in files.items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "-m", "a change", epoch_s=epoch_s)
        return self.git("rev-parse", "HEAD")

    def resolve(self, revision: str) -> str:
        try:
            return self.git("rev-parse", "--quiet", "--verify", revision)
        except subprocess.CalledProcessError:
            return ""


def _a_clone(folder: Path, epoch_s: int = _EPOCH_S) -> _Repository:
    """A repository of CPython's shape with the release's tag."""
    clone = folder / "clone"
    clone.mkdir(parents=True)
    repository = _Repository(clone)
    repository.git("init", "--quiet", "--initial-branch=main")
    (clone / "configure").write_text("#!/bin/sh\n")
    (clone / "configure").chmod(0o755)
    (clone / "Lib").mkdir()
    (clone / "Lib/link").symlink_to("json/x.py")
    repository.commit(_FILES, epoch_s)
    repository.git("tag", "-a", "-m", "tagged later", _VERSION.tag, epoch_s=epoch_s + 5000)
    return repository


def _a_release(folder: Path, xz_threads: int = 0) -> Release:
    series = replace(series_of(_VERSION), xz_threads=xz_threads)
    return Release(_VERSION, type_of(_VERSION), series, Layout(folder, _VERSION))


def _build(
    repository: _Repository, release: Release, commit: str = "", heard: Heard | None = None
) -> dict[str, str]:
    clone = cast("Clone", repository)
    return tarball.build(release, clone, MachinePrograms(), heard or Heard(), commit)


def _stream(release: Release) -> bytes:
    return gzip.decompress(release.layout.tarball(".tgz").read_bytes())


def _members(release: Release) -> list[tarfile.TarInfo]:
    with tarfile.open(release.layout.tarball(".tgz"), encoding="utf-8") as archive:
        return archive.getmembers()


def _content(release: Release, name: str) -> bytes:
    with tarfile.open(release.layout.tarball(".tar.xz"), encoding="utf-8") as archive:
        body = archive.extractfile(f"{_TOP}/{name}")
        assert body is not None
        return body.read()


def test_archives_hold_what_is_shipped_in_the_order_of_tar(tmp_path: Path) -> None:
    release = _a_release(tmp_path)
    _build(_a_clone(tmp_path), release)
    names = [f"{_TOP}/{name}".rstrip("/") for name in _SHIPPED]
    assert [member.name for member in _members(release)] == names


def test_both_archives_hold_one_stream(tmp_path: Path) -> None:
    release = _a_release(tmp_path)
    _build(_a_clone(tmp_path), release)
    assert lzma.decompress(release.layout.tarball(".tar.xz").read_bytes()) == _stream(release)


def test_members_have_the_time_of_the_commit_no_owner_and_plain_modes(tmp_path: Path) -> None:
    release = _a_release(tmp_path)
    _build(_a_clone(tmp_path), release)
    for member in _members(release):
        assert member.mtime == _EPOCH_S
        assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", "")
        plain = member.isreg() and not member.name.endswith("/configure")
        assert member.mode == (0o644 if plain else 0o755)


def test_a_tag_of_tomorrow_gives_its_time_to_every_member(tmp_path: Path) -> None:
    """The made news too: in the usual way they keep the clock of the host."""
    tomorrow = 4_000_000_000
    release = _a_release(tmp_path)
    facts = _build(_a_clone(tmp_path, tomorrow), release)
    assert {member.mtime for member in _members(release)} == {tomorrow}
    assert facts["epoch_s"] == str(tomorrow)


def test_line_ends_are_those_that_the_attributes_ask_for(tmp_path: Path) -> None:
    release = _a_release(tmp_path)
    _build(_a_clone(tmp_path), release)
    assert _content(release, "PC/build.bat") == b"echo off\r\nexit\r\n"
    assert _content(release, "PC/raw.dat") == b"one\r\ntwo\n"
    assert _content(release, "Lib/json/x.py") == b"x = 1\n"


def test_news_are_merged_and_their_fragments_left_out(tmp_path: Path) -> None:
    release = _a_release(tmp_path)
    _build(_a_clone(tmp_path), release)
    news = _content(release, "Misc/NEWS").decode()
    assert "What's New in Python 3.14.0 release candidate 1?" in news
    assert "- gh-136001: A thing works again." in news


def test_news_that_somebody_committed_do_not_matter(tmp_path: Path) -> None:
    repository, release = _a_clone(tmp_path), _a_release(tmp_path)
    _build(repository, release)
    merged = _content(release, "Misc/NEWS")
    _build(repository, release, repository.commit({"Misc/NEWS": "by hand\n"}))
    assert _content(release, "Misc/NEWS") == merged
    assert [member.name for member in _members(release)].count(f"{_TOP}/Misc/NEWS") == 1


def test_a_commit_is_exported_in_place_of_the_tag(tmp_path: Path) -> None:
    repository, release = _a_clone(tmp_path), _a_release(tmp_path)
    commit = repository.commit({"Lib/new.py": "new\n"})
    facts = _build(repository, release, commit)
    assert facts["commit"] == commit
    assert _content(release, "Lib/new.py") == b"new\n"


def test_stream_is_the_one_of_the_usual_way(tmp_path: Path) -> None:
    """That is: git archive, unpack, blurb merge, blurb export, remove, GNU tar."""
    _needs_gnu_tar()
    repository, release = _a_clone(tmp_path), _a_release(tmp_path)
    _build(repository, release)
    staging = tmp_path / "staging" / _TOP
    staging.mkdir(parents=True)
    archive = repository.folder / "out.tar"
    repository.git("archive", "--format=tar", f"--output={archive}", _VERSION.tag)
    subprocess.run(("tar", "xf", archive), cwd=staging, check=True)
    for words in (("merge",), ("export",)):
        blurb = Path(sys.executable).with_name("blurb")
        subprocess.run((blurb, *words), cwd=staging, check=True, capture_output=True)
    for name in (".gitattributes", ".gitignore", "Lib/old.pyc"):
        (staging / name).unlink()
    for name in (".github", ".azure-pipelines", "Misc/mypy", "Lib/__pycache__", "Doc/build"):
        shutil.rmtree(staging / name)
    assert _gnu_tar(staging, _EPOCH_S) == _stream(release)


def test_the_same_tag_gives_the_same_bytes_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other folder, umask, locale, time zone, configuration, attributes, variables."""
    repository, here = _a_clone(tmp_path / "here"), _a_release(tmp_path / "here")
    facts = _build(repository, here)

    elsewhere = tmp_path / "else where's"
    shutil.copytree(repository.folder, elsewhere / "clone", symlinks=True)
    other = _Repository(elsewhere / "clone")
    for setting in ("core.autocrlf=true", "core.eol=crlf", "tar.umask=0077"):
        other.git("config", *setting.split("="))
    (other.folder / ".git/info").mkdir(exist_ok=True)
    (other.folder / ".git/info/attributes").write_text("* text eol=crlf\nLib/** export-ignore\n")
    other.git("replace", "--force", f"{_VERSION.tag}:README.rst", f"{_VERSION.tag}:LICENSE")
    home = elsewhere / "home"
    (home / ".config/git").mkdir(parents=True)
    (home / ".config/git/attributes").write_text("*.py text eol=crlf\nPC/** export-ignore\n")
    (home / ".gitconfig").write_text("[core]\n\tautocrlf = true\n")
    for name, value in {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "LC_ALL": "C",
        "LANG": "tr_TR.UTF-8",
        "TZ": "Pacific/Kiritimati",
        "XZ_OPT": "-0",
        "XZ_DEFAULTS": "--check=none",
        "GZIP": "-1",
        "TAR_OPTIONS": "--owner=5",
        "GIT_DIR": "/nowhere",
        "SOURCE_DATE_EPOCH": "1",
    }.items():
        monkeypatch.setenv(name, value)
    before = os.umask(0o077)
    try:
        there = _a_release(elsewhere)
        assert _build(other, there) == facts
    finally:
        os.umask(before)
    for ours, theirs in zip(here.layout.tarballs, there.layout.tarballs, strict=True):
        assert sha256_of(ours) == sha256_of(theirs)
        assert stat.S_IMODE(theirs.stat().st_mode) == 0o644


def test_building_again_gives_the_same_files_and_facts(tmp_path: Path) -> None:
    repository, release = _a_clone(tmp_path), _a_release(tmp_path)
    facts = _build(repository, release)
    sums = [sha256_of(path) for path in release.layout.tarballs]
    assert _build(repository, release) == facts
    assert [sha256_of(path) for path in release.layout.tarballs] == sums


def test_the_clone_is_only_read(tmp_path: Path) -> None:
    repository, release = _a_clone(tmp_path), _a_release(tmp_path)

    def state() -> dict[Path, tuple[int, int]]:
        found = sorted(repository.folder.rglob("*"))
        return {path: (path.lstat().st_mtime_ns, path.lstat().st_size) for path in found}

    before = state()
    _build(repository, release)
    assert state() == before


def test_facts_name_all_that_the_bytes_depend_on(tmp_path: Path) -> None:
    repository, release = _a_clone(tmp_path), _a_release(tmp_path)
    heard = Heard()
    facts = _build(repository, release, heard=heard)
    programs = MachinePrograms()
    tgz, txz = release.layout.tarballs
    assert facts == {
        "commit": repository.resolve("HEAD"),
        "epoch_s": str(_EPOCH_S),
        "members": str(len(_SHIPPED)),
        "stream_sha256": facts["stream_sha256"],
        "git": programs.version("git"),
        "blurb": programs.version(str(Path(sys.executable).with_name("blurb"))),
        "gzip": programs.version("gzip"),
        "gzip_options": "-9 -n",
        "xz": programs.version("xz"),
        "xz_options": "-6 -T0",
        "confined": programs.confinement().means or "no",
        "programs_sha256": facts["programs_sha256"],
        "tgz_sha256": sha256_of(tgz),
        "tgz_bytes": str(tgz.stat().st_size),
        "tar_xz_sha256": sha256_of(txz),
        "tar_xz_bytes": str(txz.stat().st_size),
    }
    assert all(facts.values())
    digests = dict(word.split(":") for word in facts["programs_sha256"].split())
    assert list(digests) == ["git", "blurb", "gzip", "xz"]
    git = programs.find("git")
    assert git is not None
    assert digests["git"] == sha256_of(git)
    assert heard.lines[-1] == f"{len(_SHIPPED)} members; the compressors are finishing"


@pytest.mark.parametrize(
    ("threads", "told", "options"), [(0, "-T3", "-6 -T0"), (1, "-T1", "-6 -T1")]
)
def test_xz_writes_what_the_series_asks_for(
    tmp_path: Path, threads: int, told: str, options: str
) -> None:
    """Blocks are the same for any number of threads but one; one thread gives one stream."""
    release = _a_release(tmp_path, threads)
    facts = _build(_a_clone(tmp_path), release)
    by_hand = subprocess.run(
        ("xz", "-6", told), input=_stream(release), capture_output=True, check=True
    ).stdout
    assert release.layout.tarball(".tar.xz").read_bytes() == by_hand
    assert facts["xz_options"] == options


def test_xz_writes_blocks_on_a_machine_of_one_core_too() -> None:
    assert "-T2" in tarball.xz_compressor(series_of(_VERSION), cores=1).argv


def test_a_tag_that_is_not_there_is_told(tmp_path: Path) -> None:
    repository, release = _a_clone(tmp_path), _a_release(tmp_path)
    repository.git("tag", "--delete", _VERSION.tag)
    with pytest.raises(
        StepFailed, match=r"no tag or commit v3.14.0rc1; run the task that makes the tag first"
    ):
        _build(repository, release)


def test_a_malformed_news_fragment_stops_with_what_blurb_says(tmp_path: Path) -> None:
    repository, release = _a_clone(tmp_path), _a_release(tmp_path)
    commit = repository.commit({"Misc/NEWS.d/3.14.0rc1.rst": ".. section: Nowhere\n\nWhat?\n"})
    with pytest.raises(ServiceFailed, match="blurb: merge: ended with status 1") as caught:
        _build(repository, release, commit)
    assert any("Nowhere" in line for line in caught.value.details)
    assert not release.layout.src.exists() or not list(release.layout.src.iterdir())


def test_a_tree_without_news_is_told(tmp_path: Path) -> None:
    repository, release = _a_clone(tmp_path), _a_release(tmp_path)
    repository.git("rm", "-r", "--quiet", "Misc/NEWS.d")
    commit = repository.commit({})
    with pytest.raises(ServiceFailed, match="git") as caught:
        _build(repository, release, commit)
    assert "Misc/NEWS.d" in caught.value.details[-1]


def test_an_object_that_is_missing_stops_the_archives(tmp_path: Path) -> None:
    repository, release = _a_clone(tmp_path), _a_release(tmp_path)
    blob = repository.git("rev-parse", f"{_VERSION.tag}:README.rst")
    (repository.folder / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(ServiceFailed, match="git") as caught:
        _build(repository, release)
    assert any(blob in line for line in caught.value.details)
    assert list(release.layout.src.iterdir()) == []


@pytest.mark.parametrize("name", ["gzip", "xz", "blurb"])
def test_a_program_that_is_missing_is_named_before_anything_is_done(
    tmp_path: Path, name: str
) -> None:
    class Without(MachinePrograms):
        """A machine that lacks one program."""

        def find(self, wanted: str) -> Path | None:
            return None if Path(wanted).name == name else super().find(wanted)

    repository, release = _a_clone(tmp_path), _a_release(tmp_path)
    with pytest.raises(ReleaseError, match=rf"^{name}: .*(not found|neither).* install {name}"):
        tarball.build(release, cast("Clone", repository), Without(), Heard())
    assert not release.layout.work.joinpath("src").exists()


def test_a_compressor_that_is_killed_leaves_the_archives_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, release = _a_clone(tmp_path), _a_release(tmp_path)
    _build(repository, release)
    sums = [sha256_of(path) for path in release.layout.tarballs]
    folder = tmp_path / "bin"
    folder.mkdir()
    script = f"""#!/bin/sh
[ "$1" = --version ] && exec {shutil.which("xz")} --version
head -c 2000; kill -9 $$
"""
    (folder / "xz").write_text(script)
    (folder / "xz").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    with pytest.raises(ServiceFailed, match=r"xz: run: was ended by SIGKILL"):
        _build(repository, release, repository.commit({"Lib/new.py": "new\n"}))
    assert [sha256_of(path) for path in release.layout.tarballs] == sums
    assert len(list(release.layout.src.iterdir())) == 2


def test_a_git_that_is_none_is_told_and_the_true_one_makes_the_archives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, release = _a_clone(tmp_path), _a_release(tmp_path)
    other = tmp_path / "bin" / "git"
    other.parent.mkdir()
    git = shutil.which("git")
    other.write_text(f'#!/bin/sh\ncase "$*" in *" archive "*) ;; *) exec {git} "$@" ;; esac\n')
    other.chmod(0o755)
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", f"{other.parent}:{path}")
    with pytest.raises(StepFailed, match=r"did not produce an archive.*which program PATH names"):
        _build(repository, release)
    monkeypatch.setenv("PATH", path)
    _build(repository, release)
    assert all(each.exists() for each in release.layout.tarballs)


@contextmanager
def _largest_file(size_bytes: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_nothing_and_says_where(tmp_path: Path) -> None:
    repository, release = _a_clone(tmp_path), _a_release(tmp_path)
    noise = random.Random(2).randbytes(400_000)
    commit = repository.commit({"Lib/noise.dat": noise})
    with _largest_file(200_000), pytest.raises(StepFailed, match="could not be written") as caught:
        _build(repository, release, commit)
    assert caught.value.where in {path.name for path in release.layout.tarballs}
    assert str(release.layout.src) in caught.value.remedy
    assert list(release.layout.src.iterdir()) == []


def test_a_disk_that_fills_up_before_the_archives_begin_is_told(tmp_path: Path) -> None:
    repository, release = _a_clone(tmp_path), _a_release(tmp_path)
    commit = repository.commit({"Misc/NEWS.d/3.13.9.rst": _NEWS + "word " * 20_000 + "\n"})
    with _largest_file(50_000), pytest.raises(StepFailed, match="File too large; see to the disk"):
        _build(repository, release, commit)
    assert list(release.layout.scratch.iterdir()) == []


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    class Interrupting(Heard):
        def say(self, text: str) -> None:
            super().say(text)
            raise KeyboardInterrupt

    repository, release = _a_clone(tmp_path), _a_release(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        _build(repository, release, heard=Interrupting())
    assert list(release.layout.src.iterdir()) == []
    assert list(release.layout.scratch.iterdir()) == []


def test_what_a_killed_run_left_does_not_matter(tmp_path: Path) -> None:
    repository, release = _a_clone(tmp_path), _a_release(tmp_path)
    left = release.layout.scratch / "tarball"
    for name in ("git/objects/info/alternates", "news/Misc/NEWS.d/next/Library/x.rst"):
        (left / name).parent.mkdir(parents=True)
        (left / name).write_text("half of it")
    release.layout.src.mkdir()
    for path in release.layout.tarballs:
        path.with_name(f"{path.name}.partial").write_text("half of it")
    _build(repository, release)
    assert sorted(release.layout.src.iterdir()) == sorted(release.layout.tarballs)
    assert list(release.layout.scratch.iterdir()) == []


# --- any tree ------------------------------------------------------------------------------

_NAMES = st.one_of(
    st.text("ab-. +", min_size=1, max_size=3),
    st.text(
        st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=60
    ),
    st.integers(90, 120).map(lambda length: "n" * length),
).filter(lambda name: name not in {".", ".."})
_MODES = st.integers(0, 0o77).map(lambda others: 0o600 | others)
_LEAVES = st.one_of(
    st.tuples(st.binary(max_size=1500), st.one_of(_MODES, _MODES.map(lambda mode: mode | 0o100))),
    st.text(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=120
    ),
)
_TREES = st.dictionaries(
    _NAMES,
    st.recursive(_LEAVES, lambda inner: st.dictionaries(_NAMES, inner, max_size=4), max_leaves=12),
    max_size=6,
)


def _plant(tree: Mapping[str, object], folder: Path) -> None:
    folder.mkdir()
    for name, planted in tree.items():
        match planted:
            case dict():
                _plant(planted, folder / name)
            case (bytes(content), int(mode)):
                (folder / name).write_bytes(content)
                (folder / name).chmod(mode)
            case _:
                (folder / name).symlink_to(str(planted))


def _found(folder: Path) -> dict[str, tuple[Kind, int, bytes, str]]:
    return {
        member.name: (member.kind, member.mode, member.content, member.target)
        for member in members_of(folder, "tree")
    }


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(_TREES)
def test_any_tree_is_unpacked_again_by_gnu_tar_and_by_python(tree: Mapping[str, object]) -> None:
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _plant(tree, folder / "tree")
        stream = b"".join(tar_blocks(members_of(folder / "tree", "tree"), _EPOCH_S))
        for name in ("gnu", "python"):
            (folder / name).mkdir()
        argv = ("tar", "--extract", "--preserve-permissions")
        subprocess.run(argv, cwd=folder / "gnu", input=stream, check=True, env=_UTF8)
        with tarfile.open(fileobj=io.BytesIO(stream), encoding="utf-8") as archive:
            # As it is written, where Python has a say in it: 3.11.2 does not.
            archive.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)
            archive.extractall(folder / "python")
        as_released = _gnu_tar(folder / "tree", _EPOCH_S) if _has_gnu_tar() else stream
        assert stream == as_released
        unpacked = _found(folder / "gnu" / "tree")
        assert unpacked == _found(folder / "python" / "tree")
        planted = _found(folder / "tree")
        assert planted.keys() == unpacked.keys()
        for name, (kind, mode, content, target) in planted.items():
            assert unpacked[name][0] is kind
            assert unpacked[name][2:] == (content, target)
            assert kind is Kind.LINK or unpacked[name][1] & 0o700 == mode & 0o700


# --- GNU tar -------------------------------------------------------------------------------

_UTF8 = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}


def _has_gnu_tar() -> bool:
    told = subprocess.run(("tar", "--version"), capture_output=True, text=True, check=False)
    return "GNU tar" in told.stdout


def _needs_gnu_tar() -> None:
    if not _has_gnu_tar():
        pytest.skip("tar is not GNU tar here")


def _gnu_tar(folder: Path, epoch_s: int) -> bytes:
    """The folder as GNU tar archives it for a release, its device numbers left empty."""
    stream = bytearray(
        subprocess.run(
            (
                "tar", "--create", "--format=posix", "--sort=name", "--owner=0", "--group=0",
                "--numeric-owner", "--mode=go+u,go-w", f"--mtime=@{epoch_s}",
                "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
                folder.name,
            ),
            cwd=folder.parent, env=_UTF8, capture_output=True, check=True,
        ).stdout
    )  # fmt: skip
    at = 0
    while stream[at]:
        size_bytes = int(stream[at + 124 : at + 135], 8)
        if stream[at + 156 : at + 157] != b"x":
            stream[at + 329 : at + 345] = bytes(16)
            stream[at + 148 : at + 156] = b" " * 8
            stream[at + 148 : at + 156] = b"%06o\0 " % sum(stream[at : at + 512])
        at += 512 + -(-size_bytes // 512) * 512
    return bytes(stream)
