from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from checks.sbom import sboms_are_true
from checks.sbom_statements import sboms_say_nothing_else
from doit_receipts.errors import StepFailed
from plugins.model.version import Version
from plugins.ports.sbom import Wheel
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
    tgz, xz = tree.release.sboms
    assert (tgz.name, xz.name) == ("Python-3.13.6.tgz.spdx.json", "Python-3.13.6.tar.xz.spdx.json")
    names = [each["fileName"] for each in read(tgz)["files"]]
    assert names == ["Lib/os.py", "Misc/sbom.spdx.json", "Modules/zip.c"]
    assert read(tgz)["documentNamespace"] != read(xz)["documentNamespace"]
    assert tree.rules() == []


def test_same_archives_give_the_same_sboms(a_release: Builds) -> None:
    tree = a_tree(a_release())
    tree.build()
    before = [path.read_bytes() for path in tree.release.sboms]
    tree.build()
    assert [path.read_bytes() for path in tree.release.sboms] == before


def test_series_before_sboms_gets_none(a_release: Builds) -> None:
    tree = a_tree(a_release("3.11.14"))
    assert tree.build() == {}
    assert tree.release.sboms == ()
    assert tree.rules() == []


def test_tree_without_its_sbom_is_told(a_release: Builds) -> None:
    tree = Tree(a_release(), {"Lib/os.py": b""})
    with pytest.raises(
        StepFailed, match=r"Misc/sbom\.spdx\.json: does not exist in [0-9a-f]{12}, but 3\.13"
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
    document = tree.release.sboms[1]
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
        ("3.14.0rc2", "cpe:2.3:a:python:python:3.14.0rc2:*:*:*:*:*:*:*"),
        ("3.15.0a1", "cpe:2.3:a:python:python:3.15.0a1:*:*:*:*:*:*:*"),
        ("3.15.0b3", "cpe:2.3:a:python:python:3.15.0b3:*:*:*:*:*:*:*"),
    ],
)
def test_version_has_the_name_that_upstreams_documents_use(version: str, cpe: str) -> None:
    assert sbom.cpe_of(Version.parse(version)) == cpe


# ── pip, and what it carries ────────────────────────────────────────────────────────────────

WHEEL = "Lib/ensurepip/_bundled/pip-25.1.1-py3-none-any.whl"


