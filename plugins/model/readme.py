"""README: the places of README.rst that give the version, the series and its schedule.

Source: release-tools' ``tweak_readme`` of July 2026 and the README of 3.11.2 and 3.13.5; the PEP's
line has two forms, of which the older one names the PEP by its role.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed
from plugins.model.tree_rules import README, readme_title

if TYPE_CHECKING:
    from plugins.model.version import Version

__all__ = ["pep_of", "with_branch_links", "with_series", "with_title"]

_TITLE: Final = re.compile(rb"This is \w+ version .+")
_SERIES: Final = rb"[0-9]+\.[0-9]+"
_WHATSNEW: Final = re.compile(
    rb"%b(?P<link>\s+<https://docs\.python\.org/)%b(?P<folder>/whatsnew/)%b(?P<end>\.html>)"
    % (_SERIES, _SERIES, _SERIES)
)
_DOCUMENTATION: Final = re.compile(
    rb"(?P<text>`Documentation for Python )%b(?P<link>\s+<https://docs\.python\.org/)%b(?P<end>/>)"
    % (_SERIES, _SERIES)
)
_PEP: Final = re.compile(
    rb"(?:`PEP (?P<number>[0-9]+)\s+<https://peps\.python\.org/pep-[0-9]+/>`__"
    rb"|:pep:`(?P<role>[0-9]+)`) for Python (?P<series>%b)" % _SERIES
)
_MAIN_LINK: Final = re.compile(
    rb"(?P<before>github\.com/python/cpython/(?:blob|tree|commits)/|[?&]branch(?:Name)?=)main\b"
)


def with_title(content: bytes, version: Version, suffix: str = "") -> bytes:
    """The content with its first line telling the version, and as long a line below it.

    ``suffix`` is what follows the version between releases. Raises StepFailed for a README that
    does not begin as every README of CPython.
    """
    lines = content.split(b"\n")
    title = f"{readme_title(version)}{suffix}"
    if len(lines) < 2 or not _TITLE.fullmatch(lines[0]):
        raise StepFailed(
            where=README,
            problem=f"begins with '{lines[0].decode(errors='replace')}'",
            remedy=f"it has to begin with '{readme_title(version)}' and a line of =",
        )
    lines[:2] = [title.encode(), b"=" * len(title)]
    return b"\n".join(lines)


def with_series(content: bytes, series: str, pep: int = 0) -> bytes:
    """The content with What's New, the documentation and the schedule of this series.

    The line of the schedule is changed only if the number of the series' PEP is given by ``pep``:
    a wrong PEP helps nobody, and that of the series before is at least true.
    """
    wanted = series.encode()
    content = _WHATSNEW.sub(rb"%b\g<link>%b\g<folder>%b\g<end>" % (wanted, wanted, wanted), content)
    content = _DOCUMENTATION.sub(rb"\g<text>%b\g<link>%b\g<end>" % (wanted, wanted), content)
    return _PEP.sub(lambda found: _schedule(found, wanted, pep), content)


def with_branch_links(content: bytes, series: str) -> tuple[bytes, int]:
    """The content with its links into main's tree leading to the series' branch, and how many."""
    return _MAIN_LINK.subn(rb"\g<before>" + series.encode(), content)


def pep_of(content: bytes, series: str) -> int:
    """The PEP that the README names as the schedule of the series; 0 if it names none."""
    for found in _PEP.finditer(content):
        if found["series"].decode() == series:
            return int(found["number"] or found["role"])
    return 0


def _schedule(found: re.Match[bytes], series: bytes, pep: int) -> bytes:
    if not pep:
        return found[0]
    if found["role"]:
        return b":pep:`%d` for Python %b" % (pep, series)
    address = b"https://peps.python.org/pep-%04d/" % pep
    return b"`PEP %d <%b>`__ for Python %b" % (pep, address, series)
