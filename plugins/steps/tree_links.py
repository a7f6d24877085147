"""Tree links: what a tree's links name, and what is written beside them, stays in the tree."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from doit_receipts.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["make_links", "path_in"]


def make_links(folder: Path, links: Iterable[tuple[str, str]]) -> None:
    """Each name in ``folder`` is a link to its target, and none of them leads out of the folder.

    Where one leads is known when all are there, since a target may pass through another; so the
    rest of the tree is there before. Raises StepFailed for one that leads out, by its text or when
    it is followed; what was made is left.
    """
    links = tuple(links)
    for name, target in links:
        if target.startswith("/") or os.path.normpath(f"{name}/../{target}").startswith(".."):
            raise _leads_out(name, target)
        path_in(folder, name).symlink_to(target)
    top = Path(os.path.realpath(folder))
    for name, target in links:
        if not Path(os.path.realpath(folder / name)).is_relative_to(top):
            raise _leads_out(name, target)


def path_in(folder: Path, name: str) -> Path:
    """The path of ``name`` below ``folder``, on the way to which there is no link.

    What it names itself may be one: a file that is replaced is not followed. Folders that are not
    there yet are no trouble. Raises StepFailed.
    """
    here = folder
    for part in name.split("/")[:-1]:
        here /= part
        with suppress(FileNotFoundError, NotADirectoryError):
            if stat.S_ISLNK(here.lstat().st_mode):
                raise StepFailed(
                    where=here.relative_to(folder).as_posix(),
                    problem=f"is a link to {os.fspath(here.readlink())!a}, and wanted is a folder",
                    remedy="put the folder back on the branch: nothing is written through a link",
                )
    return folder / name


def _leads_out(name: str, target: str) -> StepFailed:
    return StepFailed(
        where=name,
        problem=f"is a link that points outside of the tree, to {target}",
        remedy="remove it on the branch: documentation is built from the tree alone",
    )
