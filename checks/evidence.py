"""Evidence: whether the signed statements beside a release are about what users get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ReleaseError
from plugins.model.evidence import (
    BUILDER,
    DOCS_BUILD,
    MOST_BYTES,
    PROVENANCE,
    RELEASE,
    SOURCE_BUILD,
    commit_of,
    evidence_path,
    lines_of,
)
from plugins.model.published_file import Kind
from plugins.model.rules import breach
from plugins.model.statement import Statement, read_statement
from plugins.model.strict_json import BrokenJson

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from doit_receipts.finding import Finding
    from plugins.model.contract import Contract
    from plugins.model.found_files import FoundFiles
    from plugins.model.release import Release
    from plugins.model.series import SigstoreIdentity
    from plugins.ports.statements import StatementVerifier

__all__ = ["evidence_is_true"]

_BUILDS: Final[Mapping[Kind, str]] = {Kind.SOURCE: SOURCE_BUILD, Kind.DOCS: DOCS_BUILD}


def evidence_is_true(
    release: Release,
    contract: Contract,
    found_files: FoundFiles,
    commit: str,
    by: SigstoreIdentity,
    verifier: StatementVerifier,
) -> tuple[Finding, ...]:
    """Every statement is signed by this identity, and about the tag and the files that users get.

    ``commit`` is the one that the public tag names, "" if there is none. Nothing may be beside
    the statements that a release has: one about each kind of archive, and one about all of it.
    """
    where = evidence_path(release)
    there = found_files.files.get(where)
    if there is None:
        return (breach("evidence.missing", where, found_files.closed.get(where) or "is not there"),)
    if there.source is None:
        return (breach("evidence.unseen", where, "its bytes are not on this machine"),)
    with there.source.open("rb") as stream:
        raw = stream.read(MOST_BYTES + 1)
    stated: list[Statement] = []
    digests: list[str] = []
    try:
        for number, line in enumerate(lines_of(raw), start=1):
            found = verifier.verify_statement(line, by)
            if found.signature.problem:
                problem = f"statement {number}: {found.signature.problem}"
                return (breach("evidence.signature", where, problem),)
            stated.append(read_statement(found.payload))
            digests.append(found.sha256)
    except BrokenJson as error:
        return (breach("evidence.form", where, f"it {error}"),)
    except ReleaseError as error:
        return (breach("evidence.unseen", where, str(error)),)
    return tuple(_judged(release, contract, found_files, commit, stated, digests))


def _judged(
    release: Release,
    contract: Contract,
    found_files: FoundFiles,
    commit: str,
    stated: list[Statement],
    digests: list[str],
) -> Iterator[Finding]:
    where = evidence_path(release)
    kinds = [kind for kind in _BUILDS if any(file.kind is kind for file in contract.files)]
    wanted = [*(_BUILDS[kind] for kind in kinds), RELEASE]
    found = [_kind_of(statement) for statement in stated]
    if found != wanted:
        problem = f"holds statements of the kinds {', '.join(found)}, wanted {', '.join(wanted)}"
        yield breach("evidence.form", where, problem)
        return
    for statement in stated:
        try:
            tag, named = commit_of(statement)
        except BrokenJson as error:
            yield breach("evidence.form", where, f"a statement {error}")
            continue
        if tag != release.version.tag or not commit or named != commit:
            problem = f"is of {tag} on {named}, and the public tag {release.version.tag} is "
            yield breach(
                "evidence.commit", where, problem + (f"on {commit}" if commit else "missing")
            )
    last = stated[-1].predicate
    if (
        last.get("version") != str(release.version)
        or last.get("rehearsal") is not release.rehearsal
    ):
        yield breach("evidence.form", where, "its last statement is of another release")
    if last.get("statements") != digests[:-1]:
        yield breach("evidence.form", where, "its last statement names other statements beside it")
    for kind, statement in zip(kinds, stated, strict=False):
        yield from _same_files(contract, found_files, kind, statement)
    yield from _all_files(contract, found_files, stated[-1])


def _kind_of(statement: Statement) -> str:
    """What it states, for comparison: the kind of build, or its predicate's type."""
    if statement.predicate_type != PROVENANCE:
        return statement.predicate_type
    try:
        by = statement.predicate["runDetails"]["builder"]["id"]
        kind = statement.predicate["buildDefinition"]["buildType"]
    except (KeyError, TypeError):
        return "provenance without a builder"
    return str(kind) if by == BUILDER else f"provenance by {by}"


def _same_files(
    contract: Contract, found_files: FoundFiles, kind: Kind, statement: Statement
) -> Iterator[Finding]:
    """The provenance is of all files of the kind, and of nothing else."""
    wanted = {file.remote for file in contract.files if file.kind is kind}
    for name in sorted(wanted ^ {subject.name for subject in statement.subjects}):
        lacks = "is not among the files" if name in wanted else "is a file that is not published"
        yield breach("evidence.subject", name, f"{lacks} whose provenance the evidence states")
    yield from _digests(found_files, statement)


def _all_files(
    contract: Contract, found_files: FoundFiles, statement: Statement
) -> Iterator[Finding]:
    """The last statement is of every file that was public with it."""
    names = {subject.name for subject in statement.subjects}
    # What experts brought later is not in it: evidence that users saw is never replaced.
    for file in contract.files:
        if file.kind in _BUILDS and file.remote not in names:
            yield breach("evidence.subject", file.remote, "is not among the files of the evidence")
    for name in sorted(names - {file.remote for file in contract.files}):
        yield breach("evidence.subject", name, "is in the evidence and is not published")
    yield from _digests(found_files, statement)


def _digests(found_files: FoundFiles, statement: Statement) -> Iterator[Finding]:
    for subject in statement.subjects:
        there = found_files.files.get(subject.name)
        if there is not None and there.content.sha256 != subject.sha256:
            problem = f"has sha256 {there.content.sha256}, and the evidence is of {subject.sha256}"
            yield breach("evidence.subject", subject.name, problem)
