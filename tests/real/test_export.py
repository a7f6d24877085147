"""A whole `doit export` of the real CPython source, released as 3.13.6."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doit_receipts.artifact import sha256_of
from tests.real.tree import make_real_clone

if TYPE_CHECKING:
    from plugins.rehearsal.gnupg_home import GnupgHome
    from tests.real.conftest import Upstream

pytestmark = [pytest.mark.real, pytest.mark.slow]

PROJECT = Path(__file__).resolve().parents[2]
DOIT = (sys.executable, "-m", "doit")
DECLARATION = """\
version = "3.13.6"

[repository]
clone = "world/cpython"
fork  = "./world/fork.git"

[signing]
gpg_key    = "{key}"
gnupg_home = "{home}"

[tests]
source = "quick"
"""
WAIVER = """
[[waivers]]
rule = "builders.red"
reason = "one builder is out of disk"
by = "the release manager"
until = {until}
"""


def in_a_week() -> date:
    return datetime.now(UTC).date() + timedelta(days=7)


ENTRY = """\
Fix something that came in late.
"""


@dataclass(frozen=True, slots=True)
class Exported:
    """A release of the real tree: its folder, and what the first export said."""

    folder: Path
    status: int
    said: str

    @property
    def work(self) -> Path:
        return self.folder / "build" / "3.13.6"

    def doit(
        self, *words: str, umask: int = 0o022, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        command, *rest = words
        return subprocess.run(
            [*DOIT, command, "--release", self.folder / "release.toml", *rest],
            cwd=PROJECT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            umask=umask, env={**os.environ, **environment},
        )  # fmt: skip

    def done(self) -> list[str]:
        """The tasks that the journal has finished, in order."""
        lines = (self.work / "journal.jsonl").read_text().splitlines()
        return [each["task"] for each in map(json.loads, lines) if each["event"] == "done"]


@pytest.fixture(scope="module")
def exported(
    upstream: Upstream, keyring: GnupgHome, tmp_path_factory: pytest.TempPathFactory
) -> Exported:
    """The real tree, exported once: a quarter of an hour on two cores."""
    folder = tmp_path_factory.mktemp("real")
    make_real_clone(folder / "world", upstream.source)
    text = DECLARATION.format(key=keyring.key("real releaser"), home=keyring.folder)
    (folder / "release.toml").write_text(text)
    found = Exported(folder, 0, "")
    ended = found.doit("run", "export")
    return Exported(folder, ended.returncode, ended.stdout + ended.stderr)


def run(*words: str | Path, folder: Path) -> str:
    ended = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def test_the_export_ends_well_with_every_artifact(exported: Exported) -> None:
    assert exported.status == 0, exported.said
    assert sorted(path.name for path in (exported.work / "src").iterdir()) == [
        "Python-3.13.6.tar.xz",
        "Python-3.13.6.tar.xz.asc",
        "Python-3.13.6.tar.xz.spdx.json",
        "Python-3.13.6.tgz",
        "Python-3.13.6.tgz.asc",
        "Python-3.13.6.tgz.spdx.json",
        "SHA256SUMS",
    ]
    assert sorted(path.name for path in (exported.work / "docs").iterdir()) == [
        "python-3.13.6-docs-html.tar.bz2",
        "python-3.13.6-docs-html.zip",
        "python-3.13.6-docs-texinfo.tar.bz2",
        "python-3.13.6-docs-texinfo.zip",
        "python-3.13.6-docs-text.tar.bz2",
        "python-3.13.6-docs-text.zip",
        "python-3.13.6-docs.epub",
    ]


def test_signatures_sums_and_tag_hold_for_a_stranger(
    exported: Exported, keyring: GnupgHome
) -> None:
    src = exported.work / "src"
    for name in ("Python-3.13.6.tgz", "Python-3.13.6.tar.xz"):
        keyring.gpg("--verify", str(src / f"{name}.asc"), str(src / name))
    assert run("sha256sum", "--check", "SHA256SUMS", folder=src).count(": OK") == 6
    environment = {**os.environ, "GNUPGHOME": str(keyring.folder)}
    subprocess.run(
        ["git", "tag", "-v", "v3.13.6"], cwd=exported.work / "clone", env=environment, check=True,
        capture_output=True,
    )  # fmt: skip


def test_both_archives_list_the_tag_without_what_is_left_out(exported: Exported) -> None:
    tracked = run("git", "ls-tree", "-r", "--name-only", "v3.13.6", folder=exported.work / "clone")
    wanted = {
        f"Python-3.13.6/{name}"
        for name in tracked.splitlines()
        if not name.startswith((".github/", ".azure-pipelines/", "Misc/NEWS.d/", "Misc/mypy/"))
        and name not in (".gitattributes", ".gitignore")
    } | {"Python-3.13.6/Misc/NEWS"}
    for suffix in ("tgz", "tar.xz"):
        with tarfile.open(exported.work / "src" / f"Python-3.13.6.{suffix}") as archive:
            assert {each.name for each in archive if not each.isdir()} == wanted


def test_a_second_export_runs_nothing_and_says_so(exported: Exported) -> None:
    before = exported.done()
    ended = exported.doit("run", "export")
    assert ended.returncode == 0
    assert "0 tasks run" in ended.stdout
    assert exported.done() == before


def test_a_waiver_rebuilds_nothing(exported: Exported) -> None:
    before = exported.done()
    declaration = exported.folder / "release.toml"
    declaration.write_text(declaration.read_text() + WAIVER.format(until=in_a_week()))
    ended = exported.doit("run", "export")
    assert ended.returncode == 0
    assert exported.done() == before


def test_the_same_tag_gives_the_same_bytes_elsewhere(exported: Exported, tmp_path: Path) -> None:
    """Another folder and hour, umask, locale, time zone and home: every archive is equal."""
    clone = tmp_path / "far away" / "world" / "cpython"
    shutil.copytree(exported.folder / "world", clone.parent, symlinks=True)
    tag = "refs/tags/v3.13.6"
    run("git", "fetch", "-q", exported.work / "clone", f"{tag}:{tag}", folder=clone)
    day = json.loads((exported.work / "receipts" / "choose_day.json").read_text())["facts"]["date"]
    other = Exported(clone.parents[1], 0, "")
    text = (exported.folder / "release.toml").read_text()
    (other.folder / "release.toml").write_text(f"date = {day}\n{text}")
    (tmp_path / "home").mkdir()
    ended = other.doit(
        "run", "build_docs", "build_sboms",
        umask=0o077, TZ="Pacific/Kiritimati", LC_ALL="tr_TR.UTF-8", HOME=str(tmp_path / "home"),
        XZ_OPT="-0", TAR_OPTIONS="--numeric-owner",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    archives = [
        path.relative_to(exported.work)
        for folder in ("src", "docs")
        for path in (exported.work / folder).iterdir()
        if path.suffix != ".asc" and path.name != "SHA256SUMS"
    ]
    assert len(archives) == 11
    assert {str(path): sha256_of(other.work / path) for path in archives} == {
        str(path): sha256_of(exported.work / path) for path in archives
    }


def test_a_late_news_entry_runs_exactly_what_stands_behind_it(exported: Exported) -> None:
    """The topics do not depend on it; the archives do, and the docs hold the changelog."""
    clone = exported.folder / "world" / "cpython"
    name = "Misc/NEWS.d/next/Library/2025-06-20-10-00-00.gh-issue-400000.Eggs42.rst"
    (clone / name).parent.mkdir(parents=True, exist_ok=True)
    (clone / name).write_text(ENTRY)
    run("git", "add", name, folder=clone)
    run("git", "commit", "-q", "-m", "gh-400000: Fix something late", folder=clone)
    before = len(exported.done())
    ended = exported.doit("run", "export")
    assert ended.returncode == 0, ended.stdout
    ran = exported.done()[before:]
    kept = {"choose_day", "check_tools", "check_key", "build_topics"}
    everything = set(exported.done())
    assert set(ran) == everything - kept
    assert len(ran) == len(set(ran))
    merged = run("git", "show", "v3.13.6:Misc/NEWS.d/3.13.6.rst", folder=exported.work / "clone")
    assert "Fix something that came in late." in merged
