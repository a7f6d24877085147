"""Remedies of what `doit verify` finds of an export: the commands that they name are run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.export.toy import PROJECT
from tests.released import rules_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doit_receipts.finding import Finding
    from tests.released import Released

pytestmark = pytest.mark.slow

_TGZ: Final = "Python-3.13.6.tgz"


@pytest.fixture
def declaration(world: Released) -> Path:
    """The declaration of the release on the machine where it was made, all receipts included.

    None of its hosts answers: to make a file again needs nothing but the release clone.
    """
    folder = world.folder / "exported"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(world.made, folder, symlinks=True, ignore=shutil.ignore_patterns("build"))
    shutil.copytree(world.made / "build" / "3.13.6", world.local.work, symlinks=True)
    declared = folder / "release.toml"
    text = declared.read_text()
    assert text.count('= "build"') == 1
    declared.write_text(text.replace('= "build"', f'= "{world.local.work.parent}"'))
    return declared


def _other_sums(sums: Path) -> None:
    """A line less, and the digest of another file."""
    _, second, *lines = sums.read_text().splitlines(keepends=True)
    sums.write_text("".join(["0" * 64 + second[64:], *lines]))


def _damaged(work: Path) -> None:
    (work / "src" / _TGZ).write_bytes(b"x" * 500)
    (work / "src" / f"{_TGZ}.spdx.json").write_text("{}")
    (work / "src" / "Python-3.13.6.tar.xz.asc").write_bytes(bytes(228))
    (work / "src" / "notes.txt").write_text("x")
    (work / "src" / "Python-3.13.6.tar.xz").chmod(0o666)
    (work / "docs" / "python-3.13.6-docs.epub").write_bytes(b"")
    _other_sums(work / "src" / "SHA256SUMS")


def _no_line(work: Path) -> None:
    with (work / "src" / "SHA256SUMS").open("a") as sums:
        sums.write("no line\n")


def _gone(work: Path) -> None:
    for name in (_TGZ, "Python-3.13.6.tar.xz.asc", "SHA256SUMS"):
        (work / "src" / name).unlink()
    (work / "docs" / "python-3.13.6-docs.epub").unlink()
    subprocess.run(
        ["git", "-C", work / "clone", "tag", "--force", "v3.13.6", "v3.13.6^{commit}"],
        check=True, capture_output=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("damage", "rules"),
    [
        (
            _damaged,
            {
                "archive.unreadable", "checksums.differs", "checksums.unlisted",
                "docs.unreadable", "file.mode", "file.size", "file.unrecognised",
                "sbom.unreadable", "signature.bytes", "signature.unreadable",
            },
        ),
        (_no_line, {"checksums.form"}),
        (_gone, {"checksums.missing", "docs.missing", "file.missing", "signature.missing",
                 "tag.light"}),
    ],
    ids=["damaged", "no line", "gone"],
)  # fmt: skip
def test_an_export_is_made_again_as_its_findings_say(
    world: Released, declaration: Path, damage: Callable[[Path], None], rules: set[str]
) -> None:
    damage(world.local.work)
    report = world.look("local")
    assert rules_of(report) >= rules
    for each in report.findings:
        _done_by_hand(world.local.work, each)
    ended = subprocess.run(
        [sys.executable, "-m", "doit", "export", "--release", str(declaration)], cwd=PROJECT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert world.look("local").findings == ()


def _done_by_hand(work: Path, finding: Finding) -> None:
    """What the remedy asks for before the command that it names."""
    name, remedy = finding.where.rpartition("/")[2], finding.remedy
    files = [each for each in (work / "src" / name, work / "docs" / name) if each.exists()]
    if remedy.startswith("chmod 644 on the host and here"):
        files[0].chmod(0o644)
    elif remedy == "find out who put it there, and move it away":
        files[0].rename(work.parent / name)
    elif remedy.startswith("delete it in the release clone, then run doit export"):
        subprocess.run(
            ["git", "-C", work / "clone", "tag", "--delete", name], check=True, capture_output=True
        )
    else:
        # to publish begins with the export, and what else it does has been done here
        assert "doit export" in remedy or finding.rule == "bundle.bytes", finding
        for each in files if remedy.startswith("delete it") else ():
            each.unlink()
