"""SBOMs: whether they describe these very archives, and all that the tree says it bundles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from checks.looking import judges
from doit_receipts.artifact import sha256_of
from doit_receipts.errors import StepFailed
from doit_receipts.finding import Finding, Severity
from plugins.model.rules import breach
from plugins.model.vendored import BUNDLED, pins_of, pip_wheel, version_of_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from plugins.model.archive import Archive
    from plugins.model.release import Release
    from plugins.ports.git import Clone

__all__ = ["sboms_are_true", "sboms_tell_content"]

_TREE_SBOM: Final = "Misc/sbom.spdx.json"
_CPYTHON: Final = "SPDXRef-PACKAGE-cpython"
_AGAIN: Final = "delete it, then run doit export: it is written again"
_MISSING: Final = "run doit export: it is made again"
_REGENERATE: Final = "make regen-sbom on the branch, and look what changed"


@judges(
    "sbom.lacks",
    "sbom.missing_file",
    "sbom.changed_file",
    "sbom.archive",
    blind="sbom.unreadable",
)
def sboms_are_true(release: Release, clone: Clone, *, commit: str) -> tuple[Finding, ...]:
    """Each archive has an SBOM with its digest, and what the tree's SBOM lists is as it says.

    ``commit`` is what the tag names. A file that the tree lists and the archives lack, or hold
    with other content, was changed without telling the SBOM (Z16).
    """
    if not release.series.ships_sbom:
        return ()
    tree = _read(_TREE_SBOM, clone.read(commit, _TREE_SBOM))
    listed = _sums(tree, _TREE_SBOM)
    wanted = _wanted(release, clone, commit, tree)
    findings: list[Finding] = []
    for archive in release.layout.tarballs:
        findings += _judged(archive, listed)
        findings += _lacking(archive, wanted)
    return tuple(dict.fromkeys(findings))


@judges("sbom.content", blind="sbom.unreadable")
def sboms_tell_content(
    release: Release, *, read: Callable[[Path], Archive] | None = None
) -> tuple[Finding, ...]:
    """Each SBOM lists the files of its archive, all of them, with their digests.

    Both archives hold the same (``archive.differ``), so one of them is read; ``read`` does that
    with SHA-1 as well, where somebody else reads it too.
    """
    if not release.series.ships_sbom:
        return ()
    # Late: tarfile and what it needs cost 15 ms that listing tasks does not have to pay.
    from plugins.model.archive import read_archive  # noqa: PLC0415

    root = f"{release.layout.folder_in_archive}/"
    archive = release.layout.tarballs[0]
    if not archive.is_file():
        raise StepFailed(where=archive.name, problem="is not there", remedy=_MISSING)
    held = {
        member.name.removeprefix(root): (member.sha1, member.sha256)
        for member in (read(archive) if read else read_archive(archive, sha1=True)).members
        if member.kind.value == "file"
    }
    findings = []
    for archive_path in release.layout.tarballs:
        path = archive_path.with_name(f"{archive_path.name}.spdx.json")
        document = _read(path.name, path.read_bytes() if path.is_file() else None)
        first, second = _sums(document, path.name, "SHA1"), _sums(document, path.name)
        listed = {name: (first[name], second[name]) for name in second}
        wrong = sorted(name for name, _ in listed.items() ^ held.items())
        if wrong:
            count = len(set(wrong))
            message = f"lists {count:,} files differently from the archive, first {wrong[0]}"
            findings.append(breach("sbom.content", path.name, message))
    return tuple(findings)


class _Wanted(NamedTuple):
    """What upstream's document for the same archive says, files aside."""

    packages: frozenset[tuple[str, str]]
    """Name and version."""
    depends_on: frozenset[tuple[str, str]]
    """Who depends on whom, by name."""
    cpe: str


def _wanted(release: Release, clone: Clone, commit: str, tree: Any) -> _Wanted:
    version = str(release.version)
    path = pip_wheel(clone.names(commit, BUNDLED))
    pins = pins_of(clone.read(commit, path) or b"", path) if path else ()
    inside = {name for name, _ in pins} | ({"pip"} if path else set())
    try:
        in_tree = {
            (str(package["name"]), str(package["versionInfo"]))
            for package in tree["packages"]
            if str(package["name"]).lower() not in inside
        }
    except (LookupError, TypeError) as error:
        raise StepFailed(
            where=_TREE_SBOM, problem="lists no packages", remedy=_REGENERATE
        ) from error
    of_pip = {("pip", version_of_wheel(path))} if path else set()
    return _Wanted(
        frozenset({("CPython", version)} | in_tree | set(pins) | of_pip),
        frozenset(
            {("CPython", name) for name, _ in in_tree | of_pip}
            | {("pip", name) for name, _ in pins}
        ),
        f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*",
    )


