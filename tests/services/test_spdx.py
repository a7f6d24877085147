from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from doit_receipts.errors import ServiceFailed
from plugins.ports.sbom import SourceArchive, SourceFile
from plugins.services.spdx import SpdxDocuments

ARCHIVE = SourceArchive(
    version="3.13.6",
    cpe="cpe:2.3:a:python:python:3.13.6:*:*:*:*:*:*:*",
    file_name="Python-3.13.6.tgz",
    location="https://www.python.org/ftp/python/3.13.6/Python-3.13.6.tgz",
    sha256="ab" * 32,
    namespace="https://www.python.org/ftp/python/3.13.6/Python-3.13.6.tgz.spdx.json/1",
    epoch_s=1_700_000_000,
)


def a_file(path: str, content: bytes = b"x") -> SourceFile:
    sums = hashlib.sha1(content).hexdigest(), hashlib.sha256(content).hexdigest()
    return SourceFile(path, *sums)


FILES = (a_file("Lib/a_b.py"), a_file("Lib/a/b.py"), a_file("Lib/a-b.py"), a_file("Modules/zip.c"))
TREE: dict[str, Any] = {
    "SPDXID": "SPDXRef-DOCUMENT",
    "spdxVersion": "SPDX-2.3",
    "files": [
        {
            "SPDXID": "SPDXRef-FILE-Modules-zip.c",
            "checksums": [{"algorithm": "SHA256", "checksumValue": FILES[3].sha256}],
            "fileName": "Modules/zip.c",
        },
        {
            "SPDXID": "SPDXRef-FILE-Modules-gone.c",
            "checksums": [{"algorithm": "SHA256", "checksumValue": "0" * 64}],
            "fileName": "Modules/gone.c",
        },
    ],
    "packages": [
        {
            "SPDXID": "SPDXRef-PACKAGE-zip",
            "checksums": [{"algorithm": "SHA256", "checksumValue": "1" * 64}],
            "downloadLocation": "https://zip.example/zip-1.2.tar.gz",
            "licenseConcluded": "NOASSERTION",
            "name": "zip",
            "originator": "Organization: Zip developers",
            "primaryPackagePurpose": "SOURCE",
            "versionInfo": "1.2",
        }
    ],
    "relationships": [
        {
            "relatedSpdxElement": f"SPDXRef-FILE-Modules-{name}.c",
            "relationshipType": "CONTAINS",
            "spdxElementId": "SPDXRef-PACKAGE-zip",
        }
        for name in ("zip", "gone")
    ],
}


def raw(**changed: object) -> bytes:
    return json.dumps({**TREE, **changed}).encode()


def told(files: tuple[SourceFile, ...] = FILES) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(SpdxDocuments().document(ARCHIVE, files, raw()))
    return read


def test_document_is_valid_to_the_reference_implementation(tmp_path: Any) -> None:
    path = tmp_path / "Python-3.13.6.tgz.spdx.json"
    path.write_bytes(SpdxDocuments().document(ARCHIVE, FILES, raw()))
    assert validate_full_spdx_document(parse_file(str(path))) == []


def test_cpython_is_told_with_version_place_and_digest() -> None:
    document = told()
    cpython = next(each for each in document["packages"] if each["name"] == "CPython")
    assert cpython["versionInfo"] == "3.13.6"
    assert cpython["downloadLocation"] == ARCHIVE.location
    assert cpython["packageFileName"] == "Python-3.13.6.tgz"
    assert cpython["checksums"] == [{"algorithm": "SHA256", "checksumValue": "ab" * 32}]
    assert cpython["licenseConcluded"] == "PSF-2.0"
    assert cpython["externalRefs"][0]["referenceLocator"] == ARCHIVE.cpe
    assert document["documentNamespace"] == ARCHIVE.namespace
    assert document["creationInfo"]["created"] == "2023-11-14T22:13:20Z"


