"""Fault: one thing that is wrong with a release, and the files of the release that has it."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from plugins.model.layout import Layout
from plugins.model.promise import contract_of
from plugins.model.published_file import Origin, PublishedFile
from plugins.model.release import Release, type_of
from plugins.model.series import series_of
from plugins.model.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.released import Released

__all__ = ["FILES", "HTML", "OURS", "ROOT", "TGZ", "VERSION", "XZ", "Fault", "file_of", "zip_of"]

VERSION: Final = Version.parse("3.13.6")
ROOT: Final = "Python-3.13.6"
TGZ: Final = f"{ROOT}.tgz"
XZ: Final = f"{ROOT}.tar.xz"
HTML: Final = "python-3.13.6-docs-html"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and the rule that has to say so."""

    name: str
    rule: str
    do: Callable[[Released], None]
    situation: str = ""


def _files() -> tuple[PublishedFile, ...]:
    layout = Layout(Path("nowhere"), VERSION)
    release = Release(VERSION, type_of(VERSION), series_of(VERSION), layout)
    return contract_of(release).files


FILES: Final = _files()
OURS: Final = tuple(each for each in FILES if each.origin is Origin.EXPORT)


def file_of(name: str) -> PublishedFile:
    return next(each for each in FILES if each.name == name)


def zip_of(content: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, each in content.items():
            opened.writestr(name, each)
    return out.getvalue()
