"""Disguised text: what a public text shows that is not what its characters say.

Each problem is in words that complete "announcement.md: ...". Source: the characters that change
the order of others (CVE-2021-42574) or are not seen at all, and Markdown's own ways to show one
address and lead to another.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["disguises", "unseen_characters"]

# Controls, format characters such as marks of direction, private ones, separators of lines.
_UNSEEN: Final = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
_PLAIN: Final = "\n\r\t"
_JOINER: Final = "\u200d"
# Spaces that have no width, and fillers that look like a space and are letters.
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")

_CODE: Final = re.compile(r"```.*?```|``[^\n]*?``|`[^`\n]*`", re.DOTALL)
_SPAN: Final = re.compile(r"\\.|<[a-zA-Z][\w+.-]{1,31}:[^<>\s]*>|(`++)(?:(.*?)(?<!`)\1(?!`))?")
_MASKED: Final = str.maketrans(dict.fromkeys("[]()<>&", " "))
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_RULE: Final = "-:| \t>*+.)0123456789"
"""Of what the line below a table's head consists, in a list or a quotation as well."""
_LINE_END: Final = re.compile(r"\r\n?|\n")
# An address in angle brackets is none, and neither is a comparison with a space behind it.
_TAG: Final = re.compile(
    r"<(?!(?:https?|mailto):[^<>\s]*>|[\w.+-]+@[\w.-]+>)(?:/?[a-zA-Z][^<>\s/]*|[!?])[^<>]{0,200}"
)
_HARMLESS: Final = re.compile(r"</?(?:b|br|code|em|hr|i|kbd|strong|sub|sup) ?/?", re.IGNORECASE)
_WORDS: Final = r"(?<!!)\[((?:[^\[\]]|\[[^\[\]]{0,300}\]){1,300})\]"
# What is neither the end of the link nor the begin of a title makes it none: f[T](key: int).
_LINK: Final = re.compile(
    _WORDS + r"\(\s*+(<[^<>\n]{1,2000}+|[^)\s]{1,2000}+)(?=>|\s*+\)|\s++[\"'(]|[^)\s])"
)
# Its target stands elsewhere, under the name in the second brackets, or else under its words.
_NAMED: Final = re.compile(_WORDS + r"(?:\[([^\[\]]{0,300})\])?(?![\[(:])")
_TARGET: Final = re.compile(
    r"^ {0,3}\[([^\[\]]{1,300})\]:\s*+(<[^<>\n]{1,2000}+|\S{1,2000}+)"
    r"(?=>|\S|[ \t]*+(?:[\"'(\r\n]|\Z))",
    re.MULTILINE,
)
# As PEPs and NEWS have it.
_OF_SPHINX: Final = re.compile(r"`([^`<>]{1,300}?)\s*<([^<>`\s]{1,2000})>`_")
_HOST: Final = re.compile(r"(?:https?://|(?<![\w@/.-])(?=www\.))([\w.-]+)", re.IGNORECASE)
# A number before its last word makes a version of it, and no host: 3.15.0.dev.
_BARE_HOST: Final = re.compile(
    r"(?<![\w@/.-])((?:[\w-]+\.){0,4}(?!\d+\.)[\w-]+\.(?:org|com|net|io|dev|info))(?![\w-]|\.\w)",
    re.IGNORECASE,
)
# Names in Python's own code end like this too: logging.info.
_LIKE_CODE: Final = ("io", "dev", "info")
_OURS: Final = re.compile(
    r"(?<![\w@/.-])((?:[\w-]+\.){0,4}python\.org)(?![\w-]|\.\w)", re.IGNORECASE
)
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):(?!\Z)", re.IGNORECASE)
_SCHEMES: Final = ("http", "https", "mailto")
_WITH_USER: Final = re.compile(r"https?:[/\\]*[^\s/<>()\[\]\"'`?#]*@[^\s/<>()?#]*", re.IGNORECASE)
# Letters of other alphabets that look like Latin ones, within a word of Latin ones.
# Of the Greek capitals those that have a Latin twin: a delta or an omega is a sign of its own.
_LIKE_LATIN: Final = (
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u03b9\u03bd\u03bf\u03c1\u03c5\u0400-\u052f"
)
_MIXED: Final = re.compile(
    rf"\w{{0,20}}(?:[a-zA-Z][{_LIKE_LATIN}]|[{_LIKE_LATIN}][a-zA-Z])\w{{0,20}}"
)
_ADDRESS: Final = re.compile(r"https?://[^\s/<>()\[\]\"'`|]*[^\x00-\x7f\s]", re.IGNORECASE)


def disguises(text: str) -> tuple[str, ...]:
    """Why a reader would not see what the text is; none for a text that is what it seems."""
    shown = html.unescape(text)
    found = [f"has {each}, which nobody sees" for each in unseen_characters(shown)]
    found += [
        f"has a word of two alphabets: {each!a}" for each in dict.fromkeys(_MIXED.findall(shown))
    ]
    found += [
        f"has an address that is not ASCII: {each!a}"
        for each in dict.fromkeys(_ADDRESS.findall(shown))
    ]
    found += [
        f"has HTML, which is not shown as it is written: {each[0][:40]}"
        for each in _TAG.finditer(_CODE.sub(" ", text))
        if _HARMLESS.fullmatch(each[0].rstrip()) is None
    ]
    found += [
        f"has an address with a user's name before the host: {each}"
        for each in _WITH_USER.findall(_CODE.sub(" ", shown))
    ]
    found += [problem for each in _links(text) if (problem := _problem_of(*each))]
    return tuple(dict.fromkeys(found))


