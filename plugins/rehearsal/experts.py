"""Simulated experts: people who read their email, build, sign and put files in place.

By habit they put their files straight where users see them and sign nothing but approvals
(``uploads``; the pipeline does it for Windows), or bring them with a signed manifest
(``manifests``).

The document ``experts`` holds the habit, and each one's manner: ``at once``, ``late`` (after
``looks`` looks at their mail), ``never``, ``other bytes``, ``unknown key``, ``expired key``,
``half``. Their keys are in a GnuPG home that nobody else uses; their files are short and say whose
they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.approval import Approval
from doit_receipts.durable import write_whole
from plugins.model.content import Content, NamedFile
from plugins.model.manifest import MANIFEST, Manifest
from plugins.model.version import Version
from plugins.rehearsal import expert_keys, places, windows_files
from plugins.rehearsal.gnupg_home import GnupgHome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plugins.rehearsal.store import Store

__all__ = [
    "FAULTS",
    "HABITS",
    "MANNERS",
    "Experts",
    "approve",
    "deliver",
    "read_mail",
    "seed",
    "serve",
    "upload",
]

FAULTS: Final = {
    "experts.never": "the expert of the role in the argument never answers",
    "experts.other_bytes": "a file of the role in the argument has other bytes than were signed",
    "experts.unknown_key": "the manifest of the role in the argument is signed by an unknown key",
    "experts.expired_key": "the manifest of the role in the argument is signed by an expired key",
    "experts.half": "the last file of the role in the argument is incomplete",
    "experts.wrong_mode": "public files of the role in the argument are unreadable for users",
}
MANNERS: Final = ("at once", "late", "never", "other bytes", "unknown key", "expired key", "half")
HABITS: Final = ("uploads", "manifests")
_LOOKS_S: Final = 0.2
_SIGNED_UNTIL: Final = 13
"""The last 3.Y whose files have OpenPGP signatures beside them (PEP 761)."""
_BRIEF: Final = re.compile(
    r"^(?P<name>.+) \((?P<role>[a-z]+)\): put into \S*?(?P<inbox>\.[^\s/]+\.incoming/\S+)\n"
    r"(?P<files>(?:^  \S+\n)*)",
    flags=re.MULTILINE,
)


def seed(store: Store, home: Path, roles: Iterable[str]) -> dict[str, str]:
    """The experts of these roles have keys in the home; returns their fingerprints, by role.

    Two further keys are there that no roster should take: an unknown one, and one that expired.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    keyring = GnupgHome(home)
    known = store.load("experts", {"home": str(home), "keys": {}, "manner": {}, "answered": []})
    for name in (*roles, "stranger"):
        if name not in known["keys"]:
            known["keys"][name] = keyring.key(f"expert-{name}", expires="1y")
    if "expired" not in known["keys"]:
        known["keys"]["expired"] = keyring.key(
            "expert-expired", made="20200101T000000", expires="1d"
        )
    store.save("experts", known)
    return {role: known["keys"][role] for role in roles}


def read_mail(store: Store) -> list[str]:
    """Every expert has read the mail that there is, and done what it is their manner to do.

    Returns the roles that put files in place.
    """
    known = store.load("experts", None)
    if known is None:
        return []
    done = []
    for email in store.load("mail", []):
        named = dict(re.findall(r"^  (tag|commit) +(\S+)$", email["text"], flags=re.MULTILINE))
        if set(named) != {"tag", "commit"}:
            continue
        for brief in _BRIEF.finditer(email["text"]):
            role = brief["role"]
            uploads = known.get("habit", "manifests") == "uploads"
            if uploads and role == "windows":  # the pipeline does it
                continue
            if role in known["keys"] and _answers(store, email["message_id"], role):
                files = brief["files"].split()
                version = named["tag"].removeprefix("v")
                if uploads:
                    upload(store, role, version, named["commit"], files)
                    done.append(role)
                    continue
                inbox = places.downloads(store) / brief["inbox"]
                deliver(store, inbox, role, version, named["commit"], files)
                done.append(role)
    return done


def _answers(store: Store, message_id: str, role: str) -> bool:
    """Whether the expert gets to work now; each mail is answered once."""
    known = store.load("experts", {})
    request = f"{message_id} {role}"
    manner = known["manner"].get(role, {})
    if request in known["answered"] or manner.get("how") == "never":
        return False
    if _ordered(store, "experts.never", role):
        return False
    if manner.get("how") == "late" and manner.get("looks", 0) > 0:
        manner["looks"] -= 1
        store.save("experts", known)
        return False
    store.save("experts", {**known, "answered": [*known["answered"], request]})
    return True


def deliver(
    store: Store, inbox: Path, role: str, version: str, commit: str, files: Iterable[str]
) -> None:
    """The expert's files are in the inbox, with a manifest of them and its signature."""
    known = store.load("experts", {})
    how = known["manner"].get(role, {}).get("how", "at once")
    signer = known["keys"][role]
    for manner in ("unknown key", "expired key", "other bytes", "half"):
        if _ordered(store, f"experts.{manner.replace(' ', '_')}", role, take=True):
            how = manner
    if how == "unknown key":
        signer = known["keys"]["stranger"]
    elif how == "expired key":
        signer = known["keys"]["expired"]
    brought = []
    made = _made(store, role, version, commit, files)
    for path in (*(each for each in made if each not in files), *files):
        content = made.get(path) or _content(role, path, commit)
        brought.append(NamedFile(path, Content.of(content)))
        write_whole(inbox / path, content, mode=0o664)
    last = brought[-1] if brought else None
    if last is not None and how == "other bytes":
        write_whole(inbox / last.name, b"x" * last.content.size_bytes, mode=0o664)
    if last is not None and how == "half":
        write_whole(inbox / last.name, b"x", mode=0o664)
    manifest = inbox / MANIFEST
    write_whole(manifest, Manifest.of(version, role, commit, brought).to_bytes(), mode=0o664)
    _sign(GnupgHome(Path(known["home"])), manifest, signer)
    store.record("experts", "delivered", role=role, how=how, files=len(brought))


