"""Archive: a source archive as it is, read once in a stream, in bounded memory and time.

The reader trusts nothing: what is compressed may unfold to any size, headers may give any
length, and what follows the end may be anything. It writes no files.
"""

from __future__ import annotations

import hashlib
import lzma
import tarfile
import zlib
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum
from typing import IO, TYPE_CHECKING, Final, cast

from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Self

__all__ = [
    "Archive",
    "Kind",
    "Limits",
    "Member",
    "MemberBytes",
    "UnreadableArchive",
    "members_of",
    "read_archive",
    "read_tar",
    "stream_of",
    "unpacked",
]

_CHUNK_BYTES: Final = 256 * 1024
_BLOCK_BYTES: Final = 512
_RECORD_BYTES: Final = 20 * _BLOCK_BYTES
_BEHIND: Final = "data follows its end"
_SHORT: Final = "its end is missing"
_BACKWARDS: Final = "a header points backwards"
_TOO_LONG: Final = "a header gives an impossible length"
_EXTENSIONS: Final = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class UnreadableArchive(StepFailed):
    """The file is damaged, is no archive, or is made to harm its reader."""


class Kind(Enum):
    """What a member is."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "symbolic link"
    OTHER = "neither file, folder nor symbolic link"


@frozen
class Limits:
    """What is too much: the largest release so far decompresses to 120 MB in 5,000 members."""

    stream_bytes: int = 1 << 30
    members: int = 100_000
    extension_bytes: int = 1 << 16
    """An extended header; real ones hold one path."""
    xz_memory_bytes: int = 256 << 20
    """``xz -9`` asks for 65 MiB."""


@frozen
class Member:
    """One entry as its header has it; ``name`` as stored, without a slash at its end.

    Bytes of a name that are not UTF-8 are surrogates. ``sha256`` and ``sha1`` are of a file's
    content, "" where there is none or it was not asked for.
    """

    name: str
    kind: Kind
    mode: int
    user_id: int
    group_id: int
    user: str
    group: str
    time_s: float
    size_bytes: int = 0
    target: str = ""
    sha256: str = ""
    sha1: str = ""


@frozen
class Archive:
    """All members in the order of the archive, and the digest of the whole tar stream."""

    members: tuple[Member, ...]
    stream_sha256: str
    stream_bytes: int


_NO_LIMITS: Final = Limits()


def read_archive(path: Path, limits: Limits = _NO_LIMITS, *, sha1: bool = False) -> Archive:
    """Everything there is to know of a ``.tgz`` or ``.tar.xz``. Raises UnreadableArchive."""
    with path.open("rb") as source:
        return _digested(_opened(path, source, limits), limits, sha1=sha1)


def stream_of(path: Path, limits: Limits = _NO_LIMITS) -> str:
    """The sha256 of the whole tar stream of a ``.tgz`` or ``.tar.xz``, whatever it holds.

    Two archives with one stream hold the same, and the second need not be read member by member.
    Raises UnreadableArchive where it cannot be unfolded.
    """
    with path.open("rb") as source:
        stream = _opened(path, source, limits)
        while stream.read(_CHUNK_BYTES):
            pass
        return stream.sha256


@contextmanager
def unpacked(path: Path, limits: Limits = _NO_LIMITS) -> Iterator[Callable[[int], bytes]]:
    """The tar stream of a ``.tgz`` or ``.tar.xz``, as something to call for so many more bytes.

    Raises UnreadableArchive where it cannot be unfolded.
    """
    with path.open("rb") as source:
        yield _opened(path, source, limits).read


def read_tar(source: IO[bytes], where: str, limits: Limits = _NO_LIMITS) -> Archive:
    """The same of a tar stream that is not compressed. Raises UnreadableArchive."""
    return _digested(_Stream(_pieces(source), where, limits), limits, sha1=False)


def members_of(
    path: Path, limits: Limits = _NO_LIMITS
) -> Iterator[tuple[Member, MemberBytes | None]]:
    """Each member with a file's content, to be read before the next is asked for.

    Raises UnreadableArchive where the archive goes wrong, which may be at its very end.
    """
    with path.open("rb") as source:
        stream = _opened(path, source, limits)
        yield from _walked(stream, limits)
        stream.finish()


def _digested(stream: _Stream, limits: Limits, *, sha1: bool) -> Archive:
    members = []
    for member, content in _walked(stream, limits):
        if content is None:
            members.append(member)
            continue
        first, second = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)
        while piece := content.read(_CHUNK_BYTES):
            first.update(piece)
            if sha1:
                second.update(piece)
        other = second.hexdigest() if sha1 else ""
        members.append(replace(member, sha256=first.hexdigest(), sha1=other))
    stream.finish()
    return Archive(tuple(members), stream.sha256, stream.tell())


def _walked(stream: _Stream, limits: Limits) -> Iterator[tuple[Member, MemberBytes | None]]:
    try:
        tar = tarfile.TarFile(
            fileobj=cast("IO[bytes]", stream),
            tarinfo=_entry_kind(limits),
            encoding="utf-8",
            errors="surrogateescape",
        )
        count = 0
        while (entry := tar.next()) is not None:
            count += 1
            if count > limits.members:
                raise stream.error(problem=f"holds more than {limits.members:,} members")
            # tarfile keeps them all, and nobody asks it again.
            tar.members.clear()  # type: ignore[attr-defined]  # typeshed lacks it
            member = _member(entry)
            yield member, (stream.content(entry) if member.kind is Kind.FILE else None)
    except (tarfile.TarError, ValueError, RecursionError) as error:
        raise stream.error(problem=f"is not a complete tar archive ({error})") from error


def _entry_kind(limits: Limits) -> type[tarfile.TarInfo]:
    """Headers that are looked at before tarfile believes what they say."""

    class Entry(tarfile.TarInfo):
        extensions = 0

        # Every header passes here in every Python; some of them, Debian's 3.11.2 for one, go
        # round frombuf, and a length that is believed can take a gigabyte.
        def _proc_member(self, tar: tarfile.TarFile) -> Self:
            if self.size < 0:
                raise tarfile.ReadError(_BACKWARDS)
            if self.type in _EXTENSIONS:
                Entry.extensions += 1
                # One long name, one long target, one extended and one global header may meet.
                if self.size > limits.extension_bytes or Entry.extensions > 4:
                    raise tarfile.ReadError(_TOO_LONG)
            else:
                Entry.extensions = 0
            return super()._proc_member(tar)  # type: ignore[misc,no-any-return]  # not in typeshed

    return Entry


def _member(entry: tarfile.TarInfo) -> Member:
    kind = Kind.OTHER
    # A sparse file's content need not be in the archive: one header may promise terabytes.
    if entry.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and entry.sparse is None:
        kind = Kind.FILE
    elif entry.isdir():
        kind = Kind.FOLDER
    elif entry.issym():
        kind = Kind.LINK
    return Member(
        name=entry.name,
        kind=kind,
        mode=entry.mode,
        user_id=entry.uid,
        group_id=entry.gid,
        user=entry.uname,
        group=entry.gname,
        time_s=entry.mtime,
        size_bytes=entry.size,
        target=entry.linkname,
    )


def _opened(path: Path, source: IO[bytes], limits: Limits) -> _Stream:
    packed = _pieces(source)
    pieces = _unpacked_xz(packed, limits) if path.suffix == ".xz" else _unpacked_gzip(packed)
    return _Stream(pieces, path.name, limits)


def _pieces(source: IO[bytes]) -> Iterator[bytes]:
    while piece := source.read(_CHUNK_BYTES):
        yield piece


def _unpacked_gzip(packed: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(wbits=31)
    for piece in packed:
        rest = piece
        while rest and not unpacker.eof:
            yield unpacker.decompress(rest, _CHUNK_BYTES)
            rest = unpacker.unconsumed_tail
        if unpacker.eof and (unpacker.unused_data or next(packed, b"")):
            raise _Damaged(_BEHIND)
    if not unpacker.eof:
        raise _Damaged(_SHORT)


def _unpacked_xz(packed: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=limits.xz_memory_bytes)
    for piece in packed:
        yield unpacker.decompress(piece, _CHUNK_BYTES)
        while not unpacker.needs_input and not unpacker.eof:
            yield unpacker.decompress(b"", _CHUNK_BYTES)
        if unpacker.eof and (unpacker.unused_data or next(packed, b"")):
            raise _Damaged(_BEHIND)
    if not unpacker.eof:
        raise _Damaged(_SHORT)


class MemberBytes:
    """A file's bytes, to be read once and before the next member is asked for."""

    def __init__(self, stream: _Stream, begin: int, size: int) -> None:
        self._stream = stream
        self._stream.seek(begin)
        self._left = size

    def read(self, size: int) -> bytes:
        """As many bytes as wanted, b"" at the end. Raises UnreadableArchive if some are missing."""
        wanted = min(size, self._left)
        piece = self._stream.read(wanted)
        if len(piece) < wanted:
            raise self._stream.error(
                problem="is not a complete tar archive (it ends within a file)"
            )
        self._left -= wanted
        return piece


