"""Tests of the signature on a docs lock: real gpg, and the remedy is followed."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from checks.docs_lock import lock_is_approved
from doit_receipts.artifact import Artifact, sha256_of
from doit_receipts.finding import Severity
from plugins.model.docs_lock import DocsLock, Pin
from plugins.services.gnupg_signer import GnupgSigner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doit_receipts.finding import Finding
    from plugins.model.release import Release
    from plugins.rehearsal.gnupg_home import GnupgHome

    Builds = Callable[..., Release]

SOURCE = "Doc/requirements.txt"


class Made:
    """A lock that the step made, and where it is to be kept."""

    def __init__(self, release: Release, folder: Path) -> None:
        self.release = release
        self.file = release.layout.made / "docs-tools.lock"
        self.file.parent.mkdir(parents=True)
        self.kept = folder / "docs-tools-3.13.lock"
        self.signature = folder / "docs-tools-3.13.lock.asc"
        self.write("1.0")

    def write(self, version: str, *more: str) -> None:
        pins = (Pin("toy_tool", version, "a" * 64), *(Pin(each, "1", "b" * 64) for each in more))
        self.file.write_bytes(DocsLock("3.13", "CPython 3.11 on any", "c" * 64, pins).content)

    def judged(self, signer: GnupgSigner, source: str = SOURCE) -> tuple[Finding, ...]:
        made = Artifact(self.file, self.file.stat().st_size, sha256_of(self.file))
        return lock_is_approved(self.release, made, self.kept, source, signer)


@pytest.fixture
def made(a_release: Builds, tmp_path: Path) -> Made:
    return Made(a_release(), tmp_path)


@pytest.fixture(scope="module")
def signer(keyring: GnupgHome) -> GnupgSigner:
    return GnupgSigner(keyring.folder, keyring.key("of-locks"))


@pytest.fixture(scope="module")
def somebody(keyring: GnupgHome) -> GnupgSigner:
    return GnupgSigner(keyring.folder, keyring.key("of-somebody"))


def follow(found: Finding) -> None:
    said, _, command = found.remedy.partition(", then: ")
    assert said == "read it"
    subprocess.run(["/bin/sh", "-c", command], check=True, capture_output=True)


def test_what_the_finding_tells_to_do_lets_it_pass(made: Made, signer: GnupgSigner) -> None:
    (found,) = made.judged(signer)
    assert (found.rule, found.severity) == ("docs.unapproved", Severity.BLOCK)
    assert found.message == "(packages of Doc/requirements.txt: 1) is not kept yet"
    follow(found)
    assert made.judged(signer) == ()
    # Of another lock the signature is none, and what differs is told.
    made.write("1.1", "toy_part")
    (again,) = made.judged(signer)
    assert "not kept yet: toy_part 1 is new; toy_tool 1.0 -> 1.1" in again.message
    follow(again)
    assert made.judged(signer) == ()


@pytest.mark.parametrize(
    "how", ["unsigned", "other key", "other bytes", "half", "empty", "planted", "link"]
)
def test_lock_that_the_release_manager_did_not_sign_blocks(
    made: Made, signer: GnupgSigner, somebody: GnupgSigner, how: str
) -> None:
    shutil.copy(made.file, made.kept)
    if how == "other key":
        somebody.sign(made.kept, made.signature)
    elif how == "other bytes":
        other = made.kept.with_name("other")
        other.write_text("other")
        signer.sign(other, made.signature)
    elif how in ("half", "empty"):
        # gpg was killed while it signed, or its disk was full
        signer.sign(made.kept, made.signature)
        whole = made.signature.read_bytes()
        made.signature.write_bytes(whole[: len(whole) // 2] if how == "half" else b"")
    elif how == "planted":
        signer.sign(made.kept, made.signature)
        evil = made.file.read_text().replace("toy_tool==1.0", "toy_tool==6.6")
        made.file.write_text(evil)
        made.kept.write_text(evil)
    elif how == "link":
        made.kept.unlink()
        made.kept.symlink_to(made.kept.with_name("nowhere"))
    (found,) = made.judged(signer)
    assert (found.rule, found.severity) == ("docs.unapproved", Severity.BLOCK)
    if how in ("half", "empty"):
        follow(found)
        assert made.judged(signer) == ()


def test_lock_that_cannot_be_read_blocks(made: Made, signer: GnupgSigner) -> None:
    made.file.write_text("\x00nothing")
    (found,) = made.judged(signer)
    assert found.severity is Severity.BLOCK
    assert "doit forget lock_docs_tools" in found.remedy


def test_lock_that_changes_while_it_is_judged_blocks(made: Made, signer: GnupgSigner) -> None:
    follow(*made.judged(signer))
    other = Artifact(made.file, 1, "0" * 64)
    (found,) = lock_is_approved(made.release, other, made.kept, SOURCE, signer)
    assert found.message == "was changed just now"


def test_lock_of_the_tree_was_approved_with_the_tree(made: Made, signer: GnupgSigner) -> None:
    assert made.judged(signer, "Doc/pylock.toml") == ()
