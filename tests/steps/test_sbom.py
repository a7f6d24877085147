from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from checks.sbom import sboms_are_true
from doit_receipts.errors import StepFailed
from plugins.model.version import Version
from plugins.services.git_clone import GitClone
from plugins.services.programs import MachinePrograms
from plugins.services.spdx import SpdxDocuments
from plugins.steps import sbom
from tests.progress import Quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from plugins.model.release import Release

    Builds = Callable[..., Release]

EPOCH_S = 1_700_000_000
FILES = {"Lib/os.py": b"x = 1\n", "Modules/zip.c": b"int x;\n", "Misc/sbom.spdx.json": b""}


def tree_sbom(**sums: str) -> bytes:
    files = [
        {
            "SPDXID": f"SPDXRef-FILE-{name}",
            "fileName": f"Modules/{name}.c",
            "checksums": [{"algorithm": "SHA256", "checksumValue": digest}],
        }
        for name, digest in sums.items()
    ]
    package = {
        "SPDXID": "SPDXRef-PACKAGE-zip",
        "name": "zip",
        "versionInfo": "1.2",
        "downloadLocation": "https://zip.example/zip-1.2.tar.gz",
    }
    contains = [
        {
            "spdxElementId": "SPDXRef-PACKAGE-zip",
            "relationshipType": "CONTAINS",
            "relatedSpdxElement": f"SPDXRef-FILE-{name}",
        }
        for name in sums
    ]
    told = {"files": files, "packages": [package], "relationships": contains}
    return json.dumps({"SPDXID": "SPDXRef-DOCUMENT", "spdxVersion": "SPDX-2.3", **told}).encode()


