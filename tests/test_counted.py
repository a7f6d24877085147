"""What is counted is counted in English, in every message of the product."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from doit_receipts.printable import counted, share

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT: Final = Path(__file__).resolve().parents[1]
SOURCES: Final = tuple(
    path
    for folder in ("doit_receipts", "plugins", "checks", "chapters")
    for path in sorted((PROJECT / folder).rglob("*.py"))
    if not {"rehearsal", "examples"}.intersection(path.parts)
)
PLURAL: Final = re.compile(r" (?:[a-z-]+ )?([a-z]{2,}s)\b(?! (?:a|the|no)\b)")
# Verbs, and nouns that are one thing.
NO_PLURAL: Final = ("is", "has", "was", "less", "its", "this", "minus", "modes", "address")


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1000, "1000 files")]
)
def test_one_is_one(number: int, words: str) -> None:
    assert counted(number, "file") == words


def test_plurals_in_es_are_known_and_verbs_agree() -> None:
    assert counted(2, "address") == "2 addresses"
    assert counted(1, "page differs", "pages differ") == "1 page differs"
    assert counted(1, "task is", "tasks are", all_=True) == "1 task is"
    assert counted(2, "task is", "tasks are", all_=True) == "all 2 tasks are"
    for part, whole, words in (
        (1, 128, "1 of 128 tasks is"), (2, 128, "2 of 128 tasks are"),
        (0, 128, "0 of 128 tasks are"), (0, 1, "0 of 1 task is"), (1, 1, "1 of 1 task is"),
    ):  # fmt: skip
        assert share(part, whole, "task", "is", "are") == words
    assert share(1, 2, "address", "is", "are") == "1 of 2 addresses is"
    assert share(2, 3, "job") == "2 of 3 jobs"


def plurals_of(text: str) -> Iterator[str]:
    """The f-strings in which a length stands before a noun that is always in the plural."""
    for string in ast.walk(ast.parse(text)):
        if not isinstance(string, ast.JoinedStr):
            continue
        for number, words in zip(string.values, string.values[1:], strict=False):
            if not isinstance(number, ast.FormattedValue) or not isinstance(words, ast.Constant):
                continue
            counts = isinstance(number.value, ast.Call) and not number.format_spec
            is_length = counts and ast.unparse(number.value).startswith("len(")
            noun = PLURAL.match(str(ast.literal_eval(words)))
            if is_length and noun and noun[1] not in NO_PLURAL:
                yield f"line {string.lineno}: {ast.unparse(number.value)}{noun.string}"


def test_what_is_always_in_the_plural_is_found() -> None:
    assert [*plurals_of('f"{len(files)} files differ"')] == ["line 1: len(files) files differ"]
    assert [*plurals_of('f"{len(files)} more files"')]
    assert not [*plurals_of("f\"{counted(len(files), 'file')}\"")]


def test_no_message_has_a_length_before_a_noun_that_is_always_in_the_plural() -> None:
    found = [
        f"{path.relative_to(PROJECT)}: {each}"
        for path in SOURCES
        for each in plurals_of(path.read_text())
    ]
    assert not found, "use counted or share of doit_receipts.printable:\n" + "\n".join(found)
