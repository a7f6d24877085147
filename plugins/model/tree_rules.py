"""Tree rules: where CPython's tree gives its version and years, and in which form.

The steps that edit these places and the checks that judge them both read this page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from plugins.model.version import Level

if TYPE_CHECKING:
    from plugins.model.version import Version

__all__ = [
    "LEFT_MARKER",
    "NEXT_MARKER",
    "NOTICE",
    "NOTICES",
    "README",
    "SOURCE_URI",
    "SOURCE_URI_FILE",
    "changelog_title",
    "documented_version",
    "is_documentation",
    "readme_title",
]

README: Final = "README.rst"

_WORDS: Final = {Level.ALPHA: "alpha", Level.BETA: "beta", Level.CANDIDATE: "release candidate"}

NOTICES: Final = (
    "README.rst",
    "LICENSE",
    "Python/getcopyright.c",
    "Doc/copyright.rst",
    "Doc/license.rst",
    "PC/python_ver_rc.h",
)
"""The files with the PSF's notice. Source: PEP 101, first release of a year (E15-E20)."""

NOTICE: Final = re.compile(
    rb"(?P<head>Copyright\s+(?:\([cC]\)|\xc2\xa9|\xa9|\\xA9)\s+2001)"
    rb"(?:-(?P<last>[0-9]{4})|(?P<list>(?:,\s*[0-9]{4})+))?"
    rb"(?=\s+Python\s+Software\s+Foundation)"
)
"""``Copyright (c) 2001-2024 Python Software Foundation``, with the sign as text, as a character
or as an escape; older files list every year; from 3.14 on the first year is alone, which
asks for no edit. Bytes, since the Windows resource may be in code page 1252."""

NEXT_MARKER: Final = re.compile(
    rb"(?P<before>(?:^|(?<=[\s*|-]))\.\.[ \t]+(?:[a-z]+:)?"
    rb"(?i:versionadded|versionchanged|versionremoved|deprecated|deprecated-removed|soft-deprecated)"
    rb"[ \t]*::[ \t]*(?:\n[ \t]+)?)next(?:(?P<room> +)(?=\|))?(?![^\s|])",
    flags=re.MULTILINE,
)
"""``.. versionadded:: next`` and its relatives (Z07), nested however deep or with a domain such
as ``py:``, also with the version on the line below; an inline literal that only speaks of it is no
marker."""

LEFT_MARKER: Final = re.compile(
    rb"(?P<before>(?<![^\s*|-])\.\.[ \t]+(?:[a-z]+:)?"
    rb"(?i:versionadded|versionchanged|versionremoved|deprecated|deprecated-removed|soft-deprecated)"
    rb"[ \t]*::[ \t]*(?:\r?\n[ \t]+)?)[\"'*`|]*(?i:next)(?![\w-])"
)
"""What may be left of them: also ``next.``, ``next, 3.15`` or ``Next``, which the docs would show
to readers as they are."""

SOURCE_URI_FILE: Final = "Doc/tools/extensions/pyspecific.py"
SOURCE_URI: Final = re.compile(
    rb"^(?P<before>SOURCE_URI\s*=\s*(?P<quote>['\"])https://github\.com/python/cpython/(?:tree|blob)/)"
    rb"(?P<branch>[^/'\"]+)(?P<after>/%s(?P=quote))",
    flags=re.MULTILINE,
)
"""The literal that links the docs to the sources of their branch (E07). Newer trees compute it."""


def readme_title(version: Version) -> str:
    """The first line of README.rst (E10), such as ``… version 3.14.0 release candidate 1``."""
    return f"This is Python version {_in_words(version)}"


def changelog_title(version: Version) -> str:
    """What the changelog of the documentation begins a release with: ``Python 3.14.0 final``.

    Source: blurb, whose headings Sphinx takes.
    """
    return f"Python {_in_words(version)}{'' if version.is_prerelease else ' final'}"


def _in_words(version: Version) -> str:
    if version.level is Level.FINAL:
        return str(version)
    return f"{version.folder} {_WORDS[version.level]} {version.serial}"


def documented_version(version: Version) -> str:
    """What ``next`` becomes: ``X.Y`` for all that leads to X.Y.0, else ``X.Y.Z``.

    Source: the developer's guide; readers look up the series in which a feature came.
    """
    return version.series if version.micro == 0 else version.folder


def is_documentation(path: str) -> bool:
    """Whether the file may hold markers: reStructuredText of the docs and what it includes."""
    return path.startswith("Doc/") and path.endswith((".rst", ".inc", ".txt"))
