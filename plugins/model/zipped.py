"""Zipped: a zip archive that others made, whose every way to be broken is one error."""

from __future__ import annotations

import errno
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from doit_receipts.printable import counted

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

__all__ = ["BrokenZip", "is_plain_name", "opened_zip", "plain_files"]

_NAME: Final = r"[A-Za-z0-9_][A-Za-z0-9_.+,=@~-]{0,127}"
_MOST_FILES: Final = 10_000


class BrokenZip(Exception):
    """The file is no zip archive, or something in it cannot be unpacked; the text says what."""


@contextmanager
def opened_zip(archive: Path | IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """The archive, opened; whatever is wrong with it comes out as BrokenZip.

    zipfile lets errors of each method of compression through, and those of forms that it does not
    know, so the block should do little but read. What the disk says stays an OSError.
    """
    import lzma  # noqa: PLC0415 - as below
    import zipfile  # noqa: PLC0415 - 40 ms, which `doit list` need not pay
    import zlib  # noqa: PLC0415 - as above

    try:
        with zipfile.ZipFile(archive) as opened:
            yield opened
    except (
        EOFError, ValueError, LookupError, NotImplementedError, RuntimeError, zlib.error,
        lzma.LZMAError, zipfile.BadZipFile,
    ) as error:  # fmt: skip
        raise BrokenZip(str(error) or type(error).__name__) from error
    except OSError as error:
        # bz2 knows no other error, and a place before the beginning is none of the disk's.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise BrokenZip(str(error)) from error


def is_plain_name(name: str) -> bool:
    """Whether it names one file of a folder, for every system and every terminal alike."""
    return re.fullmatch(_NAME, name) is not None and not name.endswith(".")


def plain_files(opened: zipfile.ZipFile, most_bytes: int) -> tuple[zipfile.ZipInfo, ...]:
    """The archive's files, whose names are plain and different, and whose sizes are bounded.

    Raises BrokenZip for a name that could be anything but a file below one folder, for two that
    are one file where case does not count, for more than 10,000 files, and for more than
    ``most_bytes`` together. zipfile never unpacks more of a file than the size that it states.
    """
    files = tuple(entry for entry in opened.infolist() if not entry.is_dir())
    if len(files) > _MOST_FILES:
        reason = f"it holds {counted(len(files), 'file')}, and at most {_MOST_FILES} are expected"
        raise BrokenZip(reason)
    seen: dict[str, str] = {}
    for entry in files:
        # A NUL ends the name for zipfile; what was stated is what others read.
        if not all(is_plain_name(part) for part in entry.orig_filename.split("/")):
            reason = f"it contains a file named {entry.orig_filename[:99]!a}, which could end"
            reason += " outside of its folder or mean another file elsewhere"
            raise BrokenZip(reason)
        other = seen.get(entry.filename.casefold())
        if other is not None:
            reason = f"{entry.filename} and {other} are one file where case does not count"
            raise BrokenZip(reason if other != entry.filename else f"{other} is in it twice")
        seen[entry.filename.casefold()] = entry.filename
    for folded, name in seen.items():
        above = next((seen[each] for each in _above(folded) if each in seen), None)
        if above is not None:
            reason = f"{above} is a file, and {name} would be below it"
            raise BrokenZip(reason)
    total = sum(entry.file_size for entry in files)
    if total > most_bytes:
        reason = f"it would unpack to {total >> 20} MiB, and at most {most_bytes >> 20} are"
        reason += " expected"
        raise BrokenZip(reason)
    return files


def _above(name: str) -> Iterator[str]:
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name
