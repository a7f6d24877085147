"""Machines: what was tested and built on others, and by whose word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.errors import ReleaseError
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import counted
from plugins.model.action import PASSED, RESULT, bundle_file, here_file, result_of, room_of
from plugins.model.attested import FACTS_FILE, PREDICATE_TYPE, attested
from plugins.model.ledger import GITHUB, Remade
from plugins.model.strict_json import BrokenJson

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from plugins.model.action import Action
    from plugins.model.attested import Attested
    from plugins.model.farm_settings import Farm
    from plugins.model.layout import Layout
    from plugins.ports.machines import MachinesReader
    from plugins.ports.statements import StatementVerifier

__all__ = ["docs_are_attested", "every_platform_passed", "remade", "remade_for_anybody"]

_FILE: Final = "tests.json"
_FETCH_AGAIN: Final = "doit forget fetch_docs, then the same command: GitHub is asked again"
_TEST_AGAIN: Final = "doit forget await_tests, then the same command: it is tested again"


@judges("tests.platform", "tests.unproven", blind="tests.unproven")
def every_platform_passed(
    layout: Layout,
    farm: Farm,
    actions: Sequence[Action],
    sigstore: StatementVerifier,
    came: Mapping[str, str],
    here: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Each platform passed, and what says so is verified once more: nobody is asked for that.

    ``here`` are the digests of the actions that this machine did itself.
    """
    return tuple(
        _judged(layout, farm, action, sigstore, came, is_ours=action.digest in here)
        for action in actions
    )


@judges("docs.unproven", blind="docs.unproven")
def docs_are_attested(
    layout: Layout,
    farm: Farm,
    actions: Sequence[Action],
    sigstore: StatementVerifier,
    here: Collection[str] = (),
) -> tuple[Finding, ...]:
    """What was fetched is what the run attested, byte for byte; nobody is asked for that.

    ``here`` are the digests of the actions that this machine does itself.
    """
    return tuple(
        _built(layout, farm, action, sigstore, is_ours=action.digest in here) for action in actions
    )


def remade(
    layout: Layout, farm: Farm, actions: Sequence[Action], sigstore: StatementVerifier
) -> tuple[Remade, ...]:
    """What the runs got that made the archives again, as is verified once more."""
    return tuple(_remade(layout, farm, action, sigstore) for action in actions)


def remade_for_anybody(
    farm: Farm, action: Action, machines: MachinesReader, sigstore: StatementVerifier
) -> tuple[Remade, ...]:
    """What the repository has attestations of, whoever asked for the archives to be made again."""
    try:
        bundles = machines.attestations(action.digest, PREDICATE_TYPE)
    except ReleaseError as error:
        return (Remade(GITHUB, farm.repository, GITHUB, "", {}, f"cannot be asked: {error}"),)
    return tuple(_got(farm, *_read_in(bundle, farm, action, sigstore)) for bundle in bundles)


def _remade(layout: Layout, farm: Farm, action: Action, sigstore: StatementVerifier) -> Remade:
    return _got(farm, *_proved(layout, farm, action, sigstore))


def _got(farm: Farm, done: Attested | None, problem: str) -> Remade:
    if done is None:
        return Remade(GITHUB, farm.repository, GITHUB, "", {}, problem)
    digests = {name: each for name, each in done.products.items() if name != FACTS_FILE}
    word = f"the attestation of {farm.repository}"
    return Remade(GITHUB, done.run, GITHUB, word, digests)


def _built(
    layout: Layout, farm: Farm, action: Action, sigstore: StatementVerifier, *, is_ours: bool
) -> Finding:
    rule, where = "docs.unproven", action.step
    says_so = _read(here_file(layout, action)) == action.to_bytes()
    if says_so and not _read(bundle_file(layout, action)):
        if is_ours:
            message = "nobody answered in time: built on this machine"
            return Finding(rule, Severity.NOTE, message, where)
        message = "only a file says that nobody answered; the journal tells nothing of it"
        return Finding(rule, Severity.BLOCK, message, where, _FETCH_AGAIN)
    done, problem = _proved(layout, farm, action, sigstore)
    if done is None:
        return Finding(rule, Severity.BLOCK, problem, where)
    try:
        found = result_of(layout, action)
    except OSError:
        found = {}
    for name in sorted(done.products.keys() | found.keys()):
        if found.get(name) != done.products.get(name):
            how = "is not attested" if name in found else "is missing"
            how = (
                "has other bytes than attested" if name in done.products and name in found else how
            )
            return Finding(rule, Severity.BLOCK, f"{name} {how}", where)
    message = f"{counted(len(found), 'file')} attested by {farm.repository} in {done.run}"
    return Finding(rule, Severity.NOTE, message, where)


def _proved(
    layout: Layout, farm: Farm, action: Action, sigstore: StatementVerifier
) -> tuple[Attested | None, str]:
    """What the kept attestation says of the action; or None, and what is missing."""
    bundle = _read(bundle_file(layout, action))
    if not bundle:
        return None, "no attestation of it is kept"
    return _read_in(bundle, farm, action, sigstore)


def _read_in(
    bundle: bytes, farm: Farm, action: Action, sigstore: StatementVerifier
) -> tuple[Attested | None, str]:
    stated = sigstore.verify_statement(bundle, farm.signer, farm.claims, ours=False)
    if stated.signature.problem:
        return None, f"its attestation {stated.signature.problem}"
    try:
        return attested(stated.payload, action), ""
    except BrokenJson as error:
        return None, f"its attestation {error}"


def _judged(
    layout: Layout,
    farm: Farm,
    action: Action,
    sigstore: StatementVerifier,
    came: Mapping[str, str],
    *,
    is_ours: bool,
) -> Finding:
    where = action.platform
    result = came.get(where, "it was not asked for")
    if result != PASSED:
        return Finding("tests.platform", Severity.BLOCK, result, where)
    if is_ours and _read(here_file(layout, action)) == action.to_bytes():
        return Finding("tests.platform", Severity.NOTE, "passed on this machine", where)
    done, problem = _proved(layout, farm, action, sigstore)
    if done is None and _read(here_file(layout, action)) == action.to_bytes():
        # The journal of an earlier version does not name it, and anybody can write the file.
        message = "only a file says that it was done here; earlier versions kept no other proof"
        return Finding("tests.unproven", Severity.BLOCK, message, where, _TEST_AGAIN)
    if done is None:
        return Finding("tests.unproven", Severity.BLOCK, problem, where)
    kept = room_of(layout, action) / RESULT / _FILE
    rest = "" if kept.is_file() else "; its result files are no longer available"
    ran = f" ({done.facts['ran']} tests)" if "ran" in done.facts else ""
    words = f"passed {done.facts.get('tests', 'its tests')}{ran}, attested by {farm.repository}"
    message = f"{words} in {done.run}{rest}"
    return Finding("tests.platform", Severity.NOTE, message, where)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
