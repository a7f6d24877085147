"""Evening: what the world is after a release, compared byte for byte, and what was done to it.

Bundles are compared by what they prove: the key of each is made for it and thrown away. Left out
is only what is truly time, or tells of looks and not of acts: when files were changed
(caches name that in their marks), when things happened, in which order emails came that do not
wait for each other, and how often CI and the Windows pipeline were asked how far they are.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from functools import cache as cache_of_calls
from typing import TYPE_CHECKING, Any

from plugins.model.closing_archive import BrokenArchive, ClosingArchive
from plugins.model.published_file import BUNDLE_SUFFIX, EVIDENCE_SUFFIX
from plugins.model.series import SigstoreIdentity
from plugins.rehearsal import cache, places, remotes, sigstore
from plugins.rehearsal.ssh_disk import Account, Disk
from plugins.services.sigstore_client import SigstoreClient
from tests.source_world import git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.publish.day import Day

__all__ = ["acts", "differences", "products", "receipts", "world_of"]

_DOCUMENTS = ("site", "forum", "github", "protection", "buildbots")
_MANIFEST = "-manifest.json"
_ARMOUR_ENDS = b"-----END PGP SIGNATURE-----\n"
_ROOM_BYTES = 20_000_000_000


def world_of(day: Day) -> dict[str, Any]:
    """All that can be seen of the world, by name."""
    _hear_of_late_pushes(day)
    store = day.store
    found: dict[str, Any] = {name: store.load(name, None) for name in _DOCUMENTS}
    # Emails that do not wait for each other may come in any order, and so may answers to them.
    found["mail"] = sorted(store.load("mail", []), key=lambda each: str(each["message_id"]))
    # Nor do pull requests in different repositories, each of which has numbers of its own.
    pulls = sorted(found["github"]["pulls"], key=lambda pull: (pull["repository"], pull["number"]))
    found["github"] = {**found["github"], "pulls": pulls}
    found["experts"] = sorted(store.load("experts", {}).get("answered", []))
    azure = store.load("azure", {})
    # How far it is told to be depends on how often it was asked.
    found["azure"] = [{**run, "stage": "", "asked": "", "approved": ""} for run in azure["runs"]]
    found["azure leases"] = azure["leases"]
    ci = store.load("ci", {})
    found["ci"] = [{**run, "polls": ""} for run in ci.get("runs", [])]
    for name in ("upstream", "fork", "cpython"):
        repository = day.world / (name if name == "cpython" else f"{name}.git")
        for line in git(repository, "for-each-ref").splitlines():
            told, _, ref = line.partition("\t")
            found[f"{name} {ref}"] = told
    for host in ("downloads", "docs"):
        found |= _files(day, host)
    found["rulesets"] = store.load("rulesets", [])
    found["stale caches"] = stale(day)
    found["lease"] = day.lease.exists()
    return found


def _files(day: Day, host: str) -> dict[str, tuple[Any, ...]]:
    """Every name on a host with its mode, owner, group, and bytes or what it leads to."""
    root = day.world / "hosts" / host
    if not root.exists():
        return {}
    owners = day.store.folder / f"{host}.owners"
    disk = Disk(root, owners, [Account("rm", ("rm", "downloads", "docs"))], _ROOM_BYTES)
    found: dict[str, tuple[Any, ...]] = {}
    for real in sorted(root.rglob("*")):
        path = f"/{real.relative_to(root)}"
        each = disk._found(path)
        content = (
            str(real.readlink())
            if real.is_symlink()
            else _content(day, real)
            if real.is_file()
            else "folder"
        )
        found[f"{host}:{path}"] = (oct(each.mode), each.owner, each.group, content)
    return found


def _content(day: Day, file: Path) -> str:
    """The digest of the file; of a bundle, what it is a bundle of if it is good."""
    content = file.read_bytes()
    if file.name.endswith(EVIDENCE_SUFFIX):
        return _stated(sigstore.trust_file(day.store), content)
    if file.name.endswith(f"{_MANIFEST}.asc"):
        return "a signature of the manifest"  # of another one, and at another time, each time
    if file.suffix != ".sigstore":
        return hashlib.sha256(_comparable(file, content)).hexdigest()
    signed = file.with_suffix("")
    if not signed.is_file():
        return "a bundle of nothing"
    raw = signed.read_bytes()
    digest, told = (hashlib.sha256(each).hexdigest() for each in (raw, _comparable(signed, raw)))
    return _proven(sigstore.trust_file(day.store), file, content, digest).replace(digest, told)


def _comparable(file: Path, content: bytes) -> bytes:
    """The content; of the manifest, what it lists beside bundles and evidence: those differ."""
    if not file.name.endswith(_MANIFEST):
        return content
    listed = json.loads(content)
    own = (BUNDLE_SUFFIX, EVIDENCE_SUFFIX)
    left = [entry for entry in listed["entries"] if not entry["name"].endswith(own)]
    return json.dumps({**listed, "entries": left}).encode()


@cache_of_calls
def _stated(trust: Path, content: bytes) -> str:
    """What each statement of the evidence says, if it is good, but for digests of bundles."""
    account = sigstore.RELEASE_MANAGER
    by = SigstoreIdentity(account.email, account.connector)
    client = SigstoreClient(trust)
    said = []
    for line in content.splitlines():
        found = client.verify_statement(line, by)
        said.append(found.signature.problem or _without_bundles(found.payload))
    return "\n".join(said)


def _without_bundles(payload: bytes) -> str:
    """The statement without what follows from the bundles, no two of which are the same."""
    statement = json.loads(payload)
    statement["subject"] = [
        each for each in statement["subject"] if not each["name"].endswith(BUNDLE_SUFFIX)
    ]
    predicate = statement["predicate"]
    for each in (*predicate.get("tests", ()), *predicate.get("approvals", ())):
        each.pop("files_sha256", None)
        each.pop("subject", None)
    return json.dumps(statement)


@cache_of_calls
def _proven(trust: Path, file: Path, content: bytes, digest: str) -> str:
    del content  # another one is judged anew
    account = sigstore.RELEASE_MANAGER
    by = SigstoreIdentity(account.email, account.connector)
    return SigstoreClient(trust).verify_bundle(file, digest, by).problem or f"a bundle of {digest}"


def stale(day: Day) -> list[str]:
    """Every file that an edge serves with other bytes than the host has.

    An address that was made up to get past the caches is asked for once and never again.
    """
    roots = {cache.WWW: places.downloads(day.store), cache.DOCS: places.docs(day.store)}
    tops = {cache.WWW: "/ftp/python/", cache.DOCS: "/"}
    return [
        f"{edge} {path}"
        for host, root in roots.items()
        for edge in cache.EDGES
        for path in cache.kept_paths(day.store, edge, host)
        if path.startswith(tops[host])
        and "?fresh=" not in path
        and _is_stale(day, edge, host, path, root, tops[host])
    ]


def _is_stale(day: Day, edge: str, host: str, path: str, root: Path, top: str) -> bool:
    kept = cache.kept(day.store, edge, host, path)
    there = places.served(root, path.removeprefix(top), top)
    return kept is not None and (kept.status, kept.body) != (there.status_code, bytes(there.body))


def acts(day: Day) -> Counter[str]:
    """How often each public act was done: a push, mail, post, run, pull request, row or name."""
    _hear_of_late_pushes(day)
    return Counter(filter(None, map(_act, day.store.happened())))


def _hear_of_late_pushes(day: Day) -> None:
    """The world knows of every push that was taken, also of one whose client was killed."""
    for name in ("fork", "upstream"):
        remotes.tell_taken(day.world / f"{name}.git", day.store, name)


def _act(entry: dict[str, Any]) -> str:  # noqa: PLR0911 - one line for each part of the world
    part, event = entry["part"], entry["event"]
    match part:
        case "fork" | "upstream" if event == "push":
            return f"{part} push {json.dumps(entry['refs'], sort_keys=True)}"
        case "mail":
            return f"mail {entry['message_id']} to {entry['to']}"
        case "azure" if event in ("queued", "retained"):
            return f"azure {event} {entry.get('run', entry.get('runs'))}"
        case "forum":
            return f"topic {entry['title']}"
        case "site":
            return f"site {event} {entry['slug']}" if event.startswith("created") else ""
        case "github" if entry["status"] < 400 and entry["path"].endswith(_ONCE):
            return f"github {event} {entry['path']}"
        case "ssh.downloads" | "ssh.docs" if event in ("rename", "replace", "symlink"):
            name = entry["path"].rpartition("/")[2]
            hidden = any(each.startswith(".") for each in entry["path"].split("/"))
            return "" if hidden or name.endswith(".partial") else f"{part} shows {entry['path']}"
    return ""


_ONCE = ("/dispatches", "/pulls", "/rulesets", "/git/refs", "/labels", "/comments")


def receipts(day: Day) -> dict[str, bytes]:
    """Every receipt's bytes, by the task's name."""
    return {path.stem: path.read_bytes() for path in (day.work / "receipts").glob("*.json")}


def products(day: Day) -> dict[str, bytes | str]:
    """Every file that a task leaves on this machine, by its name below the work folder.

    Left out are clones, whose objects have no order, and what the engine keeps for itself. Of a
    bundle it counts that it is one: no two are the same.
    """
    found: dict[str, bytes | str] = {}
    for top in sorted(day.work.iterdir()):
        if top.is_dir() and top.name not in _OWN:
            for path in sorted(top.rglob("*")):
                if path.is_file():
                    found[str(path.relative_to(day.work))] = _product(path)
    return found


_OWN = frozenset({"clone", "docs-tools", "logs", "merge-clone", "processes", "receipts", "scratch"})


def _product(path: Path) -> bytes | str:
    content = path.read_bytes()
    if path.name.endswith(EVIDENCE_SUFFIX):
        return f"{content.count(b'dsseEnvelope')} statements"
    if path.parent.name == "closing":
        return _kept(path.name, content)
    if path.name.endswith(f"{_MANIFEST}.asc") and content.endswith(_ARMOUR_ENDS):
        return "a signature of the manifest"  # at another time each time
    if path.suffix != ".sigstore":
        return content
    try:
        return f"a bundle of {json.loads(content)['mediaType']}"
    except ValueError:
        return content


def _kept(name: str, content: bytes) -> bytes | str:
    """What there is of a closed release, without the journal's times and what names them."""
    if name.endswith(".html"):
        return "a report" if content.rstrip().endswith(b"</html>") else content
    if not name.endswith(".tar"):
        return f"a signature, {name}" if content else content
    try:
        return str(sorted(ClosingArchive.from_bytes(content, name).members))
    except BrokenArchive:
        return content


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What differs: names to what was found and what was wanted."""
    return {
        name: (found.get(name), wanted.get(name))
        for name in sorted(found.keys() | wanted.keys())
        if found.get(name) != wanted.get(name)
    }
