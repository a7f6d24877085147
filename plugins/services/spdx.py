"""SPDX documents by spdx-tools, the reference implementation: the SBOM of a source archive."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import ServiceFailed
from plugins.model.spdx_names import (
    CPYTHON_ID,
    CREATORS,
    DOCUMENT_ID,
    ORGANIZATION,
    file_id,
    package_id,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from plugins.ports.sbom import Carried, SourceArchive, SourceFile

__all__ = ["SpdxDocuments"]

_NAME: Final = "CPython SBOM"
_LICENSE: Final = "PSF-2.0"
_NO_SPDX: Final = "Misc/sbom.spdx.json is not a valid SPDX document"
_NOT_VALID: Final = "the document would not be valid SPDX"

# spdx-tools looks for each id in a list of all ids, made anew each time: with CPython's 4,800
# files that takes 30 seconds, and in slices that are documents of their own one second.
_FILES_PER_VALIDATION: Final = 60


class SpdxDocuments:
    """The Sboms port."""

    def __init__(self) -> None:
        self._valid: set[int] = set()

    def __repr__(self) -> str:
        return "sboms"

    def version(self) -> str:
        """The version of spdx-tools."""
        from importlib.metadata import version

        return version("spdx-tools")

    def document(
        self,
        archive: SourceArchive,
        files: Sequence[SourceFile],
        tree_sbom: bytes,
        carried: Sequence[Carried] = (),
    ) -> bytes:
        """A valid SPDX 2.3 document in JSON; see the port."""
        from spdx_tools.spdx.jsonschema.document_converter import DocumentConverter
        from spdx_tools.spdx.model.document import Document

        bundled = _Bundled(tree_sbom, {project.name for project in carried})
        listed = [_file(file, bundled) for file in files]
        relationships = [
            *_relationships(bundled, listed),
            *(_dependency(project.inside or "cpython", project.name) for project in carried),
        ]
        sums = {entry.spdx_id: file.sha1 for entry, file in zip(listed, files, strict=True)}
        packages = [
            _with_verification(package, relationships, sums)
            for package in (_cpython(archive), *bundled.packages, *map(_carried, carried))
        ]
        document = Document(_creation(archive), packages, listed, relationships=relationships)
        self._refuse_invalid(document, hash((tuple(files), tree_sbom)))
        content = DocumentConverter().convert(document)  # type: ignore[no-untyped-call]
        return json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n"

    def _refuse_invalid(self, document: Any, files: int) -> None:
        """Each part is valid; files that were looked at for one archive are so for the other."""
        packages, *parts = _slices(document)
        _look_at(packages)
        if files not in self._valid:
            for part in parts:
                _look_at(part)
            self._valid.add(files)


class _Bundled:
    """What the tree's own SBOM says: packages, and which package a file belongs to."""

    def __init__(self, raw: bytes, without: Collection[str]) -> None:
        from spdx_tools.spdx.model.actor import Actor, ActorType
        from spdx_tools.spdx.parser.error import SPDXParsingError
        from spdx_tools.spdx.parser.jsonlikedict.package_parser import PackageParser

        parser: Any = PackageParser()  # type: ignore[no-untyped-call]
        try:
            content = json.loads(raw)
            self.ids = {file["fileName"]: file["SPDXID"] for file in content.get("files", ())}
            self.packages = [
                parser.parse_package({**package, "filesAnalyzed": True})
                for package in content["packages"]
                if package["name"].lower() not in without
            ]
            for package in self.packages:
                # Whoever made it, it comes from us.
                package.supplier = Actor(ActorType.ORGANIZATION, ORGANIZATION)
            self.owners = {
                relation["relatedSpdxElement"]: relation["spdxElementId"]
                for relation in content.get("relationships", ())
                if relation["relationshipType"] == "CONTAINS"
            }
        except SPDXParsingError as error:
            raise _refused(problem=_NO_SPDX, messages=list(error.messages)) from error
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise _refused(
                problem=_NO_SPDX, messages=[f"a field is missing or malformed: {error}"]
            ) from error


def _creation(archive: SourceArchive) -> Any:
    from spdx_tools.spdx.model.actor import Actor, ActorType
    from spdx_tools.spdx.model.document import CreationInfo

    return CreationInfo(
        spdx_version="SPDX-2.3",
        spdx_id=DOCUMENT_ID,
        name=_NAME,
        document_namespace=archive.namespace,
        creators=[Actor(ActorType[kind.upper()], name) for kind, name in CREATORS],
        # spdx-tools writes a Z behind whatever it is given.
        created=datetime.fromtimestamp(archive.epoch_s, UTC).replace(tzinfo=None),
    )


def _cpython(archive: SourceArchive) -> Any:
    from spdx_tools.spdx.model.actor import Actor, ActorType
    from spdx_tools.spdx.model.checksum import Checksum, ChecksumAlgorithm
    from spdx_tools.spdx.model.package import (
        ExternalPackageRef,
        ExternalPackageRefCategory,
        Package,
        PackagePurpose,
    )
    from spdx_tools.spdx.parser.jsonlikedict.license_expression_parser import (
        LicenseExpressionParser,
    )

    parser: Any = LicenseExpressionParser()
    licence = parser.parse_license_expression(_LICENSE)
    owner = Actor(ActorType.ORGANIZATION, ORGANIZATION)
    return Package(
        spdx_id=CPYTHON_ID,
        name="CPython",
        version=archive.version,
        file_name=archive.file_name,
        download_location=archive.location,
        checksums=[Checksum(ChecksumAlgorithm.SHA256, archive.sha256)],
        supplier=owner,
        originator=owner,
        license_concluded=licence,
        primary_package_purpose=PackagePurpose.SOURCE,
        external_references=[
            ExternalPackageRef(ExternalPackageRefCategory.SECURITY, "cpe23Type", archive.cpe)
        ],
    )


