"""Tests of train.toml, and of a text that tells of several releases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from docs.every_kind import a_declaration
from doit_receipts.errors import SettingsError
from plugins.model.settings import read_settings, train_at
from plugins.model.train_text import of_one

if TYPE_CHECKING:
    from pathlib import Path

RELEASES = 'releases = ["3.14.7.toml", "older/3.13.15.toml"]\n'


def read(folder: Path, text: str) -> list[str]:
    """The mistakes of the file, none if it is right."""
    (folder / "train.toml").write_text(text)
    try:
        train_at(folder / "train.toml")
    except SettingsError as error:
        return [str(error), *error.details]
    return []


def test_train_lists_its_releases_and_the_hour(tmp_path: Path) -> None:
    (tmp_path / "train.toml").write_text(f"{RELEASES}not_before = 2026-12-08T17:30:00+01:00\n")
    train = train_at(tmp_path / "train.toml")
    lead, other = train.releases
    assert train.lead == lead
    assert (lead.name, other.file) == ("3.14.7.toml", tmp_path / "older" / "3.13.15.toml")
    assert train.others(lead.file) == (other,)
    assert train.before(lead.file) == ()
    assert train.before(other.file) == (lead,)
    assert train.not_before == datetime(2026, 12, 8, 16, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "train.toml"),
        ("releases = []\n", "releases names no release"),
        ('releases = ["a.toml", "a.toml"]\n', "holds 'a.toml' twice"),
        (f"{RELEASES}hour = 12\n", "hour is not a setting"),
        (f"{RELEASES}not_before = 2026-12-08T16:00:00\n", "not_before has no offset"),
        (f'{RELEASES}not_before = "noon"\n', "not_before is the text 'noon'"),
    ],
)
def test_mistakes_are_told_by_their_line(tmp_path: Path, text: str, wrong: str) -> None:
    found = read(tmp_path, text)
    assert any(wrong in each for each in found), found


@pytest.mark.parametrize(
    ("first", "second", "wrong"),
    [
        ('version = "3.14.7"', 'version = "3.14.8"', "a.toml and b.toml, which are both of 3.14"),
        ('version = "3.14.7"', 'version = "3.14.7"', "a.toml and b.toml, which are both of 3.14"),
        (
            'version = "3.14.7"\ndate = 2026-12-08',
            'version = "3.13.9"\ndate = 2026-12-09',
            "whose days are 2026-12-08 and 2026-12-09",
        ),
        (
            'version = "3.14.7"\n[work]\nrehearsal = true',
            'version = "3.13.9"',
            "a.toml and b.toml, of which only one is a rehearsal",
        ),
        ('version = "3.14.7"\ndate = 2026-12-08', 'version = "3.13.9"', ""),
        ('version = "3.14.7"', 'version = "3.14.', ""),
        ('version = "3.14.7"', 'work = 3\nversion = "3.13.9"', ""),
    ],
)
def test_releases_that_cannot_be_made_together_are_refused(
    tmp_path: Path, first: str, second: str, wrong: str
) -> None:
    """One of two of a series would be pushed over the other; a mistake in a file is its own."""
    (tmp_path / "a.toml").write_text(first)
    (tmp_path / "b.toml").write_text(second)
    found = read(tmp_path, 'releases = ["a.toml", "b.toml"]\n')
    assert [wrong in each for each in found] == ([True] if wrong else []), found


def test_release_is_listed_once_however_its_file_is_written(tmp_path: Path) -> None:
    (found,) = read(tmp_path, 'releases = ["a.toml", "./a.toml"]\n')
    assert "names a.toml and ./a.toml, the same file" in found


def test_release_that_its_train_does_not_list_is_refused(tmp_path: Path) -> None:
    declaration = a_declaration(tmp_path)
    declaration.write_text(f'train = "train.toml"\n{declaration.read_text()}')
    (tmp_path / "train.toml").write_text('releases = ["other.toml"]\n')
    with pytest.raises(SettingsError, match="which does not list this release"):
        read_settings(declaration)
    (tmp_path / "train.toml").write_text('releases = ["other.toml", "release.toml"]\n')
    train = read_settings(declaration).train
    assert train is not None
    assert train.lead.name == "other.toml"


TEXT = """\
# Python 3.14.7 and 3.13.15 are now available

## Python 3.14.7

One.

### More

Of one.

## Python 3.13.15

Two.

## Thank you
"""


def test_text_of_one_release_lacks_the_sections_of_others() -> None:
    ours = of_one(TEXT, "3.13.15", ["3.14.7"])
    assert "One." not in ours
    assert "Of one." not in ours
    assert "Two.\n\n## Thank you" in ours
    assert ours.startswith("# Python 3.14.7 and 3.13.15 are now available")
    assert of_one(TEXT, "3.14.7", []) == TEXT
    assert of_one(TEXT, "3.14.7", ["3.12.1"]) == TEXT
