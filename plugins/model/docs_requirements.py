"""Docs requirements: the files of a tree's Doc folder that say what its documentation needs.

pip is asked about them with the network and its own configuration at hand, so what would make it
run a package's own code, or tell somebody of that configuration, is refused before: a file's own
options count more than ours.
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
_CODED: Final = re.compile(r"coding[:=]\s*(?!\s|utf-8\b)", re.IGNORECASE)
_FLAGS: Final = frozenset({"--no-index", "--pre", "--prefer-binary", "--require-hashes"})
_HARMLESS: Final = _FLAGS | {"-r", "-c", "--requirement", "--constraint", "--hash"}
_INCLUDE: Final = re.compile(r"(?:-[rc]|--(?:requirement|constraint)[ =]) *[\w.-]+")
_SERVERS: Final = (
    "-i", "-f", "--index-url", "--pypi-url", "--extra-index-url", "--find-links", "--trusted-host",
)  # fmt: skip
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
            named = (each for _, line in _lines(text) for each in INCLUDES.findall(line))
            waiting += [each for each in named if _PLAIN.fullmatch(each)]
    return found


def refuse_building(required: Mapping[str, bytes]) -> None:
    """None of the files has pip build a package, which runs the package's own code, or ask a
    server that the release manager did not name, or put what the environment holds into a line.

    Raises StepFailed for an option such as ``--no-binary`` or ``--find-links``, for a place that is
    no wheel, for a file that is not beside it, and for ``${NAME}``, for which pip takes the value
    of that variable: the address of an index and a proxy may have a password in it. Source: pip's
    "Requirements File Format" and its req_file.py.
    """
    for name, content in required.items():
        for number, line in _lines(content.decode()):
            if problem := _problem(line):
                raise StepFailed(
                    where=f"the tree's Doc/{name}:{number}",
                    problem=f"has a line {problem}: {line!a:.100}",
                    remedy="have the branch ask for packages by name and version alone",
                )


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Its lines as pip numbers and joins them, without comments but those that say how it is to be
    decoded.
    """
    text = text.removeprefix("\ufeff")
    for number, each in enumerate(text.split("\n")[:2], start=1):
        if each.startswith("#") and _CODED.search(each):
            yield number, each
    first, joined = 0, ""
    for number, each in enumerate(text.splitlines(), start=1):
        first = first or number
        is_comment = each.lstrip().startswith("#")
        if each.endswith("\\") and not is_comment:
            joined += each.strip("\\")
            continue
        joined += f" {each}" if is_comment else each
        yield first, _COMMENT.sub("", joined).strip()
        first, joined = 0, ""
    yield first, _COMMENT.sub("", joined).strip()


def _problem(line: str) -> str:
    """What is wrong with a line; "" if nothing is."""
    if "\ufffd" in line:
        return "that is not UTF-8"
    if "${" in line:
        return "into which pip would put a value of your environment, such as a password"
    words = re.sub(r"[\"'\\]", "", line).split()
    options = [each.partition("=")[0] for each in words if each.startswith("-")]
    options = [each if each.startswith("--") else each[:2] for each in options]
    # pip takes the beginning of an option for all of it.
    if any(name.startswith(each) for each in options for name in _SERVERS):
        return "by which pip would ask a server that is not yours"
    return "by which pip may run a package's own code" * _may_build(line, words, options)


def _may_build(line: str, words: list[str], options: list[str]) -> bool:
    if line.startswith("#"):
        return True
    if not _HARMLESS.issuperset(options):
        return True
    if not words:
        return False
    if words[0].startswith("-"):
        return not (_INCLUDE.fullmatch(line) or _FLAGS.issuperset(words))
    place = re.split(r" ;|[#?]", line)[0].strip()
    is_wheel = place.endswith(".whl") and not _CLONED.search(place)
    return bool(_PLACE.search(place)) and not is_wheel
