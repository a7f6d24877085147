"""What PEP 101 asks of a release, as list --pep and why show it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from docs.every_kind import a_declaration
from tests.ended import Ended

PROJECT: Final = Path(__file__).resolve().parents[2]


def doit(*words: str, release: Path) -> Ended:
    """How doit ended for this release, in this project."""
    ended = subprocess.run(
        [sys.executable, "-m", "doit", *words, "--release", release],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def of(listing: str, name: str) -> list[str]:
    """The lines of this obligation in the listing."""
    lines = listing.splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith(f"  {name} "))
    below = lines[first + 1 :]
    count = next(place for place, line in enumerate(below) if not line.startswith("     "))
    return [" ".join(line.split()) for line in lines[first : first + 1 + count]]


def test_the_release_is_listed_by_the_chapters_of_the_pep(tmp_path: Path) -> None:
    listing = doit("list", "--pep", release=a_declaration(tmp_path, "3.13.6")).out
    chapters = [line for line in listing.splitlines()[1:] if line and not line.startswith(" ")]
    assert chapters[:2] == ["Things You'll Need", "Types of Releases"]
    assert of(listing, "E12")[0] == "E12 Somebody has read the merged news"
    assert of(listing, "E12")[1].endswith(" approval by RM")
    assert of(listing, "P06")[1].startswith("obsolete: no PDF is published any more (python/")
    assert of(listing, "M20b")[1:] == ["push_upstream PUBLIC"]
    assert max(map(len, listing.splitlines())) <= 80


def test_what_another_kind_of_release_owes_is_left_out(tmp_path: Path) -> None:
    security = doit("list", "--pep", release=a_declaration(tmp_path, "3.12.12")).out
    assert "  X12 " not in security
    assert "  N01 " not in security
    beta = doit("list", "--pep", release=a_declaration(tmp_path, "3.15.0b1")).out
    assert of(beta, "N01")[1:] == ["merge_back CLONE"]
    assert "  P02 " not in beta  # no OpenPGP from 3.14 on


def test_what_nobody_is_named_for_is_said_to_be_left_out(tmp_path: Path) -> None:
    bare = doit("list", "--pep", release=a_declaration(tmp_path, "3.13.6", bare=True)).out
    assert of(bare, "A03")[1:] == ["no task: release.toml names nobody for it"]
    full = doit("list", "--pep", release=a_declaration(tmp_path, "3.13.6")).out
    assert of(full, "A03")[1:] == ["mail_announce PUBLIC"]


def test_with_status_each_task_has_its_state(tmp_path: Path) -> None:
    listing = doit("list", "--pep", "--status", release=a_declaration(tmp_path)).out
    assert of(listing, "P03")[1:] == ["ready check_tools gate"]
    assert of(listing, "M20b")[1:] == ["later push_upstream PUBLIC"]


def test_the_obligations_are_counted_at_the_end(tmp_path: Path) -> None:
    listing = doit("list", "--pep", release=a_declaration(tmp_path)).out
    last = listing.partition(" obligations: ")
    total = int(last[0].split()[-1])
    counts = [int(word) for word in last[2].split() if word.isdigit()]
    assert total == sum(counts)
    assert total > 190
    assert "by tasks" in last[2]


def test_a_name_with_pep_is_refused_with_what_explains_it(tmp_path: Path) -> None:
    ended = doit("list", "--pep", "P01", release=a_declaration(tmp_path))
    assert ended.status == 3
    assert "list --pep takes no names; doit why P01 explains one" in ended.err


@pytest.mark.parametrize("other", ["--json", "--deps", "--template={name}"])
def test_another_form_with_pep_is_refused(tmp_path: Path, other: str) -> None:
    ended = doit("list", "--pep", other, release=a_declaration(tmp_path))
    assert (ended.status, ended.out) == (3, "")
    (line,) = ended.err.splitlines()
    word = other.partition("=")[0]
    assert line == f"ERROR: doit list --pep has a form of its own; leave {word} out, or --pep"


def test_why_a_task_names_what_it_is_for(tmp_path: Path) -> None:
    said = doit("why", "merge_back", release=a_declaration(tmp_path)).out
    assert "  PEP 101       M02: A fresh clone of upstream\n" in said
    assert "in other kinds of release: M07, M08, N01, " in said
    assert "NEW03: After the release, README's title has" in said


@pytest.mark.parametrize(
    ("word", "lines"),
    [
        ("P03", ["P03: The release tool runs, ", "done by       check_tools (ready): "]),
        ("U16", ["U16: Redirects of ", "belongs to    the first final", "verdict       obsolete: ",
                 "source        python/peps afd253e6b"]),
        ("line:213", ["U16: Redirects of "]),
        ("line:385", ["line:385: a heading, commentary or empty: this line "]),
        ("NEW15", ["judged by     ci.base_commit", "shown by      tests/checks/"]),
        ("line:125", ["E12: Somebody has read ", "done by       approve_"]),
    ],
)  # fmt: skip
def test_why_an_obligation_or_a_line_shows_what_came_of_it(
    word: str, lines: list[str], tmp_path: Path
) -> None:
    said = doit("why", word, release=a_declaration(tmp_path)).out
    for line in lines:
        assert line in said


@pytest.mark.parametrize("word", ["Q99", "line:455", "line:", "merge_bak"])
def test_why_of_what_is_neither_task_nor_obligation_is_refused(word: str, tmp_path: Path) -> None:
    ended = doit("why", word, release=a_declaration(tmp_path))
    assert ended.status == 3
    assert f"'{word}' is not a task of this release" in ended.err


def test_a_rule_is_explained_and_completed(tmp_path: Path) -> None:
    release = a_declaration(tmp_path)
    told = doit("why", "builders.red", release=release).out.splitlines()
    assert told[0].startswith("builders.red: The last build of every stable builder")
    assert told[-1].split() == ["it", "can", "be", "waived"]
    assert " builders.red " in doit("tabcompletion", release=release).out
