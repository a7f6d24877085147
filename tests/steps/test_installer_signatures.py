"""Tests of who signed an installer: real programs and packages, signed with real keys."""

from __future__ import annotations

import base64
import hashlib
import shutil
import struct
import subprocess
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pip
import pytest

from checks.brought import installers_are_signed
from doit_receipts.errors import StepFailed
from doit_receipts.finding import Severity
from plugins.model.content import Content, NamedFile
from plugins.model.promise import contract_of
from plugins.model.xar import package_signature
from plugins.services.folder_host import FolderHost
from plugins.services.programs import MachinePrograms
from plugins.steps import experts, installer_signatures, signature_tools
from tests.progress import Quiet

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.programs import Programs
    from tests.conftest import Builds

PSF = "Python Software Foundation"
APPLE = f"Developer ID Installer: {PSF} (BMM5U3QVKW)"
EXE, PKG = "3.15.0/python-3.15.0rc1-amd64.exe", "3.15.0/python-3.15.0rc1-macos11.pkg"
needs_osslsigncode = pytest.mark.skipif(
    shutil.which("osslsigncode") is None, reason="osslsigncode is not installed"
)


@dataclass
class Person:
    """Whoever has a key and a certificate for this name."""

    folder: Path
    name: str

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        words = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
                 f"/C=US/O={PSF}/CN={self.name}", "-keyout", "key.pem", "-out", "cert.pem",
                 "-addext", "extendedKeyUsage=codeSigning")  # fmt: skip
        self.run("openssl", *words)

    def run(self, *words: str | Path, stdin: bytes = b"") -> bytes:
        return subprocess.run(
            words, cwd=self.folder, input=stdin, check=True, capture_output=True
        ).stdout

    def program(self) -> bytes:
        """A program of Windows with their signature: one that pip comes with, signed anew."""
        assert pip.__file__ is not None
        plain = Path(pip.__file__).parent / "_vendor" / "distlib" / "t64.exe"
        (self.folder / "signed.exe").unlink(missing_ok=True)
        self.run("osslsigncode", "sign", "-certs", "cert.pem", "-key", "key.pem",
                 "-in", plain, "-out", "signed.exe")  # fmt: skip
        return (self.folder / "signed.exe").read_bytes()

    def package(self, member: bytes = b"payload", digest: str = "sha1") -> bytes:
        """A package of macOS with their signature, as productsign makes it in essence."""
        der = self.run("openssl", "x509", "-in", "cert.pem", "-outform", "DER")
        length = hashlib.new(digest).digest_size
        text = (
            f'<?xml version="1.0"?><xar><toc><checksum style="{digest}"><offset>0</offset>'
            f"<size>{length}</size></checksum>"
            f'<signature style="RSA"><offset>{length}</offset><size>256</size><KeyInfo>'
            f"<X509Data><X509Certificate>{base64.encodebytes(der).decode()}</X509Certificate>"
            '</X509Data></KeyInfo></signature><file id="1"><name>Payload</name><data>'
            f'<archived-checksum style="sha1">{hashlib.sha1(member).hexdigest()}'
            f"</archived-checksum><offset>{length + 256}</offset><length>{len(member)}</length>"
            "</data></file></toc></xar>"
        ).encode()
        table = zlib.compress(text)
        words = ("openssl", "dgst", f"-{digest}", "-sign", "key.pem")
        signature = self.run(*words, stdin=table)
        head = struct.pack(">4sHHQQI", b"xar!", 28, 1, len(table), len(text), 1)
        return head + table + hashlib.new(digest, table).digest() + signature + member


@pytest.fixture(scope="module")
def psf(tmp_path_factory: pytest.TempPathFactory) -> Person:
    return Person(tmp_path_factory.mktemp("psf") / "keys", PSF)


@pytest.fixture(scope="module")
def apple(tmp_path_factory: pytest.TempPathFactory) -> Person:
    return Person(tmp_path_factory.mktemp("apple") / "keys", APPLE)


@pytest.fixture(scope="module")
def somebody(tmp_path_factory: pytest.TempPathFactory) -> Person:
    return Person(tmp_path_factory.mktemp("somebody") / "keys", "Somebody Else")


@dataclass
class Only:
    """A machine that has some of the programs of this one."""

    programs: MachinePrograms
    names: tuple[str, ...]

    def find(self, name: str) -> Path | None:
        return self.programs.find(name) if name in self.names else None

    def __getattr__(self, name: str) -> object:
        return getattr(self.programs, name)


@pytest.fixture
def release(a_release: Builds) -> Release:
    return replace(a_release("3.15.0rc1"), rehearsal=False)


def looked_at(
    release: Release, root: Path, content: dict[str, bytes], programs: Programs | None = None
) -> dict[str, str]:
    for role, name in (("windows", EXE), ("macos", PKG)):
        files = [NamedFile(name, Content.of(content[name]))] if name in content else []
        arrived = {file.name: file.content.fact for file in files}
        experts.keep_adopted(release, role, arrived, commit="5" * 40)
        for file in files:
            (root / file.name).parent.mkdir(parents=True, exist_ok=True)
            (root / file.name).write_bytes(content[name])
    return installer_signatures.verify(
        release, FolderHost(root), programs or MachinePrograms(), Quiet(), ("windows", "macos")
    )


