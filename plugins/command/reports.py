"""Reports: a verification as people and machines read it. No format repeats a control character."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from doit_receipts.finding import Severity
from doit_receipts.printable import counted, printable, share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from doit_receipts.finding import Finding
    from plugins.model.report import Judgement, Report

__all__ = ["FORMATS", "github", "junit", "summary", "table", "to_json"]

_SUBJECT: Final = 24
_WORDS: Final = {Severity.BLOCK: "BLOCK", Severity.WARN: "warn", Severity.NOTE: "note"}
_LEVELS: Final = {Severity.BLOCK: "error", Severity.WARN: "warning", Severity.NOTE: "notice"}
_SHOWN: Final = 50


def table(report: Report, seconds: float) -> str:
    """For people: what was looked at, then what was found, each rule with its remedy once."""
    lines = [f"Python {report.version}  {report.kind}", f"{report.situation.described}", ""]
    lines += [
        f"  {_verdict(report, judgement):<9}{judgement.subject:<{_SUBJECT}}{judgement.looked_at}"
        for judgement in report.judgements
    ]
    for judgement in report.judgements:
        if judgement.findings:
            lines += ["", judgement.subject, *_group(report, judgement)]
    if report.not_known:
        lines += ["", "not known", *(f"      {each}" for each in report.not_known)]
    lines += ["", summary(report, seconds)]
    return "\n".join(printable(line) for line in lines) + "\n"


def _verdict(report: Report, judgement: Judgement) -> str:
    stopping = len(report.stopping(judgement.findings))
    if stopping:
        return f"{stopping} bad"
    return "good*" if judgement.findings else "good"


def _group(report: Report, judgement: Judgement) -> Iterator[str]:
    """The findings of one subject by rule; the remedy is below the last of each rule."""
    rules = list(dict.fromkeys(finding.rule for finding in sorted(judgement.findings)))
    for rule in rules:
        found = sorted(finding for finding in judgement.findings if finding.rule == rule)
        waiver = report.waiver_of(found[0])
        yield f"  {'waived' if waiver else _WORDS[found[0].severity]}  {rule}"
        for finding in found[:_SHOWN]:
            yield f"      {f'{finding.where}: ' if finding.where else ''}{finding.message}"
        if found[_SHOWN:]:
            yield f"      and {len(found) - _SHOWN} more; --format json lists all"
        if waiver:
            yield f"      waived by {waiver.by} until {waiver.until}: {waiver.reason}"
        remedies = dict.fromkeys(finding.remedy for finding in found if finding.remedy)
        yield from (f"      -> {remedy}" for remedy in remedies)


def summary(report: Report, seconds: float) -> str:
    """The last line: whether it holds, and how much was looked at."""
    found = report.findings
    stopping = report.stopping(found)
    waived = sum(1 for finding in found if report.waiver_of(finding))
    judgements = report.judgements
    good = sum(1 for judgement in judgements if not report.stopping(judgement.findings))
    counts = f"{share(good, len(judgements), 'subject')} good, {counted(len(found), 'finding')}"
    if found:
        counts += f" ({len(stopping)} block, {waived} waived)"
    word = "holds" if report.holds else "DOES NOT HOLD"
    return f"Python {report.version} {word}: {counts}, {report.situation.value}, {seconds:.1f} s"


def to_json(report: Report, seconds: float) -> str:
    """For machines: everything, in one object."""
    content = {
        "version": report.version,
        "situation": report.situation.value,
        "holds": report.holds,
        "seconds": round(seconds, 3),
        "subjects": [
            {
                "subject": judgement.subject,
                "looked_at": judgement.looked_at,
                "findings": [_object(report, finding) for finding in judgement.findings],
            }
            for judgement in report.judgements
        ],
        "not_known": list(report.not_known),
    }
    return json.dumps(content, indent=1) + "\n"


def _object(report: Report, finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.name.lower(),
        "where": finding.where,
        "message": finding.message,
        "remedy": finding.remedy,
        "waived": report.waiver_of(finding) is not None,
    }


def junit(report: Report, seconds: float) -> str:
    """For CI: a test case for each subject; what blocks is its failure, the rest is its output."""
    from xml.sax.saxutils import quoteattr

    judgements = report.judgements
    failures = sum(1 for judgement in judgements if report.stopping(judgement.findings))
    suite = f'name="Python {report.version} {report.situation.value}" time="{seconds:.3f}"'
    counts = f'tests="{len(judgements)}" failures="{failures}" errors="0"'
    lines = ['<?xml version="1.0" encoding="utf-8"?>', f"<testsuite {suite} {counts}>"]
    for judgement in judgements:
        name = quoteattr(printable(judgement.subject))
        lines.append(f'  <testcase classname="doit.verify" name={name}>')
        stopping = report.stopping(judgement.findings)
        if stopping:
            first = f"{stopping[0].rule} and {len(stopping) - 1} more"
            message = first if stopping[1:] else stopping[0].rule
            lines.append(f"    <failure message={quoteattr(message)}>{_text(stopping)}</failure>")
        rest = tuple(finding for finding in judgement.findings if finding not in stopping)
        if rest:
            lines.append(f"    <system-out>{_text(rest)}</system-out>")
        lines.append("  </testcase>")
    return "\n".join([*lines, "</testsuite>"]) + "\n"


def _text(findings: tuple[Finding, ...]) -> str:
    from xml.sax.saxutils import escape

    return escape("\n".join(printable(str(finding)) for finding in findings))


def github(report: Report, seconds: float) -> str:
    """For GitHub Actions: a line that makes an annotation for each finding, then the summary."""
    lines = []
    for finding in report.findings:
        waived = report.waiver_of(finding) is not None
        level = "notice" if waived else _LEVELS[finding.severity]
        message = f"{finding.where}: {finding.message}" if finding.where else finding.message
        remedy = f" -> {finding.remedy}" if finding.remedy else ""
        title = f"{finding.rule}{' (waived)' if waived else ''}"
        lines.append(f"::{level} title={_property(title)}::{_data(message + remedy)}")
    return "\n".join([*lines, printable(summary(report, seconds))]) + "\n"


def _data(text: str) -> str:
    # Source: GitHub's "Workflow commands": what would end a command is spelled as %XX.
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


FORMATS: Final[Mapping[str, Callable[[Report, float], str]]] = {
    "table": table,
    "json": to_json,
    "junit": junit,
    "github": github,
}
"""What --format may name."""
