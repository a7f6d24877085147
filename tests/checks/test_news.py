"""Tests of the judgement on NEWS: what the real blurb makes of entries that are no prose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.news import news_says_what_was_written
from doit_receipts.finding import Severity
from plugins.model.news_entry import garbled
from plugins.steps import news
from tests.source_world import DAY, World, a_world

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = "Misc/NEWS.d/next/Library/2026-11-01-10-00-00.gh-issue-300001.AbCdEf.rst"
PROSE = "Spam is served on :class:`~spam.Plate` objects now, which makes it a little warmer. " * 3
GARBLED = {
    "code with an empty line": "So::\n\n    def serve():\n        eat()\n\n    if spam:\n"
    "        serve()\n",
    "nested list": "* spam\n\n  - warm\n  - cold\n\n* eggs\n",
    "line block": "Two lines:\n\n| first line\n| second line\n",
    "simple table": "A table:\n\n====  ====\nspam  eggs\n====  ====\n1     2\n====  ====\n",
    "grid table": "A table:\n\n+---+---+\n| a | b |\n+---+---+\n",
    "other bullets": "A list:\n\n+ spam\n+ eggs\n",
    "numbers that go on": "A list:\n\n2. spam\n3. eggs\n",
    "a directive": "Spam.\n\n.. note::\n   Serve it warm,\n   and with eggs.\n",
    "a block quote": "As was said:\n\n   Spam, spam, spam,\n   lovely spam.\n",
    "doctest": "An example:\n\n>>> spam()\n'served'\n",
}
WHOLE = {
    "one line of prose": "Spam is served.\n",
    "long prose": f"{PROSE}\n\n{PROSE}\n",
    "prose that begins with a role": f"The\n:func:`!serve` function\n:meth:`!x` is {PROSE}\n",
    "a list with code": "* spam::\n\n    def serve():\n        return spam\n\n* eggs\n",
    "code block": f"{PROSE}For example::\n\n    def serve():\n        return spam\n",
    "one line of code": "Spam::\n\n    serve(spam)\n",
    "spaces at ends": "Spam is   \nserved.  \n",
    "two spaces after a stop": f"{PROSE}  {PROSE}\n",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return a_world(tmp_path_factory.mktemp("news"))


def judge(world: World, entry: str) -> list[tuple[str, str, Severity]]:
    world.commit({ENTRY: entry})
    clone = world.make()
    news.merge(world.release, clone, world.programs, date=DAY)
    found = news_says_what_was_written(world.release, clone, after="news")
    return [(each.rule, each.where, each.severity) for each in found]


@pytest.mark.parametrize("entry", GARBLED.values(), ids=GARBLED)
def test_entry_that_blurb_garbles_blocks(world: World, entry: str) -> None:
    assert judge(world, entry) == [("news.garbled", ENTRY, Severity.BLOCK)]


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\x9b", "\x1b", "\u00ad"])
def test_entry_with_a_character_that_nobody_sees_blocks(world: World, hidden: str) -> None:
    assert ("news.garbled", ENTRY, Severity.BLOCK) in judge(world, f"Spam is {hidden}served.\n")


@pytest.mark.parametrize(
    "lines",
    [
        ("101. spam", "102. eggs"),
        ("i. spam", "ii. eggs"),
        ("-s  spam", "--eggs=N  eggs"),
        ("Spam", '""""'),
        ("Spam", "****"),
        ("> spam", "> eggs"),
        (":spam: warm", ":eggs: cold"),
    ],
)
def test_lines_that_have_a_meaning_are_not_to_be_joined(lines: tuple[str, ...]) -> None:
    """Numbers of any length, options, titles, quotes and fields: blurb joins each of them."""
    assert garbled("\n".join(lines), " ".join(lines)) == lines[0]
    prose = "`spam` is (see x.) and i.e. -- as ever - warm"
    assert garbled(prose, prose.replace(" ", "\n", 3)) == ""


@pytest.mark.parametrize("entry", WHOLE.values(), ids=WHOLE)
def test_entry_of_which_only_lines_were_broken_anew_passes(world: World, entry: str) -> None:
    assert judge(world, entry) == []


def test_entry_that_is_not_in_the_file_blocks(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    clone = world.make()
    news.merge(world.release, clone, world.programs, date=DAY)
    file = clone.folder / "Misc/NEWS.d/3.13.6.rst"
    text = file.read_text()
    file.write_text(text.replace("Refuse spam from strangers.", "Refuse spam."))
    clone.record("less", clone.resolve("refs/release/news"), "Tell less")
    (found,) = news_says_what_was_written(world.release, clone, after="less")
    assert found.where.endswith("gh-issue-200004.T0y3x.rst")
    file.write_text(text.replace("nonce: T0y3x", "nonce: other"))
    clone.record("none", clone.resolve("refs/release/news"), "Tell another")
    (found,) = news_says_what_was_written(world.release, clone, after="none")
    assert found.message == "is not in Misc/NEWS.d/3.13.6.rst"
