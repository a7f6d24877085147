"""Archives of documentation as CPython ships them, with bytes that only the contents decide.

Names are sorted, every time is the epoch, owners are 0, modes are 0644 and 0755: the same
pages give the same archive in any folder, at any hour, under any umask and time zone.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import replacing
from doit_receipts.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from zipfile import ZipInfo

__all__ = ["compressors", "write_epub", "write_tar_bz2", "write_zip"]

_FILE: Final = stat.S_IFREG | 0o644
_FOLDER: Final = stat.S_IFDIR | 0o755

# zip counts years from 1980.
_FIRST_ZIP_TIME_S: Final = 315_532_800


def write_tar_bz2(folder: Path, top: str, target: Path, epoch_s: int) -> None:
    """``target`` is a tar of the folder under the name ``top``, compressed as ``bzip2 -9`` does.

    Raises StepFailed if the folder holds anything but files and folders.
    """
    import bz2  # noqa: PLC0415 - with tarfile 20 ms, which `doit list` need not pay
    import tarfile  # noqa: PLC0415 - as above

    with (
        replacing(target) as stream,
        bz2.BZ2File(stream, "wb", compresslevel=9) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, path in _members(folder, top):
            member = tarfile.TarInfo(name)
            member.mtime = epoch_s
            if path.is_dir():
                member.type, member.mode = tarfile.DIRTYPE, stat.S_IMODE(_FOLDER)
                tar.addfile(member)
            else:
                member.size, member.mode = path.stat().st_size, stat.S_IMODE(_FILE)
                with path.open("rb") as content:
                    tar.addfile(member, content)


def write_zip(folder: Path, top: str, target: Path, epoch_s: int) -> None:
    """``target`` is a zip of the folder under the name ``top``, compressed as ``zip -9`` does.

    Raises StepFailed if the folder holds anything but files and folders.
    """
    import zipfile  # noqa: PLC0415 - 40 ms, which `doit list` need not pay

    with replacing(target) as stream, zipfile.ZipFile(stream, "w") as archive:
        for name, path in _members(folder, top):
            if path.is_dir():
                info = _zip_member(f"{name}/", epoch_s)
                info.external_attr = _FOLDER << 16 | 0x10
                archive.writestr(info, b"")
            else:
                info = _zip_member(name, epoch_s)
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, path.read_bytes(), compresslevel=9)


def write_epub(made: Path, target: Path, epoch_s: int) -> None:
    """``target`` has the contents of the epub that Sphinx made, without its times.

    ``mimetype`` comes first and is not compressed, so that readers know the file by its first
    bytes (OCF 3, section 4.3); the rest is in Sphinx's order.
    """
    import zipfile  # noqa: PLC0415 - 40 ms, which `doit list` need not pay

    with (
        zipfile.ZipFile(made) as source,
        replacing(target) as stream,
        zipfile.ZipFile(stream, "w") as archive,
    ):
        for name in sorted(source.namelist(), key=lambda name: name != "mimetype"):
            info = _zip_member(name, epoch_s)
            if name != "mimetype":
                info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, source.read(name), compresslevel=9)


def compressors() -> dict[str, str]:
    """The versions of the libraries that decide the archives' bytes; "" if one reports none."""
    import zlib  # noqa: PLC0415 - only when archives are written

    return {"bzip2": _bzip2_version(), "zlib": zlib.ZLIB_RUNTIME_VERSION}


def _bzip2_version() -> str:
    """What libbz2 says of itself; Python's bz2 does not pass it on."""
    import _bz2  # noqa: PLC0415 - only when archives are written
    import ctypes  # noqa: PLC0415 - only when archives are written

    try:
        version = ctypes.CDLL(_bz2.__file__).BZ2_bzlibVersion
    except (AttributeError, OSError):  # built into the interpreter, or its symbols are hidden
        return ""
    version.restype = ctypes.c_char_p
    return str(version().decode()).partition(",")[0]


def _members(folder: Path, top: str) -> Iterator[tuple[str, Path]]:
    """Each name in the archive with its file, sorted, the folders among them."""
    found = {top: folder}
    for path in folder.rglob("*"):
        name = f"{top}/{path.relative_to(folder).as_posix()}"
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise StepFailed(
                where=f"{top}/{name}",
                problem="is neither a file nor a folder",
                remedy="find out which extension of the tree's conf.py makes it",
            )
        found[name] = path
    yield from sorted(found.items())


def _zip_member(name: str, epoch_s: int) -> ZipInfo:
    import time  # noqa: PLC0415 - with zipfile
    import zipfile  # noqa: PLC0415 - with its callers

    moment = time.gmtime(max(epoch_s, _FIRST_ZIP_TIME_S))
    info = zipfile.ZipInfo(name, moment[:6])
    info.create_system = 3  # Unix, wherever this runs: the modes count
    info.external_attr = _FILE << 16
    return info
