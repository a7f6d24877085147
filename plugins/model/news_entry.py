"""NEWS entry: what somebody wrote, and whether it still says so after blurb folded it.

blurb breaks the lines of a paragraph anew. That is right for prose; code, tables, line blocks and
lists other than the ones that it knows are lines, and become one run of words.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["body_of", "folded_entries", "garbled", "key_of"]

_METADATA: Final = re.compile(r"\.\.|#")
_NAME: Final = re.compile(
    r"(?:.*/)?[^.]+\.(?:gh-issue|bpo)-(?P<issue>[^.]+)\.(?P<nonce>[^.]+)\.rst"
)
# What makes a line more than words that any line may have.
_STRUCTURE: Final = re.compile(
    r"[ \t]|\|(?:[ \t]|$)|\+[-=]|[=~^-]{3,}|([\"#'*+.:_`])\1{2,}$|[-*+•][ \t]|>(?:>>|[ \t])"
    r"|\(?(?:[0-9]{1,3}|[A-Za-z#]|(?:i|v|x){1,5}|(?:I|V|X){2,5})[.)][ \t]|\.\.[ \t]|:[\w -]+:[ \t]"
    r"|(?:--?\w[\w<>=-]*(?:,? |$))+ "
)


def key_of(path: str) -> tuple[str, str]:
    """Issue and nonce of an entry's file, by which the folded file names it; "" for no entry."""
    found = _NAME.fullmatch(path)
    return (found["issue"], found["nonce"]) if found else ("", "")


def body_of(text: str) -> str:
    """An entry without its metadata, and without white space at the ends of lines."""
    lines = [line.rstrip() for line in text.splitlines()]
    start = 0
    while start < len(lines) and (not lines[start] or _METADATA.match(lines[start])):
        start += 1
    return "\n".join(lines[start:]).rstrip()


def folded_entries(text: str) -> dict[tuple[str, str], str]:
    """The body of each entry of a version's file, by issue and nonce."""
    found = {}
    for entry in re.split(r"^\.\.[ \t]*$", text, flags=re.MULTILINE):
        fields = dict(re.findall(r"^\.\. ([\w -]+): (.*)$", entry, flags=re.MULTILINE))
        issue = fields.get("gh-issue") or fields.get("bpo") or ""
        found[issue.strip(), fields.get("nonce", "").strip()] = body_of(entry)
    return found


def garbled(before: str, after: str) -> str:
    """The first line of what was not only broken into other lines; "" if nothing was.

    Both are bodies. A paragraph that is prose may have its words on other lines.
    """
    old, new = (re.split(r"\n{2,}", each.strip("\n")) for each in (before, after))
    for number, paragraph in enumerate(old):
        then = new[number] if number < len(new) else ""
        if then == paragraph:
            continue
        if then.split() != paragraph.split() or not _is_prose(paragraph):
            return paragraph.splitlines()[0]
    return new[len(old)].splitlines()[0] if len(new) > len(old) else ""


def _is_prose(paragraph: str) -> bool:
    return not any(_STRUCTURE.match(line) for line in paragraph.splitlines())
