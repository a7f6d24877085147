"""pydoc topics: the help texts that the tree's own documentation gives to Lib/pydoc_data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from plugins.model import text_table
from plugins.steps.docs_tree import (
    Machine,
    finished,
    open_tree,
    run_sphinx,
    telling_disk_trouble,
)
from plugins.steps.release_clone import input_commit
from plugins.steps.tree_links import path_in

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.docs_source import DocsSource
    from plugins.model.release import Release
    from plugins.ports.git import Clone
    from plugins.ports.programs import Programs
    from plugins.ports.progress import Progress

__all__ = ["PRODUCTS", "build", "put", "sources_of"]

_BUILDER: Final = "pydoc-topics"
_SOURCES: Final = ("Doc", "Grammar", "Include/patchlevel.h")

PRODUCTS: Final = {
    "topics.py": "Lib/pydoc_data/topics.py",
    "module_docs.py": "Lib/pydoc_data/module_docs.py",
}
"""What is made, below ``layout.made``, and where it belongs in the tree."""


def build(
    release: Release,
    source: DocsSource,
    programs: Programs,
    progress: Progress,
    machine: Machine | None = None,
) -> dict[str, str]:
    """``layout.made`` holds the ``topics.py`` of the commit's documentation (E02), and its
    ``module_docs.py`` if the tree's builder makes one (Z09: 3.14, late 3.13).

    Each is written from the table of texts that the builder's module holds, and from nothing
    else of it. The same commit, tools and epoch give the same bytes: the time in the first line is
    the epoch. Raises StepFailed if Sphinx fails or warns, or if what it made is not a table of
    texts alone; what was there before is then still there.
    """
    with telling_disk_trouble(release.layout.work):
        return _build(release, source, (programs, progress), machine or Machine.this())


def _build(
    release: Release, source: DocsSource, ports: tuple[Programs, Progress], machine: Machine
) -> dict[str, str]:
    programs, progress = ports
    layout = release.layout
    tree = open_tree(release, source, programs, progress, cores=machine.cores)
    folder = tree.room / _BUILDER
    progress.say("writing pydoc topics")
    log = layout.log(_BUILDER)
    finished(folder, lambda room: run_sphinx(tree, _BUILDER, room, log, programs))
    tables = {name: _table(folder / name) for name in PRODUCTS if (folder / name).is_file()}
    if not tables.get("topics.py"):
        raise StepFailed(
            where="pydoc topics",
            problem="the tree's builder made no topics",
            remedy=f"see {log}",
        )
    for name in PRODUCTS:
        if name in tables:
            module = text_table.written(tables[name], _variable(name), (folder / name).read_bytes())
            write_whole(layout.made / name, module)
        else:
            (layout.made / name).unlink(missing_ok=True)
    return {
        "epoch_s": str(source.epoch_s),
        **{f"entries.{name}": str(len(table)) for name, table in tables.items()},
        **tree.tools.facts(),
    }


def sources_of(clone: Clone, *, after: str) -> dict[str, str]:
    """What the topics are made of, as object ids of the tree that the step ``after`` left.

    Whatever else moves on the branch, equal ids mean equal topics. Raises StepFailed for a
    tree without documentation.
    """
    commit = input_commit(clone, after)
    found = {name: clone.entry(commit, name) for name in _SOURCES}
    if not found["Doc"]:
        raise StepFailed(
            where="pydoc topics",
            problem="the tree has no Doc folder",
            remedy="look at [repository] clone and base",
        )
    return found


def put(release: Release, clone: Clone, *, after: str, step: str) -> dict[str, str]:
    """What was made is in Lib/pydoc_data of the tree that the step ``after`` left (E03)."""
    previous = input_commit(clone, after)
    clone.checkout(previous)
    found = []
    for name, target in PRODUCTS.items():
        made = release.layout.made / name
        if made.is_file():
            write_whole(path_in(clone.folder, target), made.read_bytes())
            found.append(target)
    made_commit = clone.record(step, previous, "Update pydoc topics")
    return {"commit": made_commit, "files": " ".join(found)}


def _table(module: Path) -> dict[str, str]:
    """The texts of a module that the tree's builder wrote. Raises StepFailed for anything else."""
    try:
        return text_table.read(module.read_bytes(), _variable(module.name))
    except text_table.NoTextTable as error:
        raise StepFailed(
            where=module.name,
            problem=f"what the builder wrote is not a table of texts and nothing else: {error}",
            remedy="look at Doc/tools/extensions/pydoc_topics.py, and at the packages that build"
            " the documentation",
        ) from error


def _variable(module: str) -> str:
    return module.removesuffix(".py")
