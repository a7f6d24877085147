"""Installer signatures: who signed what the experts brought, before users are asked to run it.

Windows: Authenticode, read by osslsigncode. macOS: pkgutil where it is, which knows of notarisation
as well; elsewhere the signature of the package by openssl. That Microsoft or Apple vouches for the
signer is for pkgutil and signtool to judge: certificates last a few days there, so none is pinned,
and the roots of both are on their own systems only. Source: windows-release/README.md of
python/release-tools, which says to look at the subject.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from plugins.model.manifest import Manifest
from plugins.model.xar import package_signature
from plugins.ports.brought_files import place_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from plugins.model.release import Release
    from plugins.ports.host import HostReader
    from plugins.ports.programs import Programs
    from plugins.ports.progress import Progress

__all__ = ["SIGNER", "verify"]

SIGNER: Final = "Python Software Foundation"
_SUBJECT: Final = re.compile(r"^\s*Signer #0:\s+Subject: *(.*)$", re.MULTILINE)
_DIGEST: Final = re.compile(r"^(?:Current|Calculated) message digest *: *([0-9A-F]+)", re.MULTILINE)
_NAME: Final = re.compile(r"(?:^|[/,]) *CN *= *([^/,\n]*)")
_TIMEOUT_S: Final = 300.0


def verify(
    release: Release,
    host: HostReader,
    programs: Programs,
    progress: Progress,
    roles: Collection[str],
) -> dict[str, str]:
    """Each installer was looked at for who signed it (NEW26, NEW52); nothing is judged here.

    Facts: ``signed`` the installers that the PSF signed, ``wrong`` what is signed by another or
    was changed since, ``unverified`` those for which no program is here; each a line for a file.
    Of a rehearsal's toys nothing is asked.
    """
    found: dict[str, list[str]] = {"signed": [], "wrong": [], "unverified": []}
    for role in roles if not release.rehearsal else ():
        file = release.layout.adopted(role)
        for each in Manifest.from_bytes(file.read_bytes(), file.name).files:
            if not each.name.endswith((".exe", ".pkg")):
                continue
            tool = _tool(each.name, programs)
            if not tool:
                wanted = "osslsigncode" if each.name.endswith(".exe") else "pkgutil or openssl"
                found["unverified"].append(f"{each.name}: needs {wanted}")
                continue
            place = place_of(release.version, host, each.name)
            if not place:
                found["wrong"].append(f"{each.name}: no longer exists")
                continue
            progress.say(f"{tool}: {each.name}")
            with tempfile.TemporaryDirectory(prefix="pep101-") as room:
                local = Path(room) / each.name.rpartition("/")[2]
                write_whole(local, host.read(place, each.content.size_bytes))
                signer, problem = _judged(local, tool, programs)
            if problem:
                found["wrong"].append(f"{each.name}: {problem}")
            else:
                found["signed"].append(f"{each.name}: {signer}")
    return {name: "\n".join(lines) for name, lines in found.items()}


def _tool(path: str, programs: Programs) -> str:
    wanted = ("osslsigncode",) if path.endswith(".exe") else ("pkgutil", "openssl")
    return next((name for name in wanted if programs.find(name)), "")


def _judged(file: Path, tool: str, programs: Programs) -> tuple[str, str]:
    """The signer and what is wrong, "" if nothing is."""
    look = {"osslsigncode": _authenticode, "pkgutil": _pkgutil, "openssl": _package}[tool]
    try:
        name = look(file, programs)
    except StepFailed as error:
        return "", error.problem
    # Apple's certificates say what they are for before the name, and the team behind it.
    plain = re.sub(r"^Developer ID Installer: (.*) \([A-Z0-9]+\)$", r"\1", name)
    return name, "" if plain == SIGNER else f"is signed by {name or 'nobody'}, wanted {SIGNER}"


def _authenticode(file: Path, programs: Programs) -> str:
    """Who signed the program; the bytes are those that were signed."""
    # No list of revoked certificates is fetched: what the tool asks for is named by the file.
    words = ("osslsigncode", "verify", "-ignore-cdp", "-ignore-crl", "-in", file)
    said = programs.run(words, folder=file.parent, check=False, timeout_s=_TIMEOUT_S)
    text = said.stdout + said.stderr
    digests = _DIGEST.findall(text)
    if len(digests) < 2:
        raise _wrong(file, "has no signature that osslsigncode can read")
    if len(set(digests[:2])) > 1:
        raise _wrong(file, "was changed after it was signed")
    return _common_name(_SUBJECT.search(text))


def _pkgutil(file: Path, programs: Programs) -> str:
    words = ("pkgutil", "--check-signature", file)
    said = programs.run(words, folder=file.parent, check=False, timeout_s=_TIMEOUT_S)
    if said.status:
        raise _wrong(file, "has no signature that pkgutil trusts")
    if "Notarization: trusted" not in said.stdout:
        raise _wrong(file, "is not notarised")
    first = re.search(r"^\s*1\. (.+)$", said.stdout, re.MULTILINE)
    return first[1].strip() if first else ""


def _package(file: Path, programs: Programs) -> str:
    """Who signed the package; table of contents and members are those that were signed."""
    with file.open("rb") as stream:
        found = package_signature(stream, file.name)
    room = file.parent
    parts = {"table": found.table, "signature": found.signature, "certificate": found.certificate}
    for name, content in parts.items():
        write_whole(room / name, content)
    of_certificate = ("openssl", "x509", "-inform", "DER", "-in", "certificate", "-noout")
    key = programs.run((*of_certificate, "-pubkey"), folder=room, check=False)
    write_whole(room / "key", key.stdout.encode())
    words = ("-verify", "key", "-signature", "signature", "table")
    said = programs.run(("openssl", "dgst", f"-{found.digest}", *words), folder=room, check=False)
    if said.status or key.status:
        raise _wrong(file, "has a signature that is not of its table of contents")
    named = programs.run((*of_certificate, "-subject", "-nameopt", "RFC2253"), folder=room)
    return _common_name(re.search(r"^subject=(.*)$", named.stdout, re.MULTILINE))


def _common_name(subject: re.Match[str] | None) -> str:
    found = _NAME.search(subject[1]) if subject else None
    return found[1].strip() if found else ""


def _wrong(file: Path, problem: str) -> StepFailed:
    return StepFailed(
        where=file.name, problem=problem, remedy="ask the expert who made it for one that is signed"
    )
