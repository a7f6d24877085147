"""Zipped: a zip archive of unexpected, whose every way to be broken is one error."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

__all__ = ["BrokenZip", "opened_zip"]


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
