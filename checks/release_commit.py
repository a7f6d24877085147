"""Release commit: it is the edited tree that was judged, and nothing else is tagged and packed.

What names it (refs of the clone, facts of receipts) anybody can write who can write there, so
that each gate would judge something else than what is signed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from plugins.model import text_table
from plugins.model.patchlevel import PATH, written_patchlevel
from plugins.model.tree_rules import NOTICE, SOURCE_URI, SOURCE_URI_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from plugins.model.release import Release
    from plugins.ports.git import Clone

__all__ = ["archives_are_of_the_commit", "code_is_changed_as_edits_do", "commit_is_as_judged"]

_EXPECTED: Final = "source.unexpected"


@judges(_EXPECTED, blind="source.unreadable")
def code_is_changed_as_edits_do(
    release: Release, clone: Clone, *, after: str, start: str = "base"
) -> tuple[Finding, ...]:
    """Each file of code differs from the base in what the edits of a release write into it.

    That is the version, years, one link, and tables of texts; what else there is in it would run.
    """
    before, now = _ref(start), _ref(after)
    found = []
    for name in clone.difference(before, now):
        if name in _EDITS:
            what, is_so = _EDITS[name]
            if not is_so(release, clone.read(before, name) or b"", clone.read(now, name) or b""):
                found.append(_unexpected(f"differs from the base in more than {what}", name))
        elif (table := _TABLES.get(name)) is not None:
            found += _odd_table(name, table, clone.read(now, name) or b"")
    return tuple(found)


@judges(_EXPECTED, blind="source.unreadable")
def commit_is_as_judged(
    release: Release,  # noqa: ARG001 - every check of the tree takes it
    clone: Clone,
    *,
    after: str,
    edited: str,
    start: str = "base",
) -> tuple[Finding, ...]:
    """The release commit is the tree that the edits left, made on what they began with."""
    commit, judged = clone.about(_ref(after)), clone.about(_ref(edited))
    base = clone.resolve(f"{_ref(start)}^{{commit}}")
    found = [
        _unexpected("is not in the release commit as it was judged", name)
        for name in clone.difference(_ref(edited), _ref(after))
    ]
    if not found and commit.tree != judged.tree:
        found.append(_unexpected("has another tree than the one that was judged", commit.id[:12]))
    if commit.parents != (base,):
        made_on = " and ".join(each[:12] for each in commit.parents) or "nothing"
        problem = f"is made on {made_on}, and its edits on {base[:12] or 'nothing'}"
        found.append(_unexpected(problem, commit.id[:12]))
    return tuple(found)


@judges("archive.tree", blind="archive.tree")
def archives_are_of_the_commit(release: Release, clone: Clone, commit: str) -> tuple[Finding, ...]:
    """The archives were made of the release commit, and the tag names it."""
    names = (_ref("commit"), f"refs/tags/{release.version.tag}")
    wanted, tagged = (clone.resolve(f"{name}^{{commit}}") for name in names)
    if not wanted or tagged != wanted:
        problem = f"names {tagged[:12] or 'nothing'}, and the release commit is {wanted[:12]}"
        remedy = "delete it in the release clone, then run doit export: it is made again"
        return (Finding("archive.tree", Severity.BLOCK, problem, release.version.tag, remedy),)
    if commit != wanted:
        problem = f"were made of {commit[:12]}, and the release commit is {wanted[:12]}"
        remedy = "delete them, then run doit export: they are made again from the tag"
        return (Finding("archive.tree", Severity.BLOCK, problem, "the source archives", remedy),)
    return ()


# ── inside ─────────────────────────────────────────────────────────────────────────────────


def _ref(step: str) -> str:
    return f"refs/release/{step}"


def _unexpected(problem: str, where: str, remedy: str = "") -> Finding:
    return Finding(_EXPECTED, Severity.BLOCK, problem, where, remedy)


def _odd_table(name: str, table: str, module: bytes) -> Iterator[Finding]:
    """What is wrong with a generated module, which is read again as when it was written."""
    try:
        texts = text_table.read(module, table)
        if text_table.written(texts, table, module) == module:
            return
        problem = "is not spelled as a table of texts is"
    except text_table.NoTextTable as error:
        problem = f"is not a table of texts and nothing else: {error}"
    remedy = (
        f"find out what made it; delete made/{table}.py and the release clone, then run the same"
        " command again"
    )
    yield _unexpected(problem, name, remedy)


def _is_version(release: Release, old: bytes, new: bytes) -> bool:
    text = old.decode(errors="surrogateescape")
    return new == written_patchlevel(text, release.version).encode(errors="surrogateescape")


def _is_notice(_release: Release, old: bytes, new: bytes) -> bool:
    return NOTICE.sub(b"", new) == NOTICE.sub(b"", old)


def _is_link(_release: Release, old: bytes, new: bytes) -> bool:
    return SOURCE_URI.sub(b"", new) == SOURCE_URI.sub(b"", old)


_EDITS: Final[Mapping[str, tuple[str, Callable[[Release, bytes, bytes], bool]]]] = {
    PATH: ("the version", _is_version),
    SOURCE_URI_FILE: ("the link to the sources", _is_link),
    **dict.fromkeys(
        ("LICENSE", "Python/getcopyright.c", "PC/python_ver_rc.h"),
        ("the years of its notice", _is_notice),
    ),
}
_TABLES: Final[Mapping[str, str]] = {
    f"Lib/pydoc_data/{table}.py": table for table in ("topics", "module_docs")
}