class Tree:
    """A clone with one commit, and archives of it."""

    def __init__(self, release: Release, files: Mapping[str, bytes]) -> None:
        self.release = release
        self.programs = MachinePrograms()
        folder = release.layout.clone
        folder.mkdir(parents=True)
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self._git("init", "-q")
        self._git("add", "-A")
        self._git("commit", "-qm", "all")
        self.commit = self._git("rev-parse", "HEAD")
        self.clone = GitClone(folder, self.programs)
        self.pack(files)

    def _git(self, *words: str) -> str:
        argv = ["git", "-c", "user.name=t", "-c", "user.email=t", *words]
        return self.programs.run(argv, folder=self.release.layout.clone).stdout.strip()

    def pack(self, files: Mapping[str, bytes]) -> None:
        stream = io.BytesIO()
        root = self.release.layout.folder_in_archive
        with tarfile.open(fileobj=stream, mode="w") as tar:
            for name, content in files.items():
                info = tarfile.TarInfo(f"{root}/{name}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            link = tarfile.TarInfo(f"{root}/link")
            link.type, link.linkname = tarfile.SYMTYPE, "Lib/os.py"
            tar.addfile(link)
        self.release.layout.src.mkdir(exist_ok=True)
        tgz, xz = self.release.layout.tarballs
        tgz.write_bytes(gzip.compress(stream.getvalue(), mtime=0))
        xz.write_bytes(lzma.compress(stream.getvalue()))

    def build(self) -> dict[str, str]:
        return sbom.build(
            self.release, self.clone, SpdxDocuments(), Quiet(),
            commit=self.commit, epoch_s=EPOCH_S,
        )  # fmt: skip

    def rules(self) -> list[str]:
        found = sboms_are_true(self.release, self.clone, commit=self.commit)
        assert all(each.severity.name == "BLOCK" for each in found)
        return [each.rule for each in found]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def a_tree(release: Release, **changed: bytes) -> Tree:
    listed = tree_sbom(zip=sha256(FILES["Modules/zip.c"]))
    return Tree(release, {**FILES, "Misc/sbom.spdx.json": listed, **changed})


def read(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(path.read_bytes())
    return told


def test_each_archive_gets_its_own_sbom_of_all_its_files(a_release: Builds) -> None:
    tree = a_tree(a_release("3.13.6"))
    facts = tree.build()
    assert facts["files"] == "3"
    assert facts["spdx_tools"]
    tgz, xz = sbom.documents(tree.release)
    assert (tgz.name, xz.name) == ("Python-3.13.6.tgz.spdx.json", "Python-3.13.6.tar.xz.spdx.json")
    names = [each["fileName"] for each in read(tgz)["files"]]
    assert names == ["Lib/os.py", "Misc/sbom.spdx.json", "Modules/zip.c"]
    assert read(tgz)["documentNamespace"] != read(xz)["documentNamespace"]
    assert tree.rules() == []


def test_same_archives_give_the_same_sboms(a_release: Builds) -> None:
    tree = a_tree(a_release())
    tree.build()
    before = [path.read_bytes() for path in sbom.documents(tree.release)]
    tree.build()
    assert [path.read_bytes() for path in sbom.documents(tree.release)] == before


def test_series_before_sboms_gets_none(a_release: Builds) -> None:
    tree = a_tree(a_release("3.11.14"))
    assert tree.build() == {}
    assert sbom.documents(tree.release) == ()
    assert tree.rules() == []


def test_tree_without_its_sbom_is_told(a_release: Builds) -> None:
    tree = Tree(a_release(), {"Lib/os.py": b""})
    with pytest.raises(
        StepFailed, match=r"Misc/sbom\.spdx\.json: is not in [0-9a-f]{12}, and 3\.13"
    ):
        tree.build()
    assert tree.rules() == ["sbom.unreadable"]


def test_file_that_the_tree_lists_and_the_archives_lack_blocks(a_release: Builds) -> None:
    listed = tree_sbom(zip=sha256(FILES["Modules/zip.c"]), gone="0" * 64)
    tree = Tree(a_release(), {**FILES, "Misc/sbom.spdx.json": listed})
    tree.build()
    assert tree.rules() == ["sbom.missing_file"]


def test_file_that_was_changed_without_telling_the_sbom_blocks(a_release: Builds) -> None:
    tree = Tree(a_release(), {**FILES, "Misc/sbom.spdx.json": tree_sbom(zip="0" * 64)})
    tree.build()
    assert tree.rules() == ["sbom.changed_file"]


def test_sbom_of_an_older_archive_blocks(a_release: Builds) -> None:
    tree = a_tree(a_release())
    tree.build()
    tree.pack({**FILES, "Lib/new.py": b""})
    assert tree.rules() == ["sbom.archive", "sbom.archive"]


@pytest.mark.parametrize(
    "content", [None, b"", b"{}", b"[]", b'{"files": [{}]}', b'{"packages": [], "files": []}']
)
def test_sbom_that_cannot_be_read_blocks(a_release: Builds, content: bytes | None) -> None:
    tree = a_tree(a_release())
    tree.build()
    document = sbom.documents(tree.release)[1]
    if content is None:
        document.unlink()
    else:
        document.write_bytes(content)
    assert tree.rules() == ["sbom.unreadable"]


def test_archive_that_is_gone_blocks(a_release: Builds) -> None:
    tree = a_tree(a_release())
    tree.build()
    tree.release.layout.tarballs[0].unlink()
    assert tree.rules() == ["sbom.unreadable"]


@pytest.mark.parametrize(
    ("version", "cpe"),
    [
        ("3.13.6", "cpe:2.3:a:python:python:3.13.6:*:*:*:*:*:*:*"),
        ("3.14.0rc2", "cpe:2.3:a:python:python:3.14.0:rc2:*:*:*:*:*:*"),
        ("3.15.0a1", "cpe:2.3:a:python:python:3.15.0:alpha1:*:*:*:*:*:*"),
        ("3.15.0b3", "cpe:2.3:a:python:python:3.15.0:beta3:*:*:*:*:*:*"),
    ],
)
def test_version_has_the_name_that_vulnerability_databases_use(version: str, cpe: str) -> None:
    assert sbom.cpe_of(Version.parse(version)) == cpe
