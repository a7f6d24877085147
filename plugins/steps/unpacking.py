"""Unpacking: a source archive as files in an empty folder, with nothing written beside it (B07)."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed
from plugins.model.archive_links import leads_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from plugins.model.archive import Member, MemberBytes

__all__ = ["tree_of", "unpack"]

_CHUNK_BYTES: Final = 1 << 20


def unpack(archive: Path, folder: Path, root: str) -> None:
    """The archive's one folder is unpacked as ``folder/root``, with its modes and times.

    The folder has to be new. Raises StepFailed for a name that leads elsewhere and for anything
    but files, folders and links that stay inside; what is unpacked until then is left.
    """
    # Late: tarfile and what it needs cost 15 ms that listing tasks does not have to pay.
    from plugins.model.archive import Kind, members_of  # noqa: PLC0415

    folder.mkdir(parents=True)
    folders: list[Member] = []
    links: list[Member] = []
    for member, content in members_of(archive):
        _refuse_elsewhere(member, archive, root)
        target = folder / member.name
        with _naming_member(archive, member, folder):
            if member.kind is Kind.FOLDER:
                target.mkdir(parents=True, exist_ok=True)
                folders.append(member)
            elif member.kind is Kind.LINK:
                links.append(member)
            elif content is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                _write(target, member, content)
            else:
                raise _refused(archive, member, f"is {member.kind.value}")
    # Links come last, so that nothing can be written through one.
    targets = {link.name: link.target for link in links}
    for link in links:
        _refuse_leading_out(link, targets, archive, root)
    for link in links:
        with _naming_member(archive, link, folder):
            target = folder / link.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(link.target)
    for member in reversed(folders):
        with _naming_member(archive, member, folder):
            os.utime(folder / member.name, (member.time_s, member.time_s))


def tree_of(folder: Path) -> dict[str, str]:
    """What is below the folder: each path with type, executability and content's digest."""
    found = {}
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        if stat.S_ISLNK(about.st_mode):
            described = f"link {path.readlink()}"
        elif stat.S_ISDIR(about.st_mode):
            described = "folder"
        else:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            described = f"file {stat.S_IMODE(about.st_mode):o} {digest}"
        found[path.relative_to(folder).as_posix()] = described
    return found


def _refuse_elsewhere(member: Member, archive: Path, root: str) -> None:
    parts = member.name.split("/")
    # A name with a NUL would end there for the system, and mean another file.
    if parts[0] != root or any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise _refused(archive, member, f"would be unpacked outside of {root}/")


def _write(target: Path, member: Member, content: MemberBytes) -> None:
    with target.open("xb") as stream:
        while piece := content.read(_CHUNK_BYTES):
            stream.write(piece)
        # Its owner may read it, whatever the archive says: we have to.
        os.fchmod(stream.fileno(), member.mode & 0o777 | 0o400)
    # make compares times: files of one archive must not seem to be made one after the other
    os.utime(target, (member.time_s, member.time_s))


def _refuse_leading_out(link: Member, targets: Mapping[str, str], archive: Path, root: str) -> None:
    here = link.name.split("/")[:-1]
    below_link = any("/".join(here[:count]) in targets for count in range(1, len(here) + 1))
    if below_link or leads_out(link.name, {**targets, link.name: link.target}, root):
        raise _refused(
            archive, link, f"is a link that points outside of the archive, to {link.target!r}"
        )


@contextmanager
def _naming_member(archive: Path, member: Member, folder: Path) -> Iterator[None]:
    """An error of the disk names the member that it concerns."""
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise _refused(archive, member, "has the path of another member") from error
    except (OSError, OverflowError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StepFailed(
            where=archive.name,
            problem=f"{member.name!a} cannot be unpacked: {reason}",
            remedy=f"see to the disk of {folder}, then run the same command again",
        ) from error


def _refused(archive: Path, member: Member, problem: str) -> StepFailed:
    return StepFailed(
        where=archive.name,
        problem=f"{member.name!a} {problem}",
        remedy="do not unpack it; build the archives again",
    )