def _file(file: SourceFile, bundled: _Bundled) -> Any:
    from spdx_tools.spdx.model.checksum import Checksum, ChecksumAlgorithm
    from spdx_tools.spdx.model.file import File

    return File(
        name=file.path,
        spdx_id=bundled.ids.get(file.path) or file_id(file.path),
        checksums=[
            Checksum(ChecksumAlgorithm.SHA1, file.sha1),
            Checksum(ChecksumAlgorithm.SHA256, file.sha256),
        ],
    )


def _relationships(bundled: _Bundled, files: Iterable[Any]) -> Iterator[Any]:
    from spdx_tools.spdx.model.relationship import Relationship, RelationshipType

    yield Relationship(DOCUMENT_ID, RelationshipType.DESCRIBES, CPYTHON_ID)
    for package in bundled.packages:
        yield Relationship(CPYTHON_ID, RelationshipType.DEPENDS_ON, package.spdx_id)
    for file in files:
        owner = bundled.owners.get(file.spdx_id, CPYTHON_ID)
        yield Relationship(owner, RelationshipType.CONTAINS, file.spdx_id)


def _dependency(of: str, on: str) -> Any:
    from spdx_tools.spdx.model.relationship import Relationship, RelationshipType

    return Relationship(package_id(of), RelationshipType.DEPENDS_ON, package_id(on))


def _carried(project: Carried) -> Any:
    """Source of the statements: upstream's documents of 2026, made by release-tools."""
    from spdx_tools.spdx.model.actor import Actor, ActorType
    from spdx_tools.spdx.model.checksum import Checksum, ChecksumAlgorithm
    from spdx_tools.spdx.model.package import (
        ExternalPackageRef,
        ExternalPackageRefCategory,
        Package,
        PackagePurpose,
    )
    from spdx_tools.spdx.model.spdx_no_assertion import SpdxNoAssertion

    purl = f"pkg:pypi/{project.name}@{project.version}"
    refs = [ExternalPackageRef(ExternalPackageRefCategory.PACKAGE_MANAGER, "purl", purl)]
    originator = None
    if project.name == "pip":
        cpe = f"cpe:2.3:a:pypa:pip:{project.version}:*:*:*:*:*:*:*"
        refs.insert(0, ExternalPackageRef(ExternalPackageRefCategory.SECURITY, "cpe23Type", cpe))
        originator = Actor(ActorType.ORGANIZATION, "Python Packaging Authority")
    return Package(
        spdx_id=package_id(project.name),
        name=project.name,
        version=project.version,
        download_location=project.wheel.location,
        checksums=[Checksum(ChecksumAlgorithm.SHA256, project.wheel.sha256)],
        supplier=Actor(ActorType.ORGANIZATION, ORGANIZATION),
        originator=originator,
        license_concluded=SpdxNoAssertion(),
        primary_package_purpose=PackagePurpose.SOURCE,
        external_references=refs,
    )


def _with_verification(package: Any, relationships: Iterable[Any], sums: dict[str, str]) -> Any:
    """The package with one digest over its files. Source: SPDX 2.3, section 7.9."""
    from spdx_tools.spdx.model.package import PackageVerificationCode

    own = sorted(
        sums[relation.related_spdx_element_id]
        for relation in relationships
        if relation.spdx_element_id == package.spdx_id and relation.related_spdx_element_id in sums
    )
    # of no files at all, too, as upstream has it
    code = hashlib.sha1("".join(own).encode(), usedforsecurity=False).hexdigest()
    package.verification_code = PackageVerificationCode(code)
    return package


def _slices(document: Any) -> Iterator[Any]:
    """Documents that make up this one: of the packages alone, then of some files each."""
    from spdx_tools.spdx.model.document import Document

    files = document.files
    known = {file.spdx_id for file in files}
    if len(known) != len(files):
        raise _refused(problem=_NOT_VALID, messages=["two files have the same id"])
    relations = document.relationships
    between = [relation for relation in relations if relation.related_spdx_element_id not in known]
    of_file = {relation.related_spdx_element_id: relation for relation in relations}
    heads = {"creation_info": document.creation_info, "packages": document.packages}
    yield Document(**heads, relationships=between)
    for begin in range(0, len(files), _FILES_PER_VALIDATION):
        some = files[begin : begin + _FILES_PER_VALIDATION]
        own = [of_file[file.spdx_id] for file in some]
        yield Document(**heads, files=some, relationships=[*between, *own])


def _look_at(document: Any) -> None:
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    found = validate_full_spdx_document(document)
    if found:
        messages = [f"{error.context.spdx_id}: {error.validation_message}" for error in found]
        raise _refused(problem=_NOT_VALID, messages=messages)


def _refused(*, problem: str, messages: Iterable[str]) -> ServiceFailed:
    lines = tuple(line for message in messages for line in str(message).splitlines())
    return ServiceFailed(
        service="spdx-tools",
        action="write the SBOM",
        problem=f"{problem} ({lines[0]})" if lines else problem,
        remedy="correct Misc/sbom.spdx.json on the branch with make regen-sbom",
        details=lines[:20],
    )
