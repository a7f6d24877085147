"""New series: files of main that start again with a series, or list it for the first time.

They are the magic number of compiled files, the versions that people can choose when they report
a bug, and the document What's New. A tree without one of them asks for no edit.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plugins.ports.git import Clone

__all__ = ["issue_templates", "magic_number", "whatsnew"]

_TEMPLATES: Final = (".github/ISSUE_TEMPLATE/bug.yml", ".github/ISSUE_TEMPLATE/crash.yml")
_OPTION: Final = re.compile(
    r'^(?P<space>[ ]+- )"?(?P<series>3\.[0-9]+)(?P<more> \([^"\n]*\))?"?$', flags=re.MULTILINE
)

_HOLDERS: Final = {
    "Include/internal/pycore_magic_number.h": r"^(#define[ \t]+PYC_MAGIC_NUMBER[ \t]+)\d+",
    "Lib/importlib/_bootstrap_external.py": r"^(MAGIC_NUMBER = \()\d+",
}
_LAUNCHER: Final = "PC/launcher.c"
_STARTS: Final = r"^(?P<before>[# \t]*)Python {} will start with (?P<start>\d+)$"
# Source: the comment of the table; from 3.11 on each series has fifty numbers.
_NUMBERS: Final = 50


def magic_number(clone: Clone, commit: str, old: str, new: str) -> dict[str, bytes]:
    """Compiled files of the new series begin with the first of its own numbers.

    The table says where the series starts; a tree whose table does not say it is left alone.
    The launcher of Windows gets the range, so that py.exe knows whose file it is.
    """
    found: dict[str, bytes] = {}
    start = 0
    for name, form in _HOLDERS.items():
        text = (clone.read(commit, name) or b"").decode(errors="surrogateescape")
        reserved = re.search(_STARTS.format(re.escape(new)), text, flags=re.MULTILINE)
        if reserved is None or re.search(form, text, flags=re.MULTILINE) is None:
            continue
        start = int(reserved["start"])
        text = _with_first_entry(text, reserved, new)
        text = re.sub(form, rf"\g<1>{start}", text, count=1, flags=re.MULTILINE)
        found[name] = text.encode(errors="surrogateescape")
    launcher = (clone.read(commit, _LAUNCHER) or b"").decode(errors="surrogateescape")
    row = re.search(
        rf'^([ \t]*)\{{[ \t]*\d+,[ \t]*\d+,[ \t]*L"{re.escape(old)}"[ \t]*\}},(?P<end>\r?\n)',
        launcher,
        flags=re.MULTILINE,
    )
    if start and row and f'L"{new}"' not in launcher:
        line = f'{row[1]}{{ {start}, {start + _NUMBERS - 1}, L"{new}" }},{row["end"]}'
        edited = launcher[: row.end()] + line + launcher[row.end() :]
        found[_LAUNCHER] = edited.encode(errors="surrogateescape")
    return found


def _with_first_entry(text: str, reserved: re.Match[str], new: str) -> str:
    """The table with the first number of the series, and where the series after it starts."""
    major, minor = new.split(".")
    before, start = reserved["before"], int(reserved["start"])
    later = f"{before}Python {major}.{int(minor) + 1} will start with {start + _NUMBERS}"
    text = text[: reserved.start()] + later + text[reserved.end() :]
    entries = list(
        re.finditer(
            r"^[# \t]*Python 3\.\d+\w*[ \t]+\d{4}\b.*\n", text[: reserved.start()], re.MULTILINE
        )
    )
    place = entries[-1].end() if entries else reserved.start()
    entry = f"{before}Python {new}a0 {start} (Initial version)\n"
    return text[:place] + entry + text[place:]


def issue_templates(clone: Clone, commit: str, old: str, new: str) -> dict[str, bytes]:
    """Who reports a bug can choose the branch that was made, and the series that main is now.

    Source: upstream's commits that began 3.15 and 3.16, whose forms list main's own series before
    the option for the branch itself.
    """
    found = {}
    for name in _TEMPLATES:
        content = clone.read(commit, name)
        options = list(_OPTION.finditer(content.decode())) if content else []
        if not content or not options:
            continue
        text = content.decode()
        last = options[-1]
        listed = {each["series"]: each for each in options}
        if old in listed and listed[old]["more"]:
            # the older form: "3.13 (main branch or an alpha release)"
            own = listed[old]
            lines = f'{own["space"]}"{old}"\n{own["space"]}"{new}{own["more"]}"'
            text = text[: own.start()] + lines + text[own.end() :]
        else:
            lines = "".join(
                f'\n{last["space"]}"{each}"' for each in (old, new) if each not in listed
            )
            text = text[: last.end()] + lines + text[last.end() :]
        found[name] = text.encode()
    return found


def whatsnew(old: str, new: str, deprecations: Iterable[str]) -> str:
    """The document that describes the changes of the new series, with its sections (N08).

    ``deprecations`` are the files of Doc/deprecations, of which those about later series belong
    into it. Source of the sections: release-tools' template of 2026.
    """
    return "\n".join(_lines(old, new, sorted(deprecations)))


def _lines(old: str, new: str, deprecations: list[str]) -> Iterator[str]:
    title = f"  What's new in Python {new}"
    bar = "*" * (len(title) + 2)
    yield from ("", bar, title, bar, "", ":Editor: TBD", "")
    yield from (
        ".. Whoever makes a change describes it here in a few sentences, with the number of the",
        "   issue and the name of its author: (Contributed by A. Colleague in :gh:`12345`.)",
        "   Smaller changes are left to the changelog.",
        "",
        f"This article explains the new features in Python {new}, compared to {old}.",
        "",
        "For full details, see the :ref:`changelog <changelog>`.",
        "",
        ".. note::",
        "",
        "   Prerelease users should be aware that this document is currently in draft",
        f"   form. It will be updated substantially as Python {new} moves towards release,",
        "   so it's worth checking back even after reading earlier versions.",
        "",
    )
    yield from _section("Summary --- release highlights", "=")
    yield from (f".. What matters most in Python {new}, in a few lines.", "", "")
    yield from (".. Changes as large as a PEP come next.", "")
    for name in ("New features", "Other language changes"):
        yield from _section(name, "=")
    yield from (*_section("New modules", "="), "* None yet.", "")
    for name in ("Improved modules", "Optimizations", "Removed"):
        yield from (*_section(name, "="), *_section("module_name", "-"), "* TODO", "")
    yield from (*_section("Deprecated", "="), *_section("New deprecations", "-"))
    yield from ("* module_name:", "  TODO", "")
    yield from _included(deprecations, "pending-removal-in-", new)
    yield from (
        *_section(f"Porting to Python {new}", "="),
        "This section lists previously described changes and other bugfixes",
        "that may require changes to your code.",
        "",
    )
    yield from (*_section("Build changes", "="), *_section("C API changes", "="))
    for name in ("New features", f"Porting to Python {new}", "Deprecated C APIs"):
        yield from (*_section(name, "-"), "* TODO", "")
    yield from _included(deprecations, "c-api-pending-removal-in-", new)
    yield from (*_section("Removed C APIs", "-"), "")


def _section(name: str, line: str) -> tuple[str, ...]:
    return ("", name, line * len(name), "")


def _included(deprecations: list[str], prefix: str, new: str) -> Iterator[str]:
    """What is going to be removed after the new series, the next first."""
    minor = int(new.partition(".")[2])
    later = []
    for path in deprecations:
        name = path.rpartition("/")[2]
        series = re.fullmatch(re.escape(prefix) + r"(?:3\.(\d+)|future)\.rst", name)
        if series and (series[1] is None or int(series[1]) > minor):
            later.append((int(series[1] or 10_000), name))
    for _, name in sorted(later):
        yield from (f".. include:: ../deprecations/{name}", "")