def findings(release: Release, facts: dict[str, str]) -> list[tuple[str, Severity, str]]:
    found = installers_are_signed(contract_of(release), facts["wrong"], facts["unverified"])
    return [(each.rule, each.severity, each.message) for each in found]


@needs_osslsigncode
def test_program_and_package_of_the_psf_pass(
    release: Release, tmp_path: Path, psf: Person, apple: Person
) -> None:
    content = {EXE: psf.program(), PKG: apple.package()}
    facts = looked_at(release, tmp_path / "root", content)
    assert facts["signed"].splitlines() == [f"{EXE}: {PSF}", f"{PKG}: {APPLE}"]
    assert findings(release, facts) == []


@needs_osslsigncode
def test_program_that_somebody_else_signed_blocks(
    release: Release, tmp_path: Path, somebody: Person
) -> None:
    facts = looked_at(release, tmp_path / "root", {EXE: somebody.program()})
    problem = f"is signed by Somebody Else, wanted {PSF}"
    assert findings(release, facts) == [("brought.signer", Severity.BLOCK, problem)]


@needs_osslsigncode
def test_program_that_was_changed_after_it_was_signed_blocks(
    release: Release, tmp_path: Path, psf: Person
) -> None:
    changed = bytearray(psf.program())
    changed[2000] ^= 1
    facts = looked_at(release, tmp_path / "root", {EXE: bytes(changed)})
    assert findings(release, facts)[0][2] == "was changed after it was signed"


@needs_osslsigncode
def test_program_that_is_none_blocks(release: Release, tmp_path: Path) -> None:
    facts = looked_at(release, tmp_path / "root", {EXE: b"MZ nothing of the kind"})
    assert findings(release, facts)[0][2] == "has no signature that osslsigncode can read"


def test_package_that_somebody_else_signed_blocks(
    release: Release, tmp_path: Path, somebody: Person, apple: Person
) -> None:
    facts = looked_at(release, tmp_path / "root", {PKG: somebody.package(digest="sha256")})
    assert findings(release, facts)[0][:2] == ("brought.signer", Severity.BLOCK)
    assert "is signed by Somebody Else" in facts["wrong"]
    (finding,) = installers_are_signed(contract_of(release), facts["wrong"], facts["unverified"])
    assert finding.remedy.startswith("ask who made it for a signed one; once it is there, run doit")
    assert "doit forget await_macos" in finding.remedy
    assert findings(release, looked_at(release, tmp_path / "root", {PKG: apple.package()})) == []


@pytest.mark.parametrize(
    ("place", "problem"),
    [(-1, "was changed after it was signed"), (-20, "not of its table of contents"),
     (40, "table of contents")],
)  # fmt: skip
def test_package_that_was_changed_after_it_was_signed_blocks(
    release: Release, tmp_path: Path, apple: Person, place: int, problem: str
) -> None:
    changed = bytearray(apple.package())
    changed[place] ^= 1
    facts = looked_at(release, tmp_path / "root", {PKG: bytes(changed)})
    assert problem in findings(release, facts)[0][2]


def test_package_whose_signature_is_of_other_bytes_blocks(
    release: Release, tmp_path: Path, apple: Person
) -> None:
    """A table with the right checksum beside it, signed by nobody."""
    one, other = apple.package(b"payload"), apple.package(b"another")
    with_other = other[:-263] + one[-263:-7] + other[-7:]
    facts = looked_at(release, tmp_path / "root", {PKG: with_other})
    assert findings(release, facts)[0][2] == "has a signature that is not of its table of contents"


def test_installer_without_a_program_for_it_is_a_note(
    release: Release, tmp_path: Path, apple: Person
) -> None:
    only: Programs = Only(MachinePrograms(), ())  # type: ignore[assignment]
    content = {EXE: b"MZ", PKG: apple.package()}
    facts = looked_at(release, tmp_path / "root", content, only)
    ((rule, severity, message),) = findings(release, facts)
    assert (rule, severity) == ("brought.unverified", Severity.NOTE)
    assert message == f"this tool did not verify the signatures inside {EXE}, {PKG}"
    assert signature_tools.tools_here(release, only) == ""
    (finding,) = installers_are_signed(contract_of(release), facts["wrong"], facts["unverified"])
    assert finding.remedy.startswith("install osslsigncode and pkgutil or openssl, or look at it")
    facts = looked_at(release, tmp_path / "root", {PKG: content[PKG]}, only)
    assert [each[0] for each in findings(release, facts)] == ["brought.unverified"]
    assert findings(release, looked_at(release, tmp_path / "root", {PKG: content[PKG]})) == []


def test_toys_of_a_rehearsal_are_not_looked_at(release: Release, tmp_path: Path) -> None:
    toys = looked_at(replace(release, rehearsal=True), tmp_path / "root", {EXE: b"toy"})
    assert set(toys.values()) == {""}


@pytest.mark.parametrize("content", [b"", b"xar!", b"xar!" + b"\0" * 60, b"xar!" + b"\xff" * 60])
def test_what_is_no_package_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pkg").write_bytes(content)
    with (tmp_path / "x.pkg").open("rb") as file, pytest.raises(StepFailed):
        package_signature(file, "x.pkg")