def test_every_file_belongs_to_cpython_or_to_what_it_bundles() -> None:
    document = told()
    ids = {each["fileName"]: each["SPDXID"] for each in document["files"]}
    assert set(ids) == {each.path for each in FILES}
    assert len(set(ids.values())) == len(FILES)
    owners = {
        each["relatedSpdxElement"]: each["spdxElementId"]
        for each in document["relationships"]
        if each["relationshipType"] == "CONTAINS"
    }
    assert ["SPDXRef-PACKAGE-cpython", "DEPENDS_ON", "SPDXRef-PACKAGE-zip"] in [
        [each["spdxElementId"], each["relationshipType"], each["relatedSpdxElement"]]
        for each in document["relationships"]
    ]
    assert owners[ids["Modules/zip.c"]] == "SPDXRef-PACKAGE-zip"
    assert owners[ids["Lib/a_b.py"]] == "SPDXRef-PACKAGE-cpython"
    assert ["SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-PACKAGE-cpython"] in [
        [each["spdxElementId"], each["relationshipType"], each["relatedSpdxElement"]]
        for each in document["relationships"]
    ]


def test_file_that_the_archive_lacks_is_not_told() -> None:
    assert "gone" not in json.dumps(told())


def test_package_has_the_verification_code_of_its_files() -> None:
    """SPDX 2.3, section 7.9: the sha1 of the sorted sha1s of the package's files."""
    bundled = next(each for each in told()["packages"] if each["name"] == "zip")
    wanted = hashlib.sha1(FILES[3].sha1.encode()).hexdigest()
    assert bundled["packageVerificationCode"] == {"packageVerificationCodeValue": wanted}


def test_same_archive_gives_the_same_bytes_and_another_one_others() -> None:
    sboms = SpdxDocuments()
    first = sboms.document(ARCHIVE, FILES, raw())
    other = replace(ARCHIVE, sha256="cd" * 32, file_name="Python-3.13.6.tar.xz")
    second = sboms.document(other, FILES, raw())
    assert second != first
    assert sboms.document(ARCHIVE, FILES, raw()) == first
    assert SpdxDocuments().document(ARCHIVE, FILES, raw()) == first


def test_many_files_are_all_told_and_valid() -> None:
    files = tuple(a_file(f"Lib/f{count}.py") for count in range(150))
    assert len(told(files)["files"]) == 150


def test_document_is_refused_where_the_reference_implementation_would_refuse_it() -> None:
    bad = replace(FILES[0], sha256="no digest")
    with pytest.raises(ServiceFailed, match="the document would not be valid"):
        SpdxDocuments().document(ARCHIVE, (bad,), raw())
    with pytest.raises(ServiceFailed, match="would not be valid"):
        SpdxDocuments().document(replace(ARCHIVE, location="nowhere"), FILES, raw())
    with pytest.raises(ServiceFailed, match="two files have the same id"):
        SpdxDocuments().document(ARCHIVE, (FILES[0], FILES[0]), raw())


def test_bad_file_is_not_passed_because_an_archive_with_good_ones_was() -> None:
    sboms = SpdxDocuments()
    sboms.document(ARCHIVE, FILES, raw())
    with pytest.raises(ServiceFailed):
        sboms.document(ARCHIVE, (replace(FILES[0], sha1="no digest"), *FILES[1:]), raw())


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        raw(packages=[{"name": "zip"}]),
        raw(packages=None),
        raw(files=[{}]),
        raw(relationships=[{}]),
        raw(packages=[{**TREE["packages"][0], "SPDXID": "zip"}]),
    ],
)
def test_tree_sbom_that_is_no_spdx_is_told(bad: bytes) -> None:
    with pytest.raises(
        ServiceFailed, match=r"spdx-tools: write the SBOM: .*; correct Misc/sbom"
    ) as got:
        SpdxDocuments().document(ARCHIVE, FILES, bad)
    assert str(got.value).isprintable()
