from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from doit_receipts.finding import Finding, Severity, Waiver, blocking

TODAY = date(2026, 8, 1)
rules = st.sampled_from(["a.b", "a.c", "builders.red"])
findings = st.lists(
    st.builds(Finding, rule=rules, severity=st.sampled_from(Severity), message=st.just("m"))
)
waivers = st.lists(
    st.builds(
        Waiver,
        rule=rules,
        reason=st.just("r"),
        by=st.just("b"),
        until=st.dates(date(2026, 7, 30), date(2026, 8, 3)),
    )
)


def a_finding(rule: str = "builders.red", severity: Severity = Severity.BLOCK) -> Finding:
    return Finding(rule, severity, "2 builders are red", where="3.14", remedy="look at them")


def a_waiver(until: date, rule: str = "builders.red") -> Waiver:
    return Waiver(rule, "known flake", "Ada", until)


def test_finding_reads_as_one_line_with_rule_place_and_remedy() -> None:
    assert str(a_finding()) == "builders.red BLOCK: 3.14: 2 builders are red; look at them"
    assert str(Finding("a.b", Severity.NOTE, "told")) == "a.b NOTE: told"


def test_waiver_holds_through_the_end_of_its_last_day() -> None:
    assert a_waiver(TODAY).holds(TODAY)
    assert not a_waiver(date(2026, 7, 31)).holds(TODAY)


def test_waiver_of_another_rule_lets_nothing_pass() -> None:
    for rule in ("builders", "builders.red.x"):
        assert blocking([a_finding()], [a_waiver(TODAY, rule)]) == (a_finding(),)


@given(findings, waivers)
def test_gate_stops_for_each_blocking_finding_that_no_waiver_covers(
    found: list[Finding], waived: list[Waiver]
) -> None:
    covered = {each.rule for each in waived}
    left = blocking(found, waived)
    assert list(left) == [
        each for each in found if each.severity is Severity.BLOCK and each.rule not in covered
    ]


def test_notes_and_warnings_never_stop_a_gate() -> None:
    found = [a_finding(severity=Severity.NOTE), a_finding(severity=Severity.WARN)]
    assert blocking(found, []) == ()
