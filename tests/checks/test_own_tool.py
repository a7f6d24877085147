"""Tests of the judgement of the tool itself: a real checkout, real tags and signatures."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from checks.own_packages import packages_are_locked
from checks.own_tool import tool_is_released
from doit_receipts.artifact import sha256_of
from doit_receipts.finding import Severity
from plugins.services.gnupg_signer import GnupgKeyring
from plugins.services.programs import MachinePrograms
from tests.source_world import git

if TYPE_CHECKING:
    from collections.abc import Callable

    from doit_receipts.finding import Finding
    from plugins.model.release import Release
    from plugins.rehearsal.gnupg_home import GnupgHome

PROGRAMS = MachinePrograms()
TOOL = Path(__file__).resolve().parents[2]


class Checkout:
    """A checkout of a small tool, whose maintainer has a key."""

    def __init__(self, home: Path, keys: GnupgHome, maintainer: str, release: Release) -> None:
        self.home, self.keys, self.release = home, keys, release
        for name in ("chapters", "checks", "plugins/steps", "doit_receipts", "docs/release"):
            (home / name).mkdir(parents=True)
        for name in ("chapters/a.py", "checks/a.py", "plugins/steps/a.py", "doit_receipts/a.py"):
            (home / name).write_text("good = 1\n")
        self.name_key(maintainer)
        git(home, "init", "-q")
        self.commit()

    def name_key(self, key: str) -> None:
        text = f'[tool.release]\nkey = "{key}"\n'
        (self.home / "docs/release/pyproject.toml").write_text(text)

    def commit(self) -> None:
        git(self.home, "add", "-A")
        git(self.home, "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "x")

    def tag(self, key: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "tag", "--force",
             "--sign", "--local-user", key, "--message", "v1", "v1.0"],
            cwd=self.home, check=True, capture_output=True,
            env={"GNUPGHOME": str(self.keys.folder), "PATH": os.environ["PATH"]},
        )  # fmt: skip

    def found(self) -> tuple[Finding, ...]:
        verifier = GnupgKeyring(self.keys.folder)
        return tool_is_released(self.release, PROGRAMS, verifier, self.home)


@pytest.fixture(scope="module")
def keys(keyring: GnupgHome) -> dict[str, str]:
    return {name: keyring.key(f"{name}-of-tool") for name in ("maintainer", "somebody")}


@pytest.fixture
def checkout(
    tmp_path: Path, keyring: GnupgHome, keys: dict[str, str], a_release: Callable[..., Release]
) -> Checkout:
    home = tmp_path / "pep101-1.0"
    home.mkdir()
    return Checkout(home, keyring, keys["maintainer"], a_release())


def test_signed_tag_of_a_maintainer_is_a_release(checkout: Checkout, keys: dict[str, str]) -> None:
    (found,) = checkout.found()
    assert (found.rule, found.severity) == ("tools.unreleased", Severity.NOTE)
    assert "is not a released version: no tag v… names it" in found.message
    checkout.tag(keys["maintainer"])
    assert checkout.found() == ()
    git(checkout.home, "-c", "user.name=x", "-c", "user.email=x@example.org",
        "commit", "-q", "--allow-empty", "-m", "later")  # fmt: skip
    assert [each.rule for each in checkout.found()] == ["tools.unreleased"]


def test_tag_of_somebody_else_is_no_release(checkout: Checkout, keys: dict[str, str]) -> None:
    checkout.tag(keys["somebody"])
    (found,) = checkout.found()
    assert "tag v1.0 has no good signature of a maintainer: " in found.message
    git(checkout.home, "tag", "--force", "v1.0")
    (found,) = checkout.found()
    assert "tag v1.0 has no good signature of a maintainer: " in found.message


def test_without_a_maintainers_key_nothing_is_believed(
    checkout: Checkout, keys: dict[str, str]
) -> None:
    checkout.name_key("0" * 40)
    checkout.commit()
    checkout.tag(keys["maintainer"])
    (found,) = checkout.found()
    assert "names no key of a maintainer" in found.message
    assert found.remedy == "ask the maintainers for a version that names their key"
    (checkout.home / "docs/release/pyproject.toml").unlink()
    (found,) = checkout.found()
    assert "names no key of a maintainer" in found.message
    shutil.rmtree(checkout.home / ".git")
    listing = checkout.home.with_name("pep101-1.0.sha256")
    listing.write_text("no digest\n")
    first, *_ = checkout.found()
    assert first.remedy == found.remedy, "no download makes up for the key"


@pytest.mark.parametrize(
    "name",
    ["toml.py", "toml/__init__.py", "checks/json.pyc", "plugins/steps/more.py", "evil.pth",
     "doit_receipts/fast.cpython-311.so"],
)  # fmt: skip
def test_what_python_could_import_instead_is_told_though_git_is_told_to_ignore_it(
    checkout: Checkout, keys: dict[str, str], name: str
) -> None:
    """Git status is silent: whoever plants the module excludes it as well."""
    checkout.tag(keys["maintainer"])
    file = checkout.home / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"evil = 1\n")
    with (checkout.home / ".git/info/exclude").open("a") as excluded:
        excluded.write(f"{name}\n")
    assert git(checkout.home, "status", "--porcelain") == ""
    (found,) = checkout.found()
    assert (found.rule, found.severity) == ("tools.changed", Severity.WARN)
    assert name.partition("/__init__")[0] in found.message
    # What the message tells to do is done, and the stop is gone.
    file.unlink()
    if file.name == "__init__.py":
        file.parent.rmdir()
    assert checkout.found() == ()


def test_what_no_import_finds_is_left_alone(checkout: Checkout, keys: dict[str, str]) -> None:
    checkout.tag(keys["maintainer"])
    for name in ("build/3.14.1/made/a.py", "notes.txt", "checks/__pycache__/tools.cpython-311.pyc"):
        (checkout.home / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout.home / name).write_text("x\n")
    assert checkout.found() == ()


def test_archive_without_its_list_says_what_to_download(checkout: Checkout) -> None:
    shutil.rmtree(checkout.home / ".git")
    (found,) = checkout.found()
    assert found.rule == "tools.unreleased"
    assert "pep101-1.0.sha256 is not beside it" in found.message


@pytest.mark.parametrize(
    "text", ["", "no digest\n", f"{'a' * 64}  other/dodo.py\n", f"{'a' * 64}  pep101-1.0/../x\n"]
)
def test_list_that_is_none_blocks(checkout: Checkout, text: str) -> None:
    shutil.rmtree(checkout.home / ".git")
    checkout.home.with_name("pep101-1.0.sha256").write_text(text)
    assert [each.rule for each in checkout.found()] == ["tools.unreleased", "tools.altered"]


def test_archive_that_was_altered_is_as_before_once_it_is_unpacked_again(
    checkout: Checkout, tmp_path: Path
) -> None:
    shutil.rmtree(checkout.home / ".git")
    files = [each for each in sorted(checkout.home.rglob("*")) if each.is_file()]
    lines = [f"{sha256_of(each)}  {each.relative_to(checkout.home.parent)}\n" for each in files]
    checkout.home.with_name("pep101-1.0.sha256").write_text("".join(lines))
    shutil.copytree(checkout.home, tmp_path / "unpacked")
    (checkout.home / "checks/a.py").write_text("evil = 1\n")
    found = {each.rule: each for each in checkout.found()}
    assert found["tools.altered"].remedy.startswith("unpack the archive of the version again")
    shutil.rmtree(checkout.home)
    shutil.copytree(tmp_path / "unpacked", checkout.home)
    assert "tools.altered" not in {each.rule for each in checkout.found()}


def test_rehearsal_asks_nothing(checkout: Checkout) -> None:
    (checkout.home / "toml.py").write_text("x\n")
    checkout.release = replace(checkout.release, rehearsal=True)
    assert checkout.found() == ()
    assert packages_are_locked(checkout.release, checkout.home) == ()


def test_packages_of_other_versions_than_locked_are_named(checkout: Checkout) -> None:
    lock = checkout.home / "requirements.lock"
    shutil.copy(TOOL / "requirements.lock", lock)
    before = packages_are_locked(checkout.release, checkout.home)
    lock.write_text(re.sub(r"(?m)^httpx==\S+", "httpx==0.0.1", lock.read_text()))
    (found,) = packages_are_locked(checkout.release, checkout.home)
    assert (found.rule, found.severity) == ("tools.packages", Severity.WARN)
    assert ", locked 0.0.1" in found.message
    assert found not in before
