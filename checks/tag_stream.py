"""Tag stream: the source archives' tar stream, made again from the tag's own objects.

Neither ``git archive`` nor the archives have a part in it, so what an attribute leaves out, a
header adds or a compressor hides is a difference, down to the last bit.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, TypeAlias

from checks.tag_tree import Seen, members_of, seen
from doit_receipts.frozen import frozen
from plugins.model.archive_rules import MADE, is_left_out
from plugins.model.tarstream import Kind, Member, header, tar_blocks, tar_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from plugins.model.release import Release
    from plugins.ports.git import Clone
    from plugins.ports.programs import Programs

__all__ = ["MergeNews", "Tag", "first_difference", "tag_of"]

MergeNews: TypeAlias = (
    "Callable[[Release, Iterable[Member], Path, Programs],"
    " AbstractContextManager[Callable[[], bytes]]]"
)
"""Merges NEWS from these members in this folder beside the block, and gives it when asked."""

_NEWS: Final = MADE[0]
_FRAGMENTS: Final = f"{_NEWS}.d"


@frozen
class Tag:
    """What the tag holds, by path, and what the stream made of it is."""

    tree: dict[str, Seen]
    stream_sha256: str


def tag_of(
    release: Release,
    clone: Clone,
    programs: Programs,
    commit: str,
    epoch_s: int,
    merge_news: MergeNews,
) -> Tag:
    """Everything of the commit, read once. Raises ServiceFailed if git or blurb cannot tell it."""
    tree: dict[str, Seen] = {}

    def noted(members: Iterable[Member]) -> Iterator[Member]:
        for member in members:
            tree[member.name] = seen(member)
            yield member

    digest = hashlib.sha256()
    with _merging(release, clone, programs, commit, merge_news) as news:
        tagged = noted(members_of(clone, programs, commit))
        for piece in tar_blocks(_shipped(release, tagged, news), epoch_s):
            digest.update(piece)
    return Tag(tree, digest.hexdigest())


def first_difference(
    release: Release,
    clone: Clone,
    programs: Programs,
    commit: str,
    epoch_s: int,
    merge_news: MergeNews,
    read: Callable[[int], bytes],
) -> str:
    """In which member, and where in it, what ``read`` gives stops being the tag's stream.

    "" if it never does. Raises ServiceFailed as ``tag_of`` does.
    """
    here: Member | None = None

    def followed(members: Iterable[Member]) -> Iterator[Member]:
        nonlocal here
        for member in members:
            here = member
            yield member
        here = None

    with _merging(release, clone, programs, commit, merge_news) as news:
        tagged = members_of(clone, programs, commit)
        for wanted in tar_blocks(followed(_shipped(release, tagged, news)), epoch_s):
            found = read(len(wanted))
            if found != wanted:
                return _place(here, epoch_s, _common(found, wanted))
    return "behind its end" if read(1) else ""


@contextmanager
def _merging(
    release: Release, clone: Clone, programs: Programs, commit: str, merge_news: MergeNews
) -> Iterator[Callable[[], bytes]]:
    with TemporaryDirectory(prefix="pep101-") as room:
        fragments = members_of(clone, programs, commit, _FRAGMENTS)
        with merge_news(release, fragments, Path(room), programs) as news:
            yield news


def _shipped(
    release: Release, tagged: Iterable[Member], news: Callable[[], bytes]
) -> Iterator[Member]:
    """The members of an archive: its folder, what is shipped of the tag, and what is made."""
    top = release.layout.folder_in_archive
    yield Member(top, Kind.FOLDER, 0o755)
    is_made = False
    for member in tagged:
        if not is_made and tar_order(member.name) > tar_order(_NEWS):
            is_made = True
            yield Member(f"{top}/{_NEWS}", Kind.FILE, content=news())
        if not is_left_out(member.name) and member.name not in MADE:
            yield replace(member, name=f"{top}/{member.name}")
    if not is_made:
        yield Member(f"{top}/{_NEWS}", Kind.FILE, content=news())


def _common(found: bytes, wanted: bytes) -> int:
    """How many bytes the two begin with in common."""
    pairs = enumerate(zip(found, wanted, strict=False))
    return next((place for place, (one, other) in pairs if one != other), len(found))


def _place(member: Member | None, epoch_s: int, offset: int) -> str:
    if member is None:
        return "at its end"
    begin = len(header(member, epoch_s))
    if offset < begin:
        return f"in the header of {member.name}"
    if offset < begin + len(member.content):
        return f"in the content of {member.name}"
    return f"in the padding behind {member.name}"