def _links(text: str) -> Iterator[tuple[str, str]]:
    """The words and the target of each link, in the order of the ways to write one."""
    lines = _outside_blocks(text)
    yield from _OF_SPHINX.findall(html.unescape("\n".join(lines)))
    shown = html.unescape("\n".join(_with_masked_spans(lines)))
    yield from ((words, target.lstrip("<")) for words, target in _LINK.findall(shown))
    targets = {
        _label(name): target.lstrip("<") for name, target in reversed(_TARGET.findall(shown))
    }
    for words, name in _NAMED.findall(shown):
        # Words with ^ are the mark of a footnote, which is text and leads nowhere.
        if (target := targets.get(_label(name or words))) and not words.startswith("^"):
            yield words, target
    yield from (("", target) for name, target in targets.items() if not name.startswith("^"))


def _outside_blocks(text: str) -> list[str]:
    """The lines, without those of code blocks.

    A block is one if all readers of Markdown agree: up to the first fence within HTML, or one that
    is not at the margin, which may be of a list and end with it.
    """
    lines, fence, is_html, is_certain = [], "", False, True
    for line in _LINE_END.split(text):
        mark = _FENCE.fullmatch(line)
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2].strip(" \t"):
                fence = ""
            continue
        is_html = bool(line.strip()) and (is_html or line.lstrip(" >").startswith("<"))
        if mark and (mark[1][0] == "~" or "`" not in mark[2]):
            is_certain = is_certain and line.startswith(mark[1]) and not is_html
            fence = mark[1] if is_certain else ""
        lines.append("" if fence else line)
    return lines


def _with_masked_spans(lines: Sequence[str]) -> Iterator[str]:
    """The lines, with spaces for what would make a link in the code spans.

    A span that may end in another line, or be cut by the columns of a table, is left as it is.
    """
    has_table = any("|" in line and not line.strip(_RULE) for line in lines)
    is_open = False
    for line in lines:
        is_open = is_open and bool(line.strip())
        if not is_open and not (has_table and "|" in line):
            yield _SPAN.sub(_masked, line)
        else:
            yield line
        is_open = is_open or any(each[1] and each[2] is None for each in _SPAN.finditer(line))


def _masked(found: re.Match[str]) -> str:
    return found[0] if found[2] is None else found[0].translate(_MASKED)


def _label(name: str) -> str:
    return " ".join(name.casefold().split())


def _problem_of(words: str, target: str) -> str:
    """What a reader would not expect of the link; "" if it leads where it says."""
    scheme = _SCHEME.match(re.sub(r"[\x00-\x20]", "", target))
    if scheme is not None and scheme[1].lower() not in _SCHEMES:
        return f"has a link to {scheme[1].lower()}:, which is no address of a page"
    named, leads = _named_host(words), _host(target)
    if named and named != leads:
        return f"has a link that reads {named} and leads to {leads}"
    bare = _BARE_HOST.search(_CODE.sub(" ", words)) or _OURS.search(words)
    named = _host(f"//{bare[1]}") if bare and not named else ""
    if named.endswith(_LIKE_CODE) and f".{leads}".endswith(".python.org"):
        return ""
    if named and named != leads and not leads.endswith(f".{named}"):
        return f"has a link that reads {named} and leads to {leads}"
    return ""


def unseen_characters(text: str) -> Iterator[str]:
    """Each character that has no look of its own, by number and name, with its line, once.

    A joiner is one only beside letters and digits: pictures are made with it.
    """
    seen = set()
    for number, line in enumerate(text.split("\n"), 1):
        if line.isascii() and line.isprintable():
            continue
        for at, each in enumerate(line):
            if each in seen or each in _PLAIN or not _is_unseen(each):
                continue
            if each == _JOINER and not any(map(str.isalnum, line[max(0, at - 1) : at + 2])):
                continue
            seen.add(each)
            name = unicodedata.name(each, "a control character")
            yield f"U+{ord(each):04X} ({name.lower()}) in line {number}"


def _is_unseen(character: str) -> bool:
    return character in _BLANK or unicodedata.category(character) in _UNSEEN


def _named_host(words: str) -> str:
    """The host of the address that a reader sees; "" where there is none."""
    found = _HOST.search(words)
    return _host(f"//{found[1]}") if found else ""


def _host(target: str) -> str:
    """The host that a browser goes to; that of a path is our own site."""
    # Browsers take a backslash as a slash, and leave out what cannot be seen.
    plain = re.sub(r"[\x00-\x20]", "", target).replace("\\", "/")
    scheme, colon, rest = plain.partition(":")
    if colon and scheme.lower() in ("http", "https"):
        plain = f"//{rest.lstrip('/')}"
    elif plain.startswith("//"):
        plain = f"//{plain.lstrip('/')}"
    try:
        host = urlsplit(plain).hostname or "python.org"
    except ValueError:
        return plain
    return host.rstrip(".").removeprefix("www.")
