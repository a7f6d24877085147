"""Machines: on which platforms the sources passed their tests, and by whose word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from plugins.model.action import PASSED, bundle_file, here_file
from plugins.model.attested import attested
from plugins.model.strict_json import BrokenJson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from plugins.model.action import Action
    from plugins.model.farm_settings import Farm
    from plugins.model.layout import Layout
    from plugins.ports.statements import StatementVerifier

__all__ = ["every_platform_passed"]

_FILE: Final = "tests.json"


@judges("tests.platform", "tests.unproven", blind="tests.unproven")
def every_platform_passed(
    layout: Layout,
    farm: Farm,
    actions: Sequence[Action],
    sigstore: StatementVerifier,
    came: Mapping[str, str],
) -> tuple[Finding, ...]:
    """Each platform passed, and what says so is verified once more: nobody is asked for that."""
    return tuple(_judged(layout, farm, action, sigstore, came) for action in actions)


def _judged(
    layout: Layout,
    farm: Farm,
    action: Action,
    sigstore: StatementVerifier,
    came: Mapping[str, str],
) -> Finding:
    where = action.platform
    result = came.get(where, "it was not asked for")
    if result != PASSED:
        return Finding("tests.platform", Severity.BLOCK, result, where)
    if _read(here_file(layout, action)) == action.to_bytes():
        return Finding("tests.platform", Severity.NOTE, "passed on this machine", where)
    bundle = _read(bundle_file(layout, action))
    if not bundle:
        return Finding("tests.unproven", Severity.BLOCK, "no attestation of it is kept", where)
    stated = sigstore.verify_statement(bundle, farm.signer, farm.claims, ours=False)
    problem, done = stated.signature.problem, None
    if not problem:
        try:
            done = attested(stated.payload, action)
        except BrokenJson as error:
            problem = str(error)
    if done is None:
        return Finding("tests.unproven", Severity.BLOCK, f"the kept attestation {problem}", where)
    kept = bundle_file(layout, action).parent / "result" / _FILE
    rest = "" if kept.is_file() else "; its result files are no longer available"
    words = f"passed {done.facts.get('tests', 'its tests')}, attested by {farm.repository}"
    message = f"{words} in {done.run}{rest}"
    return Finding("tests.platform", Severity.NOTE, message, where)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
