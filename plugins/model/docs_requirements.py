"""Docs requirements: the files of a tree's Doc folder that say what its documentation needs.

pip is asked about them with the network and its own configuration at hand, so what would make it
run a package's own code is refused before: a file's own options count more than ours.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["INCLUDES", "REQUIREMENTS", "gathered", "refuse_building"]

REQUIREMENTS: Final = "requirements.txt"
INCLUDES: Final = re.compile(r"^\s*(?:-[rc]|--requirement|--constraint)[ =]*(\S+)", re.MULTILINE)
"""Another file that a requirements file names."""
_PLAIN: Final = re.compile(r"[\w.-]+")
_COMMENT: Final = re.compile(r"(^|\s+)#.*$")
_CODED: Final = re.compile(r"coding[:=]\s*(?!utf-8\b)", re.IGNORECASE)
_HARMLESS: Final = frozenset({
    "-r", "-c", "-i", "-f", "--requirement", "--constraint", "--index-url", "--extra-index-url",
    "--find-links", "--no-index", "--pre", "--prefer-binary", "--require-hashes", "--trusted-host",
    "--hash",
})  # fmt: skip
_CLONED: Final = re.compile(r"\w\+\w+:")
_PLACE: Final = re.compile(r"://|^[./~]|@|[/\\]|\.(?:zip|gz|bz2|xz|tgz|tar)\b")


def gathered(read: Callable[[str], str | None]) -> dict[str, bytes]:
    """requirements.txt and every file beside it that it names, by name; {} if it is not there.

    ``read`` gives the text of a file of the Doc folder, None for one that is missing; pip, or the
    step, says what is missing.
    """
    waiting, found = [REQUIREMENTS], {}
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        text = read(name)
        if text is not None:
            found[name] = text.encode()
            waiting += [each for each in INCLUDES.findall(text) if _PLAIN.fullmatch(each)]
    return found


def refuse_building(required: Mapping[str, bytes]) -> None:
    """None of the files has pip build a package, which runs the package's own code.

    Raises StepFailed for an option such as ``--no-binary``, for a place that is no wheel, and for
    a file that is not beside it. Source: pip's "Requirements File Format" and its req_file.py.
    """
    for name, content in required.items():
        for line in _lines(content.decode()):
            if _may_build(line):
                raise StepFailed(
                    where=f"the tree's Doc/{name}",
                    problem=f"has a line by which pip may run a package's own code: {line!a:.100}",
                    remedy="have the branch ask for packages by name and version alone",
                )


def _lines(text: str) -> Iterator[str]:
    """Its lines as pip joins them, without comments but those that say how it is to be decoded."""
    lines = text.splitlines()
    yield from (each for each in lines[:2] if each.startswith("#") and _CODED.search(each))
    joined = ""
    for each in lines:
        if each.endswith("\\") and not each.lstrip().startswith("#"):
            joined += each.rstrip("\\")
            continue
        yield _COMMENT.sub("", joined + each).strip()
        joined = ""
    yield _COMMENT.sub("", joined).strip()


def _may_build(line: str) -> bool:
    if line.startswith("#"):
        return True
    words = re.sub(r"[\"'\\]", "", line).split()
    options = [each.partition("=")[0] for each in words if each.startswith("-")]
    if any((each if each.startswith("--") else each[:2]) not in _HARMLESS for each in options):
        return True
    if not words or words[0].startswith("-"):
        return any(not _PLAIN.fullmatch(each) for each in INCLUDES.findall(line))
    place = re.split(r" ;|[#?]", line)[0].strip()
    is_wheel = place.endswith(".whl") and not _CLONED.search(place)
    return bool(_PLACE.search(place)) and not is_wheel
