"""Plain path: a name for a folder that make, configure and distutils can all work with.

They cannot quote: a space parts two words of a Makefile, and a dollar begins a variable. A person's
folders may have either, so such tools work below a link of a plain name.
"""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["is_plain", "plain_path"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9/._+@%,=-]*")


def is_plain(path: Path) -> bool:
    """Whether no tool that is run here takes a part of the path for something else."""
    return _PLAIN.fullmatch(str(path)) is not None


@contextmanager
def plain_path(folder: Path) -> Iterator[Path]:
    """The folder under a plain name for as long as the block lasts: its own, or that of a link.

    A program that is run there has to learn it from ``PWD``: the working folder of a process has
    no links in it.
    """
    if is_plain(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="pep101-") as room:
        link = Path(room) / "work"
        link.symlink_to(folder.absolute(), target_is_directory=True)
        yield link
