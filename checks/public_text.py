"""Public texts: judgements of a page's or an announcement's words before anybody approves them.

A text is judged by what can be parsed: versions, addresses, digests, ids of issues. Whether it
reads well is left to people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.finding import Finding, Severity
from plugins.model import text_rules
from plugins.model.disguised import disguises
from plugins.model.news_entries import cves_in, issues_in
from plugins.model.release import ReleaseType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from plugins.model.news_entries import SecurityContent
    from plugins.model.release import Release
    from plugins.model.text_rules import TextFacts

__all__ = [
    "TEXT_RULES",
    "facts_are_right",
    "names_are_right",
    "notes_are_given",
    "read_text",
    "security_is_true",
]

TEXT_RULES: Final = (
    "text.address", "text.digest", "text.gap", "text.leftover", "text.series", "text.version",
)  # fmt: skip
"""What `facts_are_right` judges by, beside the rule that it is given."""

_IF_MEANT: Final = "leave it if it is meant, nothing waits for that; else"
_ALLOW: Final = (
    "correct the text; if the version belongs there, write it under [announce] versions in"
    " release.toml"
)


def read_text(file: Path, rule: str, remedy: str) -> tuple[str, tuple[Finding, ...]]:
    """The text and no finding, or "" and the finding that says why it cannot be read."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return "", (Finding(rule, Severity.BLOCK, "does not exist", file.name, remedy),)
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"is not UTF-8 in line {line}"
        return "", (Finding(rule, Severity.BLOCK, problem, file.name, "save it as UTF-8"),)


def facts_are_right(
    text: str, where: str, facts: TextFacts, rule: str, remedy: str
) -> tuple[Finding, ...]:
    """The text is about this release alone, and is finished.

    ``rule`` is for what it lacks, and ``remedy`` says where it is edited.
    """
    found = []
    if not text_rules.names_version(text, facts.version):
        found.append(_block(rule, f"does not name {facts.version}", where, remedy))
    found += [_block("text.leftover", each, where, remedy) for each in text_rules.leftovers(text)]
    found += [_block("text.leftover", each, where, remedy) for each in disguises(text)]
    found += [_block("text.gap", each, where, remedy) for each in text_rules.gaps(text)]
    found += names_are_right(text, where, facts, remedy)
    found += [
        _block("text.digest", each, where, remedy)
        for each in text_rules.foreign_digests(text, facts)
    ]
    return tuple(found)


def names_are_right(text: str, where: str, facts: TextFacts, remedy: str) -> tuple[Finding, ...]:
    """The versions and addresses that the text names are of this release, or belong to it."""
    return (
        *(
            _block("text.version", each, where, _ALLOW)
            for each in text_rules.foreign_versions(text, facts)
        ),
        *(
            _block("text.address", each, where, remedy)
            for each in text_rules.foreign_addresses(text, facts)
        ),
        *(
            Finding("text.series", Severity.WARN, each, where, f"{_IF_MEANT} {remedy}")
            for each in text_rules.foreign_series(text, facts)
        ),
    )


def notes_are_given(
    text: str, where: str, notes: Sequence[str], rule: str, remedy: str
) -> tuple[Finding, ...]:
    """The text says what users have to read, such as that installers come later (R07)."""
    words = " ".join(text.split())
    return tuple(
        _block(rule, f"does not say: {note}", where, remedy)
        for note in notes
        if " ".join(note.split()) not in words
    )


def security_is_true(
    text: str, where: str, release: Release, content: SecurityContent, remedy: str
) -> tuple[Finding, ...]:
    """What the text says of security is what this version's NEWS says in section Security.

    CVE ids count anywhere, numbers of issues below a heading that names security. Source: the
    announcement of 3.12.14, 3.11.16 and 3.10.21, which had to be corrected the day after. It also
    lists fixes that NEWS has in section Library or macOS: that is for people to say.
    """
    inside = list(dict.fromkeys(issues_in(_security_part(text))))
    found = [
        _misplaced(number, content.section_of(number), where, remedy)
        for number in inside
        if number not in content.issues
    ]
    found += [
        _foreign(f"names CVE-{name}, which no security entry of NEWS does", where, remedy)
        for name in dict.fromkeys(cves_in(text))
        if name not in content.cves
    ]
    if inside or release.type is ReleaseType.SECURITY_FINAL:
        found += [
            Finding("text.security_missing", Severity.WARN, problem, where, f"{_IF_MEANT} {remedy}")
            for problem in _missing(content, issues_in(text))
        ]
    return tuple(found)


def _security_part(text: str) -> str:
    """All that is below headings about security, those of lower levels included."""
    part, within = [], 0
    for title, level, body, _following in text_rules.sections(text):
        if within and level <= within:
            within = 0
        if not within and "security" in title.casefold():
            within = level
        if within:
            part.append(body)
    return "\n".join(part)


def _misplaced(number: str, section: str, where: str, remedy: str) -> Finding:
    if section:
        problem = f"lists gh-{number}, which NEWS has in section {section}"
        return Finding("text.security", Severity.WARN, problem, where, f"{_IF_MEANT} {remedy}")
    problem = f"lists gh-{number}, which the NEWS of this version does not have"
    return _block("text.security", problem, where, remedy)


def _missing(content: SecurityContent, issues: Iterable[str]) -> tuple[str, ...]:
    named = set(issues)
    return tuple(
        f"does not list gh-{entry.issue} of section Security"
        for entry in content.entries
        if entry.issue and entry.issue not in named
    )


def _foreign(problem: str, where: str, remedy: str) -> Finding:
    return _block("text.security", problem, where, remedy)


def _block(rule: str, problem: str, where: str, remedy: str) -> Finding:
    return Finding(rule, Severity.BLOCK, problem, where, remedy)
