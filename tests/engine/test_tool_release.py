"""A version of this tool is released by its own engine, to a bare remote, with a throw-away key."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from checks.own_tool import tool_is_released
from plugins.services.gnupg_signer import GnupgKeyring
from plugins.services.programs import MachinePrograms
from tests.engine.conftest import PROJECT
from tests.engine.test_example import PUBLISH, Shop, spread
from tests.source_world import a_release

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plugins.rehearsal.gnupg_home import GnupgHome

NO_KEY: Final = "0" * 40
KILLS: Final = 10


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True
    ).stdout.strip()


class Tool(Shop):
    """A clone of this repository that declares the next version, and the remote that it is from."""

    @property
    def clone(self) -> Path:
        return self.folder.parents[1]

    @property
    def remote(self) -> Path:
        return self.clone.with_name("remote.git")

    @property
    def work(self) -> Path:
        return self.clone / "build/pep101-9.1.0"

    @property
    def published(self) -> dict[str, bytes]:
        files = (self.clone / "build/releases/v9.1.0").glob("*")
        return {file.name: file.read_bytes() for file in files}


@pytest.fixture
def tool(tmp_path: Path, keyring: GnupgHome) -> Tool:
    clone, remote = tmp_path / "tool", tmp_path / "remote.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(PROJECT), str(remote))
    git(remote, "branch", "--force", "main", "HEAD")
    git(tmp_path, "clone", "--quiet", "--branch", "main", str(remote), str(clone))
    # What is not committed yet is tried as well.
    for folder in ("docs/release", "doit_receipts"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
        shutil.copytree(PROJECT / folder, clone / folder, dirs_exist_ok=True, ignore=ignored)
    settings = clone / "docs/release/pyproject.toml"
    key = keyring.key(f"maintainer-{tmp_path.name[-40:]}")
    text = settings.read_text().replace(NO_KEY, key)
    passes = f'checks = ["{sys.executable}", "-c", "pass"]'
    settings.write_text(text.replace('checks = ["make", "check"]', passes))
    declared = clone / "pyproject.toml"
    declared.write_text(declared.read_text().replace('version = "0.1.0"', 'version = "9.1.0"'))
    changes = clone / "CHANGELOG.md"
    changes.write_text(changes.read_text().replace("## Unreleased", "## 9.1.0 - 2026-11-29"))
    for name, value in (("user.name", "Maintainer"), ("user.email", "m@example.org")):
        git(clone, "config", name, value)
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "Release 9.1.0")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    return Tool(clone / "docs/release", keyring.folder)


@pytest.mark.slow
def test_a_version_of_the_tool_is_released(tool: Tool) -> None:
    waiting = tool.doit("publish")
    assert (waiting.status, waiting.waiting) == (4, ["approve_release"]), waiting
    assert tool.published == {}
    assert git(tool.remote, "tag", "--list", "v9*") == ""
    assert tool.doit("approve", "approve_release").status == 0
    ended = tool.doit("publish")
    assert ended.status == 0, ended
    published = tool.published
    assert {name for name in published if not name.endswith(".asc")} == {
        "ANNOUNCEMENT.md", "SHA256SUMS", "pep101-9.1.0.tar.gz", "pep101-9.1.0.sha256",
        "doit_receipts-0.2.0.tar.gz", "doit_receipts-0.2.0-py3-none-any.whl",
    }  # fmt: skip
    assert len(published) == 11
    assert published["ANNOUNCEMENT.md"].startswith(b"# pep101 9.1.0\n\n### Added\n")
    subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"],
        cwd=tool.clone / "build/releases/v9.1.0", check=True,
    )  # fmt: skip
    unpacked(tool)
    assert git(tool.remote, "rev-parse", "v9.1.0^{}") == git(tool.clone, "rev-parse", "HEAD")
    again = tool.doit("publish")
    assert (again.status, again.done) == (0, [])


def unpacked(tool: Tool) -> None:
    """What users unpack is what the signed list says, and the tool itself sees a change of it."""
    folder = tool.clone.parent / "user"
    shutil.copytree(tool.clone / "build/releases/v9.1.0", folder)
    for words in (["tar", "-xf", "pep101-9.1.0.tar.gz"],
                  ["sha256sum", "--check", "--quiet", "pep101-9.1.0.sha256"]):  # fmt: skip
        subprocess.run(words, cwd=folder, check=True)
    home, verifier = folder / "pep101-9.1.0", GnupgKeyring(tool.home)
    release = a_release(folder)

    def found() -> list[str]:
        judged = tool_is_released(release, MachinePrograms(), verifier, home)
        return [f"{each.rule}: {each.message}" for each in judged]

    assert found() == []
    (home / "release.toml").write_text("version = '3.14.1'\n")
    assert found() == []
    (home / "toml.py").write_text("evil = 1\n")
    with (home / "checks/tools.py").open("a") as file:
        file.write("# changed\n")
    (altered,) = found()
    assert altered == (
        "tools.altered: differs from pep101-9.1.0.sha256: checks/tools.py, toml.py (not in it)"
    )
    listing = folder / "pep101-9.1.0.sha256"
    listing.write_text(listing.read_text().replace("checks/tools.py", "checks/tolls.py"))
    assert found()[0].startswith("tools.unreleased: pep101-9.1.0.sha256 has no good signature")


def test_what_is_not_committed_or_not_pushed_is_not_released(tool: Tool) -> None:
    (tool.clone / "README.md").write_text("other\n")
    dirty = tool.doit()
    assert (dirty.status, dirty.failed) == (1, ["check_commit"])
    assert "README.md differs from the commit; commit it, or take it back" in dirty.out
    git(tool.clone, "commit", "--quiet", "--all", "--message", "Unseen")
    unseen = tool.doit()
    assert "is not in it; push it, or git fetch origin" in unseen.out
    git(tool.clone, "push", "--quiet", "origin", "HEAD:main")
    assert tool.doit("check_commit").status == 0


@pytest.mark.slow
def test_a_tag_that_users_have_is_never_moved(tool: Tool) -> None:
    git(tool.clone, "tag", "v9.1.0", "HEAD~1")
    git(tool.clone, "push", "--quiet", "origin", "v9.1.0")
    git(tool.clone, "tag", "--delete", "v9.1.0")
    tool.doit("approve_release")
    tool.doit("approve", "approve_release")
    ended = tool.doit("publish")
    assert (ended.status, ended.failed) == (1, ["push_tag"]), ended
    assert "what users have stays: release the next version" in ended.out
    assert tool.published == {}


@pytest.mark.slow
def test_the_release_of_the_tool_survives_a_kill_anywhere(
    tool: Tool, count: Callable[[str, int], None]
) -> None:
    ready, bare = tool.clone.with_name("ready"), tool.clone.with_name("bare.git")
    making = tool.instants(*PUBLISH)
    assert tool.doit("approve", "approve_release").status == 0
    shutil.copytree(tool.work, ready)
    shutil.copytree(tool.remote, bare)
    publishing = tool.instants(*PUBLISH)
    wanted = tool.published
    for fatal in spread(making, KILLS):
        shutil.rmtree(tool.work)
        assert tool.killed(fatal, *PUBLISH).status == -9, fatal
        assert tool.doit("publish").status in (0, 4), fatal
    for fatal in spread(publishing, KILLS):
        shutil.rmtree(tool.work)
        shutil.rmtree(tool.clone / "build/releases", ignore_errors=True)
        shutil.rmtree(tool.remote)
        shutil.copytree(ready, tool.work)
        shutil.copytree(bare, tool.remote)
        git(tool.clone, "tag", "--delete", "v9.1.0")
        assert tool.killed(fatal, *PUBLISH).status == -9, fatal
        ended = tool.doit("publish")
        assert ended.status == 0, (fatal, ended)
        assert tool.published == wanted, fatal
        tag = git(tool.remote, "rev-parse", "v9.1.0")
        assert tag == git(tool.clone, "rev-parse", "v9.1.0"), fatal
    count("kills of the tool's own release that were survived", 2 * KILLS)
