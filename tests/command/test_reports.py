"""A verification as people and machines read it, with hostile words in it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree as ET

import pytest

from doit_receipts.finding import Finding, Severity, Waiver
from plugins.command.reports import FORMATS
from plugins.model.report import Judgement, Report, Situation

_BAD = Finding("file.missing", Severity.BLOCK, "is not there", "3.13.6/a.tgz", "put it there")
_WORSE = Finding("file.unrecognised", Severity.BLOCK, "evil \x1b[2J\r\n::error::<b>&%", "x\x00y")
_NOTE = Finding("cdn.one_edge", Severity.NOTE, "only one", "here")
_GOOD = Judgement("tag", "its object")


def a_report(*findings: Finding, waived: str = "") -> Report:
    waivers = (Waiver(waived, "they come later", "the RM", date(2999, 1, 1)),) if waived else ()
    judgements = (Judgement("files", "21 files", findings), _GOOD)
    return Report("3.13.6", "bugfix final", Situation.PUBLISHED, judgements, waivers)


def test_a_release_without_findings_holds_in_one_line() -> None:
    last = FORMATS["table"](a_report(), 1.23).splitlines()[-1]
    assert last == ("Python 3.13.6 holds: 2 of 2 subjects good, 0 findings, published, 1.2 s")


def test_the_table_tells_every_finding_with_its_remedy() -> None:
    text = FORMATS["table"](a_report(_BAD, _NOTE), 1.0)
    assert "  1 bad    files" in text
    assert "  BLOCK  file.missing\n      3.13.6/a.tgz: is not there\n      -> put it there" in text
    assert text.endswith(
        "DOES NOT HOLD: 1 of 2 subjects good, 2 findings (1 block, 0 waived), published, 1.0 s\n"
    )


def test_a_waived_finding_is_shown_and_holds_nothing_up() -> None:
    report = a_report(_BAD, waived="file.missing")
    text = FORMATS["table"](report, 1.0)
    assert report.holds
    assert "waived by the RM until 2999-01-01: they come later" in text
    assert json.loads(FORMATS["json"](report, 1.0))["subjects"][0]["findings"][0]["waived"]
    assert "::notice title=file.missing (waived)::" in FORMATS["github"](report, 1.0)


def test_a_note_alone_holds() -> None:
    assert a_report(_NOTE).holds


def test_json_holds_everything() -> None:
    told = json.loads(FORMATS["json"](a_report(_BAD, _WORSE), 1.0))
    assert (told["holds"], told["situation"]) == (False, "published")
    assert [each["rule"] for each in told["subjects"][0]["findings"]] == [_BAD.rule, _WORSE.rule]


def test_what_is_not_known_is_listed_for_people_and_machines() -> None:
    report = replace(a_report(), not_known=("docs.epub has no signature", "evil \x1b[2J"))
    text = FORMATS["table"](report, 1.0)
    assert "\nnot known\n      docs.epub has no signature\n      evil " in text
    assert "\x1b" not in text
    told = json.loads(FORMATS["json"](report, 1.0))
    assert told["not_known"] == list(report.not_known)
    assert report.holds


def test_junit_is_xml_whatever_was_found() -> None:
    suite = ET.fromstring(FORMATS["junit"](a_report(_BAD, _WORSE, _NOTE), 1.0).encode())
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert "file.missing" in (suite.findtext("testcase/failure") or "")
    assert "cdn.one_edge" in (suite.findtext("testcase/system-out") or "")


def test_github_gets_one_line_for_each_finding_and_no_command_of_a_stranger() -> None:
    lines = FORMATS["github"](a_report(_BAD, _WORSE), 1.0).splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("::error title=file.missing::3.13.6/a.tgz: is not there")
    assert all(each.startswith(("::error title=", "Python 3.13.6")) for each in lines)


@pytest.mark.parametrize("form", FORMATS)
def test_no_format_repeats_what_a_terminal_would_obey(form: str) -> None:
    text = FORMATS[form](a_report(_WORSE), 1.0)
    assert [each for each in text if not each.isprintable() and each != "\n"] == []