def _lacking(archive: Path, wanted: _Wanted) -> Iterator[Finding]:
    """What of it the archive's own document does not say."""
    path = archive.with_name(f"{archive.name}.spdx.json")
    document = _read(path.name, path.read_bytes() if path.is_file() else None)
    try:
        packages = {str(package["SPDXID"]): package for package in document["packages"]}
        found = {
            (str(package["name"]), str(package["versionInfo"])) for package in packages.values()
        }
        depends_on = {
            (str(packages[relationship["spdxElementId"]]["name"]), str(packages[on]["name"]))
            for relationship in document["relationships"]
            if relationship["relationshipType"] == "DEPENDS_ON"
            and relationship["spdxElementId"] in packages
            and (on := relationship["relatedSpdxElement"]) in packages
        }
        unsupplied = [
            str(package["name"]) for package in packages.values() if not package.get("supplier")
        ]
        names = [ref["referenceLocator"] for ref in packages[_CPYTHON].get("externalRefs", ())]
    except (LookupError, TypeError) as error:
        raise StepFailed(where=path.name, problem="lists no packages", remedy=_AGAIN) from error
    wrong = [f"{name} {version}" for name, version in sorted(wanted.packages - found)]
    wrong += [f"{name} {version} too many" for name, version in sorted(found - wanted.packages)]
    wrong += [f"that {one} depends on {on}" for one, on in sorted(wanted.depends_on - depends_on)]
    wrong += [f"the supplier of {name}" for name in unsupplied]
    wrong += [] if wanted.cpe in names else [wanted.cpe]
    if wrong:
        count = "1 statement" if len(wrong) == 1 else f"{len(wrong):,} statements"
        yield Finding(
            "sbom.lacks",
            Severity.BLOCK,
            f"differs in {count} from what upstream's says of this archive, first: {wrong[0]}",
            path.name,
            _AGAIN,
        )


def _judged(archive: Path, listed: dict[str, str]) -> Iterator[Finding]:
    path = archive.with_name(f"{archive.name}.spdx.json")
    document = _read(path.name, path.read_bytes() if path.is_file() else None)
    if not archive.is_file():
        raise StepFailed(where=archive.name, problem="is not there", remedy=_MISSING)
    if _archive_sum(document, path.name) != sha256_of(archive):
        problem = f"has the digest of another {archive.name} than the one here"
        yield Finding(
            "sbom.archive",
            Severity.BLOCK,
            problem,
            path.name,
            _AGAIN,
        )
    found = _sums(document, path.name)
    missing = [name for name in listed if name not in found]
    changed = [name for name in listed if name in found and found[name] != listed[name]]
    yield from _listed_at_fault("sbom.missing_file", "that the archives lack", missing)
    yield from _listed_at_fault(
        "sbom.changed_file", "that have other content in the archives", changed
    )


def _listed_at_fault(rule: str, what: str, names: Sequence[str]) -> Iterator[Finding]:
    if names:
        count = "1 file" if len(names) == 1 else f"{len(names):,} files"
        problem = f"lists {count} {what}, first {names[0]}"
        yield Finding(rule, Severity.BLOCK, problem, _TREE_SBOM, _REGENERATE)


def _read(name: str, raw: bytes | None) -> Any:
    if raw is None:
        raise StepFailed(where=name, problem="is not there", remedy=_MISSING)
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        problem = f"is no JSON ({error})"
        raise StepFailed(where=name, problem=problem, remedy=_AGAIN) from error


def _sums(document: Any, name: str, algorithm: str = "SHA256") -> dict[str, str]:
    """The digest that an SPDX document gives for each file."""
    try:
        return {str(file["fileName"]): _sum(file, algorithm) for file in document["files"]}
    except (LookupError, TypeError, StopIteration) as error:
        problem = f"lists no files with their {algorithm}"
        raise StepFailed(where=name, problem=problem, remedy=_AGAIN) from error


def _archive_sum(document: Any, name: str) -> str:
    try:
        return next(
            _sum(package, "SHA256")
            for package in document["packages"]
            if package["SPDXID"] == _CPYTHON
        )
    except (LookupError, TypeError, StopIteration) as error:
        problem = "does not list CPython itself"
        raise StepFailed(where=name, problem=problem, remedy=_AGAIN) from error


def _sum(entry: Any, algorithm: str) -> str:
    sums = {checksum["algorithm"]: checksum["checksumValue"] for checksum in entry["checksums"]}
    return str(sums[algorithm])
