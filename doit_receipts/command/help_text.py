"""Help text: the words of a command, its options with their defaults, and an example."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["help_text", "offered"]

_WIDTH: Final = 80
_COLUMN: Final = 28
_OF_A_DATABASE: Final = frozenset({"dep_file", "backend", "codec_cls", "check_file_uptodate"})
"""Options of every command of doit, of which a release has no use."""
_LOADING: Final = "task loader"
_WORDS: Final = {
    "dodoFile": ("FILE", "the dodo.py to read [default: dodo.py; or DOIT_FILE]"),
    "cwdPath": ("FOLDER", "the folder to work in [default: that of dodo.py]"),
    "seek_file": ("", "look for dodo.py in the folders above as well (or DOIT_SEEK_FILE)"),
    "continue": ("", "go on with what does not depend on a task that failed [default]"),
    "verbosity": ("0|1|2", "show of what tasks print: nothing, errors, or everything [default: 0]"),
    "outfile": ("FILE", "write the output to a file [default: the terminal]"),
    "pdb": ("", "start pdb, the debugger, when a bug shows"),
    "failure_verbosity": (
        "0|1|2", "show again of what failed tasks printed: nothing, errors, or all [default: 0]",
    ),
    "quiet": ("", "only the names"),
    "private": ("", "also the tasks whose names begin with _"),
    "list_deps": ("", "also the files that each task depends on"),
    "template": ("TEXT", "the form of each line, such as '{name} {doc}'"),
    "sort": ("ORDER", "by name, or by definition, in the order of dodo.py [default: definition]"),
    "forget_sub": ("", "also the tasks that they depend on"),
    "forget_disable_default": ("", "forget nothing if no task is named"),
    "forget_all": ("", "refused in a release: name the tasks"),
}  # fmt: skip
"""What doit says of its options otherwise than it is in a release: placeholder and sentence."""


def help_text(command: Any, options: Iterable[Any], example: str) -> str:
    """A line of usage, one sentence, the options with their defaults, and an example."""
    known = offered(options)
    own = [each for each in known if each.section != _LOADING]
    loading = [each for each in known if each.section == _LOADING]
    usage = f"usage: doit {command.name} [OPTION ...] {command.doc_usage or ''}".rstrip()
    purpose = command.doc_purpose
    lines = [usage, "", *wrap(f"{purpose[:1].upper()}{purpose[1:]}.", _WIDTH)]
    if command.doc_description:
        lines += ["", *wrap(" ".join(command.doc_description.split()), _WIDTH)]
    for heading, those in (("options:", own), ("which release:", loading)):
        if those:
            lines += ["", heading, *(line for each in those for line in _option(each))]
    if example:
        lines += ["", "example:", *(f"  {line}" for line in example.splitlines())]
    return "\n".join(lines)


def offered(options: Iterable[Any]) -> list[Any]:
    """The options that somebody can type, without those that a release has no use of."""
    return [
        each for each in options if (each.short or each.long) and each.name not in _OF_A_DATABASE
    ]


def _option(option: Any) -> Iterator[str]:
    placeholder, sentence = _WORDS.get(option.name, ("", ""))
    if option.type is not bool and not placeholder:
        placeholder = option.metavar if option.metavar != "ARG" else _placeholder(option)
    names = ", ".join(
        [f"-{option.short}"] * bool(option.short) + [f"--{option.long}"] * bool(option.long)
        + [f"--{option.inverse}"] * bool(option.inverse)
    )  # fmt: skip
    head = f"  {names}{' ' + placeholder if placeholder else ''}"
    text = sentence or " ".join((option.help % {"default": option.default}).split())
    if "default" not in text and option.type is not bool and option.default not in (None, "", []):
        text += f" [default: {option.default}]"
    if option.env_var and option.env_var not in text:
        text += f" [or {option.env_var}]"
    room = wrap(text, _WIDTH - _COLUMN) or [""]
    if len(head) > _COLUMN - 2:
        yield head
    else:
        yield f"{head:<{_COLUMN}}{room.pop(0)}"
    yield from (f"{'':{_COLUMN}}{line}" for line in room)


def _placeholder(option: Any) -> str:
    if option.choices:
        return "|".join(option.choices)
    return "NUMBER" if option.type in (int, float) else str(option.long).upper()
