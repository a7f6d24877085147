"""Evidence: what receipts say of a release, as statements that the release manager signs.

Nothing is stated that no receipt says: what was built by which tools and confined by what, the
tests that passed, the gates, the approvals and the waivers. Addresses and folders of this machine
are left out, and so is what a gate found in words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen
from doit_receipts.printable import counted
from doit_receipts.probe import absent, identical
from doit_receipts.task import Kind
from plugins.model.contract import Contract
from plugins.model.evidence import (
    DOCS_BUILD,
    MOST_BYTES,
    SOURCE_BUILD,
    Built,
    Tool,
    evidence_path,
    is_of_the_same,
    lines_of,
    provenance,
    release_statement,
)
from plugins.model.published_file import Kind as FileKind
from plugins.model.statement import Subject, read_statement
from plugins.model.strict_json import BrokenJson
from plugins.ports.host import Kind as Entered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from doit_receipts.artifact import Artifact
    from doit_receipts.finding import Waiver
    from doit_receipts.on_record import OnRecord
    from doit_receipts.probe import Probe
    from plugins.model.content import NamedFile
    from plugins.model.release import Release
    from plugins.model.remote_layout import StagingArea
    from plugins.model.series import SigstoreIdentity
    from plugins.model.statement import Statement
    from plugins.ports.host import Host, HostReader
    from plugins.ports.progress import Progress
    from plugins.ports.statements import StatementSigner, StatementVerifier

__all__ = [
    "Recorded",
    "also_known",
    "contract_of_evidence",
    "known",
    "look_signed",
    "sign",
    "statements",
    "with_evidence",
]

_UNRECORDED: Final = "not recorded"
_PROGRAMS: Final = ("git", "blurb", "gzip", "xz")
_DOCS_PROGRAMS: Final = ("makeinfo",)
_TESTS: Final = ("test_source", "test_downloads")
_OF_A_TEST: Final = ("level", "tests", "python", "tree_sha256", "files", "files_sha256", "waived")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@frozen
class Recorded:
    """What the release has on record: the facts of every task, and what was made."""

    record: Sequence[OnRecord]
    source: Sequence[Artifact]
    docs: Sequence[Artifact]
    public: Mapping[str, str]
    """The sha256 of every file that users get, by its path below the root of the downloads."""
    waivers: Sequence[Waiver]

    def facts(self, task: str) -> Mapping[str, str]:
        """The facts of a task; empty if it is not on record."""
        return next((each.facts for each in self.record if each.name == task), {})

    def tool(self, task: str) -> str:
        """The revision of this tool that did a task."""
        found = (each.tool for each in self.record if each.name == task)
        return next(found, "") or _UNRECORDED


def statements(release: Release, recorded: Recorded) -> tuple[Statement, ...]:
    """The statements about this release, in the order that they have in the file.

    Raises StepFailed where receipts do not say which commit the archives are of, or where what
    users get is not what was built.
    """
    commit = recorded.facts("build_tarballs").get("commit", "")
    if not _COMMIT.fullmatch(commit):
        raise StepFailed(
            where="evidence",
            problem="the receipt of build_tarballs does not name the commit of the archives",
            remedy="restore receipts/build_tarballs.json from a backup; without it there will be "
            "no evidence and no manifest",
        )
    builds = [
        _built(
            "build_tarballs", SOURCE_BUILD, recorded, _at(release.version.folder, recorded.source)
        ),
    ]
    if recorded.docs:
        folder = f"doc/{release.version}"
        builds.append(_built("build_docs", DOCS_BUILD, recorded, _at(folder, recorded.docs)))
    for built in builds:
        _refuse_other_bytes(built.subjects, recorded.public)
    made = [provenance(release, commit, built) for built in builds]
    subjects = [Subject(path, digest) for path, digest in sorted(recorded.public.items())]
    last = release_statement(release, commit, subjects, _judged(recorded), made)
    return (*made, last)


def look_signed(
    release: Release,
    stated: Sequence[Statement],
    path: Path,
    by: SigstoreIdentity,
    signer: StatementVerifier,
    host: HostReader,
    area: StagingArea,
) -> Probe:
    """Whether the file has a good bundle of each of these statements, in order.

    What users see already is as good if it is of the same commit and files: it is never replaced,
    so a waiver that came later is not in it.
    """
    raw = path.read_bytes() if path.is_file() else b""
    if not _is_good(raw, stated, by, signer) and not (
        _is_good(raw, stated, by, signer, seen=True)
        and raw == _on_host(release, host, area).get(area.final)
    ):
        return absent(f"{evidence_path(release).rpartition('/')[2]} is not signed yet")
    return identical({"statements": str(len(stated)), "identity": by.address, "issuer": by.issuer})


def sign(
    release: Release,
    stated: Sequence[Statement],
    path: Path,
    by: SigstoreIdentity,
    signer: StatementSigner,
    host: Host,
    area: StagingArea,
    progress: Progress,
) -> dict[str, str]:
    """The file holds a bundle of each statement, signed ``by`` this identity, one a line.

    One that is on the host already, but was lost here, is taken from there: what users see is
    never replaced, also where it lacks a waiver that came later. Our own of before that waiver,
    which only waits there to be seen, is removed, so that this one can be uploaded; whatever else
    lies there stays, and stops the upload. Raises Waiting for the release manager where a token
    is missing.
    """
    payloads = [statement.payload() for statement in stated]
    brought = _brought(release, stated, by, signer, host, area)
    if brought:
        write_whole(path, brought)
    else:
        progress.say(f"signing {counted(len(payloads), 'statement')} by Sigstore as {by}")
        bundles = dict(signer.sign_statements(payloads, by))
        # Before the file is here: a run that is killed in between signs once more.
        there = _on_host(release, host, area)
        waits = there.get(area.staging, b"")
        if area.final not in there and _is_good(waits, stated, by, signer, seen=True):
            host.remove([f"{area.staging}/{path.name}"])
        write_whole(path, b"".join(bundles[payload] + b"\n" for payload in payloads))
    return {"statements": str(len(payloads)), "identity": by.address, "issuer": by.issuer}


def contract_of_evidence(release: Release, contract: Contract) -> Contract:
    """The evidence as what is published, and nothing else."""
    whole = contract.with_extras([evidence_path(release)])
    files = tuple(file for file in whole.files if file.kind is FileKind.EVIDENCE)
    return Contract(whole.version, whole.page, files)


def known(files: Iterable[NamedFile], area: StagingArea) -> dict[str, str]:
    """The sha256 that users have to get of the evidence, by its path."""
    return {f"{area.final}/{file.name}": file.content.sha256 for file in files}


def with_evidence(release: Release, contract: Contract) -> Contract:
    """The contract with the evidence, which is public behind all else that it has."""
    return contract.with_extras([evidence_path(release)])


def also_known(
    digests: Mapping[str, str], files: Iterable[NamedFile], area: StagingArea
) -> dict[str, str]:
    """What users have to get, the evidence with it."""
    return {**digests, **known(files, area)}


# ── inside ─────────────────────────────────────────────────────────────────────────────────


def _at(folder: str, artifacts: Iterable[Artifact]) -> tuple[Subject, ...]:
    return tuple(Subject(f"{folder}/{made.path.name}", made.sha256) for made in artifacts)


def _built(task: str, kind: str, recorded: Recorded, subjects: tuple[Subject, ...]) -> Built:
    facts = recorded.facts(task)
    wanted = (
        "epoch_s",
        "gzip_options",
        "xz_options",
        "stream_sha256",
        "formats",
        "python",
        "bzip2",
        "zlib",
    )
    return Built(
        kind,
        subjects,
        (*_programs(facts), *_packages(facts)),
        {name: facts[name] for name in wanted if name in facts},
        facts.get("confined", _UNRECORDED),
        recorded.tool(task),
    )


def _programs(facts: Mapping[str, str]) -> Iterator[Tool]:
    digests = _pairs(facts.get("programs_sha256", ""))
    names = _PROGRAMS if "git" in facts else _DOCS_PROGRAMS
    for name in names:
        if facts.get(name):
            yield Tool(name, f"pkg:generic/{name}@{facts[name]}", digests.get(name, ""))


def _packages(facts: Mapping[str, str]) -> Iterator[Tool]:
    """What the documentation was built with; each was installed from a wheel."""
    digests = {
        "==".join(wheel.split("-")[:2]).lower().replace("_", "-"): digest
        for wheel, digest in _pairs(facts.get("wheels", "")).items()
    }
    for line in facts.get("requirements", "").split():
        name, _, version = line.partition("==")
        digest = digests.get(line.lower().replace("_", "-").replace(".", "-"), "")
        digest = digest or digests.get(line.lower().replace("_", "-"), "")
        yield Tool(name, f"pkg:pypi/{name.lower()}@{version}", digest)


def _pairs(text: str) -> dict[str, str]:
    return {name: digest for name, _, digest in (word.rpartition(":") for word in text.split())}


def _judged(recorded: Recorded) -> dict[str, Any]:
    """Tests, gates, approvals and waivers, as the receipts and the declaration have them.

    Of a gate that looks anew in each run only its name: what it finds changes by itself.
    """
    tests = [
        {
            "task": task,
            "confined": facts.get("confined", _UNRECORDED),
            **{name: facts[name] for name in _OF_A_TEST if facts.get(name)},
        }
        for task in _TESTS
        if (facts := recorded.facts(task))
    ]
    gates = [
        {
            "task": each.name,
            "rules": []
            if each.volatile
            else sorted({line.split(" ", 1)[0] for line in each.findings}),
        }
        for each in recorded.record
        if each.kind is Kind.GATE
    ]
    approvals = [
        {"task": each.name, "by": each.facts.get("by", ""), "key": each.facts.get("key", ""),
         "subject": each.facts.get("subject", "")}
        for each in recorded.record
        if each.kind is Kind.APPROVAL
    ]  # fmt: skip
    waivers = [
        {"rule": each.rule, "reason": each.reason, "by": each.by, "until": str(each.until)}
        for each in sorted(recorded.waivers, key=lambda waiver: waiver.rule)
    ]
    return {"tests": tests, "gates": gates, "approvals": approvals, "waivers": waivers}


def _refuse_other_bytes(subjects: Iterable[Subject], public: Mapping[str, str]) -> None:
    for subject in subjects:
        if public.get(subject.name) != subject.sha256:
            raise StepFailed(
                where=subject.name,
                problem=f"users get sha256 {public.get(subject.name) or 'none'}, and "
                f"{subject.sha256} was built",
                remedy="do not sign evidence for it; find out where the file was changed",
            )


def _is_good(
    raw: bytes,
    stated: Sequence[Statement],
    by: SigstoreIdentity,
    verifier: StatementVerifier,
    *,
    seen: bool = False,
) -> bool:
    """Whether it holds these statements, signed; where users have seen it, such as are of the same.

    Those belong together by the digests that the last one names.
    """
    try:
        lines = lines_of(raw)
        if len(lines) != len(stated):
            return False
        found = [verifier.verify_statement(line, by) for line in lines]
        if any(each.signature.problem for each in found):
            return False
        if not seen:
            return [each.payload for each in found] == [each.payload() for each in stated]
        read = [read_statement(each.payload) for each in found]
    except BrokenJson:
        return False
    named = read[-1].predicate.get("statements")
    return named == [each.sha256 for each in found[:-1]] and all(map(is_of_the_same, read, stated))


def _brought(
    release: Release,
    stated: Sequence[Statement],
    by: SigstoreIdentity,
    verifier: StatementVerifier,
    host: HostReader,
    area: StagingArea,
) -> bytes:
    """The same evidence as it is on the host; b"" if it is not there."""
    for folder, raw in _on_host(release, host, area).items():
        if _is_good(raw, stated, by, verifier, seen=folder == area.final):
            return raw
    return b""


def _on_host(release: Release, host: HostReader, area: StagingArea) -> dict[str, bytes]:
    """The evidence in each folder of the host that has it, the one that users see first."""
    name = evidence_path(release).rpartition("/")[2]
    folders = (area.final, area.staging)
    entries = host.look([f"{folder}/{name}" for folder in folders])
    return {
        folder: host.read(f"{folder}/{name}", MOST_BYTES + 1)
        for folder, entry in zip(folders, entries, strict=True)
        if entry is not None and entry.kind is Entered.FILE
    }
