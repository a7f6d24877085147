"""Evidence against files, commit and signer: every alteration has its finding, generated."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from checks.evidence import evidence_is_true
from doit_receipts.errors import ServiceFailed
from plugins.model.content import Content, NamedFile
from plugins.model.evidence import (
    DOCS_BUILD,
    SOURCE_BUILD,
    Built,
    Tool,
    evidence_path,
    provenance,
    release_statement,
)
from plugins.model.found_files import FoundFiles
from plugins.model.promise import contract_of
from plugins.model.published_file import Kind
from plugins.model.series import SigstoreIdentity
from plugins.model.statement import Statement, Subject
from plugins.model.strict_json import canonical
from plugins.ports.signing import Signature, Verdict
from plugins.ports.statements import Stated
from tests.model.test_contract import a_release

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from doit_receipts.finding import Finding

RELEASE = a_release("3.14.0")
CONTRACT = contract_of(RELEASE).with_extras([evidence_path(RELEASE)])
COMMIT = "c" * 40
RM = SigstoreIdentity("rm@example.org", "https://github.com/login/oauth")


class Signed:
    """What Sigstore would confirm, without it: a line is good if it is of the manager's making.

    That Sigstore refuses each altered line is test_sigstore_statements's.
    """

    def __init__(self, fails: Verdict = Verdict.GOOD) -> None:
        self._fails = fails

    def verify_statement(
        self,
        bundle: bytes,
        by: SigstoreIdentity,
        claims: Mapping[str, str] | None = None,
        *,
        ours: bool = True,
    ) -> Stated:
        assert (by, claims, ours) == (RM, None, True)
        if self._fails is Verdict.UNREADABLE:
            raise ServiceFailed(
                service="Sigstore", action="fetch whom to trust", problem="no network"
            )
        head, _, payload = bundle.partition(b" ")
        if self._fails is not Verdict.GOOD or head != sha256(payload).hexdigest().encode():
            return Stated(Signature("", "Sigstore does not confirm it", Verdict.UNKNOWN_KEY))
        return Stated(Signature(str(RM), ""), payload)


def digest_of(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def stated(**changes: Any) -> list[Statement]:
    """What a release states, with the arguments changed that are named."""
    given = {"release": RELEASE, "commit": COMMIT, "digest_of": digest_of, **changes}

    def subjects(*kinds: Kind) -> tuple[Subject, ...]:
        files = (file for file in CONTRACT.files if file.kind in kinds)
        return tuple(Subject(file.remote, given["digest_of"](file.remote)) for file in files)

    tools = (Tool("git", "pkg:generic/git@2.39.5", "d" * 64),)
    builds = [
        provenance(
            given["release"],
            given.get("built_from", given["commit"]),
            Built(kind, subjects(of), tools, {"epoch_s": "1"}, "bwrap", "e" * 40),
        )
        for kind, of in ((SOURCE_BUILD, Kind.SOURCE), (DOCS_BUILD, Kind.DOCS))
    ]
    rest = [kind for kind in Kind if kind is not Kind.EVIDENCE]
    last = release_statement(
        given["release"], given["commit"], given.get("subjects", subjects(*rest)), {}, builds
    )
    return [*builds, last]


def file_of(statements: list[Statement]) -> bytes:
    lines = []
    for statement in statements:
        payload = statement.payload()
        lines.append(sha256(payload).hexdigest().encode() + b" " + payload + b"\n")
    return b"".join(lines)


def judged(
    folder: Path,
    content: bytes,
    *,
    commit: str = COMMIT,
    public: Mapping[str, str] | None = None,
    verifier: Signed | None = None,
) -> tuple[Finding, ...]:
    """What is found against the file; ``public`` are digests that users get of other files."""
    file = folder / "evidence.jsonl"
    file.write_bytes(content)
    found = {
        each.remote: NamedFile(each.remote, Content(1, digest_of(each.remote)), folder)
        for each in CONTRACT.files
    }
    for name, digest in (public or {}).items():
        found[name] = NamedFile(name, Content(1, digest), folder)
    path = evidence_path(RELEASE)
    found[path] = NamedFile(path, Content(len(content), digest_of(path)), file)
    files = FoundFiles("python.org", RELEASE.layout, found, {}, ())
    return evidence_is_true(RELEASE, CONTRACT, files, commit, RM, verifier or Signed())


def rules_of(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.rule for finding in findings}


def test_true_evidence_has_no_finding(tmp_path: Path) -> None:
    assert judged(tmp_path, file_of(stated())) == ()


def test_evidence_that_is_not_there_is_missing() -> None:
    files = FoundFiles("python.org", RELEASE.layout, {}, {}, ())
    (found,) = evidence_is_true(RELEASE, CONTRACT, files, COMMIT, RM, Signed())
    assert (found.rule, found.where) == ("evidence.missing", "3.14.0/Python-3.14.0.intoto.jsonl")


def test_what_cannot_be_looked_at_blocks(tmp_path: Path) -> None:
    found = judged(tmp_path, file_of(stated()), verifier=Signed(Verdict.UNREADABLE))
    assert rules_of(found) == {"evidence.unseen"}


def alterations(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The file with one byte of any place changed, added or left out, or with other lines."""
    lines = content.splitlines(keepends=True)
    for number, line in enumerate(lines):
        yield f"line {number} left out", b"".join(lines[:number] + lines[number + 1 :])
        yield f"line {number} twice", b"".join(lines[: number + 1] + lines[number:])
        yield f"line {number} moved", b"".join(lines[number:] + lines[:number]) if number else b""
        yield f"an empty line before {number}", b"".join([*lines[:number], b"\n", *lines[number:]])
        for at in range(0, len(line), max(1, len(line) // 40)):
            for what, new in (
                ("changed", line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]),
                ("left out", line[:at] + line[at + 1 :]),
                ("added", line[:at] + b" " + line[at:]),
            ):
                yield (
                    f"byte {at} of line {number} {what}",
                    b"".join([*lines[:number], new, *lines[number + 1 :]]),
                )
    yield "a byte behind the end", content + b" "
    yield "no end of the last line", content[:-1]
    yield "many lines", content * 3
    yield "another line end", content.replace(b"\n", b"\r\n")


def test_each_alteration_of_the_file_is_refused(tmp_path: Path) -> None:
    content = file_of(stated())
    tried = dict(alterations(content))
    missed = [what for what, raw in tried.items() if not judged(tmp_path, raw)]
    assert missed == []
    assert len(tried) > 300


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"commit": "f" * 40}, "evidence.commit"),
        ({"built_from": "f" * 40}, "evidence.commit"),
        ({"digest_of": lambda name: sha256(name.encode() + b"x").hexdigest()}, "evidence.subject"),
        ({"subjects": (Subject("3.14.0/Python-3.14.0.tgz", "a" * 64),)}, "evidence.subject"),
        ({"subjects": (Subject("3.14.0/other.tgz", "a" * 64),)}, "evidence.subject"),
    ],
)
def test_what_the_manager_signed_and_is_not_so_is_found(
    tmp_path: Path, changes: dict[str, Any], rule: str
) -> None:
    """A mistake of ours, or of a release manager's machine: the signature is good."""
    assert rule in rules_of(judged(tmp_path, file_of(stated(**changes))))


