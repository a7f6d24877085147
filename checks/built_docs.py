"""Built documentation: its archives are there, can be read, agree, and say no "(unreleased)"."""

from __future__ import annotations

import hashlib
import html
import posixpath
import re
import struct
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import unquote

from checks.looking import judges
from doit_receipts.cores import some_cores
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import counted
from plugins.model.zipped import BrokenZip, opened_zip

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from plugins.model.release import Release

__all__ = ["archives_complete", "links_lead_somewhere", "no_unreleased"]

# What Sphinx writes for `versionadded:: next` until the release replaces "next".
_UNRELEASED: Final = b"(unreleased)"
_PAGES: Final = (".html", ".xhtml", ".txt", ".texi", ".info")
_CHUNK: Final = 1 << 20
# Source: APPNOTE.TXT of PKWARE, 4.3.7 and 4.4.4.
_LOCAL_HEADER: Final = struct.Struct("<4s2B4H3L2H")
_SIZES_BEHIND: Final = 0x08
_UTF_8: Final = 0x800
_MOST_32: Final = 0xFFFFFFFF
_ZIP64: Final = b"\x01\x00"
_MOST_FILES: Final = 100_000
_MOST_BYTES: Final = 1 << 30
_MOST_PAGE_BYTES: Final = 64 << 20
# Only links below the page's own place: with a scheme, a query or a slash in front it is another's.
# Bounded, so that a page which is made for it does not keep us.
_LINK: Final = re.compile(
    rb"""<(?:a|link|script|img)\s[^>]{0,2000}?(?:href|src)="([^"#?:/][^"#?:]{0,2000})(?=["#?])"""
)


class _Unreadable(Exception):
    """An archive cannot be read to its end; the message says why."""


@judges("docs.different", "docs.missing", "docs.unreadable")
def archives_complete(release: Release, formats: Iterable[str]) -> tuple[Finding, ...]:
    """Findings about archives of the wanted formats that are missing, broken or at odds (B03).

    Every archive is read to its end, all of them side by side: to unpack a tar.bz2 of the pages
    takes seconds. The zip and the tar.bz2 of a format hold the same files.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - as in _tar_contents

    formats = sorted(formats)
    archives = [each for form in formats for each in release.layout.docs_archives(form)]
    with some_cores(max(len(archives), 1)) as cores, ThreadPoolExecutor(cores) as pool:
        reading = dict(zip(archives, pool.map(_read, archives), strict=True))
    return tuple(
        finding for form in formats for finding in _of_format(release, form, reading.__getitem__)
    )


@judges("docs.unreleased")
def no_unreleased(release: Release, formats: Iterable[str]) -> tuple[Finding, ...]:
    """Findings for pages that call something "(unreleased)": a ``next`` that was not replaced.

    An archive that cannot be read blocks under the same rule (Z08).
    """
    return tuple(finding for form in sorted(formats) for finding in _unreleased_in(release, form))


@judges("docs.link")
def links_lead_somewhere(release: Release, formats: Iterable[str]) -> tuple[Finding, ...]:
    """Findings for links from a page of the HTML archive to one that it does not hold."""
    if "html" not in formats:
        return ()
    archive = release.layout.docs_archives("html")[-1]
    try:
        with _zip(archive) as opened:
            names = {each.filename for each in _infos(opened)}
        broken = [
            f"{name} to {target}"
            for name, content in _zip_pages(archive)
            if name.endswith(".html")
            for target in _targets(name, content)
            if target not in names
        ]
    except _Unreadable as error:
        return (_block("docs.link", archive, f"cannot look: {error}"),)
    if not broken:
        return ()
    message = f"{counted(len(broken), 'link leads', 'links lead')} nowhere: {_first(broken)}"
    return (_block("docs.link", archive, message, "correct it in Doc/, then tag and build again"),)


def _targets(page: str, content: bytes) -> Iterator[str]:
    """The files of the archive that a page leads to, each once."""
    here = page.rpartition("/")[0]
    found = {each[1].decode(errors="replace") for each in _LINK.finditer(content)}
    for link in sorted(found):
        path = posixpath.normpath(posixpath.join(here, unquote(html.unescape(link))))
        yield f"{path}/index.html" if link.endswith("/") else path


def _read(archive: Path) -> dict[str, str] | _Unreadable | None:
    """The digests of all files, or why they cannot be had; None if there is no archive."""
    if not archive.is_file():
        return None
    try:
        return dict(_contents(archive))
    except _Unreadable as error:
        return error


def _of_format(
    release: Release, form: str, read: Callable[[Path], dict[str, str] | _Unreadable | None]
) -> Iterator[Finding]:
    contents = []
    for archive in release.layout.docs_archives(form):
        found = read(archive)
        if found is None:
            yield _block("docs.missing", archive, "is not there")
            continue
        if isinstance(found, _Unreadable):
            yield _block("docs.unreadable", archive, str(found))
            continue
        if not any(name.endswith(_PAGES) for name in found):
            yield _block("docs.unreadable", archive, "holds no page")
        contents.append(found)
    if len(contents) == 2 and contents[0] != contents[1]:  # tar.bz2 and zip
        odd = sorted(name for name, _ in contents[0].items() ^ contents[1].items())
        archive = release.layout.docs_archives(form)[1]
        message = f"differs from the tar.bz2 in {counted(len(set(odd)), 'file')}, first {odd[0]}"
        yield _block("docs.different", archive, message)


def _unreleased_in(release: Release, form: str) -> Iterator[Finding]:
    archive = release.layout.docs_archives(form)[-1]
    try:
        pages = [name for name, content in _zip_pages(archive) if _UNRELEASED in content]
    except _Unreadable as error:
        yield _block("docs.unreleased", archive, f"cannot look: {error}")
        return
    if pages:
        message = (
            f"{counted(len(pages), 'page says', 'pages say')} {_UNRELEASED.decode()}: "
            f"{_first(pages)}"
        )
        yield _block(
            "docs.unreleased", archive, message, "replace `next` in Doc/, then tag and build again"
        )


def _first(names: list[str], shown: int = 5) -> str:
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest} more" if rest > 0 else "")


def _block(rule: str, archive: Path, message: str, remedy: str = "") -> Finding:
    return Finding(rule, Severity.BLOCK, message, where=archive.name, remedy=remedy)


def _zip_pages(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The pages of a zip or epub. Raises _Unreadable."""
    with _zip(archive) as opened:
        for info in _infos(opened):
            if info.filename.endswith(_PAGES):
                if info.file_size > _MOST_PAGE_BYTES:
                    problem = f"{info.filename!a} is too large for a page"
                    raise _Unreadable(problem)
                yield info.filename, opened.read(info)


