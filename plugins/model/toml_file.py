"""TOML files: text of a person turned into tables, with nothing lost and every slip located."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import SettingsError
from doit_receipts.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plugins.model.declared import Mistakes

__all__ = ["declared_content"]

_PLAINER: Final = "write it in a plainer form"


def declared_content(
    path: Path,
    read: Callable[[str], dict[str, Any]],
    mistakes: Mistakes,
    example: tuple[str, ...] = (),
) -> dict[str, Any]:
    """What the file says by ``read``, held against the standard library's reader.

    toml drops without a word what it does not expect (of ``[{x = 1}, 2]`` it keeps the
    first), so its answer counts only where both readers agree. Raises SettingsError with
    line and column for a syntax error, and with the example if there is no file.
    """
    # tomllib is late: whoever only names a setting's type does not pay for it (10 ms).
    import tomllib  # noqa: PLC0415

    text = _text(path, mistakes, example)
    try:
        sure = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(str(error), text, mistakes) from None
    except RecursionError:
        raise mistakes.error(problem="is nested too deeply to be a declaration") from None
    for place in _mixed_arrays(sure, ""):
        mistakes.note(f"{place} mixes kinds of values", "write values of one kind")
    mistakes.raise_any()
    found = _second_reading(read, text, mistakes)
    for place in _differences(sure, found, ""):
        mistakes.note(f"{place} is misread by the toml library", _PLAINER)
    mistakes.raise_any()
    return found


def _second_reading(
    read: Callable[[str], dict[str, Any]], text: str, mistakes: Mistakes
) -> dict[str, Any]:
    try:
        return read(text)
    except (ValueError, LookupError, TypeError) as error:
        line = getattr(error, "lineno", 0)
        place = f"line {line} is" if line else "is"
        # The library's own words may repeat a value, which may be a secret in the wrong place.
        raise mistakes.error(
            problem=f"{place} valid, but more than the toml library reads", remedy=_PLAINER
        ) from None


def _text(path: Path, mistakes: Mistakes, example: tuple[str, ...]) -> str:
    try:
        text = read_plain(path).decode()
    except FileNotFoundError:
        raise SettingsError(
            where=str(path),
            problem="there is no such file",
            remedy="write it, with at least the lines below, or name another with --release",
            details=example,
        ) from None
    except OSError as error:
        raise SettingsError(
            where=str(path),
            problem=f"cannot be read: {error.strerror}",
            remedy="give yourself the right to read it, or name another file",
        ) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise mistakes.error(
            problem=f"line {line} is not UTF-8", remedy="save the file as UTF-8"
        ) from None
    if text.startswith("\ufeff"):
        raise mistakes.error(
            problem="starts with a byte order mark", remedy="save it as UTF-8 without one"
        )
    return text


def _syntax_error(message: str, text: str, mistakes: Mistakes) -> SettingsError:
    """The parser's words with line and column first; a key that is written twice by its name."""
    lines = text.splitlines() or [""]
    found = re.search(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    problem, line, column = found.groups() if found else (message, None, None)
    number = int(line) if line else len(lines)
    place = f"line {number}, column {column or len(lines[-1]) + 1}"
    if problem.startswith(("Cannot overwrite", "Cannot declare", "Duplicate inline")):
        key = lines[number - 1].partition("=")[0].strip()
        return mistakes.error(
            problem=f"line {number}: {key} is written twice", remedy="keep one of them"
        )
    return mistakes.error(
        problem=f"{place}: {problem[:1].lower()}{problem[1:]}", remedy="correct it there"
    )


def _mixed_arrays(value: object, place: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _mixed_arrays(each, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        if len({type(each) for each in value}) > 1:
            yield place
        for each in value:
            yield from _mixed_arrays(each, place)


def _differences(sure: object, read: object, place: str) -> Iterator[str]:
    if isinstance(sure, dict) and isinstance(read, dict):
        for key in {**sure, **read}:
            below = f"{place}.{key}" if place else key
            yield from _differences(sure.get(key), read.get(key), below)
    elif isinstance(sure, list) and isinstance(read, list) and len(sure) == len(read):
        for count, both in enumerate(zip(sure, read, strict=True), 1):
            yield from _differences(*both, f"{place}[{count}]")
    elif sure != read or isinstance(sure, bool) is not isinstance(read, bool):
        yield place
