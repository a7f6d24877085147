"""A release.toml with no more than it has to have: each command starts, and says what it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from docs.every_kind import plan_of
from doit_receipts.task import Kind
from plugins.rehearsal.toy_cpython import make_toy
from tests.confining import CONFINES
from tests.ended import Ended

if TYPE_CHECKING:
    from doit_receipts.plan import Plan

PROJECT: Final = Path(__file__).resolve().parents[2]
FOUR_LINES: Final = """\
version = "{}"
[repository]
clone = "cpython"
fork  = "git@github.com:me/cpython.git"
"""
# A user and a network of its own, in which nobody answers: nothing real is asked.
ALONE: Final = ("unshare", "--user", "--map-root-user", "--net")
WAIVED: Final = """
[[waivers]]
rule = "tools.unconfined"
reason = "a container, and a toy of a tree"
by = "a test"
until = {}
"""
LISTS: Final = ("list", "announce", "dev", "committers")


@pytest.fixture
def alone() -> tuple[str, ...]:
    """Words that start a program without any network."""
    try:
        subprocess.run([*ALONE, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine gives no network of its own (unshare)")
    return ALONE


@pytest.mark.slow
@pytest.mark.parametrize(("version", "last"), [("3.14.9", "3.14.8"), ("3.16.0a1", "3.15.0b4")])
def test_four_lines_start_and_every_command_says_what_it_needs(
    tmp_path: Path, alone: tuple[str, ...], version: str, last: str
) -> None:
    released = datetime.now(UTC).date() - timedelta(days=9)
    make_toy(tmp_path, version=last, released=released)
    declaration = tmp_path / "release.toml"
    # Where nothing can be confined, as in a container, the release manager has to waive that.
    waived = "" if CONFINES else WAIVED.format(datetime.now(UTC).date() + timedelta(days=7))
    declaration.write_text(FOUR_LINES.format(version) + waived)

    def doit(*words: str) -> Ended:
        ended = subprocess.run(
            [*alone, sys.executable, "-m", "doit", *words, "--release", declaration],
            cwd=PROJECT, env={**os.environ, "HOME": str(tmp_path)}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Traceback" not in ended.stdout + ended.stderr
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    listed = doit("list", "--status")
    assert (listed.status, listed.err) == (0, "")
    assert f"next: doit export --release {declaration}" in listed.out
    checked = doit("check")
    assert (checked.status, checked.err) == (1, "")
    for needed in (
        '[hosts] downloads: is missing; write downloads = "ssh://',
        'declares no secret for it; write site = "env:NAME" under [credentials]',
        "[credentials] sigstore: is missing",
        "github: read .github/workflows/build-release.yml: cannot be reached",
        "release.phase WARN: https://peps.python.org: the phase of",
        "experts.windows",
        "experts.macos",
    ):
        assert needed in checked.out
    exported = doit("run", "export")
    assert exported.status == 1
    assert exported.done == ["check_tools", "choose_day"]
    assert "base.is_upstreams_head: https://github.com/python/cpython.git" in exported.out
    assert f"next: mend that, then doit export --release {declaration}" in exported.out


def plan_with_lists(folder: Path, version: str) -> Plan:
    """The plan of a release that tells every list, and whose release.toml names no phase."""
    key = "0123456789ABCDEF0123456789ABCDEF01234567"
    told = "".join(f'{name} = "{name}@example.org"\n' for name in LISTS)
    declaration = folder / "release.toml"
    declaration.write_text(
        f'{FOUR_LINES.format(version)}[signing]\ngpg_key = "{key}"\n[announce]\n{told}'
        'sender = "rm@example.org"\n'
    )
    return plan_of(declaration)


def test_3_10_21_waits_for_no_expert(tmp_path: Path) -> None:
    plan = plan_with_lists(tmp_path, "3.10.21")
    assert {task.who for task in plan.tasks.values() if task.kind is Kind.APPROVAL} == {"RM"}
    assert [name for name in plan.tasks if "windows" in name or "macos" in name] == []
    assert "check_brought" not in plan.tasks


def test_3_14_5rc1_tells_nobody_of_a_phase_of_candidates(tmp_path: Path) -> None:
    assert "write_policy" not in plan_with_lists(tmp_path, "3.14.5rc1").tasks
    assert "write_policy" in plan_with_lists(tmp_path, "3.14.0rc1").tasks
