"""Built documentation: its archives are there, can be read, agree, and say no "(unreleased)"."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from plugins.model.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from plugins.model.release import Release

__all__ = ["archives_complete", "no_unreleased"]

# What Sphinx writes for `versionadded:: next` until the release replaces "next".
_UNRELEASED: Final = b"(unreleased)"
_PAGES: Final = (".html", ".xhtml", ".txt", ".texi", ".info")
_CHUNK: Final = 1 << 20


class _Unreadable(Exception):
    """An archive cannot be read to its end; the message says why."""


def archives_complete(release: Release, formats: Iterable[str]) -> tuple[Finding, ...]:
    """Findings about archives of the wanted formats that are missing, broken or at odds (B03).

    Every archive is read to its end. The zip and the tar.bz2 of a format hold the same files.
    """
    return tuple(finding for form in sorted(formats) for finding in _of_format(release, form))


def no_unreleased(release: Release, formats: Iterable[str]) -> tuple[Finding, ...]:
    """Findings for pages that call something "(unreleased)": a ``next`` that was not replaced.

    An archive that cannot be read blocks under the same rule (Z08).
    """
    return tuple(finding for form in sorted(formats) for finding in _unreleased_in(release, form))


def _of_format(release: Release, form: str) -> Iterator[Finding]:
    contents = []
    for archive in release.layout.docs_archives(form):
        if not archive.is_file():
            yield _block("docs.missing", archive, "is not there", "build the documentation again")
            continue
        try:
            found = dict(_contents(archive))
        except _Unreadable as error:
            yield _block("docs.unreadable", archive, str(error), "build the documentation again")
            continue
        if not any(name.endswith(_PAGES) for name in found):
            yield _block("docs.unreadable", archive, "holds no page", "look at the build's log")
        contents.append(found)
    if len(contents) == 2 and contents[0] != contents[1]:  # tar.bz2 and zip
        odd = sorted(name for name, _ in contents[0].items() ^ contents[1].items())
        archive = release.layout.docs_archives(form)[1]
        message = f"differs from the tar.bz2 in {len(set(odd))} files, first {odd[0]}"
        yield _block("docs.different", archive, message, "build the documentation again")


def _unreleased_in(release: Release, form: str) -> Iterator[Finding]:
    archive = release.layout.docs_archives(form)[-1]
    try:
        pages = [name for name, content in _zip_pages(archive) if _UNRELEASED in content]
    except _Unreadable as error:
        yield _block("docs.unreleased", archive, f"cannot look: {error}", "build it again")
        return
    if pages:
        message = f"{len(pages)} pages say {_UNRELEASED.decode()}: {_first(pages)}"
        yield _block(
            "docs.unreleased", archive, message, "replace `next` in Doc/, then tag and build again"
        )


def _first(names: list[str], shown: int = 5) -> str:
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest} more" if rest > 0 else "")


def _block(rule: str, archive: Path, message: str, remedy: str) -> Finding:
    return Finding(rule, Severity.BLOCK, message, where=archive.name, remedy=remedy)


def _zip_pages(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The pages of a zip or epub. Raises _Unreadable."""
    import zipfile  # noqa: PLC0415 - 40 ms, which `doit list` need not pay

    try:
        with zipfile.ZipFile(archive) as opened:
            for name in opened.namelist():
                if name.endswith(_PAGES):
                    yield name, opened.read(name)
    except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile) as error:
        raise _Unreadable(str(error) or type(error).__name__) from error


def _contents(archive: Path) -> Iterator[tuple[str, int]]:
    """Each file of the archive with the crc32 of its bytes. Raises _Unreadable."""
    return _tar_contents(archive) if archive.suffix == ".bz2" else _zip_contents(archive)


def _zip_contents(archive: Path) -> Iterator[tuple[str, int]]:
    import zipfile  # noqa: PLC0415 - 40 ms, which `doit list` need not pay

    try:
        with zipfile.ZipFile(archive) as opened:
            broken = opened.testzip()
            if broken is not None:
                problem = f"{broken} does not have its checksum"
                raise _Unreadable(problem)
            yield from (
                (info.filename, info.CRC) for info in opened.infolist() if not info.is_dir()
            )
    except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile) as error:
        raise _Unreadable(str(error) or type(error).__name__) from error


def _tar_contents(archive: Path) -> Iterator[tuple[str, int]]:
    import tarfile  # noqa: PLC0415 - 20 ms, which `doit list` need not pay

    try:
        with tarfile.open(archive, "r:bz2") as opened:
            for member in opened:
                content = opened.extractfile(member)
                if content is None:
                    continue
                crc = 0
                while chunk := content.read(_CHUNK):
                    crc = zlib.crc32(chunk, crc)
                yield member.name, crc
    except (OSError, EOFError, ValueError, tarfile.TarError) as error:
        raise _Unreadable(str(error) or type(error).__name__) from error
