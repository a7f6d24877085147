"""Published set: the files of one place against the contract, name by name."""

from __future__ import annotations

import re
import stat
from functools import lru_cache
from typing import TYPE_CHECKING

from checks.looking import judges
from plugins.model.earlier_rows import with_detached
from plugins.model.promise import contract_of
from plugins.model.rules import breach

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from doit_receipts.finding import Finding
    from plugins.model.content import NamedFile
    from plugins.model.contract import Contract
    from plugins.model.found_files import FoundFiles
    from plugins.model.published_file import PublishedFile
    from plugins.model.release import Release

__all__ = [
    "belongs_to_another",
    "listings_hide_nothing",
    "local_is_published",
    "set_is_complete",
    "sizes_fit",
]

_NEEDED: int = stat.S_IRUSR | stat.S_IROTH
_FORBIDDEN: int = stat.S_IWOTH | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


def set_is_complete(
    release: Release, contract: Contract, found_files: FoundFiles
) -> tuple[Finding, ...]:
    """Every file of the contract is there, of a possible size and mode, and nothing else is.

    Of a rehearsal's toys only an empty file has a wrong size.
    """
    found: list[Finding] = []
    for file in contract.files:
        there = found_files.files.get(file.remote)
        if there is not None:
            found += _faults(file, there, is_toy=release.rehearsal)
        elif file.remote in found_files.closed:
            why = found_files.closed[file.remote]
            rule = "file.missing" if why.endswith("404") else "file.closed"
            found.append(breach(rule, file.remote, why))
        else:
            found.append(breach("file.missing", file.remote, f"is not there ({file.kind.value})"))
    found += [
        breach("file.unrecognised", _shown(remote), "exists there, but belongs to no release")
        for remote in found_files.unexpected
    ]
    return tuple(found)


def belongs_to_another(remote: str, release: Release) -> bool:
    """Whether the path is that of another release that leads to the same X.Y.Z.

    They share one folder; a file of theirs is named as one of ours with their version in it. What
    comes later in this release, or only other tools make, they may have.
    """
    folder = re.escape(release.version.folder)
    other = rf"{folder}(?:(?:a|b|rc)[1-9][0-9]?)?(?![0-9])"
    name = remote.removeprefix(f"{release.version.folder}/")
    ours = re.sub(rf"(?<![0-9.]){other}", str(release.version), name)
    early = str(release.version).removeprefix(release.version.folder)
    # The parts of an installer are in a folder named for machine and pre-release.
    ours = re.sub(r"^(amd64|arm64|win32)(?:(?:a|b|rc)[1-9][0-9]?)?/", rf"\g<1>{early}/", ours)
    if ours == name:
        return False
    wanted, contract = f"{release.version.folder}/{ours}", _widest(release)
    return contract.find(wanted) is not None or contract.brought(wanted) is not None


@judges("file.size")
def sizes_fit(
    release: Release, contract: Contract, files: Iterable[NamedFile]
) -> tuple[Finding, ...]:
    """Every file that is about to be published has a size that a file of its kind can have.

    ``files`` have the names that they have in their folder.
    """
    sizes = {file.name: file.content.size_bytes for file in files}
    return tuple(
        fault
        for file in contract.files
        if file.name in sizes
        for fault in _size_faults(file, sizes[file.name], is_toy=release.rehearsal)
    )


def local_is_published(local: FoundFiles, published: FoundFiles) -> tuple[Finding, ...]:
    """What was exported on this machine, as far as it is there, is what users get."""
    return tuple(
        breach(
            "file.other_here",
            remote,
            f"users get {published.files[remote].content.brief}, here is {each.content.brief}",
        )
        for remote, each in sorted(local.files.items())
        if remote in published.files and published.files[remote].content != each.content
    )


def listings_hide_nothing(found_files: FoundFiles, names: frozenset[str]) -> tuple[Finding, ...]:
    """Where a folder's listing shows files at all, it shows every file that is served there."""
    listed = {name.rpartition("/")[0] for name in names}
    return tuple(
        breach("file.unlisted", remote, "is served, but the listing of its folder leaves it out")
        for remote in sorted(found_files.files.keys() - names)
        if remote.rpartition("/")[0] in listed
    )


@lru_cache(maxsize=2)
def _widest(release: Release) -> Contract:
    return with_detached(contract_of(release))


def _size_faults(file: PublishedFile, size_bytes: int, *, is_toy: bool) -> Iterator[Finding]:
    wrong = size_bytes == 0 if is_toy else not file.size.holds(size_bytes)
    if wrong:
        least, most = file.size.value
        problem = f"{size_bytes:,} bytes is not a size that fits a {file.kind.value}"
        limits = "" if is_toy else f" ({least:,} to {most:,})"
        yield breach("file.size", file.remote, problem + limits)


def _faults(file: PublishedFile, there: NamedFile, *, is_toy: bool) -> Iterator[Finding]:
    yield from _size_faults(file, there.content.size_bytes, is_toy=is_toy)
    if not there.mode:
        return
    if stat.S_IFMT(there.mode) not in (0, stat.S_IFREG):
        yield breach("file.mode", file.remote, "is not a regular file")
    elif (there.mode & _NEEDED) != _NEEDED or there.mode & _FORBIDDEN:
        problem = f"has mode {stat.S_IMODE(there.mode):04o}"
        yield breach("file.mode", file.remote, problem)


def _shown(remote: str) -> str:
    return remote if remote.isprintable() else ascii(remote)