def _contents(archive: Path) -> Iterator[tuple[str, str]]:
    """Each file of the archive with the sha256 of its bytes. Raises _Unreadable."""
    return _tar_contents(archive) if archive.suffix == ".bz2" else _zip_contents(archive)


@contextmanager
def _zip(archive: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, opened; what goes wrong while it is read is raised as _Unreadable."""
    try:
        with opened_zip(archive) as opened:
            yield opened
    except (OSError, BrokenZip) as error:
        raise _Unreadable(str(error) or type(error).__name__) from error


def _infos(opened: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """The files in it, none named twice and all together no more than is sane.

    zipfile reads no more of a file than its entry says, so what entries say bounds the time.
    """
    infos = [each for each in opened.infolist() if not each.is_dir()]
    total = sum(each.file_size for each in infos)
    if len(infos) > _MOST_FILES or total > _MOST_BYTES:
        problem = f"claims to hold {len(infos):,} files of {total:,} bytes"
        raise _Unreadable(problem)
    names = {each.filename for each in infos}
    odd = [each for each in names if each.startswith("/") or ".." in each.split("/")]
    if odd:
        problem = f"holds {odd[0]!a}, which leads out of it"
        raise _Unreadable(problem)
    if len(names) != len(infos):
        raise _Unreadable("contains two files with the same name")  # noqa: EM101, TRY003 - as the others
    yield from infos


def _zip_contents(archive: Path) -> Iterator[tuple[str, str]]:
    with _zip(archive) as opened, archive.open("rb") as raw:
        for info in _infos(opened):
            _check_local_header(raw, info)
            with opened.open(info) as content:
                yield info.filename, _digest(content)


def _check_local_header(raw: IO[bytes], info: zipfile.ZipInfo) -> None:
    """The header before the file agrees with the directory at the end.

    zipfile believes the directory; who unpacks in a stream believes the other. Raises _Unreadable.
    """
    raw.seek(info.header_offset)
    head = raw.read(_LOCAL_HEADER.size)
    if len(head) == _LOCAL_HEADER.size:
        _, _, _, flags, method, *local, length, more = _LOCAL_HEADER.unpack(head)
        name = raw.read(length).decode("utf-8" if flags & _UTF_8 else "cp437", "replace")
        is_long = raw.read(more).startswith(_ZIP64)
        year, month, day, hour, minute, second = info.date_time
        wanted = [
            hour << 11 | minute << 5 | second // 2,
            (year - 1980) << 9 | month << 5 | day,
            info.CRC,
            *((_MOST_32, _MOST_32) if is_long else (info.compress_size, info.file_size)),
        ]
        if flags & _SIZES_BEHIND:
            local, wanted = local[:2], wanted[:2]
        same = (flags, method, name) == (info.flag_bits, info.compress_type, info.orig_filename)
        if same and local == wanted:
            return
    problem = f"describes {info.filename} in two different ways"
    raise _Unreadable(problem)


def _digest(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _tar_contents(archive: Path) -> Iterator[tuple[str, str]]:
    """As the source archives are read: in a stream, of bounded size, believing no header."""
    import bz2  # noqa: PLC0415 - as below

    # Late: tarfile and what it needs cost 15 ms that listing tasks does not have to pay.
    from plugins.model.archive import UnreadableArchive, read_tar  # noqa: PLC0415

    try:
        with bz2.open(archive) as source:
            members = read_tar(source, archive.name).members
    except (OSError, EOFError) as error:
        raise _Unreadable(str(error)) from error
    except UnreadableArchive as error:
        raise _Unreadable(error.problem) from error
    for member in members:
        if member.kind.value == "file":
            yield member.name, member.sha256
        elif member.kind.value != "folder":
            problem = f"holds {member.name!a}, {member.kind.value}"
            raise _Unreadable(problem)
