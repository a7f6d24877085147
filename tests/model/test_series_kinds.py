"""Tests of release.toml for what happens to a series, and of a phase in the schedule's text."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import SettingsError, StepFailed
from plugins.model.release import KIND_NAMES, Phase, ReleaseType
from plugins.model.schedule import SCHEDULE_FILE, read_schedule
from plugins.model.schedule_edit import Entered, entered, has_entered
from plugins.model.settings import read_settings, release_of
from plugins.model.version import Version
from tests.schedule_world import a_repository

if TYPE_CHECKING:
    from pathlib import Path

KEY = "0123456789ABCDEF0123456789ABCDEF01234567"
LEAST = f"""\
version = "3.12"
kind = "end-of-life"
[repository]
clone = "../cpython"
[signing]
gpg_key = "{KEY}"
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "release.toml"
    file.write_text(text)
    return file


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_a_series_and_its_kind_are_a_release(kind: ReleaseType, tmp_path: Path) -> None:
    text = LEAST.replace("end-of-life", KIND_NAMES[kind])
    release = release_of(read_settings(written(tmp_path, text)))
    assert release.type is kind
    assert release.name == f"3.12-{KIND_NAMES[kind]}"
    assert release.branch == "3.12"
    assert release.layout.work == tmp_path / "build" / release.name
    assert not release.ships_binaries


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"3.12"', '"3.12.13"', ("version is '3.12.13', and kind is about a whole series; write "
         'version = "3.12"')),
        ("end-of-life", "end-of-live", "kind is 'end-of-live'; did you mean end-of-life?"),
        ("end-of-life", "eol", ("kind is 'eol'; known here: begin-bugfix, "
         "begin-security-only, end-of-life")),
        ('kind = "end-of-life"\n', "", ("version '3.12' is not a version; write 3.12.0; for the "
         'series itself write one of kind = "begin-bugfix", kind = "begin-security-only", '
         'kind = "end-of-life" beside it')),
        ("[signing]", '[series]\nphase = "security"\n[signing]', ("[series] phase is about a "
         "release of files, and kind is end-of-life; take one of them out")),
        ("[signing]", '[series]\nbecomes = "security"\n[signing]', ("[series] becomes is about a "
         "release of files, and kind is end-of-life; take one of them out")),
        ("[signing]", f'[experts.windows]\nname = "W"\nkeys = ["{KEY}"]\n[signing]',
         ("[experts.windows] is about a release of files, and kind is end-of-life; take one of "
         "them out")),
        (f'gpg_key = "{KEY}"', "", "[signing] gpg_key is missing, and"),
    ],
)  # fmt: skip
def test_a_contradiction_is_one_clear_line(
    old: str, new: str, problem: str, tmp_path: Path
) -> None:
    file = written(tmp_path, LEAST.replace(old, new))
    with pytest.raises(SettingsError) as raised:
        read_settings(file)
    lines = [str(raised.value), *raised.value.details]
    assert len(lines) == 1, lines
    assert problem in lines[0]


DAY = date(2026, 11, 29)


def schedule_of(folder: Path, phase: str) -> str:
    """The text of a schedule in which 3.13 is in this phase."""
    repository = a_repository(folder, Version.parse("3.13.6"))
    text = (repository.text(SCHEDULE_FILE) or b"").decode()
    head, section, rest = text.partition('[metadata."3.13"]')
    return head + section + rest.replace('status = "bugfix"', f'status = "{phase}"', 1)


@pytest.mark.parametrize("now", ["bugfix", "security"])
def test_phase_changes_its_own_lines_alone(now: str, tmp_path: Path) -> None:
    text = schedule_of(tmp_path, now)
    enters = Phase.SECURITY if now == "bugfix" else Phase.END_OF_LIFE
    change = Entered("3.13", DAY, enters)
    made = entered(text, change)
    assert has_entered(read_schedule(made), change)
    assert entered(made, change) == made
    changed = [new for old, new in zip(text.splitlines(), made.splitlines(), strict=True)
               if old != new]  # fmt: skip
    wanted = [f'status = "{enters.value}"']
    assert changed == wanted + (["end-of-life = 2026-11-29"] if now == "security" else [])


def test_phase_that_does_not_come_next_is_refused(tmp_path: Path) -> None:
    text = schedule_of(tmp_path, "bugfix")
    with pytest.raises(StepFailed, match="before end-of-life it is security"):
        entered(text, Entered("3.13", DAY, Phase.END_OF_LIFE))
    with pytest.raises(StepFailed, match=r"does not have series 3\.7"):
        entered(text, Entered("3.7", DAY, Phase.END_OF_LIFE))
