"""Installed programs: the folders that a program cannot do without, wherever it was installed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["installed_with"]

_PROGRAMS: Final = ("bin", "sbin")
_PARTS: Final = ("bin", "sbin", "lib", "lib64", "libexec", "include")
_MOST_LINKS: Final = 40
_LONGEST_LINE: Final = 4096


def installed_with(path: Path) -> Iterator[Path]:
    """What has to be readable for the path to be used; nothing if there is no such path.

    A folder, or a file that is no program, is itself, by its name and where it is. A program in
    a ``bin`` folder is that folder's prefix, and so is each link on the way to it: a virtual
    environment and the Python that it was made of; a link that is elsewhere, such as one of
    ``/etc/alternatives``, brings nothing but itself. A script comes with what runs it, so
    it may not be one that foreign code wrote. Of a prefix that may hold a person's own files, such
    as ``~/.cargo``, it is the folders of programs alone, and of the root, by any name, nothing.
    """
    if not path.exists():
        return
    # To the system two slashes in front are one; to pathlib they are another root.
    absolute = Path("/", os.path.normpath(path.absolute()).lstrip("/"))
    if absolute.is_dir() or absolute.parent.name not in _PROGRAMS:
        yield from (absolute, absolute.resolve())
        return
    for link in (absolute, *_links(absolute)):
        prefix = link.parent.parent
        if link.parent.name not in _PROGRAMS:
            yield link
        elif _is_personal(real := prefix.resolve()):
            yield from (part for name in _PARTS if (part := prefix / name).is_dir())
        elif real != Path("/"):
            yield prefix
    if interpreter := _interpreter_of(absolute):
        yield from installed_with(interpreter)


def _links(path: Path) -> Iterator[Path]:
    """The program and each link to it, where all of them really are."""
    for _ in range(_MOST_LINKS):
        path = path.parent.resolve() / path.name
        yield path
        if not path.is_symlink():
            return
        path = path.parent / path.readlink()


def _interpreter_of(program: Path) -> Path | None:
    """What runs a script, by its first line; None for any other program."""
    with program.open("rb") as stream:
        words = stream.readline(_LONGEST_LINE).partition(b"#!")
    if words[0] or not (named := words[2].split()):
        return None
    found = Path(os.fsdecode(named[0]))
    # A script that names itself would never end.
    return found if found.is_absolute() and found.resolve() != program.resolve() else None


def _is_personal(prefix: Path) -> bool:
    """Whether the prefix holds a home, or is in one and may have more in it than programs.

    A virtual environment is nothing but programs, wherever it is.
    """
    home = Path.home().resolve()
    in_home = prefix.is_relative_to(home) and not (prefix / "pyvenv.cfg").is_file()
    return home.is_relative_to(prefix) or in_home
