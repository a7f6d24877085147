"""Rebuilds: who else made the archives from the tag, and got the same bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from checks.looking import judges
from checks.machines import remade_for_anybody
from doit_receipts.artifact import Artifact, sha256_of
from doit_receipts.finding import Finding, Severity
from doit_receipts.frozen import frozen
from doit_receipts.printable import printable
from plugins.model.action import TIER_1, rebuild_action
from plugins.model.gate_rules import GATE_RULES
from plugins.model.ledger import GITHUB, SIGNATURE, SUMS, Remade, entries, read_sums

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from plugins.model.farm_settings import Farm
    from plugins.model.ledger import Entry
    from plugins.model.rebuild_settings import Rebuilds
    from plugins.model.release import Release
    from plugins.ports.machines import MachinesReader
    from plugins.ports.signing import Verifier
    from plugins.ports.statements import StatementVerifier

__all__ = ["Others", "others_got_the_same", "others_of_a_stranger"]


@judges("rebuild.few", "rebuild.disagrees", "rebuild.unsigned", "rebuild.agrees")
def others_got_the_same(
    release: Release,
    rebuilds: Rebuilds,
    archives: Iterable[Artifact],
    own: str,
    verifier: Verifier,
    runs: Iterable[Remade] = (),
) -> tuple[Finding, ...]:
    """As many as are wanted got the same archives, and nobody whose word counts others.

    ``own`` is the release manager's key, which does not count; a person counts once. So do all
    ``runs`` together: they are one company's machines.
    """
    wanted = {made.path.name: made.sha256 for made in archives}
    agreed: dict[str, str] = {}
    found: list[Finding] = []
    people = rebuilds.people(own)
    for each in (*_signed(release, rebuilds, people, verifier), *runs):
        if each.problem:
            found.append(_finding("rebuild.unsigned", each.where, each.problem))
        elif each.digests != wanted:
            unlike = "; ".join(_unlike(each.digests, wanted))
            found.append(_finding("rebuild.disagrees", each.where, unlike))
        elif people.get(each.signer, each.signer) not in agreed:
            agreed[people.get(each.signer, each.signer)] = each.who
            message = f"{each.who} made the same archives from the tag, by {each.word}"
            found.append(_finding("rebuild.agrees", each.where, message))
    return (*found, *_counted(release, rebuilds, sorted(agreed.values())))


@frozen
class Others:
    """Where others say what they got: the ledger, and attestations of a workflow at GitHub.

    ``own`` is the release manager's key, which does not count.
    """

    rebuilds: Rebuilds
    farm: Farm
    machines: MachinesReader
    own: str


def others_of_a_stranger(
    release: Release,
    others: Others,
    commit: str,
    verifier: Verifier,
    sigstore: StatementVerifier,
) -> tuple[Finding, ...]:
    """What others got from the tag, for somebody who has the published archives and no receipt."""
    archives = [
        Artifact(path, path.stat().st_size, sha256_of(path))
        for path in release.layout.tarballs
        if path.is_file()
    ]
    action = rebuild_action(release, commit=commit, platform=TIER_1[0])
    runs = remade_for_anybody(others.farm, action, others.machines, sigstore)
    return others_got_the_same(release, others.rebuilds, archives, others.own, verifier, runs)


def _signed(
    release: Release, rebuilds: Rebuilds, keys: Collection[str], verifier: Verifier
) -> Iterator[Remade]:
    if rebuilds.ledger is None:
        return
    with tempfile.TemporaryDirectory(prefix="pep101-ledger-") as room:
        for entry in entries(rebuilds.ledger, str(release.version)):
            key, problem = _signer(entry, keys, verifier, Path(room))
            where = printable(f"{release.version}/{entry.who}")
            got = read_sums(entry.sums) or {}
            yield Remade(entry.who, where, key, f"the signature of {key}", got, problem)


def _counted(release: Release, rebuilds: Rebuilds, agreed: list[str]) -> Iterator[Finding]:
    if len(agreed) >= max(1, rebuilds.wanted):
        return
    who = f"only {', '.join(agreed)} has" if agreed else "nobody else has"
    wanted = f"; wanted {rebuilds.wanted}" if rebuilds.wanted else ""
    message = f"{who} made the same archives from the tag{wanted}"
    severity = Severity.BLOCK if rebuilds.wanted else Severity.NOTE
    if rebuilds.ledger is None:
        remedy = 'write ledger = "FOLDER" below [rebuilds]'
    elif len(rebuilds.keys) < rebuilds.wanted - agreed.count(GITHUB):
        remedy = "name the keys of all who may count in [rebuilds] keys"
    else:
        remedy = (
            f"ask others to run doit rebuild {release.version} --who LOGIN --key FINGERPRINT, "
            "then update the ledger"
        )
    where = str(rebuilds.ledger or "release.toml: [rebuilds] ledger is missing")
    yield Finding("rebuild.few", severity, message, where, remedy)


def _signer(entry: Entry, keys: Collection[str], verifier: Verifier, room: Path) -> tuple[str, str]:
    """The key that signed it, or why it does not count. The bytes that were read are judged."""
    if entry.problem:
        return "", entry.problem
    sums, signature = room / SUMS, room / SIGNATURE
    sums.write_bytes(entry.sums)
    signature.write_bytes(entry.signature)
    found = verifier.verify_by(sums, signature, keys)
    return ("", found.problem) if found.problem else (found.fingerprint, "")


def _unlike(got: Mapping[str, str], wanted: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(got.keys() | wanted.keys()):
        mine, theirs = wanted.get(name, "none"), got.get(name, "none")
        if mine != theirs:
            yield f"{name}: they got {theirs[:16]}, wanted {mine[:16]}"


def _finding(rule: str, where: str, message: str) -> Finding:
    known = GATE_RULES[rule]
    return Finding(rule, known.severity, message, where, known.remedy)