def a_pip(*pins: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as wheel:
        wheel.writestr(
            zipfile.ZipInfo("pip/_vendor/vendor.txt"), "".join(f"{pin}\n" for pin in pins)
        )
    return stream.getvalue()


PIP = a_pip("CacheControl==0.14.3", "# a comment", "idna==3.10  # why", "    platformdirs==4.3.7")


class Index:
    """A package index that has everything, with these bytes of pip."""

    def __init__(self, pip: bytes = PIP) -> None:
        self._pip = hashlib.sha256(pip).hexdigest()

    def wheel(self, project: str, version: str, file_name: str = "") -> Wheel:
        name = file_name or f"{project}-{version}-py3-none-any.whl"
        digest = self._pip if project == "pip" else hashlib.sha256(name.encode()).hexdigest()
        return Wheel(f"https://index.example/{name}", digest)


def with_pip(a_release: Builds, version: str = "3.15.0a1", tree: bytes | None = None) -> Tree:
    sums = {"zip": hashlib.sha256(FILES["Modules/zip.c"]).hexdigest()}
    files = FILES | {WHEEL: PIP, "Misc/sbom.spdx.json": tree or tree_sbom(**sums)}
    made = Tree(a_release(version), files)
    write_sboms(made)
    return made


def write_sboms(made: Tree) -> None:
    epoch_s = int(made.clone.about(made.commit).committed.timestamp())
    sbom.build(
        made.release, made.clone, SpdxDocuments(), Quiet(),
        commit=made.commit, epoch_s=epoch_s, index=Index(),
    )  # fmt: skip


def told(tree: Tree) -> Any:
    return json.loads(tree.release.sboms[0].read_bytes())


def test_document_says_what_upstreams_says_of_the_same_archive(a_release: Builds) -> None:
    """Source: release-tools' sbom.py of July 2026, applied to this tree by hand."""
    made = with_pip(a_release)
    document = told(made)
    assert sboms_say_nothing_else(made.release, made.clone, commit=made.commit) == ()
    packages = {each["name"]: each for each in document["packages"]}
    assert {name: each["versionInfo"] for name, each in packages.items()} == {
        "CPython": "3.15.0a1", "zip": "1.2", "pip": "25.1.1",
        "cachecontrol": "0.14.3", "idna": "3.10", "platformdirs": "4.3.7",
    }  # fmt: skip
    depends = {
        (each["spdxElementId"], each["relatedSpdxElement"])
        for each in document["relationships"]
        if each["relationshipType"] == "DEPENDS_ON"
    }
    package = "SPDXRef-PACKAGE-"
    assert depends == {
        (f"{package}cpython", f"{package}zip"), (f"{package}cpython", f"{package}pip"),
        (f"{package}pip", f"{package}cachecontrol"), (f"{package}pip", f"{package}idna"),
        (f"{package}pip", f"{package}platformdirs"),
    }  # fmt: skip
    psf = "Organization: Python Software Foundation"
    assert {each["supplier"] for each in document["packages"]} == {psf}
    assert packages["CPython"]["externalRefs"][0]["referenceLocator"] == (
        "cpe:2.3:a:python:python:3.15.0a1:*:*:*:*:*:*:*"
    )
    assert packages["pip"]["originator"] == "Organization: Python Packaging Authority"
    assert [each["referenceLocator"] for each in packages["pip"]["externalRefs"]] == [
        "cpe:2.3:a:pypa:pip:25.1.1:*:*:*:*:*:*:*", "pkg:pypi/pip@25.1.1",
    ]  # fmt: skip
    idna = packages["idna"]
    assert idna["downloadLocation"] == "https://index.example/idna-3.10-py3-none-any.whl"
    assert idna["externalRefs"][0]["referenceLocator"] == "pkg:pypi/idna@3.10"
    assert all("packageVerificationCode" in each for each in document["packages"])


def test_what_the_trees_own_document_says_of_pip_is_replaced(a_release: Builds) -> None:
    """Trees of 3.12 list pip themselves, of another version perhaps."""
    tree = json.loads(tree_sbom())
    old = {"downloadLocation": "https://index.example/old.whl", "versionInfo": "0.1"}
    tree["packages"] += [
        {"SPDXID": f"SPDXRef-PACKAGE-{name}", "name": name, **old} for name in ("pip", "idna")
    ]
    made = with_pip(a_release, tree=json.dumps(tree).encode())
    versions = sorted((each["name"], each["versionInfo"]) for each in told(made)["packages"])
    assert [version for name, version in versions if name in ("pip", "idna")] == ["3.10", "25.1.1"]
    assert sboms_say_nothing_else(made.release, made.clone, commit=made.commit) == ()
    assert sboms_are_true(made.release, made.clone, commit=made.commit) == ()


NO_SBOMS = (
    "",
    "null",
    "[]",
    "{}",
    "[" * 50_000,
    '{"creationInfo": 5}',
    '{"creationInfo": {"creators": 5}}',
    '{"packages": [{"SPDXID": "SPDXRef-PACKAGE-cpython"}], "creationInfo": {"creators": []}}',
)


def test_sbom_that_is_none_is_one_line_and_is_made_again_as_told(a_release: Builds) -> None:
    made = with_pip(a_release)
    file = made.release.sboms[0]
    whole = file.read_bytes()
    for content in NO_SBOMS:
        for check in (sboms_are_true, sboms_say_nothing_else):
            file.write_text(content)
            try:
                found = check(made.release, made.clone, commit=made.commit)
                said = [f"{each.message}; {each.remedy}" for each in found]
            except StepFailed as error:
                said = [f"{error.problem}; {error.remedy}"]
            assert said
            assert not any("\n" in each for each in said)
            assert all("delete it, then run doit export" in each for each in said), said
    # its remedy
    file.unlink()
    write_sboms(made)
    assert file.read_bytes() == whole
    for check in (sboms_are_true, sboms_say_nothing_else):
        assert check(made.release, made.clone, commit=made.commit) == ()


def test_wheel_that_is_not_the_published_one_is_refused(a_release: Builds) -> None:
    tree = Tree(a_release(), FILES | {WHEEL: PIP, "Misc/sbom.spdx.json": tree_sbom()})
    with pytest.raises(StepFailed, match="is published with"):
        sbom.build(
            tree.release, tree.clone, SpdxDocuments(), Quiet(),
            commit=tree.commit, epoch_s=EPOCH_S, index=Index(b"other bytes"),
        )  # fmt: skip


@pytest.mark.parametrize("pip", [b"no wheel", a_pip("idna>=3")], ids=["no wheel", "no pin"])
def test_wheel_that_says_nothing_is_refused(a_release: Builds, pip: bytes) -> None:
    tree = Tree(a_release(), FILES | {WHEEL: pip, "Misc/sbom.spdx.json": tree_sbom()})
    with pytest.raises(StepFailed, match=r"is not a wheel with|pins no version"):
        sbom.build(
            tree.release, tree.clone, SpdxDocuments(), Quiet(),
            commit=tree.commit, epoch_s=EPOCH_S, index=Index(pip),
        )  # fmt: skip


@pytest.mark.parametrize("lost", ["package", "relationship", "supplier", "cpe"])
def test_document_that_lacks_a_statement_blocks(a_release: Builds, lost: str) -> None:
    made = with_pip(a_release)
    assert sboms_are_true(made.release, made.clone, commit=made.commit) == ()
    path = made.release.sboms[0]
    document = told(made)
    idna = next(each for each in document["packages"] if each["name"] == "idna")
    if lost == "package":
        document["packages"].remove(idna)
    elif lost == "relationship":
        document["relationships"] = [
            each
            for each in document["relationships"]
            if each["relatedSpdxElement"] != idna["SPDXID"]
        ]
    elif lost == "supplier":
        del idna["supplier"]
    else:
        document["packages"][0]["externalRefs"][0]["referenceLocator"] = "cpe:2.3:a:x:x:1"
    path.write_text(json.dumps(document))
    (found,) = sboms_are_true(made.release, made.clone, commit=made.commit)
    assert (found.rule, found.where) == ("sbom.lacks", path.name)
