"""SBOM statements: every field of a source archive's SBOM, against what the tag says it has to be.

The document is made again here from the tag and the list of files, without the library that wrote
it, and compared field by field. What a package index says of the projects inside of pip is the one
thing that is taken from the document: their addresses and digests.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from checks.looking import judges
from doit_receipts.artifact import sha256_of
from doit_receipts.errors import StepFailed
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import printable
from plugins.model.published_file import SITE
from plugins.model.rules import breach
from plugins.model.spdx_names import (
    CPYTHON_ID,
    CREATORS,
    DOCUMENT_ID,
    ORGANIZATION,
    file_id,
    namespace_of,
    package_id,
)
from plugins.model.vendored import BUNDLED, pins_of, pip_wheel, version_of_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from plugins.model.release import Release
    from plugins.ports.git import Clone

__all__ = ["sboms_say_nothing_else"]

_TREE_SBOM: Final = "Misc/sbom.spdx.json"
_AGAIN: Final = "delete it, then run doit export: it is written again"
_REGENERATE: Final = "make regen-sbom on the branch, and look what changed"
_OWNER: Final = f"Organization: {ORGANIZATION}"
_TOOL: Final = ": ".join(CREATORS[-1])
_SHOWN: Final = 60


@judges("sbom.statement", blind="sbom.unreadable")
def sboms_say_nothing_else(release: Release, clone: Clone, *, commit: str) -> tuple[Finding, ...]:
    """Each SBOM says what follows from the tag, its archive and its files, in every field.

    ``commit`` is what the tag names. That the files are those of the archive, and the packages
    those of the tree, is what other rules are for; this one is for all that stands beside it.
    """
    if not release.series.ships_sbom:
        return ()
    expected = _Expected(release, clone, commit)
    found = []
    for archive in release.layout.tarballs:
        path = archive.with_name(f"{archive.name}.spdx.json")
        try:
            raw = path.read_bytes()
            document = json.loads(raw)
            if _TOOL not in _creators(document):
                found.append(_of_another_tool(path.name, document))
                continue
            wanted = expected.document(archive, document)
        except OSError as error:
            raise StepFailed(where=path.name, problem="cannot be read", remedy=_AGAIN) from error
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise StepFailed(
                where=path.name, problem="is no SBOM of ours", remedy=_AGAIN
            ) from error
        other = next(_differences(document, wanted, ""), "")
        if not other and raw != json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n":
            other = "says something twice, or is not written as this tool writes it"
        if other:
            found.append(breach("sbom.statement", path.name, other))
    return tuple(found)


def _creators(document: Mapping[str, Any]) -> list[str]:
    """Who made the document; SPDX wants at least one. Raises ValueError for nobody."""
    creators = document["creationInfo"]["creators"]
    if not isinstance(creators, list) or not creators:
        message = "creators is no list of anybody"
        raise ValueError(message)
    return list(map(str, creators))


def _of_another_tool(name: str, document: Mapping[str, Any]) -> Finding:
    """What else it says cannot be known: others write other fields."""
    creators = printable(", ".join(_creators(document)))
    problem = f"was made by {creators[:_SHOWN]}, so only its files and packages were compared"
    return Finding("sbom.statement", Severity.WARN, problem, name, "see who published it")


class _Expected:
    """What the tag has to say: the tree's own SBOM, pip's wheel and what pip carries."""

    def __init__(self, release: Release, clone: Clone, commit: str) -> None:
        self._release = release
        self._made = clone.about(commit).committed.astimezone(UTC)
        try:
            tree = json.loads(clone.read(commit, _TREE_SBOM) or b"")
            wheel = pip_wheel(clone.names(commit, BUNDLED))
            content = clone.read(commit, wheel) or b"" if wheel else b""
            pins = pins_of(content, wheel) if wheel else ()
            self._wheel_sha256 = hashlib.sha256(content).hexdigest()
            self._carried = [("pip", version_of_wheel(wheel), "cpython")] if wheel else []
            self._carried += [(name, version, "pip") for name, version in pins]
            inside = {name for name, _, _ in self._carried}
            self._packages = [
                each for each in tree["packages"] if each["name"].lower() not in inside
            ]
            self._ids = {each["fileName"]: each["SPDXID"] for each in tree.get("files", ())}
            self._owners = {
                each["relatedSpdxElement"]: each["spdxElementId"]
                for each in tree.get("relationships", ())
                if each["relationshipType"] == "CONTAINS"
            }
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise StepFailed(
                where=_TREE_SBOM, problem="lists no packages", remedy=_REGENERATE
            ) from error

    def document(self, archive: Path, found: Mapping[str, Any]) -> dict[str, Any]:
        """The whole document of this archive. Files and their sums are those of ``found``."""
        sha256 = sha256_of(archive)
        folder = self._release.version.folder
        location = f"{SITE}/ftp/python/{folder}/{archive.name}"
        sums = {
            each["fileName"]: {one["algorithm"]: one["checksumValue"] for one in each["checksums"]}
            for each in found["files"]
        }
        files = [
            {
                "SPDXID": self._ids.get(name) or file_id(name),
                "checksums": [_checksum("SHA1", sums[name]), _checksum("SHA256", sums[name])],
                "fileName": name,
            }
            for name in sorted(sums)
        ]
        owners = [(self._owners.get(each["SPDXID"], CPYTHON_ID), each) for each in files]
        packages = [
            self._cpython(archive, location, sha256),
            *({**each, "supplier": _OWNER} for each in self._packages),
            *self._of_pip({each["SPDXID"]: each for each in found["packages"]}),
        ]
        for package in packages:
            own = sorted(
                sums[each["fileName"]]["SHA1"]
                for owner, each in owners
                if owner == package["SPDXID"]
            )
            code = hashlib.sha1("".join(own).encode(), usedforsecurity=False).hexdigest()
            package["packageVerificationCode"] = {"packageVerificationCodeValue": code}
            package["filesAnalyzed"] = True
        relations = [
            (DOCUMENT_ID, "DESCRIBES", CPYTHON_ID),
            *((CPYTHON_ID, "DEPENDS_ON", each["SPDXID"]) for each in self._packages),
            *((owner, "CONTAINS", each["SPDXID"]) for owner, each in owners),
            *(
                (package_id(inside), "DEPENDS_ON", package_id(name))
                for name, _, inside in self._carried
            ),
        ]
        return {
            "SPDXID": DOCUMENT_ID,
            "creationInfo": {
                "created": f"{datetime.strftime(self._made, '%Y-%m-%dT%H:%M:%S')}Z",
                "creators": [f"{kind}: {name}" for kind, name in CREATORS],
            },
            "dataLicense": "CC0-1.0",
            "name": "CPython SBOM",
            "spdxVersion": "SPDX-2.3",
            "documentNamespace": namespace_of(location, sha256),
            "packages": packages,
            "files": files,
            "relationships": [
                {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
                for one, kind, other in relations
            ],
        }

    def _cpython(self, archive: Path, location: str, sha256: str) -> dict[str, Any]:
        version = self._release.version
        cpe = f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*"
        return {
            "SPDXID": CPYTHON_ID,
            "checksums": [_checksum("SHA256", {"SHA256": sha256})],
            "downloadLocation": location,
            "externalRefs": [_reference("SECURITY", "cpe23Type", cpe)],
            "licenseConcluded": "PSF-2.0",
            "name": "CPython",
            "originator": _OWNER,
            "packageFileName": archive.name,
            "primaryPackagePurpose": "SOURCE",
            "supplier": _OWNER,
            "versionInfo": str(version),
        }

    def _of_pip(self, found: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        for name, version, _ in self._carried:
            there = found.get(package_id(name), {})
            references = [_reference("PACKAGE_MANAGER", "purl", f"pkg:pypi/{name}@{version}")]
            package: dict[str, Any] = {
                "SPDXID": package_id(name),
                "checksums": there.get("checksums", []),
                "downloadLocation": _published(there.get("downloadLocation", ""), name, version),
                "externalRefs": references,
                "licenseConcluded": "NOASSERTION",
                "name": name,
                "primaryPackagePurpose": "SOURCE",
                "supplier": _OWNER,
                "versionInfo": version,
            }
            if name == "pip":
                cpe = f"cpe:2.3:a:pypa:pip:{version}:*:*:*:*:*:*:*"
                references.insert(0, _reference("SECURITY", "cpe23Type", cpe))
                package["originator"] = "Organization: Python Packaging Authority"
                package["checksums"] = [_checksum("SHA256", {"SHA256": self._wheel_sha256})]
            yield package


def _published(location: str, name: str, version: str) -> str:
    """The address, if a file of this version is there; else what an address has to be."""
    plain = re.sub(r"[-_.]+", "-", location.rpartition("/")[2]).lower()
    begin = re.sub(r"[-_.]+", "-", f"{name}-{version}-").lower()
    is_its = location.startswith("https://") and plain.startswith(begin)
    return location if is_its else f"an address of {name} {version}"


def _checksum(algorithm: str, sums: Mapping[str, str]) -> dict[str, str]:
    return {"algorithm": algorithm, "checksumValue": sums[algorithm]}


def _reference(category: str, kind: str, locator: str) -> dict[str, str]:
    return {"referenceCategory": category, "referenceLocator": locator, "referenceType": kind}


def _differences(found: Any, wanted: Any, where: str) -> Iterator[str]:
    """Each field that is another, with what it says and what it has to say."""
    match found, wanted:
        case dict(), dict():
            for name in sorted(found.keys() | wanted.keys()):
                yield from _differences(found.get(name), wanted.get(name), f"{where}.{name}")
        case list(), list():
            if len(found) != len(wanted):
                yield f"{where[1:]} has {len(found):,} entries, wanted {len(wanted):,}"
            for number, (one, other) in enumerate(zip(found, wanted, strict=False)):
                yield from _differences(one, other, f"{where}[{number}]")
        case _ if found != wanted or type(found) is not type(wanted):
            yield f"{where[1:]} is {_shown(found)}, wanted {_shown(wanted)}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return printable(value if isinstance(value, str) else json.dumps(value))[:_SHOWN]
