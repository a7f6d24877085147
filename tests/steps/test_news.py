"""Tests of NEWS, folded by the real blurb."""

from __future__ import annotations

import os
from datetime import date
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed
from plugins.services.programs import MachinePrograms
from plugins.steps import news
from tests.source_world import DAY, World, a_world

if TYPE_CHECKING:
    from pathlib import Path

LIBRARY = "Misc/NEWS.d/next/Library"
GOOD = f"{LIBRARY}/2026-11-01-10-00-00.gh-issue-300001.AbCdEf.rst"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return a_world(tmp_path)


def merge(world: World, day: date = DAY) -> dict[str, str]:
    return news.merge(world.release, world.make(), world.programs, date=day)


def test_entries_stand_in_one_file_dated_as_told(world: World) -> None:
    facts = merge(world)
    text = world.text("Misc/NEWS.d/3.13.6.rst", "news")
    assert text.count(".. gh-issue: ") == 4
    assert text.count(".. release date: 2026-11-22\n") == 1
    assert "Refuse spam from strangers." in text
    left = world.clone.names("refs/release/news", "Misc/NEWS.d/next")
    assert {name.rpartition("/")[2] for name in left} == {"README.rst"}
    assert facts["entries"] == "4"
    assert facts["blurb"][0].isdigit()


def test_file_is_the_same_on_any_day_that_it_is_made(world: World) -> None:
    assert merge(world) == merge(world)
    assert merge(world, date(2027, 1, 2))["commit"] != merge(world)["commit"]


def test_release_without_entries_says_so_and_is_the_same_each_day(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    entries = world.make().names("refs/release/base", "Misc/NEWS.d/next")
    world.commit({name: None for name in entries if not name.endswith("README.rst")})
    facts = merge(world, date(2027, 1, 2))
    text = world.text("Misc/NEWS.d/3.13.6.rst", "news")
    assert facts["entries"] == "0"
    assert ".. no changes: True" in text
    assert ".. release date: 2027-01-02" in text
    assert ".. date: 2027-01-02\n" in text


def test_wrong_section_is_not_lost_in_silence(world: World) -> None:
    stray = "Misc/NEWS.d/next/Libary/2026-11-01-10-00-00.gh-issue-300001.AbCdEf.rst"
    world.commit({stray: "An entry of a section that nobody knows.\n"})
    with pytest.raises(StepFailed, match="its section is unknown to blurb") as error:
        merge(world)
    assert error.value.where == stray


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (GOOD, b"", "body' text must not be empty"),
        (GOOD, b"- A dash in front.\n", "can't start with '- '"),
        (GOOD, b"One.\n..\n\nTwo.\n", "must be specified|two entries"),
        (GOOD, b".. cve CVE-2026-1\nText.\n", "metadata without a colon"),
        (GOOD, b"caf\xe9\n", "not UTF-8 at byte 3"),
        (f"{LIBRARY}/2026-11-01.gh-issue-12.AbCdEf.rst", b"Low.\n", "Invalid gh-issue number"),
        (f"{LIBRARY}/2026-11-01.AbCdEf.rst", b"No issue.\n", "Can't parse"),
        (f"{LIBRARY}/2026-11-01.gh-pull-1.AbCdEf.rst", b"Odd.\n", "unparsable field"),
    ],
)
def test_malformed_entry_is_one_clear_error_that_names_the_file(
    world: World, name: str, content: bytes, told: str
) -> None:
    world.commit({name: content})
    with pytest.raises(StepFailed, match=told) as error:
        merge(world)
    message = str(error.value)
    assert name in message
    assert "Traceback" not in message
    assert error.value.details == ()
    assert "\n" not in message
    assert world.clone.resolve("refs/release/news") == ""


def test_step_can_be_done_after_a_failure(world: World) -> None:
    world.commit({GOOD: b""})
    with pytest.raises(StepFailed):
        merge(world)
    world.commit({GOOD: b"Now it says something.\n"})
    assert merge(world)["entries"] == "5"


def test_base_that_has_this_news_already_is_refused(world: World) -> None:
    world.commit({"Misc/NEWS.d/3.13.6.rst": "by hand\n"})
    with pytest.raises(StepFailed, match="has this file already"):
        merge(world)


def test_blurb_of_the_projects_environment_goes_before_that_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "blurb"
    other.write_text("#!/bin/sh\nexit 9\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert news.blurb_of(MachinePrograms()) != other


def test_missing_blurb_is_told_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python3"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StepFailed, match="pip install blurb"):
        news.blurb_of(MachinePrograms())


def test_blurb_that_fails_without_a_word_is_told(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blurb").write_text("#!/bin/sh\nexit 9\n")
    (tmp_path / "blurb").chmod(0o755)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python3"))
    with pytest.raises(StepFailed, match="blurb release: blurb failed"):
        merge(world)
