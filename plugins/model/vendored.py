"""Vendored: the wheel of pip that a tree bundles, and the projects that pip itself carries.

Source: release-tools' sbom.py of July 2026; pip lists what it carries in ``_vendor/vendor.txt``.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BUNDLED", "pins_of", "pip_wheel", "version_of_wheel"]

BUNDLED: Final = "Lib/ensurepip/_bundled"
"""The folder of the tree that holds the wheel."""

_WHEEL: Final = re.compile(re.escape(BUNDLED) + r"/pip-(?P<version>[^/-]+)-[^/]+\.whl")
_LIST: Final = "pip/_vendor/vendor.txt"
_PIN: Final = re.compile(r"(?P<name>[A-Za-z0-9_.-]+)==(?P<version>[0-9][A-Za-z0-9.]*)")


def pip_wheel(paths: Iterable[str]) -> str:
    """The path of pip's wheel among the paths of a tree; "" if it bundles none."""
    return next((each for each in sorted(paths) if _WHEEL.fullmatch(each)), "")


def version_of_wheel(path: str) -> str:
    """The version in the name of pip's wheel."""
    found = _WHEEL.fullmatch(path)
    return found["version"] if found else ""


def pins_of(wheel: bytes, path: str) -> tuple[tuple[str, str], ...]:
    """Name and version of each project that pip carries, names in lower case.

    Raises StepFailed for what is no wheel of pip, and for a line that pins no version.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
            text = archive.read(_LIST).decode()
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError, ValueError) as error:
        raise StepFailed(
            where=path,
            problem=f"is not a wheel with a {_LIST} ({error})",
            remedy="check the file on the branch",
        ) from error
    found = []
    for line in text.splitlines():
        plain = line.partition("#")[0].strip()
        if not plain:
            continue
        pin = _PIN.fullmatch(plain)
        if pin is None:
            raise StepFailed(
                where=f"{path}: {_LIST}",
                problem=f"pins no version: {plain}",
                remedy="report it to the authors of this tool: no SBOM can list what pip bundles",
            )
        found.append((pin["name"].lower(), pin["version"]))
    return tuple(found)