def edited(number: int, *place: Any, value: Any) -> list[Statement]:
    """The statements, of which one says something else at one place, signed all the same."""
    statements = stated()
    predicate = json.loads(canonical(dict(statements[number].predicate)))
    holder = predicate
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    statements[number] = Statement(
        statements[number].subjects, statements[number].predicate_type, predicate
    )
    return statements


@pytest.mark.parametrize(
    "statements",
    [
        edited(0, "runDetails", "builder", "id", value="https://example.org/builder/v1"),
        edited(0, "buildDefinition", "buildType", value=DOCS_BUILD),
        edited(0, "buildDefinition", "resolvedDependencies", value=[]),
        edited(0, "buildDefinition", "resolvedDependencies", 0, "uri", value="git+https://x.org/y"),
        edited(2, "version", value="3.14.1"),
        edited(2, "rehearsal", value=not RELEASE.rehearsal),
        edited(2, "statements", value=[]),
    ],
)
def test_statements_of_another_form_are_found(tmp_path: Path, statements: list[Statement]) -> None:
    assert "evidence.form" in rules_of(judged(tmp_path, file_of(statements)))


def test_each_file_that_users_get_otherwise_is_found(tmp_path: Path) -> None:
    content = file_of(stated())
    for file in CONTRACT.files:
        if file.kind is not Kind.EVIDENCE:
            found = judged(tmp_path, content, public={file.remote: "0" * 64})
            assert {each.where for each in found if each.rule == "evidence.subject"} == {
                file.remote
            }


def test_another_tag_or_none_is_found(tmp_path: Path) -> None:
    for commit in ("f" * 40, ""):
        assert rules_of(judged(tmp_path, file_of(stated()), commit=commit)) == {"evidence.commit"}


def test_somebody_elses_signature_is_found(tmp_path: Path) -> None:
    found = judged(tmp_path, file_of(stated()), verifier=Signed(Verdict.OTHER_KEY))
    assert rules_of(found) == {"evidence.signature"}