class _Damaged(Exception):
    """The compressed stream is not complete."""


class _Stream:
    """The tar stream as a file that is read forward only, counted and hashed as it passes."""

    def __init__(self, pieces: Iterator[bytes], where: str, limits: Limits) -> None:
        self._pieces = pieces
        self._where = where
        self._limit = limits.stream_bytes
        self._ready = b""
        self._begin = 0
        self._position = 0
        self._arrived = 0
        self._digest = hashlib.sha256()
        self._last = b""

    @property
    def sha256(self) -> str:
        """The digest of all that has come."""
        return self._digest.hexdigest()

    def error(self, *, problem: str) -> UnreadableArchive:
        """What is said if the archive is wrong here."""
        return UnreadableArchive(
            where=self._where,
            problem=problem,
            remedy="delete it, then run doit export: it is made again",
        )

    def content(self, entry: tarfile.TarInfo) -> MemberBytes:
        """The bytes of a file whose header was just read."""
        return MemberBytes(self, entry.offset_data, entry.size)

    def tell(self) -> int:
        """How many bytes were read."""
        return self._position

    def seek(self, position: int) -> int:
        """Go forward; a stream that is too short ends where it ends."""
        if position < self._position:
            raise tarfile.ReadError(_BACKWARDS)
        while self._position < position:
            if not self.read(min(_CHUNK_BYTES, position - self._position)):
                break
        return self._position

    def read(self, size: int) -> bytes:
        """As many bytes as wanted; fewer only at the end."""
        found: list[bytes] = []
        wanted = size
        while wanted > 0 and (self._begin < len(self._ready) or self._more()):
            piece = self._ready[self._begin : self._begin + wanted]
            self._begin += len(piece)
            wanted -= len(piece)
            found.append(piece)
        self._last = b"".join(found)
        self._position += len(self._last)
        return self._last

    def finish(self) -> None:
        """What is left is the end of a tar archive and nothing else, and was read."""
        # tarfile takes any block that it cannot read for the end.
        if self._last != bytes(_BLOCK_BYTES):
            raise self.error(
                problem="ends in the middle, or is followed by something else than a header"
            )
        while piece := self.read(_CHUNK_BYTES):
            if piece.strip(b"\0"):
                raise self.error(problem="has data after its end")
        if self._position % _RECORD_BYTES:
            raise self.error(
                problem=f"decompresses to {self._position:,} bytes, wanted records of 10,240"
            )

    def _more(self) -> bool:
        """Whether there is another piece; it is the one that is ready now."""
        try:
            self._ready = next(each for each in self._pieces if each)
        except StopIteration:
            return False
        except (zlib.error, lzma.LZMAError, _Damaged, OSError) as error:
            raise self.error(problem=f"cannot be decompressed ({error})") from error
        self._begin = 0
        self._arrived += len(self._ready)
        if self._arrived > self._limit:
            raise self.error(problem=f"decompresses to more than {self._limit:,} bytes")
        self._digest.update(self._ready)
        return True
