"""Declared tables: a section of release.toml while it is read, every mistake in it noted.

A reader asks for its keys one by one and always gets a value of the wanted type, so that one
reading finds all mistakes of the file. Nothing that was read may be used before
``Mistakes.raise_any``.
"""

from __future__ import annotations

import os.path
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from doit_receipts.errors import SettingsError
from plugins.model.forms import HoldsSecret, WrongForm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Declared", "Mistakes", "alternatives", "kind_of", "near"]

_Kind = TypeVar("_Kind")
_Chosen = TypeVar("_Chosen")
_BARE: Final = r"[A-Za-z0-9_-]+"
_SHOWN_CHARACTERS: Final = 60


class Mistakes:
    """What is wrong in one file, in the order it was found: (problem, remedy) pairs."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._noted: list[tuple[str, str]] = []

    def note(self, problem: str, remedy: str = "") -> None:
        """Remember one mistake; reading goes on."""
        self._noted.append((problem, remedy))

    def about(self, *places: str) -> bool:
        """Whether a mistake was noted of one of these places."""
        return any(problem.startswith(places) for problem, _ in self._noted)

    def raise_any(self) -> None:
        """Nothing was noted. Raises SettingsError with the first mistake, the others below it."""
        if self._noted:
            (problem, remedy), *others = self._noted
            lines = [str(self.error(problem=each, remedy=then)) for each, then in others]
            raise self.error(problem=problem, remedy=remedy, details=tuple(lines))

    def error(
        self, *, problem: str, remedy: str = "", details: tuple[str, ...] = ()
    ) -> SettingsError:
        """The error that one mistake makes."""
        return SettingsError(where=self.file.name, problem=problem, remedy=remedy, details=details)


class Declared:
    """One table of the file; ``title`` is how a person finds it: ``[hosts]``, or "" at the top."""

    def __init__(
        self,
        content: Mapping[str, object],
        title: str,
        known: Iterable[str],
        mistakes: Mistakes,
        elsewhere: Mapping[str, str] | None = None,
    ) -> None:
        self._content = content
        self._title = title
        self._mistakes = mistakes
        names = tuple(known)
        for key in content:
            if key not in names:
                remedy = near(key, names, (elsewhere or {}).get(key, ""))
                self.note(key, "is not a setting", remedy)

    def note(self, key: str, problem: str, remedy: str = "") -> None:
        """Remember one mistake of this key."""
        shown = key if re.fullmatch(_BARE, key) else repr(key)
        self._mistakes.note(f"{self._title} {shown} {problem}".lstrip(), remedy)

    def holds(self, key: str) -> bool:
        """Whether the file says anything about this key."""
        return key in self._content

    def declines(self, key: str) -> bool:
        """Whether the file says "" for this key: that there is to be none."""
        return self._content.get(key) == ""

    def value(self, key: str, kind: type[_Kind], wanted: str) -> _Kind | None:
        """The key's value if it is there and of exactly this kind, otherwise None."""
        found = self._content.get(key)
        if found is None or type(found) is kind:
            return found
        self.note(key, f"is {kind_of(found)}, wanted {wanted}")
        return None

    def text(self, key: str, default: str, *, wanted: str = "text") -> str:
        """A line of text that is not blank and has no control characters."""
        found = self.value(key, str, wanted)
        if found is None:
            return default
        if not found.strip():
            self.note(key, "is empty", f"write {wanted}")
            return default
        if not found.isprintable():
            self.note(key, "holds a line break or another control character", f"write {wanted}")
            return default
        return found

    def texts(self, key: str, default: tuple[str, ...], *, wanted: str) -> tuple[str, ...]:
        """A list of texts, none twice."""
        found = self.value(key, list, f"a list of {wanted}")
        if found is None:
            return default
        for each in found:
            if type(each) is not str:
                self.note(key, f"holds {kind_of(each)}, wanted a list of {wanted}")
                return default
        for each in sorted({each for each in found if found.count(each) > 1}):
            self.note(key, f"holds {_shortened(each)} twice")
        return tuple(found)

    def number(self, key: str, wanted: str) -> int:
        """A whole number above zero; 0 if there is none."""
        found = self.value(key, int, wanted)
        if found is not None and found < 1:
            self.note(key, f"is {kind_of(found)}, wanted {wanted}")
        return found or 0

    def path(self, key: str, default: str) -> Path:
        """A path: ``~`` is the home folder, and a relative one starts at the file's folder."""
        return self.located(key, self.text(key, default, wanted="a path"))

    def located(self, key: str, text: str) -> Path:
        """The path that a text means in this file."""
        folder = self._mistakes.file.parent.absolute()
        try:
            expanded = Path(text).expanduser()
        except RuntimeError:
            self.note(key, f"is {_shortened(text)}, and there is no such home folder")
            return folder
        # Not resolve(): a link of the RM's, such as ~/cpython, keeps its name in messages.
        return Path(os.path.normpath(folder / expanded))

    def choice(self, key: str, options: Mapping[str, _Chosen], default: _Chosen) -> _Chosen:
        """One of the options, by its name."""
        wanted = alternatives(options)
        found = self.value(key, str, f"text: {wanted}")
        if found is None:
            return default
        if found not in options:
            remedy = near(found, options) or f"write {wanted}"
            self.note(key, f"is {_shortened(found)}", remedy)
            return default
        return options[found]

    def need(self, key: str, example: str) -> None:
        """A key that has no default; without it the example is shown."""
        if not self.holds(key):
            self.note(key, "is missing", f"write {example}")

    def form(self, key: str, default: str, reader: Callable[[str], str]) -> str:
        """A text as the reader gives it back; its WrongForm says what to write instead."""
        found = self.text(key, "")
        return self.checked(key, found, reader) if found else default

    def forms(self, key: str, reader: Callable[[str], str], *, wanted: str) -> tuple[str, ...]:
        """A list of texts, each as the reader gives it back; empty if there is none."""
        return tuple(self.checked(key, each, reader) for each in self.texts(key, (), wanted=wanted))

    def checked(self, key: str, text: str, reader: Callable[[str], str]) -> str:
        """The text as the reader gives it back, or as it is with a mistake noted."""
        try:
            return reader(text)
        except HoldsSecret as error:
            self.note(key, "holds a secret", str(error))
        except WrongForm as error:
            self.note(key, f"is {_shortened(text)}", str(error))
        return text

    def secret_text(self, key: str) -> str:
        """A text of which no message repeats a character; "" if it is none."""
        found = self._content.get(key)
        return found if isinstance(found, str) else ""


def near(name: str, known: Iterable[str], elsewhere: str = "") -> str:
    """What the writer most likely meant, as a remedy; "" if nothing is near."""
    # difflib is late: only a mistake pays for it (6 ms)
    from difflib import get_close_matches  # noqa: PLC0415

    if elsewhere:
        return f"it belongs to {elsewhere}"
    names = tuple(known)
    found = get_close_matches(name.lower(), names, n=1)
    if found:
        return f"did you mean {found[0]}?"
    return f"known here: {', '.join(names)}" if names else ""


def alternatives(options: Iterable[str]) -> str:
    """``a, b or c``."""
    *first, last = options
    return f"{', '.join(first)} or {last}" if first else last


def kind_of(value: object) -> str:
    """What a value is, in the words of someone who writes TOML by hand."""
    match value:
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {_shortened(value)}"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return f"the {type(value).__name__} {value}"


def _shortened(text: str) -> str:
    cut = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
    return repr(cut)
