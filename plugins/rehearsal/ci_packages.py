"""CI packages of the simulated environment: what CI builds for Android and iOS, in small."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Final

from plugins.model.version import Level

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.version import Version

__all__ = ["header", "package", "write"]

_ANDROID_SINCE: Final = 14
_IOS_SINCE: Final = 15
_LEVELS: Final = {
    Level.ALPHA: "PY_RELEASE_LEVEL_ALPHA", Level.BETA: "PY_RELEASE_LEVEL_BETA",
    Level.CANDIDATE: "PY_RELEASE_LEVEL_GAMMA", Level.FINAL: "PY_RELEASE_LEVEL_FINAL",
}  # fmt: skip


def write(folder: Path, version: Version) -> dict[str, list[str]]:
    """The packages of this version are in the folder; returns their paths by artifact."""
    folder.mkdir(parents=True, exist_ok=True)
    headers = header(version)
    found: dict[str, list[str]] = {}
    if version.minor >= _ANDROID_SINCE:
        inside = {
            f"./prefix/include/python{version.series}/patchlevel.h": headers,
            f"./prefix/lib/libpython{version.series}.so": f"android of {version}\n",
        }
        names = [f"python-{version}-{cpu}-linux-android.tar.gz" for cpu in ("aarch64", "x86_64")]
        found["android"] = [package(folder / name, inside) for name in names]
    if version.minor >= _IOS_SINCE:
        inside = {"Python.xcframework/Info.plist": "<plist/>\n"}
        for part in ("ios-arm64", "ios-arm64_x86_64-simulator"):
            place = f"Python.xcframework/{part}/Python.framework/Headers/patchlevel.h"
            inside[place] = headers
        name = f"python-{version}-iOS-XCframework.tar.gz"
        found["ios"] = [package(folder / name, inside)]
    return found


def header(version: Version, suffix: str = "") -> str:
    """A patchlevel.h of the version."""
    serial = version.serial if version.is_prerelease else 0
    values = {
        "PY_MAJOR_VERSION": version.major, "PY_MINOR_VERSION": version.minor,
        "PY_MICRO_VERSION": version.micro, "PY_RELEASE_LEVEL": _LEVELS[version.level],
        "PY_RELEASE_SERIAL": serial, "PY_VERSION": f'"{version}{suffix}"',
    }  # fmt: skip
    return "".join(f"#define {name} {value}\n" for name, value in values.items())


def package(file: Path, inside: dict[str, str]) -> str:
    """The file is a tar.gz with these texts by their paths; returns where it is."""
    with tarfile.open(file, "w:gz") as archive:
        for name, text in inside.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return str(file)