def upload(store: Store, role: str, version: str, commit: str, files: Iterable[str]) -> None:
    """The expert's files are where users see them, without any manifest, as in every release.

    Beside each is its signature, in series that have them.
    """
    mode = 0o600 if _ordered(store, "experts.wrong_mode", role, take=True) else 0o644
    half = _ordered(store, "experts.half", role, take=True)
    for path in files:
        content = _content(role, path, commit)
        sent = content[: len(content) // 2] if half else content
        for name, beside in _signature(store, role, version, path, content).items():
            write_whole(places.downloads(store) / name, beside, mode=mode)
        write_whole(places.downloads(store) / path, sent, mode=mode)
    store.record("experts", "uploaded", role=role, version=version, mode=f"{mode:o}")


def _content(role: str, path: str, commit: str) -> bytes:
    content = f"{role} built {path} of {commit}\n".encode() * 50
    return _package(content) if path.endswith(".pkg") else content


def _package(content: bytes) -> bytes:
    """A package of macOS around these bytes, whose beginning says where it ends."""
    contents = (
        "<xar><toc><file><data><offset>0</offset>"
        f"<length>{len(content)}</length></data></file></toc></xar>"
    ).encode()
    packed = zlib.compress(contents)
    return struct.pack(">4sHHQQI", b"xar!", 28, 1, len(packed), len(contents), 0) + packed + content


def _signature(
    store: Store, role: str, version: str, path: str, content: bytes
) -> dict[str, bytes]:
    """What the macOS expert signs by hand beside the installer, up to 3.13 (PEP 761)."""
    if not path.endswith(".pkg") or Version.parse(version).minor > _SIGNED_UNTIL:
        return {}
    return {f"{path}.asc": expert_keys.signature(store, role, content)}


def _made(
    store: Store, role: str, version: str, commit: str, files: Iterable[str]
) -> dict[str, bytes]:
    """All that was made beside what is asked for and with it, by path, for whoever brings it."""
    files = tuple(files)
    if role != "windows":
        made = {path: _content(role, path, commit) for path in files}
        signed: dict[str, bytes] = {}
        for path, content in made.items():
            signed |= _signature(store, role, version, path, content)
        return signed
    parsed = Version.parse(version)
    given = {
        "SourceCommit": commit,
        "DoMSI": str(any(path.endswith(".exe") for path in files)),
        "DoFreethreaded": str(parsed.minor >= 13),
        "DoGPG": str(parsed.minor <= _SIGNED_UNTIL),
    }
    made = windows_files.signed(store, windows_files.made(parsed, given), given)
    return {f"{parsed.folder}/{name}": content for name, content in made.items()}


def approve(
    store: Store, folder: Path, role: str, task: str, version: str, subject: str, note: str = ""
) -> None:
    """The expert's green light for the task is in the folder, signed by their manner's key.

    ``subject`` is the digest of what is approved; an expert whose manner is ``other bytes``
    approves something else.
    """
    known = store.load("experts", {})
    how = known["manner"].get(role, {}).get("how", "at once")
    if how == "never":
        return
    key = {"unknown key": "stranger", "expired key": "expired"}.get(how, role)
    approved = "0" * 64 if how == "other bytes" else subject
    statement = folder / f"{task}.json"
    write_whole(statement, Approval(task, version, approved, role, note).to_bytes())
    _sign(GnupgHome(Path(known["home"])), statement, known["keys"][key])
    store.record("experts", "approved", role=role, task=task, how=how)


class Experts:
    """People who look at their mail until they are sent home; ``port`` is nobody's."""

    def __init__(self, task: asyncio.Task[None]) -> None:
        self._task = task

    @property
    def port(self) -> int:
        """They answer on none."""
        return 0

    def close(self) -> None:
        """They look no more."""
        self._task.cancel()


async def serve(store: Store, port: int = 0) -> Experts:  # noqa: ARG001 - as every part is served
    """The experts look at their mail again and again until they are closed."""

    async def work() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                # in the one thread of the environment, so that nobody else writes meanwhile
                read_mail(store)
                await asyncio.sleep(_LOOKS_S)

    return Experts(asyncio.create_task(work()))


def _ordered(store: Store, fault: str, role: str, *, take: bool = False) -> bool:
    ordered: dict[str, Any] = store.load("faults", {}).get(fault, {"times": 0})
    if not ordered["times"] or ordered.get("argument") not in ("", role):
        return False
    return store.fault(fault) is not None if take else True


def _sign(home: GnupgHome, file: Path, key: str) -> None:
    signature = file.with_name(f"{file.name}.asc")
    # A key that has expired still signs if its owner's clock is wrong.
    clock = ["--faked-system-time", "20200101T010000"] if _expired(home, key) else []
    home.gpg(
        *clock, "--yes", "--armor", "--local-user", key, "--output", str(signature),
        "--detach-sign", str(file),
    )  # fmt: skip
    signature.chmod(0o664)


def _expired(home: GnupgHome, key: str) -> bool:
    listed = home.gpg("--with-colons", "--list-keys", key)
    return any(line.startswith("pub:e:") for line in listed.splitlines())
