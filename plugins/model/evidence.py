"""Evidence: the statements about one release that others can read, in one file beside it.

Who built its archives from what, by provenance of SLSA; and what was tested, judged and approved,
by a predicate of our own. docs/how-to/read-the-evidence.md describes each field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from doit_receipts.frozen import frozen
from plugins.model.envelope import MOST_BYTES as MOST_LINE_BYTES
from plugins.model.statement import Statement, Subject
from plugins.model.strict_json import BrokenJson, only_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plugins.model.release import Release

__all__ = [
    "BUILDER",
    "DOCS_BUILD",
    "MOST_BYTES",
    "PROVENANCE",
    "RELEASE",
    "SOURCE_BUILD",
    "Built",
    "Tool",
    "commit_of",
    "evidence_path",
    "is_of_the_same",
    "lines_of",
    "provenance",
    "release_statement",
]

PROVENANCE: Final = "https://slsa.dev/provenance/v1"
_NAMES: Final = "https://pep101.dev"
"""Below it are names, not pages: nothing is ever fetched from there."""
RELEASE: Final = f"{_NAMES}/release/v1"
BUILDER: Final = f"{_NAMES}/builder/release-manager/v1"
SOURCE_BUILD: Final = f"{_NAMES}/build/source/v1"
DOCS_BUILD: Final = f"{_NAMES}/build/docs/v1"
_REPOSITORY: Final = "git+https://github.com/python/cpython"
_MOST_LINES: Final = 8
MOST_BYTES: Final = _MOST_LINES * (MOST_LINE_BYTES + 1)


@frozen
class Tool:
    """A program or package that decided about the bytes; ``sha256`` is "" if it was not noted."""

    name: str
    uri: str
    sha256: str


@frozen
class Built:
    """How one set of files came about: what it is made from and how."""

    build_type: str
    subjects: tuple[Subject, ...]
    tools: tuple[Tool, ...]
    parameters: Mapping[str, str]
    confined: str
    """What kept the tree's own code confined; ``no``, or ``not recorded`` by earlier versions."""
    tool: str
    """The revision of pep101 that built them."""


def evidence_path(release: Release) -> str:
    """Where it is published, below the root of the downloads.

    Source: in-toto, spec/v1/bundle.md: bundles of attestations end with ``.intoto.jsonl``.
    """
    return f"{release.version.folder}/Python-{release.version}.intoto.jsonl"


def provenance(release: Release, commit: str, built: Built) -> Statement:
    """The provenance of these files. Source: slsa.dev/spec/v1.0/provenance."""
    tag = release.version.tag
    source = {"uri": f"{_REPOSITORY}@refs/tags/{tag}", "digest": {"gitCommit": commit}}
    tools = [_resource(tool) for tool in sorted(built.tools, key=lambda tool: tool.uri)]
    return Statement(
        built.subjects,
        PROVENANCE,
        {
            "buildDefinition": {
                "buildType": built.build_type,
                "externalParameters": {"version": str(release.version), "tag": tag},
                "internalParameters": {**built.parameters, "confined": built.confined},
                "resolvedDependencies": [source, *tools],
            },
            "runDetails": {"builder": {"id": BUILDER, "version": {"pep101": built.tool}}},
        },
    )


def release_statement(
    release: Release,
    commit: str,
    subjects: Iterable[Subject],
    record: Mapping[str, Any],
    others: Iterable[Statement],
) -> Statement:
    """What was tested, judged and approved of all files of the release.

    It names the other statements by the sha256 of their payloads, so that none can be left out.
    """
    payloads = [Subject("statement", _sha256(each.payload())) for each in others]
    return Statement(
        tuple(subjects),
        RELEASE,
        {
            "version": str(release.version),
            "tag": release.version.tag,
            "commit": commit,
            "rehearsal": release.rehearsal,
            "statements": [each.sha256 for each in payloads],
            **record,
        },
    )


def commit_of(statement: Statement) -> tuple[str, str]:
    """The tag and the commit that a statement of the evidence is of. Raises BrokenJson."""
    try:
        if statement.predicate_type == RELEASE:
            return str(statement.predicate["tag"]), str(statement.predicate["commit"])
        definition = statement.predicate["buildDefinition"]
        source = definition["resolvedDependencies"][0]
        only_keys(source, {"uri", "digest"}, "the source")
        tag = str(definition["externalParameters"]["tag"])
        if source["uri"] != f"{_REPOSITORY}@refs/tags/{tag}":
            message = "names another source than CPython's tag"
            raise BrokenJson(message)
        return tag, str(source["digest"]["gitCommit"])
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        message = "names no source commit"
        raise BrokenJson(message) from error


def is_of_the_same(found: Statement, wanted: Statement) -> bool:
    """Whether both state something of one commit and of the same files, whatever else they say."""
    try:
        if commit_of(found) != commit_of(wanted):
            return False
    except BrokenJson:
        return False
    same = (found.predicate_type, sorted(found.subjects)) == (
        wanted.predicate_type,
        sorted(wanted.subjects),
    )
    return same and found.predicate.get("rehearsal") == wanted.predicate.get("rehearsal")


def lines_of(raw: bytes) -> tuple[bytes, ...]:
    """The bundle of each line. Raises BrokenJson for a file that has anything beside them."""
    if not raw.endswith(b"\n") or len(raw) > MOST_BYTES:
        message = "does not end with a line" if raw else "is empty"
        raise BrokenJson(
            message if len(raw) <= MOST_BYTES else f"has more than {MOST_BYTES:,} bytes"
        )
    lines = tuple(raw[:-1].split(b"\n"))
    if not all(lines) or len(lines) > _MOST_LINES:
        message = f"has an empty line, or more than {_MOST_LINES}"
        raise BrokenJson(message)
    return lines


def _resource(tool: Tool) -> dict[str, Any]:
    digest = {"digest": {"sha256": tool.sha256}} if tool.sha256 else {}
    return {"name": tool.name, "uri": tool.uri, **digest}


def _sha256(payload: bytes) -> str:
    import hashlib  # noqa: PLC0415 - a listing needs no digests

    return hashlib.sha256(payload).hexdigest()
